"""Free/busy: when people are busy, and who may see it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from itertools import islice

from auth.principal import Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, parse_id
from database.writes import Insert
from models.accounts.user import User
from models.events.event_times import Window, find_scheduled_recurring_events, find_scheduled_single_events
from models.people.busy_schema import MAX_WINDOW_DAYS, BusyQuery, render_free_busy
from models.people.busy_share import MAX_SHARES, BusyShare, BusyShareRead
from planner.clock import Clock
from planner.domain.busy import Slot, clip_slots, iterate_slots, merge_slots
from planner.domain.times import parse_window
from planner.domain.zones import add_clamped
from planner.errors import Conflict, Invalid, NotFound
from planner.load.lanes import Lane
from planner.services.accounts.grants import require_session_writes
from planner.services.events.user_lock import UserWriteLocks
from planner.services.shared.pages import page_by_id, parse_id_cursor
from planner.services.shared.views import Page

DEFAULT_WINDOW = timedelta(days=31)
MAX_WINDOW = timedelta(days=MAX_WINDOW_DAYS)
# The number of occurrences that are computed for one response. No calendar that a person keeps has more.
MAX_SLOTS = 50_000


class FreeBusy:
    """The use cases of free/busy."""

    def __init__(self, locks: UserWriteLocks, lane: Lane, clock: Clock) -> None:
        self._locks = locks
        self._lane = lane
        self._clock = clock

    async def get_free_busy(self, caller: Principal, query: BusyQuery) -> bytes:
        """Return the times in a window at which somebody is busy, as the JSON of a `BusyRead`.

        Raises `Invalid` for a window that is empty, too long, or has too many occurrences, and `NotFound` for
        a person who does not share with the caller, or does not exist. Raises `Busy` as well.
        """
        since, until = parse_window(query.since, query.until)
        since = since or self._clock.now().replace(microsecond=0)
        until = until or add_clamped(since, DEFAULT_WINDOW)
        if until <= since:
            raise Invalid.field("/to", "must be after from, because it is exclusive; the default of from is now")
        if until - since > MAX_WINDOW:
            raise Invalid.field("/to", f"must be at most {MAX_WINDOW_DAYS} days after from")
        owner = await self._find_owner(caller, query.user)
        async with self._lane.work(caller.id):
            return render_free_busy(str(owner), since, until, await _find_busy_slots(owner, (since, until)))

    async def _find_owner(self, caller: Principal, user: str | None) -> Id:
        """Return the id of the person whose free/busy is requested, if the caller may see it; raises `NotFound`."""
        owner = caller.id if user is None else parse_id(user)
        if owner == caller.id:
            return owner
        if owner is None or not await BusyShare.has_access(owner, caller.id) or not await User.is_active(owner):
            raise NotFound
        return owner

    async def get_share_page(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """Return a page of the people who may see when the caller is busy, the oldest share first."""
        found = await BusyShare.find_by_owner(caller.id, parse_id_cursor(cursor), limit)
        return page_by_id(found, render_share)

    async def create_share(self, caller: Principal, user: str) -> None:
        """Let a person see when the caller is busy, whether or not there is such an account.

        Raises `Invalid` for the caller's own id, `NotFound` for a malformed id, and `Conflict` when the caller
        shares with the largest number of people already.
        """
        reader = parse_id(user)
        if reader is None:
            raise NotFound
        if reader == caller.id:
            raise Invalid.field("/user_id", "must be the id of another person; you can see when you are busy anyway")
        if await BusyShare.has_access(caller.id, reader):
            return
        now = self._clock.now()
        share = BusyShare(owner=caller.id, reader=reader, created_at=now)

        async def decide() -> None:
            if await BusyShare.is_limit_reached(caller.id):
                raise Conflict(f"You share with {MAX_SHARES:,} people already, and more are not possible.")

        # The same request may be sent twice at the same moment: then the other one has inserted the share.
        writes = [Insert(share), *require_session_writes(caller, now)]
        with suppress(DuplicateKey):
            await self._locks.decide_and_commit(caller.id, decide, writes)

    async def delete_share(self, caller: Principal, user: str) -> None:
        """Stop letting a person see when the caller is busy, whether or not they could.

        Raises `NotFound` for a malformed id.
        """
        reader = parse_id(user)
        if reader is None:
            raise NotFound
        await commit_atomically([BusyShare.delete_write(caller.id, reader)])


def render_share(share: BusyShare) -> bytes:
    """Return the JSON of a share."""
    return BusyShareRead.from_document(share).to_json()


async def _find_busy_slots(owner: Id, window: Window) -> list[Slot]:
    """Return the busy time in a window, merged; raises `Invalid` if it has more than `MAX_SLOTS` occurrences."""
    found: list[Slot] = []
    day_zone = await User.find_time_zone(owner)
    async for events in find_scheduled_single_events(owner, window, day_zone):
        found += clip_slots((event.busy_time.single_slot for event in events if event.busy_time.single_slot), *window)
        _require_computable(found)
    async for events in find_scheduled_recurring_events(owner, window, day_zone):
        for event in events:
            # An hourly series has thousands of occurrences: let other requests run before the next one.
            await asyncio.sleep(0)
            found += clip_slots(islice(iterate_slots(event.busy_time, *window), MAX_SLOTS + 1), *window)
            _require_computable(found)
    return merge_slots(found)


def _require_computable(found: list[Slot]) -> None:
    if len(found) > MAX_SLOTS:
        raise Invalid.field("/to", f"must be closer to from: the window has more than {MAX_SLOTS:,} occurrences")
