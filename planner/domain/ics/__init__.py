"""Events as other calendar programs write and read them: iCalendar, RFC 5545.

content.py    content lines: escaping and folding
tzif.py       when the clocks of a zone change, from the `tzdata` package
vtimezone.py  a zone's rules for other programs
alarms.py     reminders, and what imported alarms say of them
vevent.py     one event, with an entry for each occurrence that differs
envelope.py   what stands around the events of a file
intake.py     what a file that is read may have at most
files.py      a file that is read, taken apart into components
properties.py content lines that are read: names, parameters, values
described.py  zones that a file describes itself
zone_ids.py   which zone the name in a file means
told.py       what one VEVENT says, in our fields as far as they reach
entries.py    everything that a file says of one UID, ready to become an event
"""
