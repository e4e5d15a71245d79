"""HTML pages, with their assets in assets/.

api_page.py      /docs: the OpenAPI document in Swagger UI
mailed_links.py  the two pages that links in e-mails open
"""
