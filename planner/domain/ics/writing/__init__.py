"""From stored events to an iCalendar file.

vevent.py     the VEVENTs of one event
vcalendar.py  the VCALENDAR that contains them
vtimezone.py  the VTIMEZONE of an IANA zone
"""
