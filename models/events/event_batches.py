"""Many events of one person at once: found by their UIDs, and written in one group."""

from collections.abc import Sequence
from datetime import datetime

from database.queries import Id, Stored, parse_id
from database.reads import by_ids, decode, page
from database.writes import Write
from models.accounts.user import User
from models.events.event import Event
from models.events.event_view import default_uid

_OWN = default_uid("")


async def known(creator: Id, uids: Sequence[str]) -> dict[str, Stored]:
    """The events of a person that have one of these UIDs, those that are there."""
    if not uids:
        return {}
    match = {"creator": creator, "uid": {"$in": list(uids)}}
    found = {stored["uid"]: stored for stored in map(decode, await page(Event, match, None, len(uids)))}
    # A UID that was made here holds the event's id, and is not stored besides.
    ids = {uid.removesuffix(_OWN): uid for uid in uids if uid.endswith(_OWN) and uid not in found}
    made = [id for id in map(parse_id, ids) if id is not None]
    for raw in (await by_ids(Event, made)).values() if made else ():
        stored = decode(raw)
        uid = default_uid(str(stored["_id"]))
        if stored["creator"] == creator and "uid" not in stored and uid in uids:
            found[uid] = stored
    return found


def adding(creator: Id, events: Sequence[Stored], now: datetime) -> list[Write]:
    """The writes that store new events, and their ids in their creator's document."""
    if not events:
        return []
    inserts = [write for stored in events for write in Event.inserting(stored)]
    return [*inserts, User.embed_events_write(creator, [stored["_id"] for stored in events], now)]
