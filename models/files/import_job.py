"""Imports that run in the background: what is to be done, and how much of it is done."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from database.queries import Changes, Filter, Id, assign, clear, index
from database.reads import find_one, find_raw_batches, has_at_least
from database.writes import Delete, Insert, Require, Update, Write
from models.accounts.user import User
from models.files.import_chunk import ImportChunk
from models.files.import_counts import MAX_WARNINGS, ImportCounts
from models.shared.leased_work import LeasedWork

ImportStatus = Literal["waiting", "running", "done", "failed"]
# A job and its file are deleted after this time, whether or not the import has finished.
LIFETIME = timedelta(days=7)
# The process that runs a job renews its lease before it expires. Otherwise another process takes the job.
LEASE = timedelta(seconds=6)
# The largest number of unfinished jobs of one user.
MAX_UNFINISHED = 5
# A job that ends process after process fails after so many attempts.
MAX_ATTEMPTS = 10


@with_config(ConfigDict(extra="forbid"))
class FailedEntry(TypedDict):
    """An entry of an iCalendar file that was not imported."""

    uid: Annotated[str | None, Field(description="The UID in the file; null for an entry without one.")]
    reason: Annotated[str, Field(description="Why it was not imported.")]


@with_config(ConfigDict(extra="forbid"))
class EntryWarning(TypedDict):
    """An entry of an iCalendar file that was imported, but not exactly as it is written."""

    uid: Annotated[str | None, Field(description="The UID in the file; null if it is about the whole file.")]
    reason: Annotated[str, Field(description="What was done, and why.")]


def list_failed_entries(counts: ImportCounts) -> list[FailedEntry]:
    """Return the entries that an import has counted as failed."""
    return [FailedEntry(uid=failure.uid, reason=failure.reason) for failure in counts.failed]


def list_warnings(counts: ImportCounts) -> list[EntryWarning]:
    """Return what an import has done otherwise than the file says."""
    return [EntryWarning(uid=warning.uid, reason=warning.reason) for warning in counts.warnings]


def add_last_warning(warnings: list[EntryWarning], count: int) -> list[EntryWarning]:
    """Return the warnings, of which there are `count`, with one at the end that says how many more there are."""
    more = count - len(warnings)
    return [*warnings, EntryWarning(uid=None, reason=f"there are {more} more warnings")] if more > 0 else warnings


class ImportJob(LeasedWork):
    """An import that runs in the background.

    The fields from `total` to `warning_count` are those of `ImportCounts`. With `keeps_file`, the file stays after the
    dry run, so that its owner can have it imported then.
    """

    title: ClassVar = "an import job"
    lease: ClassVar = LEASE

    owner: PydanticObjectId
    status: ImportStatus
    charset: str
    dry_run: bool
    keeps_file: bool = False
    reject_conflicts: bool = False
    time_zone: str | None = None
    total: int | None = None
    done: int
    created: int
    updated: int
    unchanged: int
    failed: list[FailedEntry]
    warnings: list[EntryWarning] = Field(default_factory=list)
    warning_count: int = 0
    reason: str | None = None
    created_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime

    class Settings:
        """The collection and its indexes; the server deletes expired jobs."""

        name = "import_jobs"
        indexes: ClassVar = [
            index("due_at", name="due"),
            index("owner", "status", name="owner_status"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    def new(
        cls,
        owner: Id,
        charset: str,
        *,
        dry_run: bool,
        reject_conflicts: bool,
        time_zone: str | None,
        now: datetime,
        keeps_file: bool = False,
    ) -> "ImportJob":
        """Return a new job that is due at once; it is not stored yet."""
        return cls(
            owner=owner,
            status="waiting",
            charset=charset,
            dry_run=dry_run,
            keeps_file=keeps_file,
            reject_conflicts=reject_conflicts,
            time_zone=time_zone,
            done=0,
            created=0,
            updated=0,
            unchanged=0,
            failed=[],
            attempts=0,
            due_at=now,
            created_at=now,
            expires_at=now + LIFETIME,
        )

    @classmethod
    async def by_id(cls, id: Id, owner: Id) -> "ImportJob | None":
        """Return a job of a user, or None."""
        return await find_one(cls, {cls.id: id, cls.owner: owner})

    @classmethod
    async def iterate_by_owner(cls, owner: Id) -> AsyncIterator["ImportJob"]:
        """Yield every job of a user that has not expired, in no order."""
        async for batch in find_raw_batches(cls, {cls.owner: owner}, 10):
            for raw in batch:
                yield cls.from_raw(raw)

    @classmethod
    async def is_limit_reached(cls, owner: Id) -> bool:
        """Return whether a user has `MAX_UNFINISHED` unfinished jobs."""
        match = {cls.owner: owner, cls.status: {"$in": ["waiting", "running"]}}
        return await has_at_least(cls, match, MAX_UNFINISHED)

    def insert_writes(self) -> list[Write]:
        """Return the writes that create the job; they are refused when its owner is deleted or disabled."""
        return [Insert(self), Require(User, {User.id: self.owner, User.disabled: False})]

    @classmethod
    def changes_when_leased(cls) -> Changes:
        """Return the change after which a job runs."""
        return assign(cls.status, "running")

    @classmethod
    def changes_when_released(cls) -> Changes:
        """Return the change after which a job waits."""
        return assign(cls.status, "waiting")

    @classmethod
    def progress_write(cls, id: Id, holder: Id, done: int, counts: ImportCounts) -> Update:
        """Return the write that adds the counts of further UIDs, after the first `done` ones.

        It is refused when the holder has lost the lease, or these counts were added already.
        """
        added = {
            cls.done: counts.done,
            cls.created: counts.created,
            cls.updated: counts.updated,
            cls.unchanged: counts.unchanged,
            cls.warning_count: counts.warning_count,
        }
        update: Changes = {"$set": assign(cls.total, counts.total), "$inc": added}
        pushes: Changes = {}
        if counts.failed:
            pushes[cls.failed] = {"$each": list_failed_entries(counts)}
        if counts.warnings:
            pushes[cls.warnings] = {"$each": list_warnings(counts), "$slice": MAX_WARNINGS}
        if pushes:
            update["$push"] = pushes
        return Update(cls, cls.held(id, holder) | {cls.done: done}, update)

    @classmethod
    def finish_writes(cls, id: Id, holder: Id, now: datetime, total: int, *, keeps_file: bool = False) -> list[Write]:
        """Return the writes that end a job as done, and delete its file unless the job keeps it."""
        writes = cls._end_writes(id, holder, now, assign(cls.status, "done") | assign(cls.total, total))
        return writes[:1] if keeps_file else writes

    @classmethod
    def start_writes(cls, id: Id, owner: Id, now: datetime) -> list[Write]:
        """Return the writes that make a job whose dry run is done import its file; refused for any other job."""
        match: Filter = {cls.id: id, cls.owner: owner, cls.status: "done", cls.keeps_file: True}
        # Its file has to last until it is imported.
        match[cls.created_at] = {"$gt": now - LIFETIME + timedelta(days=1)}
        changes = assign(cls.status, "waiting") | assign(cls.dry_run, False) | assign(cls.keeps_file, False)
        changes |= assign(cls.due_at, now) | assign(cls.expires_at, now + LIFETIME)
        for count in (cls.done, cls.created, cls.updated, cls.unchanged, cls.warning_count, cls.attempts):
            changes |= assign(count, 0)
        changes |= assign(cls.failed, []) | assign(cls.warnings, [])
        update: Changes = {"$set": changes, "$unset": clear(cls.total, cls.finished_at)}
        return [Update(cls, match, update), Require(User, {User.id: owner, User.disabled: False})]

    @classmethod
    async def delete_dry_runs_writes(cls, owner: Id) -> list[Write]:
        """Return the writes that delete the finished jobs of a user that have kept their files."""
        match = {cls.owner: owner, cls.status: "done", cls.keeps_file: True}
        found = [cls.from_raw(raw) async for batch in find_raw_batches(cls, match, 10) for raw in batch]
        return [
            write for job in found for write in (Delete(cls, {cls.id: job.id}), ImportChunk.delete_file_write(job.id))
        ]

    @classmethod
    def fail_writes(cls, id: Id, holder: Id, now: datetime, reason: str) -> list[Write]:
        """Return the writes that end a job as failed, and delete its file."""
        return cls._end_writes(id, holder, now, assign(cls.status, "failed") | assign(cls.reason, reason))

    @classmethod
    def _end_writes(cls, id: Id, holder: Id, now: datetime, changes: Changes) -> list[Write]:
        changes = changes | assign(cls.finished_at, now) | assign(cls.expires_at, now + LIFETIME)
        update: Changes = {"$set": changes, "$unset": clear(cls.due_at, cls.lease_holder)}
        return [Update(cls, cls.held(id, holder), update), ImportChunk.delete_file_write(id)]

    @classmethod
    def delete_all_writes(cls, owner: Id) -> list[Write]:
        """Return the writes that delete every job of a user, with its file."""
        return [Delete(cls, {cls.owner: owner}, many=True), ImportChunk.delete_all_write(owner)]
