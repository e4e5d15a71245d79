"""Documents of mail.

queued_mail.py  mail that is to be sent
"""
