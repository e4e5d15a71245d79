"""From an iCalendar file to entries that can become events.

components.py        the components of a file, as nested lists of content lines
upload_limits.py     what a file may hold, checked while it is uploaded
properties.py        the values of properties
vevent.py            what one VEVENT says
custom_timezones.py  time zones that a file describes itself (VTIMEZONE)
tzids.py             the IANA zone that a TZID stands for
groups.py            the VEVENTs of one UID, put together as an entry
"""
