"""Delivery of mail.

delivery.py    sends the mail that is due
transports.py  the ways for a mail to leave: SMTP, or files in a folder
"""
