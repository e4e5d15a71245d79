"""The filters of lists of events. Each branch of one is answered by an index of its own, in order."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from database.queries import Filter, Id
from models.events.event_schema import Scope
from planner.domain.geo import Circle
from planner.domain.recurrence.documents import SERIES_SPAN_LIMITS
from planner.domain.times import SPAN_LIMITS, build_order_key

PUBLIC = {"visibility": "public"}
NO_ID = "0" * 24
Window = tuple[datetime | None, datetime | None]


def listing(scope: Scope, caller: Id, window: Window, tag: str | None, after: str | None) -> Filter:
    """The filter of a list of events.

    An event that touches the window may begin before it, by as much as it lasts. With a
    `from`, a first branch looks back by the length of short events, and one more for each
    class of longer ones looks back further, in an index that holds only those. What repeats
    has a branch of its own.
    """
    return _any_of(owner | times for owner in _owners(scope, caller, tag) for times in _touching(window, after))


def parts(
    scope: Scope, caller: Id, window: Window, tag: str | None, after: str | None, near: Circle | None
) -> list[Filter]:
    """The filters of the branches of the same list where it is near; no event is in two of them."""
    owners = [owner | near_by(near) for owner in _owners(scope, caller, tag)]
    if scope == "all":
        owners[1]["creator"] = {"$ne": caller}
    return [owner | times for owner in owners for times in _touching(window, after)]


def near_by(circle: Circle | None) -> Filter:
    """The filter of what lies in a circle; None is everywhere, also where nobody said."""
    if circle is None:
        return {}
    return {"place": {"$geoWithin": {"$centerSphere": [[circle.lon, circle.lat], circle.radians]}}}


def singles(scope: Scope, caller: Id, window: Window, tag: str | None, after: str | None) -> Filter:
    """The same for those that do not repeat."""
    once: Filter = {"repeats": {"$exists": False}}
    return _any_of(
        owner | times | once
        for owner in _owners(scope, caller, tag)
        for times in _touching(window, after)
        if "repeats" not in times
    )


def repeating(scope: Scope, caller: Id, window: tuple[datetime, datetime], tag: str | None) -> Filter:
    """The filter of those that repeat and may have an occurrence in the window."""
    since, until = window
    before = build_order_key(until, NO_ID)
    return _any_of(owner | times for owner in _owners(scope, caller, tag) for times in _series(since, "", before))


def _owners(scope: Scope, caller: Id, tag: str | None) -> list[Filter]:
    owners: list[Filter] = [{"creator": caller}, dict(PUBLIC)]
    if scope != "all":
        owners = owners[:1] if scope == "mine" else owners[1:]
    return [owner | ({} if tag is None else {"tags": tag}) for owner in owners]


def _any_of(branches: Iterator[Filter]) -> Filter:
    found = list(branches)
    return found[0] if len(found) == 1 else {"$or": found}


def _touching(window: Window, after: str | None) -> Iterator[Filter]:
    since, until = window
    ceiling = {"$lt": build_order_key(until, NO_ID)} if until else {}
    if since is None:
        # Even where it bounds nothing: without it, no index would answer a branch of several in order.
        yield {"key": ceiling | {"$gt": after or ""}}
        return
    floors = [_earliest(since, span) for span in (*SPAN_LIMITS, None)]
    yield {"key": ceiling | {"$gt": max(floors[0], after or "")}, "ends": {"$gt": since}}
    for span, floor in enumerate(floors[1:], start=1):
        yield {"span": span, "key": {"$gt": max(floor, after or ""), "$lt": floors[0]}, "ends": {"$gt": since}}
    yield from _series(since, after or "", floors[0])


def _series(since: datetime, after: str, before: str) -> Iterator[Filter]:
    """What repeats, is not over at `since`, and has a key between the two."""
    for number, reach in enumerate((*SERIES_SPAN_LIMITS, None)):
        keys = {"$gt": max(_earliest(since, reach), after), "$lt": before}
        yield {"repeats": True, "span": -1 - number, "key": keys, "ends": {"$gt": since}}


def _earliest(since: datetime, most: timedelta | None) -> str:
    """The least key that what lasts no longer than `most` can have and still touch a window from `since` on."""
    try:
        return build_order_key(since - most, NO_ID) if most is not None else ""
    except OverflowError:
        return ""
