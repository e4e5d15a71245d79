"""What has changed among the events that a caller may see, in the order of the numbers of the changes."""

from typing import NamedTuple

from database.queries import Filter, Id, only, parse_id
from database.reads import Order, find, find_raw_by_ids
from models.events.change_numbers import UNNUMBERED, EventChange
from models.events.event import Event
from models.events.event_queries import NO_ID, is_in_scope, select_by_scope, visible_filters
from models.events.event_schema import Scope
from models.events.event_view import EventView, render_raw
from models.events.tombstone import Tombstone

# No id is greater than this one.
LAST_ID = "f" * 24
# So many changes are looked at for one page, at most: with a tag that is rare, a page has fewer events.
MAX_EXAMINED = 5_000
# While a page is not full, each query for it reads twice as many changes as the one before, but at most so many.
MAX_BATCH_SIZE = 200


class ChangePosition(NamedTuple):
    """A position among the changes: after the event with this id, of those whose change has this number."""

    change_number: int
    event_id: str


class ChangedEvent(NamedTuple):
    """An event that has changed, as it is now."""

    position: ChangePosition
    view: EventView

    def has_tag(self, tag: str) -> bool:
        """Return whether the event has a tag, given in the form in which tags are compared."""
        return tag in self.view.event.tag_keys


class ChangedEvents(NamedTuple):
    """Events that have changed; `end` is the position up to which all are among them, None if there are no more."""

    events: list[ChangedEvent]
    end: ChangePosition | None


class UnnumberedChanges(NamedTuple):
    """The ids of changed events and of tombstones that have no change number yet."""

    events: list[Id]
    tombstones: list[Id]


async def find_unnumbered_changes(limit: int, creator: Id | None = None) -> UnnumberedChanges:
    """Return some changes without a number, at most `limit` of events and of tombstones; only those of `creator`."""
    # Without a creator, a lower bound that excludes nothing: so the index of the unnumbered changes can be used.
    whose = {"$gte": Id(NO_ID)} if creator is None else creator
    match: Filter = {EventChange.creator: whose, EventChange.change_number: UNNUMBERED}
    events = await find(EventChange, match, limit=limit, fields=only(EventChange.id))
    owned: Filter = {} if creator is None else {Tombstone.owner: creator}
    match = owned | {Tombstone.change_number: UNNUMBERED}
    tombstones = await find(Tombstone, match, limit=limit, fields=only(Tombstone.id))
    return UnnumberedChanges([event.id for event in events], [tombstone.id for tombstone in tombstones])


async def find_changed_events(
    scope: Scope, caller: Id, tag: str | None, after: ChangePosition, last: int, limit: int
) -> ChangedEvents:
    """Return the first events after the position, up to the change number `last`, in the order of their changes.

    Fewer than `limit` are returned, with an `end`, after `MAX_EXAMINED` changes of events without the tag.
    """
    found: list[ChangedEvent] = []
    examined, size = 0, limit
    while len(found) < limit:
        if examined >= MAX_EXAMINED:
            return ChangedEvents(found, after)
        positions = await _find_changes(scope, caller, after, last, size)
        examined += len(positions)
        found += await _read_changed(scope, caller, tag, positions)
        if len(positions) < size:
            return ChangedEvents(found[:limit], found[limit - 1].position if len(found) > limit else None)
        after = positions[-1]
        size = max(limit, min(2 * size, MAX_BATCH_SIZE, MAX_EXAMINED - examined))
    return ChangedEvents(found[:limit], found[limit - 1].position)


async def _find_changes(scope: Scope, caller: Id, after: ChangePosition, last: int, limit: int) -> list[ChangePosition]:
    """Return the positions of the first changes after a position."""
    ranges = _range_filters(after, last, EventChange.change_number, EventChange.id)
    visible = select_by_scope(scope, {EventChange.creator: caller}, {EventChange.public: True})
    branches = [owner | range for owner in visible for range in ranges]
    order: Order = [(EventChange.change_number, 1), (EventChange.id, 1)]
    fields = only(EventChange.change_number)
    found = await find(EventChange, {"$or": branches}, order=order, limit=limit, fields=fields)
    return [ChangePosition(change.change_number, str(change.id)) for change in found]


async def _read_changed(
    scope: Scope, caller: Id, tag: str | None, positions: list[ChangePosition]
) -> list[ChangedEvent]:
    """Return the events of some changes that are in the scope now, and have the tag if there is one.

    Of an event that was deleted or hidden since, there is a tombstone with a later number, or will be.
    """
    ids = [Id(position.event_id) for position in positions]
    stored = await find_raw_by_ids(Event, ids) if ids else {}
    found = []
    for id, position in zip(ids, positions, strict=True):
        view = None if id not in stored else render_raw(stored[id])
        if view is None or not is_in_scope(scope, caller, view):
            continue
        changed = ChangedEvent(position, view)
        if tag is None or changed.has_tag(tag):
            found.append(changed)
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
    events, tombstones = EventChange.change_number, Tombstone.change_number
    numbers = [UNNUMBERED]
    for visible in select_by_scope(scope, {EventChange.creator: caller}, {EventChange.public: True}):
        match = visible | {events: {"$gt": UNNUMBERED}}
        changed = await find(EventChange, match, order=[(events, -1)], limit=1, fields=only(events))
        numbers += [change.change_number for change in changed]
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
