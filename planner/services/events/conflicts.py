"""Refusing double bookings: before an event is written, it is compared with the other events of its creator."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from database.commit import commit_atomically
from database.queries import Id
from database.writes import Write
from models.accounts.user import User
from models.events.event import Event
from models.events.event_times import (
    ScheduledEvent,
    find_scheduled_recurring_events,
    find_scheduled_single_events,
    schedule,
)
from models.events.event_view import format_occurrence_time
from planner.clock import Clock
from planner.domain.busy import RequestedSlots, Slot, find_overlapping_slots, find_slot, find_slots_to_check
from planner.domain.recurrence.occurrences import find_occurrence
from planner.domain.times import format_stored_end, format_stored_time
from planner.errors import Collision, DoubleBooking
from planner.services.events.user_lock import UserWriteLocks

# An error names at most so many conflicts.
MAX_CONFLICTS = 10
# After so many series other requests are served: a few milliseconds' work.
_BATCH_SIZE = 5


class _Conflict(NamedTuple):
    """The time of another event that overlaps the requested time."""

    slot: Slot
    other: ScheduledEvent


class ConflictChecker:
    """The rule that an event is refused when it overlaps with another event of its creator."""

    def __init__(self, locks: UserWriteLocks, clock: Clock) -> None:
        self._locks = locks
        self._clock = clock

    async def commit(
        self,
        event: Event,
        writes: Sequence[Write],
        *,
        reject: bool,
        only: date | None = None,
        ignored: Collection[Id] = (),
    ) -> bool:
        """Commit the writes that store an event; with `reject`, only if it overlaps with no other one.

        Returns what `commit_atomically` returns. With `only`, nothing but the occurrence with that
        recurrence id is checked. Events that are `ignored` do not count. Raises `DoubleBooking`.

        Of two requests at the same moment for the same time one is refused: both replace the lock of
        the creator in their groups of writes (`user_lock.py`), and the second one checks again.
        """
        day_zone = await User.find_time_zone(event.creator) if reject else "UTC"
        slots = self._find_requested_slots(event, day_zone, only) if reject else []
        if not slots:
            return await commit_atomically(writes)
        requested = RequestedSlots(slots)

        async def check() -> None:
            if conflicts := await _find_overlapping(event, requested, day_zone, ignored=ignored):
                raise DoubleBooking(conflicts)

        return await self._locks.decide_and_commit(event.creator, check, writes)

    async def find_conflicts(self, event: Event, *, written_with_it: Collection[Event]) -> list[Collision]:
        """Return the first ten occurrences of other events of its creator that an event overlaps, by their start.

        Events that are written in the same group count as they will be. Of a recurring event, 1,000
        occurrences or those of five years are checked, from now or from a later start: see `find_slots_to_check`.
        """
        day_zone = await User.find_time_zone(event.creator)
        slots = self._find_requested_slots(event, day_zone)
        if not slots:
            return []
        return await _find_overlapping(event, RequestedSlots(slots), day_zone, written_with_it=written_with_it)

    def _find_requested_slots(self, event: Event, day_zone: str, only: date | None = None) -> list[Slot]:
        """Return the time that an event, or one occurrence of it, must find free."""
        busy_time = schedule(event, day_zone).busy_time
        if busy_time.series is None or only is None:
            return find_slots_to_check(busy_time, event.begins, event.ends, self._clock.now())
        slot = find_slot(busy_time, only)
        return [] if slot is None else [slot]


async def _find_overlapping(
    event: Event,
    requested: RequestedSlots,
    day_zone: str,
    *,
    ignored: Collection[Id] = (),
    written_with_it: Collection[Event] = (),
) -> list[Collision]:
    window = (requested.start, requested.end)
    excluded = {event.id, *ignored, *(other.id for other in written_with_it)}
    found = [conflict for other in written_with_it for conflict in _overlaps(schedule(other, day_zone), requested)]
    async for singles in find_scheduled_single_events(event.creator, window, day_zone):
        for single in singles:
            found += [] if single.event.id in excluded else _overlaps(single, requested)
    async for batch in find_scheduled_recurring_events(event.creator, window, day_zone):
        for number, recurring in enumerate(batch):
            if recurring.event.id not in excluded:
                found += _overlaps(recurring, requested)
                if number % _BATCH_SIZE == 0:
                    await asyncio.sleep(0)
    found.sort(key=lambda conflict: (conflict.slot.start, conflict.other.event.id))
    return [_describe(conflict) for conflict in found[:MAX_CONFLICTS]]


def _overlaps(other: ScheduledEvent, requested: RequestedSlots) -> list[_Conflict]:
    return [_Conflict(slot, other) for slot in find_overlapping_slots(other.busy_time, requested, MAX_CONFLICTS)]


def _describe(conflict: _Conflict) -> Collision:
    """Return a conflict as it is sent: the id and title of the other event, and its times as it would send them."""
    event, series, recurrence_id = conflict.other.event, conflict.other.busy_time.series, conflict.slot.recurrence_id
    id, time_zone = str(event.id), event.time_zone
    if series is None or recurrence_id is None:
        start = format_stored_time(event.start, time_zone)
        assert start is not None
        return Collision(id, event.title, start, format_stored_end(event.end, time_zone, event.end_time_zone), None)
    occurrence, override = find_occurrence(series, recurrence_id), series.find_override(recurrence_id)
    assert occurrence is not None
    title = event.title if override is None else override.fields.get(Event.title) or event.title
    start = format_occurrence_time(occurrence.start, series.time_zone)
    own = {} if override is None else override.fields
    end_zone = str(own.get("end_time_zone", event.end_time_zone) or series.time_zone)
    end = format_occurrence_time(occurrence.end, end_zone)
    return Collision(id, str(title), start, end, recurrence_id.isoformat())
