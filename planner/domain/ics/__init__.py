"""iCalendar (RFC 5545).

content.py  content lines: escaping, folding, parameters
alarms.py   reminders and VALARMs
reading/    from a file to entries
writing/    from stored events to a file
"""
