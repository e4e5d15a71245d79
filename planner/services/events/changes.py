"""What has changed since a client last asked, so that it can keep a copy of the events up to date.

Writers commit in another order than they begin. So nothing that a writer could store by itself, such as
the time, tells a reader that nothing earlier will still appear. Changes are therefore numbered after
they were committed: a change is written without a number, and before changes are read, all that have
none get the next number, in one write that also increments the sequence. All changes up to its value
can be read, and no other change will ever get such a number. An event that is changed again gets a new
number. See docs/decisions/0010-numbered-changes.md.
"""

import hashlib
from datetime import timedelta
from typing import NamedTuple, cast

from auth.principal import Principal
from database.commit import commit_atomically
from database.queries import Id, assign
from database.single_flight import SingleFlight
from database.writes import Update
from models.events.change_queries import (
    LAST_ID,
    ChangePosition,
    find_changed_events,
    find_removed_events,
    find_unnumbered_changes,
    find_visible_ids,
)
from models.events.change_sequence import ChangeSequence
from models.events.event import UNNUMBERED, Event
from models.events.event_fields import fold_tag
from models.events.event_schema import ChangesQuery, Scope
from models.events.tombstone import TOMBSTONE_LIFETIME, Tombstone
from planner.clock import Clock
from planner.domain.cursors import CHANGES_PATTERN, decode_cursor, encode_cursor
from planner.errors import Expired, Invalid, Unavailable
from planner.services.shared.retry import retry
from planner.services.shared.views import ChangePage

# So many changes get a number in one write, which must not hold up others who write the same events.
BATCH_SIZE = 2_000
ATTEMPTS = 200
# How long another process is given to finish numbering, in seconds.
PAUSE = 0.01
EXPIRED = "This token is too old to tell which events have been deleted since. Leave it out, and read everything again."


class ChangeNumbering:
    """Gives numbers to changes. Requests that ask at the same moment share the work."""

    def __init__(self) -> None:
        self._numberings: SingleFlight[int] = SingleFlight(one_at_a_time=True)

    async def number_changes(self) -> int:
        """Return the last number, after everything that was committed before the call has one.

        Raises `Unavailable` when other processes were faster every time.
        """
        return await self._numberings.run("changes", self._number_all)

    async def _number_all(self) -> int:
        exhausted = Unavailable("Too much is changing at the moment. Try again.")
        return await retry(self._number_batch, exhausted=exhausted, attempts=ATTEMPTS, pause=PAUSE)

    async def _number_batch(self) -> int | None:
        """Assign numbers to some changes; return the last number, or None if another process was faster."""
        while True:
            last = await ChangeSequence.last()
            events, tombstones = await find_unnumbered_changes(BATCH_SIZE)
            if not events and not tombstones:
                # Another process may have numbered them just now: its number counts.
                return await ChangeSequence.last()
            number = last + 1
            is_committed = await commit_atomically(
                [
                    _number_write(Event, events, number),
                    _number_write(Tombstone, tombstones, number),
                    ChangeSequence.advance(last),
                ]
            )
            if not is_committed:
                return None
            if max(len(events), len(tombstones)) < BATCH_SIZE:
                return number


def _number_write(document: type[Event | Tombstone], ids: list[Id], number: int) -> Update:
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
        last = await self._numbering.number_changes()
        token = self._parse_token(query, tag, last)
        if token.position.change_number < token.first_read_until:
            return await self._read_all(caller, token, tag, query.limit)
        return await self._read_changes(caller, token, tag, last, query.limit)

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
        has_more = len(found) > limit
        position = found[limit - 1].position if has_more else ChangePosition(until, LAST_ID)
        items = [event.view.json_for(caller.id) for event in found[:limit]]
        return ChangePage(items, [], token._replace(position=position).encode(), has_more)

    async def _read_changes(
        self, caller: Principal, token: SyncToken, tag: str | None, last: int, limit: int
    ) -> ChangePage:
        scope = token.scope
        changed = await find_changed_events(scope, caller.id, None, token.position, last, limit + 1)
        removed = await find_removed_events(scope, caller.id, token.position, last, limit + 1)
        positions = sorted([event.position for event in changed] + removed)
        has_more = len(positions) > limit
        end = positions[limit - 1] if has_more else ChangePosition(last, LAST_ID)
        changed = [event for event in changed if event.position <= end]
        deleted = {position.event_id for position in removed if position <= end}
        # An event that is back has a higher number than its tombstone: it is, or will be, among the changed ones.
        deleted -= await find_visible_ids(scope, caller.id, sorted(deleted))
        # An event without the tag may have had it before.
        deleted |= {event.view.id for event in changed if tag is not None and tag not in event.tag_keys}
        items = [event.view.json_for(caller.id) for event in changed if event.view.id not in deleted]
        return ChangePage(items, sorted(deleted), token._replace(position=end).encode(), has_more)
