"""What has changed since a client last asked, so that it can keep a copy of the events up to date.

Writers commit in another order than they begin. So nothing that a writer could store by itself, such as
the time, tells a reader that nothing earlier will still appear. Changes are therefore numbered after
they were committed: a change is written without a number, and in the background, or before changes are
read, those that have none get the next number, in one write that also increments the sequence. All
changes up to its value can be read, and no other change will ever get such a number. An event that is
changed again gets a new number. See docs/decisions/0010-numbered-changes.md, and
0030-numbering-in-the-background.md.
"""

import asyncio
import hashlib
import logging
import random
import time
from datetime import timedelta
from typing import NamedTuple, cast

from auth.principal import Principal
from database.commit import commit_atomically
from database.queries import Id, assign
from database.single_flight import SingleFlight
from database.writes import Update
from models.events.change_numbers import UNNUMBERED, ChangeSequence, EventChange
from models.events.change_queries import (
    LAST_ID,
    ChangePosition,
    find_changed_events,
    find_removed_events,
    find_unnumbered_changes,
    find_visible_ids,
)
from models.events.event_fields import fold_tag
from models.events.event_schema import ChangesQuery, Scope
from models.events.tombstone import TOMBSTONE_LIFETIME, Tombstone
from planner.clock import Clock
from planner.domain.cursors import CHANGES_PATTERN, decode_cursor, encode_cursor
from planner.errors import Expired, Invalid
from planner.services.shared.views import ChangePage

log = logging.getLogger("planner.background")
# So many changes get a number in one write: it holds up who changes one of the same events meanwhile.
BATCH_SIZE = 1_000
# A request numbers changes for so long. Whatever has no number then is numbered in the background.
REQUEST_SECONDS = 0.5
# How long a request tries again when other processes were faster, and the pause before it does so, in seconds.
CONTENTION_SECONDS = 2.0
PAUSE = 0.01
# After a change, the background work waits for so long: what is written meanwhile shares the number.
GATHER_SECONDS = 0.25
EXPIRED = "This token is too old to tell which events have been deleted since. Leave it out, and read everything again."


class Numbered(NamedTuple):
    """The last number, and whether all changes in question that were committed before the call have one."""

    last: int
    is_complete: bool


class ChangeNumbering:
    """Gives numbers to changes. Requests that ask at the same moment share the work."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._numberings: SingleFlight[Numbered] = SingleFlight(one_at_a_time=True)
        self._is_behind = False

    async def number_due(self) -> int:
        """Give all changes a number, and return the last one."""
        await asyncio.sleep(GATHER_SECONDS)
        while not (numbered := await self._assign_numbers(None, REQUEST_SECONDS)).is_complete:
            log.info("numbering changes of events: many have no number yet; the last number is %d", numbered.last)
        return numbered.last

    async def number_changes(self, scope: Scope, caller: Id) -> Numbered:
        """Give what was committed before the call a number, for `REQUEST_SECONDS`; `is_complete` concerns the scope.

        If there is more to number than can be done in this time, the caller's own changes come first.
        """
        if not (self._is_behind and scope == "mine"):
            # If the background work is behind, it will be for a while: then one more group of changes is enough.
            seconds = 0.0 if self._is_behind else REQUEST_SECONDS
            numbered = await self._numberings.run(None, lambda: self._assign_numbers(None, seconds))
            if numbered.is_complete:
                return numbered
        own = await self._numberings.run(caller, lambda: self._assign_numbers(caller, REQUEST_SECONDS))
        return own._replace(is_complete=own.is_complete and scope == "mine")

    async def _assign_numbers(self, creator: Id | None, seconds: float) -> Numbered:
        """Give changes a number, or only those of a creator, until all have one or so many seconds have passed."""
        begun = time.monotonic()
        while True:
            # One at a time, in the order of arrival: transactions of one process must not compete.
            async with self._turn:
                numbered = await self._number_batch(creator)
            waited = time.monotonic() - begun
            if numbered is None and waited < CONTENTION_SECONDS:
                await asyncio.sleep(random.uniform(PAUSE, 2 * PAUSE))  # noqa: S311 - nothing depends on its secrecy
            elif numbered is None or numbered.is_complete or waited >= seconds:
                break
        numbered = numbered or Numbered(await ChangeSequence.last(), is_complete=False)
        if creator is None:
            self._is_behind = not numbered.is_complete
        return numbered

    async def _number_batch(self, creator: Id | None) -> Numbered | None:
        """Assign the next number to some changes; None means that another process was faster."""
        events, tombstones = await find_unnumbered_changes(BATCH_SIZE, creator)
        # Read after the changes: if another process has numbered them just now, its number counts.
        last = await ChangeSequence.last()
        if not events and not tombstones:
            return Numbered(last, is_complete=True)
        number = last + 1
        # The sequence comes first: of several processes all but one then fail before they have done any work.
        writes = [ChangeSequence.advance(last)]
        if events:
            writes.append(_number_write(EventChange, events, number))
        if tombstones:
            writes.append(_number_write(Tombstone, tombstones, number))
        if not await commit_atomically(writes):
            return None
        return Numbered(number, is_complete=max(len(events), len(tombstones)) < BATCH_SIZE)


def _number_write(document: type[EventChange | Tombstone], ids: list[Id], number: int) -> Update:
    """Return the write that gives this number to those of the documents that have none."""
    return Update(
        document,
        {document.id: {"$in": ids}, document.change_number: UNNUMBERED},
        {"$set": assign(document.change_number, number)},
        required=False,
        many=True,
    )


class SyncToken(NamedTuple):
    """How far a client has read, of what, and when.

    To a client that reads everything for the first time, all changes up to `first_read_until` are new.
    """

    position: ChangePosition
    first_read_until: int
    issued_at: int
    scope: Scope
    tag_digest: str

    def encode(self) -> str:
        """Return the token as it is sent."""
        position = f"{self.position.change_number} {self.position.event_id}"
        return encode_cursor(f"{position} {self.first_read_until} {self.issued_at} {self.scope} {self.tag_digest}")

    @classmethod
    def decode(cls, key: str) -> "SyncToken":
        """Return the token in the key of a cursor."""
        number, event_id, until, issued_at, scope, tag_digest = key.split(" ")
        position = ChangePosition(int(number), event_id)
        return cls(position, int(until), int(issued_at), cast("Scope", scope), tag_digest)


class ChangeLog:
    """The use case of keeping a copy of events up to date."""

    def __init__(self, numbering: ChangeNumbering, clock: Clock) -> None:
        self._numbering = numbering
        self._clock = clock

    async def get_page(self, caller: Principal, query: ChangesQuery) -> ChangePage:
        """Return what is new, changed or deleted since a token; without one, everything there is.

        Raises `Invalid` for a token of another scope or tag, and `Expired` for one that is too old.
        """
        tag = None if query.tag is None else fold_tag(query.tag)
        numbered = await self._numbering.number_changes(query.scope, caller.id)
        token = self._parse_token(query, tag, numbered.last)
        if token.position.change_number < token.first_read_until:
            page = await self._read_all(caller, token, tag, query.limit)
        else:
            page = await self._read_changes(caller, token, tag, numbered.last, query.limit)
        # What has no number yet is on a later page.
        return page._replace(has_more=page.has_more or not numbered.is_complete)

    def _parse_token(self, query: ChangesQuery, tag: str | None, last: int) -> SyncToken:
        now = int(self._clock.now().timestamp())
        tag_digest = "-" if tag is None else hashlib.sha256(tag.encode()).hexdigest()[:16]
        key = decode_cursor(query.since, CHANGES_PATTERN, "/since")
        if key is None:
            return SyncToken(ChangePosition(UNNUMBERED, LAST_ID), last, now, query.scope, tag_digest)
        token = SyncToken.decode(key)
        if (token.scope, token.tag_digest) != (query.scope, tag_digest):
            raise Invalid.field("/since", "must be a token for the same scope and tag")
        # A number that does not exist yet is from a database that was restored from an older copy since.
        is_unknown = max(token.position.change_number, token.first_read_until) > last
        if is_unknown or now - token.issued_at >= TOMBSTONE_LIFETIME / timedelta(seconds=1):
            raise Expired(EXPIRED)
        return token._replace(issued_at=now)

    async def _read_all(self, caller: Principal, token: SyncToken, tag: str | None, limit: int) -> ChangePage:
        """Return a page for a client that reads everything for the first time: nothing of it can be deleted."""
        until = token.first_read_until
        found = await find_changed_events(token.scope, caller.id, tag, token.position, until, limit + 1)
        events = found.events[:limit]
        end = events[-1].position if len(found.events) > limit else found.end
        items = [event.view.json_for(caller.id) for event in events]
        token = token._replace(position=end or ChangePosition(until, LAST_ID))
        return ChangePage(items, [], token.encode(), has_more=end is not None)

    async def _read_changes(
        self, caller: Principal, token: SyncToken, tag: str | None, last: int, limit: int
    ) -> ChangePage:
        scope = token.scope
        found = await find_changed_events(scope, caller.id, None, token.position, last, limit + 1)
        removed = await find_removed_events(scope, caller.id, token.position, last, limit + 1)
        positions = sorted([event.position for event in found.events] + removed)
        ends = [positions[limit - 1]] if len(positions) > limit else []
        ends += [found.end] if found.end is not None else []
        end = min(ends, default=ChangePosition(last, LAST_ID))
        changed = [event for event in found.events if event.position <= end]
        deleted = {position.event_id for position in removed if position <= end}
        # An event that is back has a higher number than its tombstone: it is, or will be, among the changed ones.
        deleted -= await find_visible_ids(scope, caller.id, sorted(deleted))
        # An event without the tag may have had it before.
        deleted |= {event.view.id for event in changed if tag is not None and not event.has_tag(tag)}
        items = [event.view.json_for(caller.id) for event in changed if event.view.id not in deleted]
        return ChangePage(items, sorted(deleted), token._replace(position=end).encode(), has_more=bool(ends))
