"""When people are busy, and who may see it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from itertools import islice

from auth.principal import Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, parse_id
from database.writes import Write
from models.accounts.user import User
from models.events.event_times import Window, find_recurring_events, find_single_events
from models.people.busy_schema import LONGEST_DAYS, BusyQuery
from models.people.busy_share import MOST, BusyShare
from models.shared.views import Page, to_json
from planner.clock import Clock
from planner.domain.busy import Slot, clip_slots, iterate_slots, merge_slots
from planner.domain.cursors import ID_PATTERN, decode_cursor
from planner.domain.times import parse_window
from planner.domain.zones import add_clamped
from planner.errors import Conflict, Invalid, NotFound
from planner.services.events.user_lock import UserWriteLocks

MONTH = timedelta(days=31)
LONGEST = timedelta(days=LONGEST_DAYS)
# As many occurrences are looked into for one answer; more are no calendar that anybody keeps.
MOST_SLOTS = 50_000


class FreeBusy:
    """The use cases of free/busy."""

    def __init__(self, turns: UserWriteLocks, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock

    async def seen(self, caller: Principal, wanted: BusyQuery) -> bytes:
        """When somebody is busy in the window, as it is answered.

        Raises `Invalid` for a window that is empty, too long, or holds too much; `NotFound` for
        anybody who does not let the caller see it, or is not there.
        """
        since, until = parse_window(wanted.since, wanted.until)
        since = since or self._clock.now().replace(microsecond=0)
        until = until or add_clamped(since, MONTH)
        if until <= since:
            raise Invalid.field("/to", "must be after from, which is now unless it is told; it is exclusive")
        if until - since > LONGEST:
            raise Invalid.field("/to", f"must be at most {LONGEST_DAYS} days after from")
        owner = await self._owner(caller, wanted.user)
        busy = [{"start": slot.start, "end": slot.end} for slot in await _busy(owner, (since, until))]
        return to_json({"user": str(owner), "from": since, "to": until, "busy": busy})

    async def _owner(self, caller: Principal, user: str | None) -> Id:
        owner = caller.id if user is None else parse_id(user)
        if owner == caller.id:
            return owner
        if owner is None or not await BusyShare.holds(owner, caller.id):
            raise NotFound
        standing = await User.standing(owner)
        if standing is None or standing["disabled"]:
            raise NotFound
        return owner

    async def shares(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """A page of those whom the caller lets see when they are busy."""
        after = decode_cursor(cursor, ID_PATTERN)
        return await BusyShare.listed(caller.id, parse_id(after) if after else None, limit)

    async def share(self, caller: Principal, user: str) -> None:
        """Let somebody see when the caller is busy, whether or not there is such an account.

        Raises `Invalid` for the caller, `NotFound` for what is no id, `Conflict` when the caller
        shares it with as many as one may.
        """
        reader = parse_id(user)
        if reader is None:
            raise NotFound
        if reader == caller.id:
            raise Invalid.field("/user_id", "is you, who sees it anyway")
        if await BusyShare.holds(caller.id, reader):
            return
        giving = BusyShare.giving(caller.id, reader, self._clock.now())

        async def decide() -> None:
            if await BusyShare.is_full(caller.id):
                raise Conflict(f"You share it with {MOST} others already, which is the most.")

        async def give(turn: Write) -> bool:
            return await commit_atomically([turn, giving])

        # The same request may be sent twice at once: then the other one was first.
        with suppress(DuplicateKey):
            await self._turns.decide_and_write(caller.id, decide, give)

    async def unshare(self, caller: Principal, user: str) -> None:
        """Let somebody see it no longer, whether or not they could; raises `NotFound` for what is no id."""
        reader = parse_id(user)
        if reader is None:
            raise NotFound
        await commit_atomically([BusyShare.taking_back(caller.id, reader)])


async def _busy(owner: Id, window: Window) -> list[Slot]:
    """What of a window is taken, merged; raises `Invalid` where that is too much to look at."""
    found: list[Slot] = []
    async for events in find_single_events(owner, window):
        found += clip_slots((event.taken.single_slot for event in events if event.taken.single_slot), *window)
        _bound(found)
    async for events in find_recurring_events(owner, window):
        for event in events:
            # A series of every hour has thousands: others have their turn before the next one.
            await asyncio.sleep(0)
            found += clip_slots(islice(iterate_slots(event.taken, *window), MOST_SLOTS + 1), *window)
            _bound(found)
    return merge_slots(found)


def _bound(found: list[Slot]) -> None:
    if len(found) > MOST_SLOTS:
        raise Invalid.field("/to", f"would have more than {MOST_SLOTS} occurrences looked into; ask for less time")
