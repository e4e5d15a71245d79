"""Recurrence sets (RFC 5545 §3.8.5). Each module imports only those above it.

rrule.py        the syntax and the limits of a recurrence rule
yeardays.py     which days of a year the BY parts of a rule choose
pattern.py      the instances of one rule, in any stretch of time
series.py       an event's start, rule, RDATEs, EXDATEs and overrides as one value
occurrences.py  the occurrences of a series in a window
shift.py        what becomes of a rule when its start moves
edits.py        changes to one occurrence, to one and those that follow, or to all
documents.py    a series as it is sent, and as it is stored
"""
