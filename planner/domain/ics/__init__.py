"""Events as other calendar programs write and read them: iCalendar, RFC 5545.

content.py    content lines: escaping and folding
tzif.py       when the clocks of a zone change, from the `tzdata` package
vtimezone.py  a zone's rules for other programs
alarms.py     reminders, and what imported alarms say of them
vevent.py     one event, with an entry for each occurrence that differs
envelope.py   what stands around the events of a file
"""
