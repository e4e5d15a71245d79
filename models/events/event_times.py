"""The time that the events of one account take, read without the rest of the events."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from database.queries import Id, only
from database.reads import find_raw_batches
from models.events.event import Event
from models.events.event_queries import EventSelection, recurring_events_filter, single_events_filter
from planner.domain.busy import BusyTime, busy_time_from_event

# So many documents are read before other requests are served: a few milliseconds' work.
SINGLE_BATCH_SIZE = 500
SERIES_BATCH_SIZE = 50
# Larger documents are not cached, so that the memory of the cache stays bounded.
_MAX_CACHED_BYTES = 4096
_FIELDS = only(
    *(
        Event.title,
        Event.status,
        Event.transparency,
        Event.declined,
        Event.start,
        Event.end,
        Event.all_day,
        Event.time_zone,
    ),
    *(Event.begins, Event.ends, Event.repeats, Event.seconds, Event.recurrence, Event.overrides),
)
Window = tuple[datetime, datetime]


class ScheduledEvent(NamedTuple):
    """An event, as far as the fields above go, and the time that it takes of its creator."""

    event: Event
    busy_time: BusyTime


async def find_scheduled_single_events(creator: Id, window: Window) -> AsyncIterator[list[ScheduledEvent]]:
    """Yield the events of an account that do not repeat and overlap the window, in batches, in no order."""
    match = single_events_filter(EventSelection("mine", creator, window), None)
    async for found in find_raw_batches(Event, match, SINGLE_BATCH_SIZE, _FIELDS):
        yield [schedule(Event.from_raw(raw)) for raw in found]


async def find_scheduled_recurring_events(creator: Id, window: Window) -> AsyncIterator[list[ScheduledEvent]]:
    """Yield the recurring events of an account that may have an occurrence in the window, in batches, in no order."""
    match = recurring_events_filter(EventSelection("mine", creator, window))
    async for found in find_raw_batches(Event, match, SERIES_BATCH_SIZE, _FIELDS):
        yield [_schedule_cached(raw) if len(raw) <= _MAX_CACHED_BYTES else _schedule_raw(raw) for raw in found]


def _schedule_raw(raw: bytes) -> ScheduledEvent:
    return schedule(Event.from_raw(raw))


_schedule_cached = lru_cache(maxsize=1024)(_schedule_raw)


def schedule(event: Event) -> ScheduledEvent:
    """Return an event with the time that it takes of its creator."""
    return ScheduledEvent(event, busy_time_from_event(event))
