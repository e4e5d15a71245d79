"""Documents and schemas of events.

event.py               events: what is stored, and every read and write of it
event_schema.py        events as they are sent and answered
event_view.py          events as they are rendered
event_queries.py       the filters of lists of events
event_search.py        full-text and geographic search
embedded_ids.py        repair of the event ids that are embedded in accounts
event_times.py         the times of one user's events, for free/busy and conflicts
event_batches.py       many events of one user at once
public_event_index.py  the searchable copy of public events
revision.py            earlier revisions of events
revision_view.py       revisions as they are rendered
tombstone.py           tombstones of deleted events, and of those no longer public
change_sequence.py     the numbers of changes
change_queries.py      changes since a number
"""
