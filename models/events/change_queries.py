"""What has changed among the events that a caller may see, in the order of the numbers of the changes."""

from typing import NamedTuple

from database.queries import Filter, Id, only, parse_id
from database.reads import Order, find, find_raw
from models.events.event import UNNUMBERED, Event
from models.events.event_queries import select_by_scope, visible_filters
from models.events.event_schema import Scope
from models.events.event_view import EventView, render_raw
from models.events.tombstone import Tombstone

# No id is greater than this one.
LAST_ID = "f" * 24


class ChangePosition(NamedTuple):
    """A position among the changes: after the event with this id, of those whose change has this number."""

    change_number: int
    event_id: str


class ChangedEvent(NamedTuple):
    """An event that has changed, as it is now."""

    position: ChangePosition
    view: EventView
    tag_keys: list[str]


class UnnumberedChanges(NamedTuple):
    """The ids of events and of tombstones that have no change number yet."""

    events: list[Id]
    tombstones: list[Id]


async def find_unnumbered_changes(limit: int) -> UnnumberedChanges:
    """Return some events and tombstones without a change number, at most `limit` of either."""
    events = await find(Event, {Event.change_number: UNNUMBERED}, limit=limit, fields=only(Event.id))
    tombstones = await find(Tombstone, {Tombstone.change_number: UNNUMBERED}, limit=limit, fields=only(Tombstone.id))
    return UnnumberedChanges([event.id for event in events], [tombstone.id for tombstone in tombstones])


async def find_changed_events(
    scope: Scope, caller: Id, tag: str | None, after: ChangePosition, last: int, limit: int
) -> list[ChangedEvent]:
    """Return the first events after the position, up to the change number `last`, in the order of their changes."""
    ranges = _range_filters(after, last, Event.change_number, Event.id)
    branches = [visible | range for visible in visible_filters(scope, caller, tag) for range in ranges]
    order: Order = [(Event.change_number, 1), (Event.id, 1)]
    found = []
    for raw in await find_raw(Event, {"$or": branches}, order=order, limit=limit):
        event = Event.from_raw(raw)
        found.append(ChangedEvent(ChangePosition(event.change_number, str(event.id)), render_raw(raw), event.tag_keys))
    return found


async def find_removed_events(
    scope: Scope, caller: Id, after: ChangePosition, last: int, limit: int
) -> list[ChangePosition]:
    """Return the positions of the first events after a position that have left the scope, likewise."""
    seen_by_others: Filter = {Tombstone.owner: {"$ne": caller}} if scope == "all" else {}
    visible = select_by_scope(
        scope, {Tombstone.owner: caller, Tombstone.removed: True}, {Tombstone.public: True} | seen_by_others
    )
    ranges = _range_filters(after, last, Tombstone.change_number, Tombstone.event)
    branches = [owner | range for owner in visible for range in ranges]
    order: Order = [(Tombstone.change_number, 1), (Tombstone.event, 1)]
    fields = only(Tombstone.change_number, Tombstone.event)
    found = await find(Tombstone, {"$or": branches}, order=order, limit=limit, fields=fields)
    return [ChangePosition(tombstone.change_number, str(tombstone.event)) for tombstone in found]


async def find_visible_ids(scope: Scope, caller: Id, ids: list[str]) -> set[str]:
    """Return those of the ids whose events are in the scope now."""
    if not ids:
        return set()
    match: Filter = {Event.id: {"$in": [parse_id(id) for id in ids]}, "$or": visible_filters(scope, caller)}
    return {str(event.id) for event in await find(Event, match, limit=len(ids), fields=only(Event.id))}


async def find_latest_change_number(scope: Scope, caller: Id) -> int:
    """Return the greatest change number in the scope, of events or tombstones; 0 if there is none.

    It changes whenever anything in the scope does, once all changes are numbered.
    """
    events, tombstones = Event.change_number, Tombstone.change_number
    numbers = [UNNUMBERED]
    for visible in visible_filters(scope, caller):
        match = visible | {events: {"$gt": UNNUMBERED}}
        changed = await find(Event, match, order=[(events, -1)], limit=1, fields=only(events))
        numbers += [event.change_number for event in changed]
    own: Filter = {Tombstone.owner: caller, Tombstone.removed: True}
    for visible in select_by_scope(scope, own, {Tombstone.public: True}):
        match = visible | {tombstones: {"$gt": UNNUMBERED}}
        removed = await find(Tombstone, match, order=[(tombstones, -1)], limit=1, fields=only(tombstones))
        numbers += [tombstone.change_number for tombstone in removed]
    return max(numbers)


def _range_filters(after: ChangePosition, last: int, number: int, id: object) -> list[Filter]:
    """Return the filters of what is after the position: the rest of its change number, and all later numbers.

    `number` and `id` are the names of the fields that changes are sorted by.
    """
    ranges: list[Filter] = [{number: {"$gt": after.change_number, "$lte": last}}]
    if after.event_id != LAST_ID and UNNUMBERED < after.change_number <= last:
        ranges.append({number: after.change_number, id: {"$gt": parse_id(after.event_id)}})
    return ranges
