"""From an iCalendar file to entries that can become events.

decoding.py          the octets of a file as text
components.py        the components of a file, as nested lists of content lines
upload_limits.py     the limits of a file, checked while it is uploaded
properties.py        the values of properties
vevent.py            the fields of one VEVENT
custom_timezones.py  time zones that a file defines itself (VTIMEZONE)
zone_matching.py     the IANA time zones with the same clocks
tzids.py             the IANA time zone that a TZID stands for
rules.py             several RRULEs and EXRULE, as one rule and dates
event_zones.py       the time zone in which an event is stored
entry_times.py       the times of an entry, in the time zone of its event
groups.py            the VEVENTs with one UID, combined into an entry
"""
