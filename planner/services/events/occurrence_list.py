"""The occurrences of many events, merged into one list in the order of their starts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from database.reads import Slice
from models.events.event_queries import (
    SERIES_BATCH_SIZE,
    EventSelection,
    find_few_recurring_events,
    find_recurring_events,
    find_single_events,
)
from models.events.event_view import OccurringEvent, prepare_occurrences
from planner.domain.recurrence.documents import parse_stored_local
from planner.domain.recurrence.occurrences import Occurrence, OccurrenceCursor, list_occurrences, locate_occurrence
from planner.domain.recurrence.series import Series
from planner.domain.times import TIME_RESOLUTION, build_order_key
from planner.domain.zones import add_clamped

Window = tuple[datetime, datetime]
# So many series are read for a part of the window, unless it is as short as the other limit.
MAX_SERIES = 400
SHORTEST_PART = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_in_order = attrgetter("key", "recurrence_id")


class ListedOccurrence(NamedTuple):
    """An occurrence in the list. The only one of an event that does not repeat has no recurrence id, and is None."""

    key: str
    recurrence_id: str
    event: OccurringEvent
    occurrence: Occurrence | None

    @property
    def sort_key(self) -> str:
        """Its position in the list, as `parse_position` reads it."""
        return f"{self.key} {self.recurrence_id}"


class ListPosition(NamedTuple):
    """A position in the list: that of an occurrence, by the instant of its start, its event and its recurrence id."""

    start: datetime
    event_id: str
    recurrence_id: str

    @property
    def key(self) -> str:
        """The key of an event that is at this position; see `build_order_key`."""
        return build_order_key(self.start, self.event_id)


def parse_position(sort_key: str) -> ListPosition:
    """Parse the sort key of a listed occurrence."""
    start, event_id, recurrence_id = sort_key.split(" ", 2)
    return ListPosition(datetime.fromisoformat(start), event_id, recurrence_id)


async def find_occurrences(
    selection: EventSelection, window: Window, after: ListPosition | None, limit: int
) -> Slice[ListedOccurrence]:
    """Return the first occurrences of the selected events in the window that are after the position."""
    count = limit + 1
    selection = selection._replace(window=window)
    singles = await find_single_events(selection, after and after.key, count)
    found = [ListedOccurrence(event.key, "", event, None) for event in map(prepare_occurrences, singles)]
    # What has ended by then is on an earlier page.
    since = window[0] if after is None else max(window[0], add_clamped(after.start, -TIME_RESOLUTION))
    remaining, length = (since, window[1]), window[1] - since
    # If there are many series, they are looked for in short parts of the window, one after the other: a page of a busy
    # month shows an hour of it, and only the series of that hour are read.
    while since < (end := _find_end(found, count, remaining)):
        part = since, min(end, add_clamped(since, length))
        series = await find_few_recurring_events(selection._replace(window=part), MAX_SERIES + 1)
        if len(series) > MAX_SERIES and length > SHORTEST_PART:
            length = max(SHORTEST_PART, (part[1] - part[0]) / 16)
            continue
        start = None if since == remaining[0] else OccurrenceCursor(since)
        async for event in _iterate_series(selection._replace(window=part), series):
            shown = part[0], _find_end(found, count, (remaining[0], part[1]))
            found += _expand(event, shown, after, start, count)
            if len(found) >= count:
                _keep_first(found, count)
        found.sort(key=_in_order)
        since, length = part[1], 2 * length
    return Slice(found[:limit], len(found) > limit)


def _find_end(found: list[ListedOccurrence], count: int, window: Window) -> datetime:
    """Return the end of the window, or the instant after which nothing is on the page any more if it is full.

    That is after the beginning of the window also if the page is full with what began before: so did some series.
    """
    if len(found) < count:
        return window[1]
    last = parse_position(found[count - 1].sort_key).start
    return min(window[1], add_clamped(max(last, window[0]), _SECOND))


def _keep_first(found: list[ListedOccurrence], count: int) -> None:
    found.sort(key=_in_order)
    del found[count:]


async def _iterate_series(selection: EventSelection, first: list[bytes]) -> AsyncIterator[OccurringEvent]:
    """Yield the recurring events of a part of the window, given the first of them; others are read if need be."""
    if len(first) <= MAX_SERIES:
        for number, raw in enumerate(first):
            if number % SERIES_BATCH_SIZE == SERIES_BATCH_SIZE - 1:
                await asyncio.sleep(0)
            yield prepare_occurrences(raw)
        return
    async for batch in find_recurring_events(selection):
        for raw in batch:
            yield prepare_occurrences(raw)


def _expand(
    event: OccurringEvent, window: Window, after: ListPosition | None, start: OccurrenceCursor | None, limit: int
) -> Sequence[ListedOccurrence]:
    """Return the first occurrences of one recurring event in the window that are after the position.

    A `start` is later than the position: then those that begin before it are left out.
    """
    series = event.series
    assert series is not None
    cursor = start or (None if after is None else _build_cursor(event.id, series, after))
    return [
        ListedOccurrence(
            build_order_key(locate_occurrence(series, occurrence).start, event.id),
            occurrence.recurrence_id.isoformat(),
            event,
            occurrence,
        )
        for occurrence in list_occurrences(series, *window, limit, cursor).items
    ]


def _build_cursor(event_id: str, series: Series, after: ListPosition) -> OccurrenceCursor:
    """Return the position among the occurrences of one event that is the position in the whole list."""
    if event_id == after.event_id and after.recurrence_id:
        recurrence_id = parse_stored_local(after.recurrence_id)
        # If the event was changed from times to days meanwhile, only the instant counts.
        is_same_kind = isinstance(recurrence_id, datetime) is not series.all_day
        return OccurrenceCursor(after.start, recurrence_id if is_same_kind else None)
    start = after.start if event_id > after.event_id else add_clamped(after.start, timedelta(microseconds=1))
    return OccurrenceCursor(start)
