"""Delivery of mail.

delivery.py    sends queued mails
transports.py  ways to send a mail: SMTP, or files in a folder
"""
