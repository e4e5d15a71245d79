"""Refusing double bookings: what an event would take of its creator's time is looked up before it is written."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from database.queries import Id, Stored
from database.writes import Write
from models.events.event import Event
from models.events.event_times import Timed, find_recurring_events, find_single_events, timed
from models.events.event_view import OF_DRAFT, EventView
from planner.clock import Clock
from planner.domain.busy import BusyTime, RequestedSlots, Slot, find_overlapping_slots, find_slot, find_slots_to_check
from planner.domain.recurrence.occurrences import find_occurrence
from planner.domain.times import format_rfc3339, format_stored_time
from planner.errors import Collision, DoubleBooking
from planner.services.events.user_lock import UserWriteLocks

# As many are named to whom asks.
MOST_NAMED = 10
# After so many series others have their turn: a few milliseconds' work.
_AT_ONCE = 5

_T = TypeVar("_T")
# Writes that are to go first in the group of a change, for nothing to come in between.
Also = Sequence[Write]


class ConflictChecker:
    """The rule that an event may be refused for the time it takes."""

    def __init__(self, turns: UserWriteLocks, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock

    async def unless_taken(
        self,
        after: Stored,
        write: Callable[[Also], Awaitable[_T]],
        *,
        only: date | None = None,
        but: Collection[Id] = (),
    ) -> _T:
        """What `write` answers, if the event as it is `after` takes no time that is taken already.

        `write` stores it, puts what it is given first in its group of writes, and answers something
        false when it was refused; it is called again when another event was booked meanwhile. With
        `only`, nothing but the occurrence with that id is looked at. Raises `DoubleBooking`; see
        `find_overlapping_slots`.

        Of two that ask at the same moment for the same time one is refused: both take a turn of
        the creator's (`turns.py`) in the same group of writes, and only one can go on from what
        both have read. Several events in one group, as an import has them, take one turn
        together: `in_turn`, with a `decide` that asks `find_overlapping_slots` of each.
        """

        async def decide() -> None:
            if found := await self.collisions(after, only=only, but=but):
                raise DoubleBooking(found)

        if not self._wanted(timed(after), only):
            return await write([])
        return await self.in_turn(after["creator"], decide, write)

    async def in_turn(
        self, owner: Id, decide: Callable[[], Awaitable[None]], write: Callable[[Also], Awaitable[_T]]
    ) -> _T:
        """What `write` answers, with nobody having booked time of the owner's since `decide`; see `take`."""
        return await self._turns.decide_and_write(owner, decide, lambda turn: write([turn]))

    async def change(
        self,
        before: EventView,
        fields: Stored,
        by: Id,
        *,
        reject: bool,
        clear: Collection[str] = OF_DRAFT,
        only: date | None = None,
    ) -> EventView | None:
        """What `Event.change` answers; with `reject` only if the event then takes no time that is taken."""

        async def write(first: Also) -> EventView | None:
            return await Event.change(before, fields, by, also=first, clear=clear)

        if not reject:
            return await write([])
        after, _ = Event.changing(before.stored, fields, by, clear=clear)
        return await self.unless_taken(after, write, only=only)

    async def collisions(
        self,
        after: Stored,
        *,
        only: date | None = None,
        but: Collection[Id] = (),
        beside: Collection[Stored] = (),
    ) -> list[Collision]:
        """What takes the time already that an event would take as it is `after`; ten at most, by their start.

        These are events of its creator's, never the event itself nor those that it is said not to
        collide with (`but`). Those that are written `beside` it count as they will be. Of a series a
        thousand occurrences or five years are looked at, from now on or from its start if that is
        to come; see `planner/domain/busy.py`.
        """
        slots = self._wanted(timed(after), only)
        if not slots:
            return []
        wanted, owner = RequestedSlots(slots), after["creator"]
        window = (wanted.start, wanted.end)
        aside = {after["_id"], *but, *(stored["_id"] for stored in beside)}
        found = [clash for stored in beside for clash in _clashes(timed(stored), wanted)]
        async for events in find_single_events(owner, window):
            found += [clash for one in events if one.stored["_id"] not in aside for clash in _clashes(one, wanted)]
        async for events in find_recurring_events(owner, window):
            for number, one in enumerate(events):
                if len(found) < MOST_NAMED and one.stored["_id"] not in aside:
                    found += _clashes(one, wanted)
                    if number % _AT_ONCE == 0:
                        await asyncio.sleep(0)
        found.sort(key=lambda clash: (clash.slot.start, clash.stored["_id"]))
        return [_named(clash) for clash in found[:MOST_NAMED]]

    def _wanted(self, one: Timed, only: date | None) -> list[Slot]:
        """The time that an event, or one occurrence of it, must find free."""
        if one.taken.series is None:
            return [] if one.taken.single_slot is None else [one.taken.single_slot]
        if only is not None:
            slot = find_slot(one.taken, only)
            return [] if slot is None else [slot]
        return find_slots_to_check(one.taken, one.stored["begins"], one.stored["ends"], self._clock.now())


class _Clash(NamedTuple):
    """Time that an event has in common with what is wanted."""

    slot: Slot
    stored: Stored
    taken: BusyTime


def _clashes(one: Timed, wanted: RequestedSlots) -> list[_Clash]:
    return [_Clash(slot, one.stored, one.taken) for slot in find_overlapping_slots(one.taken, wanted, MOST_NAMED)]


def _named(clash: _Clash) -> Collision:
    """A clash as it is answered: the event's id and title, and its times as the event would answer them."""
    slot, stored, series = clash.slot, clash.stored, clash.taken.series
    id, zone = str(stored["_id"]), stored.get("time_zone")
    if series is None or slot.recurrence_id is None:
        start = format_stored_time(stored["start"], zone)
        assert start is not None
        return Collision(id, stored["title"], start, format_stored_time(stored.get("end"), zone), None)
    item, override = find_occurrence(series, slot.recurrence_id), series.overrides.get(slot.recurrence_id)
    assert item is not None
    title = stored["title"] if override is None else override.fields.get("title") or stored["title"]
    start, end = (_shown(value, series.time_zone) for value in (item.start, item.end))
    return Collision(id, str(title), start, end, slot.recurrence_id.isoformat())


def _shown(value: date, zone: str) -> str:
    return format_rfc3339(value, zone) if isinstance(value, datetime) else value.isoformat()
