"""Importing events: what a file tells is compared with what is known, and only what is new is written."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, Stored, new_id
from database.writes import Write
from models.accounts.user import User
from models.events.event import Event
from models.events.event_batches import adding, known
from models.events.event_view import OF_DRAFT
from planner.clock import Clock
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.times import build_order_key
from planner.errors import Invalid, InvalidToken, Unavailable
from planner.services.events.conflicts import ConflictChecker
from planner.services.files.import_compare import exports_the_same, says_the_same
from planner.services.files.import_drafts import Prepared, cancelled, merged
from planner.services.files.import_process import read_pieces

# Files that are read at the same time in one process, and those that may wait for it.
AT_ONCE = 2
MOST_WAITING = 6
# Each loss means that another request has written the same events.
ATTEMPTS = 10
# What an import may clear of a known event, besides what any author may.
OF_IMPORT = (*OF_DRAFT, "ics", "sequence")
# After each write others have their turn for as long as it took, so that the disk is theirs half of the time.
LONGEST_PAUSE = 0.1


class File(NamedTuple):
    """What is imported; with `reject` only what is in time that is free."""

    content: bytes
    charset: str = "utf-8"
    reject: bool = False


@dataclass
class ImportCounts:
    """What became of the entries of a file so far: `done` of `total` groups with the same UID."""

    total: int = 0
    done: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: list[dict[str, str | None]] = field(default_factory=list)

    def add(self, more: "ImportCounts") -> None:
        """Count in what became of some more."""
        self.done += more.done
        self.created += more.created
        self.updated += more.updated
        self.unchanged += more.unchanged
        self.failed += more.failed

    def fail(self, uid: str | None, reason: str) -> None:
        """Note an entry that is not imported, and why."""
        # What did not fit for a UID may be of any length.
        self.failed.append({"uid": None if uid is None else uid[:255], "reason": reason[:500]})


class Batch:
    """What is to be written of one piece of a file, and how it counts; `after` is how known events will be."""

    def __init__(self) -> None:
        self.counts = ImportCounts()
        self.new: list[Stored] = []
        self.after: list[Stored] = []
        self.changes: list[Write] = []


# What is written along with each batch; it may refuse it.
Noting = Callable[[ImportCounts], list[Write]]
# Whether the event with this UID may be so.
Asking = Callable[[str, Stored], Awaitable[bool]]


class Importer:
    """The use case of importing a file."""

    def __init__(self, conflicts: ConflictChecker, clock: Clock) -> None:
        self._conflicts = conflicts
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def run(
        self,
        owner: Id,
        file: File,
        *,
        dry_run: bool = False,
        counts: ImportCounts | None = None,
        noting: Noting | None = None,
    ) -> ImportCounts:
        """Import a file, and say what became of its entries; with `dry_run`, what would.

        With `counts` it goes on where these ended. What `noting` answers is written in the same
        group as the batch that it is about. Raises `Invalid` or `Malformed` for what is no
        such file, `InvalidToken` when the owner is gone, `Unavailable` when too many import at once.
        """
        if self._waiting >= MOST_WAITING and noting is None:
            raise Unavailable("Too many files are being imported. Try again in a moment.", 10)
        self._waiting += 1
        try:
            async with self._turns:
                return await self._run(owner, file, dry_run, counts or ImportCounts(), noting)
        finally:
            self._waiting -= 1

    async def _run(
        self, owner: Id, file: File, dry_run: bool, counts: ImportCounts, noting: Noting | None
    ) -> ImportCounts:
        behind = counts.done
        async with aclosing(read_pieces(file.content, file.charset)) as pieces:
            async for piece in pieces:
                if "total" in piece:
                    counts.total = piece["total"]
                elif behind > 0:
                    behind -= piece["done"]
                else:
                    more = await self._take(owner, piece, dry_run, noting, counts.total, file.reject)
                    counts.add(more)
        return counts

    async def _take(
        self, owner: Id, piece: Stored, dry_run: bool, noting: Noting | None, total: int, reject: bool = False
    ) -> ImportCounts:
        """Import one piece: as one group of writes, decided by what is known right before."""
        entries = [entry if isinstance(entry, Prepared) else Prepared(**entry) for entry in piece["entries"]]
        batch = Batch()

        async def decide() -> None:
            nonlocal batch
            batch = await self._decided(owner, entries, reject, dry_run)
            batch.counts.total, batch.counts.done = total, piece["done"]
            for uid, reason in piece["failed"]:
                batch.counts.fail(uid, reason)

        async def write(first: Sequence[Write]) -> bool:
            writes: list[Write] = []
            if not dry_run:
                writes = [*batch.changes, *adding(owner, batch.new, self._clock.now())]
            if noting is not None:
                writes += noting(batch.counts)
            return not writes or await self._written([*first, *writes])

        for _ in range(ATTEMPTS):
            if reject and not dry_run:
                written = await self._conflicts.in_turn(owner, decide, write)
            else:
                await decide()
                written = await write([])
            if written:
                return batch.counts
            if await User.standing(owner) is None:
                raise InvalidToken("The account of this access token is gone.")
        raise Unavailable("Others are changing the same events at once. Try again.")

    async def _written(self, writes: list[Write]) -> bool:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            written = await commit_atomically(writes, separate=len(writes) > 1)
        except DuplicateKey:
            return False
        if written:
            await asyncio.sleep(min(loop.time() - begun, LONGEST_PAUSE))
        return written

    async def _decided(self, owner: Id, entries: list[Prepared], reject: bool, dry_run: bool) -> Batch:
        batch = Batch()

        async def is_free(uid: str, after: Stored) -> bool:
            """Whether an event may be as it is `after`; a failure is noted."""
            # What is only tried is not there for what comes after it.
            beside = [] if dry_run else [*batch.new, *batch.after]
            found = await self._conflicts.collisions(after, beside=beside) if reject else []
            if found:
                batch.counts.fail(uid, f'the time is taken by "{found[0].title}", from {found[0].start} on')
            return not found

        there = await known(owner, [entry.uid for entry in entries])
        for entry in entries:
            stored = there.get(entry.uid)
            if stored is None:
                await self._add(owner, entry, batch, is_free)
            elif entry.sequence < sequence_of(stored):
                batch.counts.unchanged += 1
            else:
                await self._change(owner, entry, stored, batch, is_free)
        return batch

    async def _add(self, owner: Id, entry: Prepared, batch: Batch, is_free: Asking) -> None:
        if entry.kind == "cancel":
            batch.counts.fail(entry.uid, "it cancels an event that you do not have")
            return
        id, now = new_id(), self._clock.now()
        stored: Stored = {
            "_id": id,
            "creator": owner,
            "revision": 1,
            "created_at": now,
            "updated_at": now,
            "uid": entry.uid,
            "visibility": "private",
        }
        if entry.sequence:
            stored["sequence"] = entry.sequence
        stored |= entry.fields | {"key": build_order_key(entry.fields["begins"], str(id))}
        if await is_free(entry.uid, stored):
            batch.new.append(stored)
            batch.counts.created += 1

    async def _change(self, owner: Id, entry: Prepared, stored: Stored, batch: Batch, is_free: Asking) -> None:
        """Decide about an event that is known, and not newer than the entry."""
        try:
            fields = _fields(entry, stored)
        except RecurrenceError as error:
            batch.counts.fail(entry.uid, f"its occurrences do not fit the event that you have: {error}")
            return
        if fields is None:
            batch.counts.fail(
                entry.uid, "it is an occurrence of an event that repeats, and the one that you have does not"
            )
            return
        after = fields if entry.kind == "event" else stored | fields
        same = says_the_same(stored, after)
        if not same and entry.kind == "event" and entry.sequence == sequence_of(stored):
            same = exports_the_same(stored, entry.uid, fields)
            # That takes some time: others first.
            await asyncio.sleep(0)
        if same and (entry.sequence == sequence_of(stored) or entry.kind != "event"):
            batch.counts.unchanged += 1
            return
        if "begins" in fields:
            fields |= {"key": build_order_key(fields["begins"], str(stored["_id"]))}
        # With it the new revision is exported with the file's SEQUENCE.
        fields |= {"updated_at": self._clock.now(), "sequence": entry.sequence - stored["revision"]}
        clear = OF_IMPORT if entry.kind == "event" else ()
        try:
            after, writes = Event.changing(stored, fields, owner, clear=clear)
        except Invalid as error:
            batch.counts.fail(entry.uid, f"it {error.errors[0].message}")
            return
        if await is_free(entry.uid, after):
            batch.changes += writes
            batch.after.append(after)
            batch.counts.updated += 1


def sequence_of(stored: Stored) -> int:
    """The SEQUENCE with which a stored event is exported."""
    return int(stored.get("sequence") or 0) + int(stored["revision"]) - 1


def _fields(entry: Prepared, stored: Stored) -> dict[str, Any] | None:
    """What is to be stored of a known event; None when the entry cannot be about it."""
    match entry.kind:
        case "event":
            return dict(entry.fields)
        case "occurrences":
            return merged(stored, entry.occurrences)
        case "cancel":
            return cancelled(stored, entry.occurrences)
