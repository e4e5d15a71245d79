"""Pure rules on values: no await, no database, no HTTP; the current time is an argument.

times.py           when an event takes place: as it is sent, as it is stored, and the instants computed from it
zones.py           conversion between local time and instants, by IANA time zones
busy.py            which time events take, how it is merged, and which events overlap
fields.py          what is true of each field of an event
stored_event.py    what the rules need to know of a stored event
recurrence/        recurrence sets (RFC 5545 §3.8.5)
ics/               iCalendar (RFC 5545), reading and writing
merge_patch.py     JSON merge patch (RFC 7396)
colors.py          colours by their CSS names
words.py           the words of texts, folded for comparison
search/            search for events by words and by place
cursors.py         cursors of lists and of search results
geo.py             circles on the earth's surface
rate_limits.py     how often something may happen
passwords.py       which passwords are too weak
mail_templates.py  the mails, as text and as HTML
mail_addresses.py  e-mail addresses in the headers of mails
urls.py            web addresses
pkce.py            Proof Key for Code Exchange (RFC 7636)
"""
