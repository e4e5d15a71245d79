"""iCalendar (RFC 5545).

content.py           content lines: escaping, folding, parameters
alarms.py            reminders and VALARMs
twins.py             imported lines that repeat what a field says
imported_details.py  what an imported entry says about people and conferences
versions.py          which of two entries is newer
field_properties.py  how a field is read from properties, and written to them
tzif.py              the transitions of a zone, from its TZif file (RFC 8536)
reading/             from a file to entries
writing/             from stored events to a file
"""
