"""Use cases of events.

events.py       create, read, list, change and delete events
occurrences.py  single occurrences of recurring events
revisions.py    earlier revisions of an event, and restoring one
changes.py      what changed since a client last asked
conflicts.py    detection of double bookings
user_lock.py    serialised decisions of one user
free_busy.py    busy intervals, and who may see them
moderation.py   takedowns of public events
"""
