"""Documents of events, their queries and writes, and their schemas.

event.py               the document of an event
event_fields.py        the plain fields of an event: types, documentation, defaults
event_schema.py        events as they are sent in requests and responses
event_draft.py         the content of an event as its author sent it, as it is stored
event_view.py          events and occurrences as they are rendered
event_queries.py       lists of events
event_search.py        search by words and by place
event_times.py         the time that the events of one account take
event_writes.py        the writes that create, change, delete and restore an event
embedded_ids.py        repair of the event ids that are embedded in accounts
public_event_index.py  the searchable copy of public events
revision.py            earlier revisions of events
revision_view.py       revisions as they are rendered
tombstone.py           what clients with a copy of the events must remove from it
change_numbers.py      the numbers of changes
change_queries.py      changes after a position
"""
