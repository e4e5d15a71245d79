"""When somebody's events are: no more of them than tells when they take time and what they are called."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from database.queries import Filter, Id, Stored
from database.reads import batches, decode
from models.events.event import Event
from models.events.event_queries import repeating, singles
from planner.domain.busy import BusyTime, busy_time_from_document

_TIMES = ["status", "start", "end", "all_day", "time_zone", "begins", "ends"]
_SERIES = ["repeats", "seconds", "recurrence", "overrides"]
_SHOWN: Filter = dict.fromkeys([*_TIMES, *_SERIES, "title", "ics.lines"], 1)
# So many documents are looked into before others have their turn: a few milliseconds' work.
SINGLES_AT_ONCE = 500
SERIES_AT_ONCE = 50
# Larger documents are read anew each time: the memory spent on the others stays bounded.
_REMEMBERED_BYTES = 4096
Window = tuple[datetime, datetime]


class Timed(NamedTuple):
    """An event as far as the fields above go, and what it takes of its creator's time."""

    stored: Stored
    taken: BusyTime


async def find_single_events(creator: Id, window: Window) -> AsyncIterator[list[Timed]]:
    """All of somebody's events that do not repeat and touch the window, some at a time, in no order."""
    match = singles("mine", creator, window, None, None)
    async for found in batches(Event, match, SINGLES_AT_ONCE, _SHOWN):
        yield [timed(decode(raw)) for raw in found]


async def find_recurring_events(creator: Id, window: Window) -> AsyncIterator[list[Timed]]:
    """All of somebody's events that repeat and may have an occurrence in the window, likewise."""
    match = repeating("mine", creator, window, None)
    async for found in batches(Event, match, SERIES_AT_ONCE, _SHOWN):
        yield [_remembered(raw) if len(raw) <= _REMEMBERED_BYTES else timed(decode(raw)) for raw in found]


@lru_cache(maxsize=1024)
def _remembered(raw: bytes) -> Timed:
    return timed(decode(raw))


def timed(stored: Stored) -> Timed:
    """A stored event with what it takes of its creator's time."""
    return Timed(stored, busy_time_from_document(stored))
