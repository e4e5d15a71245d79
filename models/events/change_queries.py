"""What changed among the events that somebody sees: the filters, and the reads of either kind."""

from typing import NamedTuple

from database.queries import Filter, Id, parse_id
from database.reads import decode, page
from models.events.event import WAITING, Event
from models.events.event_queries import PUBLIC
from models.events.event_schema import Scope
from models.events.event_view import EventView, rendered
from models.events.tombstone import Tombstone

_BY_NUMBER = [("change_number", 1), ("_id", 1)]
_BY_EVENT = [("change_number", 1), ("event", 1)]


class Mark(NamedTuple):
    """A place among the changes: behind the event with this id, of those with this number."""

    change_number: int
    id: str

    @classmethod
    def of(cls, change_number: int, id: Id) -> "Mark":
        """The place of a change of this event."""
        return cls(change_number, str(id))


# Behind every change with the number.
LAST_ID = "f" * 24


class Changed(NamedTuple):
    """An event that changed, as it is now."""

    mark: Mark
    view: EventView
    tags: list[str]


async def waiting(limit: int) -> tuple[list[Id], list[Id]]:
    """Changed events, and notes of gone ones, that have no number yet."""
    events = await page(Event, {"change_number": WAITING}, None, limit, {"_id": 1})
    gone = await page(Tombstone, {"change_number": WAITING}, None, limit, {"_id": 1})
    return [decode(raw)["_id"] for raw in events], [decode(raw)["_id"] for raw in gone]


async def changed(scope: Scope, caller: Id, tag: str | None, after: Mark, last: int, limit: int) -> list[Changed]:
    """The first events behind the mark, up to the number `last`, in the order of their changes."""
    owners: list[Filter] = [{"creator": caller}, dict(PUBLIC)]
    tagged: Filter = {} if tag is None else {"tags": tag}
    branches = [owner | range | tagged for owner in _of(scope, owners) for range in _ranges(after, last, "_id")]
    found = []
    for raw in await page(Event, {"$or": branches}, _BY_NUMBER, limit):
        stored = decode(raw)
        found.append(Changed(Mark.of(stored["change_number"], stored["_id"]), rendered(raw), stored["tags"]))
    return found


async def gone(scope: Scope, caller: Id, after: Mark, last: int, limit: int) -> list[Mark]:
    """The first notes of events that are gone from the scope, in the same order."""
    seen: Filter = {"public": True} | ({"owner": {"$ne": caller}} if scope == "all" else {})
    owners: list[Filter] = [{"owner": caller, "removed": True}, seen]
    branches = [owner | range for owner in _of(scope, owners) for range in _ranges(after, last, "event")]
    notes = await page(Tombstone, {"$or": branches}, _BY_EVENT, limit, {"change_number": 1, "event": 1})
    return [Mark.of(stored["change_number"], stored["event"]) for stored in map(decode, notes)]


async def seen(scope: Scope, caller: Id, ids: list[str]) -> set[str]:
    """Those of the events that are in the scope now."""
    if not ids:
        return set()
    owners: list[Filter] = [{"creator": caller}, dict(PUBLIC)]
    among = {"_id": {"$in": [parse_id(id) for id in ids]}}
    found = await page(Event, among | {"$or": _of(scope, owners)}, None, len(ids), {"_id": 1})
    return {str(decode(raw)["_id"]) for raw in found}


async def newest(scope: Scope, caller: Id) -> int:
    """The number of the last change in the scope, of what is there or gone; 0 when there never was one.

    It differs whenever anything in the scope does, once everything that waits is numbered.
    """
    numbered: Filter = {"change_number": {"$gt": WAITING}}
    owners: list[Filter] = [{"creator": caller}, dict(PUBLIC)]
    notes: list[Filter] = [{"owner": caller, "removed": True}, {"public": True}]
    found = [
        await page(Event, owner | numbered, [("change_number", -1)], 1, {"change_number": 1})
        for owner in _of(scope, owners)
    ]
    found += [
        await page(Tombstone, note | numbered, [("change_number", -1)], 1, {"change_number": 1})
        for note in _of(scope, notes)
    ]
    return max((int(decode(raw[0])["change_number"]) for raw in found if raw), default=WAITING)


def _of(scope: Scope, owners: list[Filter]) -> list[Filter]:
    return owners if scope == "all" else owners[:1] if scope == "mine" else owners[1:]


def _ranges(after: Mark, last: int, id: str) -> list[Filter]:
    """What lies behind the mark: the rest of its number, and the numbers after it."""
    ranges: list[Filter] = [{"change_number": {"$gt": after.change_number, "$lte": last}}]
    if after.id != LAST_ID and WAITING < after.change_number <= last:
        ranges.append({"change_number": after.change_number, id: {"$gt": parse_id(after.id)}})
    return ranges
