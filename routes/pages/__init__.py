"""HTML pages.

mailed_links.py  the two pages that links in mails open
"""
