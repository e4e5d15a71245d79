"""Recurrence sets (RFC 5545 §3.8.5). Each module imports only those above it.

rrule.py        the syntax and the limits of a recurrence rule
yeardays.py     the days of a year that the BY parts of a rule select
periods.py      the days on which a rule recurs, by its frequency and interval
pattern.py      the instances of one rule, in any range of time
shift.py        moving a rule along when its start is moved
series.py       an event's start, rule, RDATEs, EXDATEs and overrides as one value
occurrences.py  the occurrences of a series in a window
hours.py        the hours of the week in which a series can take place
edits.py        edits of one occurrence, of one and those that follow, or of all
documents.py    a series as it is sent, and as it is stored
"""
