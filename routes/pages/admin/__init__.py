"""Pages of moderators and admins.

staff.py          who may see them
account_pages.py  accounts: found, read, and by admins changed
event_pages.py    public events, and their takedowns
audit_page.py     what happened to accounts
"""
