"""Lists of events. An index of its own finds each branch of a filter, in the order of `key`."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from database.queries import Filter, Id, parse_id
from database.reads import Slice, find, find_raw, find_raw_batches, find_raw_by_ids
from models.accounts.closed_account import list_closed_accounts
from models.events.event import Event, default_uid
from models.events.event_schema import Scope
from models.events.event_view import EventView, render_raw
from planner.domain.geo import Circle
from planner.domain.recurrence.documents import SERIES_SPAN_LIMITS
from planner.domain.recurrence.hours import EVERY_HOUR, list_hours_of_window
from planner.domain.times import SPAN_LIMITS, build_order_key

Window = tuple[datetime | None, datetime | None]
# So many series are expanded before other requests are served: a few milliseconds' work.
SERIES_BATCH_SIZE = 100
NO_ID = "0" * 24
_DEFAULT_UID_SUFFIX = default_uid("")


class EventSelection(NamedTuple):
    """Which events are listed: those of a scope, as far as a window, a tag (folded) and a circle select them."""

    scope: Scope
    caller: Id
    window: Window = (None, None)
    tag: str | None = None
    near: Circle | None = None


def public_filter() -> Filter:
    """Return the filter of public events, without those of closed accounts."""
    return {Event.visibility: "public"} | exclude_creators()


def exclude_creators(*ids: Id) -> Filter:
    """Return the filter of events whose creator is none of these, and has no closed account."""
    excluded = [*ids, *list_closed_accounts()]
    if not excluded:
        return {}
    return {Event.creator: {"$ne": excluded[0]} if len(excluded) == 1 else {"$nin": excluded}}


async def list_events(selection: EventSelection, after: str | None, limit: int) -> Slice[EventView]:
    """Return the first selected events with a key after this one, in the order of their keys."""
    found = await find_raw(Event, list_filter(selection, after), order=[(Event.key, 1)], limit=limit + 1)
    return slice_views(found, limit)


async def list_taken_down_events(after: str | None, limit: int) -> Slice[EventView]:
    """Return the first events that are taken down, with a key after this one, in the order of their keys."""
    match: Filter = {Event.takedown: {"$exists": True}, Event.key: {"$gt": after or ""}} | exclude_creators()
    found = await find_raw(Event, match, order=[(Event.key, 1)], limit=limit + 1)
    return slice_views(found, limit)


def slice_views(found: list[bytes], limit: int) -> Slice[EventView]:
    """Return the first `limit` of some stored events, of which one more than that was read."""
    return Slice([render_raw(raw) for raw in found[:limit]], len(found) > limit)


async def find_single_events(selection: EventSelection, after: str | None, limit: int) -> list[bytes]:
    """Return the first selected events that do not repeat, as bytes, in the order of their keys."""
    return await find_raw(Event, single_events_filter(selection, after), order=[(Event.key, 1)], limit=limit)


async def find_few_recurring_events(selection: EventSelection, limit: int) -> list[bytes]:
    """Return at most `limit` of the recurring events that may have an occurrence in the window, in no order."""
    return await find_raw(Event, recurring_events_filter(selection), limit=limit)


def find_recurring_events(selection: EventSelection) -> AsyncIterator[list[bytes]]:
    """Yield the recurring events that may have an occurrence in the window, as bytes, in batches, in no order."""
    return find_raw_batches(Event, recurring_events_filter(selection), SERIES_BATCH_SIZE)


def find_all_recurring_events() -> AsyncIterator[list[bytes]]:
    """Yield the recurring events of all accounts, as bytes, in batches, in no order."""
    # A lower bound that excludes nothing: so an index finds them.
    match: Filter = {Event.creator: {"$gte": Id(NO_ID)}, Event.repeats: True}
    return find_raw_batches(Event, match, SERIES_BATCH_SIZE)


async def find_events_by_uid(creator: Id, uids: Sequence[str]) -> dict[str, Event]:
    """Return the events of an account that have one of these UIDs, by their UIDs."""
    if not uids:
        return {}
    match = {Event.creator: creator, Event.uid: {"$in": list(uids)}}
    found = {event.ical_uid: event for event in await find(Event, match, limit=len(uids))}
    # A UID that was made from the event's id is not stored.
    missing = (uid.removesuffix(_DEFAULT_UID_SUFFIX) for uid in uids if uid not in found)
    ids = [id for id in map(parse_id, missing) if id is not None]
    for raw in (await find_raw_by_ids(Event, ids)).values() if ids else ():
        event = Event.from_raw(raw)
        if event.creator == creator and event.uid is None and event.ical_uid in uids:
            found[event.ical_uid] = event
    return found


def list_filter(selection: EventSelection, after: str | None) -> Filter:
    """Return the filter of a list of events; see docs/decisions/0005-windows-and-spans.md.

    An event that overlaps the window may begin before it, by as much as it lasts. If the window has a
    start, the first branch looks back by the length of short events. Each class of longer events has a
    branch that looks back further, in an index that has only long ones; recurring events have their own.
    """
    return _any_of(owner | times for owner in _owner_filters(selection) for times in time_filters(selection, after))


def near_filter(circle: Circle | None) -> Filter:
    """Return the filter of events in a circle; None does not filter."""
    if circle is None:
        return {}
    return {Event.place: {"$geoWithin": {"$centerSphere": [[circle.lon, circle.lat], circle.radians]}}}


def single_events_filter(selection: EventSelection, after: str | None) -> Filter:
    """Return the filter of those events of a list that do not repeat."""
    single: Filter = {Event.repeats: {"$exists": False}}
    return _any_of(
        owner | times | single
        for owner in _owner_filters(selection)
        for times in time_filters(selection, after)
        if Event.repeats not in times
    )


def recurring_events_filter(selection: EventSelection) -> Filter:
    """Return the filter of the recurring events that may have an occurrence in the window, which has both ends."""
    since, until = selection.window
    assert since is not None
    assert until is not None
    before = build_order_key(until, NO_ID)
    hours = list_hours_of_window(since, until)
    # An event that was stored before there were hours can be in any of them.
    in_hours: Filter = {} if hours is None else {Event.hours: {"$in": [EVERY_HOUR, *hours, None]}}
    return _any_of(
        owner | times | in_hours for owner in _owner_filters(selection) for times in _series_filters(since, "", before)
    )


def _owner_filters(selection: EventSelection) -> list[Filter]:
    return visible_filters(selection.scope, selection.caller, selection.tag)


def visible_filters(scope: Scope, caller: Id, tag: str | None = None) -> list[Filter]:
    """Return the filters of the events in a scope, with a tag if it is given; each has an index of its own."""
    tagged: Filter = {} if tag is None else {Event.tag_keys: tag}
    return [owner | tagged for owner in select_by_scope(scope, {Event.creator: caller}, public_filter())]


def select_by_scope(scope: Scope, mine: Filter, public: Filter) -> list[Filter]:
    """Return those of two filters, of one's own documents and of public ones, that make up a scope."""
    return [mine, public] if scope == "all" else [mine] if scope == "mine" else [public]


def is_in_scope(scope: Scope, caller: Id, view: EventView) -> bool:
    """Return whether an event is in a scope."""
    is_own = view.creator == caller
    is_public = view.visibility == "public" and view.creator not in list_closed_accounts()
    return {"mine": is_own, "public": is_public, "all": is_own or is_public}[scope]


def _any_of(branches: Iterator[Filter]) -> Filter:
    found = list(branches)
    return found[0] if len(found) == 1 else {"$or": found}


def time_filters(selection: EventSelection, after: str | None) -> Iterator[Filter]:
    """Yield the filters of the events in the window with a key after this one; no event matches two of them."""
    since, until = selection.window
    key_limit = {"$lt": build_order_key(until, NO_ID)} if until else {}
    if since is None:
        # A lower bound that excludes nothing: without one, no index yields a branch of an `$or` in order.
        yield {Event.key: key_limit | {"$gt": after or ""}}
        return
    earliest = [_earliest_key(since, span) for span in (*SPAN_LIMITS, None)]
    yield {Event.key: key_limit | {"$gt": max(earliest[0], after or "")}, Event.ends: {"$gt": since}}
    for span, key in enumerate(earliest[1:], start=1):
        keys = {"$gt": max(key, after or ""), "$lt": earliest[0]}
        yield {Event.span: span, Event.key: keys, Event.ends: {"$gt": since}}
    yield from _series_filters(since, after or "", earliest[0])


def _series_filters(since: datetime, after: str, before: str) -> Iterator[Filter]:
    """Yield the filters of recurring events that end after `since` and have a key between the two."""
    for index, limit in enumerate((*SERIES_SPAN_LIMITS, None)):
        keys = {"$gt": max(_earliest_key(since, limit), after), "$lt": before}
        yield {Event.repeats: True, Event.span: -1 - index, Event.key: keys, Event.ends: {"$gt": since}}


def _earliest_key(since: datetime, max_length: timedelta | None) -> str:
    """Return the least key of an event that is not longer than this and overlaps a window that starts at `since`."""
    try:
        return build_order_key(since - max_length, NO_ID) if max_length is not None else ""
    except OverflowError:
        return ""
