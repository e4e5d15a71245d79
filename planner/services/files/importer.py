"""Importing a file: its drafts are compared with the stored events, and the differences are written."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, NamedTuple

from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Changes, Id, assign
from database.writes import Write
from models.accounts.user import User
from models.events.event import Event
from models.events.event_queries import find_events_by_uid
from models.events.event_writes import create_events_writes, require_room, update_event_writes
from models.files.import_counts import ImportCounts
from planner.clock import Clock
from planner.domain.fields import SERIES_FIELDS
from planner.domain.ics.reading.entry_times import FloatingZone
from planner.domain.recurrence.rrule import RecurrenceError
from planner.errors import Invalid, InvalidToken, Unavailable
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.publication import is_confidential_event
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.import_changes import NotRecurring, OrganizerState
from planner.services.files.import_declined import mark_declined
from planner.services.files.import_drafts import ImportDraft
from planner.services.files.import_messages import DraftBatch
from planner.services.files.import_process import read_file
from planner.services.files.import_updates import EventUpdate, build_source, compute_update
from planner.services.shared.retry import retry

# The number of files that one process imports at the same time, and of those that do so or wait for it.
MAX_RUNNING = 2
MAX_UNFINISHED = 6
# Each lost attempt means that another request has written the same events.
ATTEMPTS = 10
# The fields that an event loses if its new content does not have them.
REPLACED_FIELDS = (*SERIES_FIELDS, Event.ics, Event.declined)
# After each batch the import pauses for as long as the write has taken, so that the disk is free for other
# requests half of the time. In seconds.
MAX_PAUSE = 0.1


# Returns the writes that are done or refused together with a batch. Its arguments are the number of UIDs that
# were done before the batch, and the counts of the batch.
ProgressWrites = Callable[[int, ImportCounts], list[Write]]


class File(NamedTuple):
    """An uploaded file. With `reject_conflicts`, entries that overlap with other events are not imported.

    Floating times are those of `time_zone`, or of the zone that the file or the account says if it is None.
    """

    content: bytes
    charset: str = "utf-8"
    reject_conflicts: bool = False
    time_zone: str | None = None


class ImportRun(NamedTuple):
    """An import of a file for its owner, or the rest of an import of which `done` UIDs were done before.

    With `dry_run`, nothing is written. An import in the background has `progress_writes`.
    """

    owner: Id
    file: File
    dry_run: bool = False
    done: int = 0
    progress_writes: ProgressWrites | None = None


class BatchPlan:
    """What is to be written for a batch, and the counts when it is.

    `updated` has stored events as the `update_writes` make them.
    """

    def __init__(self, batch: DraftBatch) -> None:
        self.counts = ImportCounts(batch.total, batch.done)
        self.created: list[Event] = []
        self.updated: list[Event] = []
        self.update_writes: list[Write] = []
        for failure in batch.failures:
            self.counts.fail(failure.uid, failure.reason)
        for warning in batch.warnings:
            self.counts.warn(warning.uid, warning.reason)


class Importer:
    """The use case of importing a file."""

    def __init__(self, conflicts: ConflictChecker, locks: UserWriteLocks, clock: Clock) -> None:
        self._conflicts = conflicts
        self._locks = locks
        self._clock = clock
        self._running = asyncio.Semaphore(MAX_RUNNING)
        self._unfinished = 0

    async def run(self, run: ImportRun) -> ImportCounts:
        """Import a file, and return the counts of this run.

        Raises `Invalid` for a file that cannot be imported at all, `InvalidToken` when the owner
        was deleted, and `Unavailable` when other requests write the same events, or when too many files
        are being imported; an import in the background waits for its turn.
        """
        if self._unfinished >= MAX_UNFINISHED and run.progress_writes is None:
            raise Unavailable("Too many files are being imported. Try again in a moment.", 10)
        counts, skipped, file = ImportCounts(), 0, run.file
        floating = FloatingZone(file.time_zone, await User.find_time_zone(run.owner))
        self._unfinished += 1
        try:
            async with self._running, aclosing(read_file(file.content, file.charset, floating)) as batches:
                async for batch in batches:
                    if skipped < run.done:
                        skipped += batch.done
                        counts.total = batch.total
                    else:
                        counts.add(await self.import_batch(run, batch, run.done + counts.done))
        finally:
            self._unfinished -= 1
        return counts

    async def import_batch(self, run: ImportRun, batch: DraftBatch, done: int) -> ImportCounts:
        """Compare a batch with the stored events, and write what differs as one group of writes.

        The run has done `done` UIDs before. Raises `InvalidToken` when the owner was deleted, and
        `Unavailable` when other requests write the same events every time.
        """
        plan = BatchPlan(batch)

        async def decide() -> None:
            nonlocal plan
            plan = await self._plan_batch(run, batch)

        async def write(*lock: Write) -> bool:
            writes: list[Write] = []
            if not run.dry_run:
                writes += [*plan.update_writes, *create_events_writes(run.owner, plan.created, self._clock.now())]
            if run.progress_writes is not None:
                writes += run.progress_writes(done, plan.counts)
            return not writes or await _commit([*lock, *writes])

        async def attempt() -> ImportCounts | None:
            if run.file.reject_conflicts and not run.dry_run:
                is_written = await self._locks.decide_and_write(run.owner, decide, write)
            else:
                await decide()
                is_written = await write()
            if is_written:
                return plan.counts
            if await User.find_status(run.owner) is None:
                raise InvalidToken("The account of this access token has been deleted.")
            return None

        exhausted = Unavailable("Other requests are changing the same events. Try again.")
        return await retry(attempt, exhausted=exhausted, attempts=ATTEMPTS)

    async def _plan_batch(self, run: ImportRun, batch: DraftBatch) -> BatchPlan:
        """Compare a batch with what is stored now."""
        plan = BatchPlan(batch)
        stored_events = await find_events_by_uid(run.owner, [draft.uid for draft in batch.drafts])
        for draft in batch.drafts:
            stored = stored_events.get(draft.uid)
            if stored is None:
                await self._plan_creation(run, draft, plan)
            else:
                # This takes some time: other requests are served in between.
                await asyncio.sleep(0)
                await self._plan_update(run, draft, stored, plan)
        return plan

    async def _plan_creation(self, run: ImportRun, draft: ImportDraft, plan: BatchPlan) -> None:
        if draft.kind == "cancel":
            plan.counts.fail(draft.uid, "it cancels an event that you do not have")
            return
        content = await mark_declined(draft.content, run.owner)
        source = build_source(OrganizerState.from_draft(draft), draft.content, revision=1)
        content |= assign(Event.visibility, "private") | assign(Event.source, source)
        event = Event.new(run.owner, content, now=self._clock.now(), uid=draft.uid)
        if await self._is_allowed(run, draft, event, plan):
            plan.created.append(event)
            plan.counts.created += 1

    async def _plan_update(self, run: ImportRun, draft: ImportDraft, stored: Event, plan: BatchPlan) -> None:
        """Decide how a draft changes a stored event."""
        try:
            update = await compute_update(draft, stored)
        except RecurrenceError as error:
            plan.counts.fail(draft.uid, f"its occurrences cannot be part of the event that you have: {error}")
            return
        except NotRecurring as error:
            plan.counts.fail(draft.uid, str(error))
            return
        if not update.is_revision:
            plan.counts.unchanged += 1
            if update.source is not None:
                plan.update_writes.append(stored.store_source_write(update.source))
        elif not await self._plan_revision(run, draft, stored, update, plan):
            return
        for note in update.notes:
            plan.counts.warn(draft.uid, note)

    async def _plan_revision(
        self, run: ImportRun, draft: ImportDraft, stored: Event, update: EventUpdate, plan: BatchPlan
    ) -> bool:
        """Plan the next revision of an event. Returns False if something forbids it, which is added to the failures."""
        changes: Changes = {} if update.content is None else await mark_declined(update.content, run.owner)
        cleared: set[Any] = set() if update.content is None else {*REPLACED_FIELDS}
        if update.source is not None:
            changes |= assign(Event.source, update.source)
            cleared.add(Event.sequence)
        event = stored.revise(changes, by=run.owner, now=self._clock.now(), clear=cleared)
        try:
            require_room(stored, event)
        except Invalid as error:
            plan.counts.fail(draft.uid, f"it {error.errors[0].message}")
            return False
        if not await self._is_allowed(run, draft, event, plan):
            return False
        if event.visibility != "private" and is_confidential_event(event) and not is_confidential_event(stored):
            plan.counts.warn(draft.uid, "its CLASS is not PUBLIC, but others can see your event; this was not changed")
        plan.update_writes += update_event_writes(stored, event)
        plan.updated.append(event)
        plan.counts.updated += 1
        return True

    async def _is_allowed(self, run: ImportRun, draft: ImportDraft, event: Event, plan: BatchPlan) -> bool:
        """Return whether an event may be stored like this; a conflict with another event is added to the failures."""
        if not run.file.reject_conflicts:
            return True
        # In a dry run, the entries before this one will not be stored.
        beside = [] if run.dry_run else [*plan.created, *plan.updated]
        conflicts = await self._conflicts.find_conflicts(event, written_with_it=beside)
        if conflicts:
            plan.counts.fail(
                draft.uid, f'it overlaps with "{conflicts[0].title}", which starts at {conflicts[0].start}'
            )
        return not conflicts


async def _commit(writes: list[Write]) -> bool:
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        is_written = await commit_atomically(writes, separate=len(writes) > 1)
    except DuplicateKey:
        return False
    if is_written:
        await asyncio.sleep(min(loop.time() - started, MAX_PAUSE))
    return is_written
