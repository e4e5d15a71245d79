"""The occurrences of many events, merged into one list in the order of their starts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from database.reads import Slice
from models.events.event_queries import EventSelection, find_recurring_events, find_single_events
from models.events.event_view import OccurringEvent, prepare_occurrences
from planner.domain.recurrence.documents import parse_stored_local
from planner.domain.recurrence.occurrences import Occurrence, OccurrenceCursor, list_occurrences, locate_occurrence
from planner.domain.recurrence.series import Series
from planner.domain.times import TIME_RESOLUTION, build_order_key
from planner.domain.zones import add_clamped

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
    selection: EventSelection, window: tuple[datetime, datetime], after: ListPosition | None, limit: int
) -> Slice[ListedOccurrence]:
    """Return the first occurrences of the selected events in the window that are after the position."""
    since, until = window
    count = limit + 1
    selection = selection._replace(window=window)
    found = [
        ListedOccurrence(event.key, "", event, None)
        for event in map(prepare_occurrences, await find_single_events(selection, after and after.key, count))
    ]
    if after is not None:
        # What has ended by then is on an earlier page.
        since = max(since, add_clamped(after.start, -TIME_RESOLUTION))
    async for batch in find_recurring_events(selection._replace(window=(since, until))):
        for event in map(prepare_occurrences, batch):
            end = until
            if len(found) == count:
                # What begins after the last one of a full page is not on this page.
                end = min(until, add_clamped(parse_position(found[-1].sort_key).start, _SECOND))
            found += _expand(event, (since, end), after, count)
            if len(found) >= count:
                found.sort(key=_in_order)
                del found[count:]
    found.sort(key=_in_order)
    return Slice(found[:limit], len(found) > limit)


def _expand(
    event: OccurringEvent, window: tuple[datetime, datetime], after: ListPosition | None, limit: int
) -> Sequence[ListedOccurrence]:
    """Return the first occurrences of one recurring event in the window that are after the position."""
    series = event.series
    assert series is not None
    cursor = None if after is None else _build_cursor(event.id, series, after)
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
