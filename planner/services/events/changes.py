"""What changed since somebody last asked, so that a copy can be kept up to date.

Writers commit in another order than they begin, so nothing that a writer could note by
itself, such as the time, tells a reader that nothing older will still appear. Changes are
therefore numbered once they are committed: a change is written with the number 0, and
before changes are read, all those that wait get the next number, together with its being
given out, in one write. What has a number up to the last one given out can be read, and
nothing with such a number will ever appear again: whoever has read up to it has missed
nothing. An event that is changed again gets a new number.
"""

import asyncio
import hashlib
import random
from datetime import timedelta
from typing import NamedTuple

from auth.principal import Principal
from database.commit import commit_atomically
from database.writes import Update
from models.events.change_queries import LAST_ID, Mark, changed, gone, seen, waiting
from models.events.change_sequence import ChangeSequence
from models.events.event import Event
from models.events.event_schema import ChangesQuery, Scope
from models.events.tombstone import KNOWN, Tombstone
from models.shared.fields import fold_tag
from models.shared.views import Changes
from planner.clock import Clock
from planner.domain.cursors import CHANGES_PATTERN, decode_cursor, encode_cursor
from planner.errors import Expired, Invalid, Unavailable

# As many get a number in one write: it must not hold up those who write the same events.
BATCH = 2_000
ATTEMPTS = 200
# How long another process is given to finish numbering, in seconds.
PAUSE = 0.01
TOO_OLD = "This token is too old to tell what is gone since. Leave it out, and read everything anew."


class ChangeNumbering:
    """Numbers what waits. Those who ask at once share the work."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._asked = 0
        self._served = 0
        self._last = 0

    async def last(self) -> int:
        """The last number, after everything that was committed before the call has one.

        Raises `Unavailable` when others number all the time and this call never comes to it.
        """
        self._asked += 1
        mine = self._asked
        async with self._lock:
            # A round that began after this call has seen everything that this call is to see.
            if self._served < mine:
                round = self._asked
                self._last = await self._number()
                self._served = round
            return self._last

    async def _number(self) -> int:
        for _ in range(ATTEMPTS):
            last = await ChangeSequence.last()
            events, notes = await waiting(BATCH)
            if not events and not notes:
                # Another process may just have numbered them: its number is to count.
                return await ChangeSequence.last()
            numbered = {"$set": {"change_number": last + 1}}
            done = await commit_atomically(
                [
                    Update(Event, {"_id": {"$in": events}, "change_number": 0}, numbered, required=False, many=True),
                    Update(Tombstone, {"_id": {"$in": notes}, "change_number": 0}, numbered, required=False, many=True),
                    ChangeSequence.advance(last),
                ]
            )
            if not done:
                await asyncio.sleep(random.uniform(PAUSE, 2 * PAUSE))  # noqa: S311 - only to get out of step
            elif max(len(events), len(notes)) < BATCH:
                return last + 1
        raise Unavailable("Too much is changing at the moment. Try again.")


class _Token(NamedTuple):
    """How far somebody has read, of what, and when.

    Up to the number `new` everything is new to them: nothing of that can be gone.
    """

    mark: Mark
    new: int
    issued: int
    scope: Scope
    tag: str

    def word(self) -> str:
        """The token as the client gets it."""
        return encode_cursor(
            f"{self.mark.change_number} {self.mark.id} {self.new} {self.issued} {self.scope} {self.tag}"
        )

    @classmethod
    def read(cls, key: str) -> "_Token":
        """The token in what `word` made."""
        change_number, id, new, issued, scope, tag = key.split(" ")
        assert scope in ("mine", "public", "all")
        return cls(Mark(int(change_number), id), int(new), int(issued), scope, tag)  # type: ignore[arg-type]


class ChangeLog:
    """The use case of keeping a copy."""

    def __init__(self, numbering: ChangeNumbering, clock: Clock) -> None:
        self._numbering = numbering
        self._clock = clock

    async def since(self, caller: Principal, wanted: ChangesQuery) -> Changes:
        """What is new, changed or gone since a token; everything there is without one.

        Raises `Invalid` for a token of another scope or tag, `Expired` for one that is too old.
        """
        tag = None if wanted.tag is None else fold_tag(wanted.tag)
        now = int(self._clock.now().timestamp())
        last = await self._numbering.last()
        token = self._token(wanted, tag, last, now)
        if token.mark.change_number < token.new:
            return await self._all_new(caller, token, tag, wanted.limit)
        return await self._news(caller, token, tag, last, wanted.limit)

    def _token(self, wanted: ChangesQuery, tag: str | None, last: int, now: int) -> _Token:
        word = "-" if tag is None else hashlib.sha256(tag.encode()).hexdigest()[:16]
        key = decode_cursor(wanted.since, CHANGES_PATTERN, "/since")
        if key is None:
            return _Token(Mark(0, LAST_ID), last, now, wanted.scope, word)
        token = _Token.read(key)
        if (token.scope, token.tag) != (wanted.scope, word):
            raise Invalid.field("/since", "was given out for another scope or tag")
        # A number that was not given out yet is of a database that has been set back since.
        if now - token.issued >= KNOWN / timedelta(seconds=1) or max(token.mark.change_number, token.new) > last:
            raise Expired(TOO_OLD)
        return token._replace(issued=now)

    async def _all_new(self, caller: Principal, token: _Token, tag: str | None, limit: int) -> Changes:
        found = await changed(token.scope, caller.id, tag, token.mark, token.new, limit + 1)
        more = len(found) > limit
        mark = found[limit - 1].mark if more else Mark(token.new, LAST_ID)
        return Changes([item.view.json for item in found[:limit]], [], token._replace(mark=mark).word(), more)

    async def _news(self, caller: Principal, token: _Token, tag: str | None, last: int, limit: int) -> Changes:
        items = await changed(token.scope, caller.id, None, token.mark, last, limit + 1)
        notes = await gone(token.scope, caller.id, token.mark, last, limit + 1)
        marks = sorted([item.mark for item in items] + notes)
        more = len(marks) > limit
        mark = marks[limit - 1] if more else Mark(last, LAST_ID)
        items = [item for item in items if item.mark <= mark]
        ids = {note.id for note in notes if note <= mark}
        # What came back has a higher number than its note, and is or will be among the items.
        ids -= await seen(token.scope, caller.id, sorted(ids))
        ids |= {item.view.id for item in items if tag is not None and tag not in item.tags}
        kept = [item.view.json for item in items if item.view.id not in ids]
        return Changes(kept, sorted(ids), token._replace(mark=mark).word(), more)
