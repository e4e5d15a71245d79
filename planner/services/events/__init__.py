"""Use cases of events.

events.py              create, get, list, change and delete events
occurrences.py         change and delete single occurrences of recurring events, and list occurrences
occurrence_list.py     the occurrences of many events in one list
occurrence_changes.py  what a change that was sent means for a series
split_events.py        events that were one series before it was split
revisions.py           list earlier revisions of an event, and restore one
changes.py             list what has changed since a client last asked
conflicts.py           detection of double bookings
current_event.py       changing an event while others change it
times_refresh.py       when events recur, computed again after the rules of time zones have changed
user_lock.py           serialised decisions of one user
free_busy.py           busy intervals, and who may see them
moderation.py          takedowns of public events
publication.py         confirmation before others see an event that its file calls private
"""
