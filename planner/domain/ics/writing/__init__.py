"""From stored events to an iCalendar file.

vevent.py      the VEVENTs of one event
exceptions.py  the occurrences that differ from their series
vcalendar.py   the VCALENDAR that contains them
vtimezone.py   the VTIMEZONE of an IANA zone
"""
