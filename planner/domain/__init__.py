"""Pure rules on values: no await, no database, no HTTP; the time is an argument.

times.py      when an event is: what people write, what is kept, and the instants that follow
zones.py      time zones by their IANA names
recurrence.py what other parts use of the recurrence modules, with a map of them:
              rrule.py, yeardays.py, pattern.py, series.py, occurrences.py, shift.py, edits.py
repeats.py    a recurring event as it is sent, as a series, and as it is kept
busy.py       what takes time, what that is merged, and what collides
ics/          events as other calendar programs write and read them
patch.py      JSON merge patch
cursors.py    the place in a list where a page ended
ranks.py      the same among what was found for some words
circles.py    what is near a point
etags.py      entity tags from revisions, and the headers that compare them
limits.py     how often something may happen
passwords.py  which passwords are refused, and why
mails.py      the mails, as text and as HTML
addresses.py  addresses of pages
pkce.py       who redeems a code is who asked for it
"""
