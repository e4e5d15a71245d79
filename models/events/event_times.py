"""The time that the events of one account take, read without the rest of the events."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

from database.queries import Id, only
from database.reads import find_raw_batches
from models.events.event import Event
from models.events.event_queries import EventSelection, recurring_events_filter, single_events_filter
from planner.domain.busy import BusyTime, busy_time_from_event
from planner.domain.zones import MAX_CLOCK_CHANGE, add_clamped
from planner.memory.cache import BoundedCache

# So many documents are read before other requests are served: a few milliseconds' work.
SINGLE_BATCH_SIZE = 500
SERIES_BATCH_SIZE = 50
# Larger documents are not cached.
_MAX_CACHED_BYTES = 4096
# What a cached event takes besides twice its bytes, about.
_SCHEDULED_BYTES = 8_700
_FIELDS = only(
    *(
        Event.title,
        Event.status,
        Event.transparency,
        Event.declined,
        Event.start,
        Event.end,
        Event.all_day,
        Event.end_time_zone,
        Event.time_zone,
    ),
    *(Event.begins, Event.ends, Event.repeats, Event.seconds, Event.nominal_days, Event.recurrence, Event.overrides),
)
Window = tuple[datetime, datetime]


class ScheduledEvent(NamedTuple):
    """An event, as far as the fields above go, and the time that it takes of its creator."""

    event: Event
    busy_time: BusyTime


_scheduled: BoundedCache[tuple[bytes, str], ScheduledEvent] = BoundedCache(4 * 2**20)


async def find_scheduled_single_events(
    creator: Id, window: Window, day_zone: str
) -> AsyncIterator[list[ScheduledEvent]]:
    """Yield the events of an account that do not repeat and may overlap the window, in batches, in no order.

    The days of all-day events without a time zone are those of `day_zone`.
    """
    match = single_events_filter(EventSelection("mine", creator, _widen(window, day_zone)), None)
    async for found in find_raw_batches(Event, match, SINGLE_BATCH_SIZE, _FIELDS):
        yield [schedule(Event.from_raw(raw), day_zone) for raw in found]


async def find_scheduled_recurring_events(
    creator: Id, window: Window, day_zone: str
) -> AsyncIterator[list[ScheduledEvent]]:
    """Yield the recurring events of an account that may have an occurrence in the window, as the function above."""
    match = recurring_events_filter(EventSelection("mine", creator, _widen(window, day_zone)))
    async for found in find_raw_batches(Event, match, SERIES_BATCH_SIZE, _FIELDS):
        yield [_schedule_raw(raw, day_zone) for raw in found]


def _widen(window: Window, day_zone: str) -> Window:
    """Return the window in which events are stored that may be in a window by the days of a zone."""
    # The instants of an all-day event without a time zone are stored by the days of UTC.
    margin = timedelta(0) if day_zone == "UTC" else MAX_CLOCK_CHANGE
    return add_clamped(window[0], -margin), add_clamped(window[1], margin)


def _schedule_raw(raw: bytes, day_zone: str) -> ScheduledEvent:
    """Return a stored recurring event with its busy time, from its bytes, by which it is cached."""
    key = (raw, day_zone)
    scheduled = _scheduled.get(key)
    if scheduled is None:
        scheduled = schedule(Event.from_raw(raw), day_zone)
        if len(raw) <= _MAX_CACHED_BYTES:
            _scheduled.put(key, scheduled, 2 * len(raw) + _SCHEDULED_BYTES)
    return scheduled


def schedule(event: Event, day_zone: str) -> ScheduledEvent:
    """Return an event with the time that it takes of its creator."""
    return ScheduledEvent(event, busy_time_from_event(event, day_zone))
