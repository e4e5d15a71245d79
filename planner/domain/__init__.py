"""Pure rules on values: no await, no database, no HTTP; the time is an argument.

times.py           when an event takes place: as it is sent, as it is stored, and the instants that follow
zones.py           time zones by their IANA names
busy.py            which time events take, merged, and what overlaps
recurrence/        recurrence sets
ics/               iCalendar, reading and writing
merge_patch.py     JSON merge patch (RFC 7396)
cursors.py         cursors of lists
ranks.py           cursors of search results
geo.py             circles on the earth
rate_limits.py     how often something may happen
passwords.py       which passwords are too weak
mail_templates.py  the mails, as text and HTML
urls.py            web addresses
pkce.py            Proof Key for Code Exchange (RFC 7636)
"""
