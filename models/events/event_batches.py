"""The events of one account that have some given UIDs."""

from collections.abc import Sequence

from database.queries import Id, parse_id
from database.reads import find, find_raw_by_ids
from models.events.event import Event, default_uid

_SUFFIX = default_uid("")


async def find_events_by_uid(creator: Id, uids: Sequence[str]) -> dict[str, Event]:
    """Return the events of an account that have one of these UIDs, by their UIDs."""
    if not uids:
        return {}
    match = {Event.creator: creator, Event.uid: {"$in": list(uids)}}
    found = {event.ical_uid: event for event in await find(Event, match, limit=len(uids))}
    # A UID that was made from the event's id is not stored.
    candidates = (parse_id(uid.removesuffix(_SUFFIX)) for uid in uids if uid.endswith(_SUFFIX) and uid not in found)
    ids = [id for id in candidates if id is not None]
    for raw in (await find_raw_by_ids(Event, ids)).values() if ids else ():
        event = Event.from_raw(raw)
        if event.creator == creator and event.uid is None and event.ical_uid in uids:
            found[event.ical_uid] = event
    return found
