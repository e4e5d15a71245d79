"""Exports of accounts that are made in the background, and their files in parts."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.queries import Changes, Filter, Id, assign, clear, index
from database.reads import find_one
from database.writes import Delete, Insert, Require, Update, Write
from models.accounts.user import User
from models.shared.file_part import FILE_PART_INDEXES, FilePart
from models.shared.leased_work import LeasedWork
from models.shared.schema import Reply

ExportStatus = Literal["waiting", "running", "done", "failed"]
# A job and its file are deleted after this time.
LIFETIME = timedelta(days=2)
# The process that makes an export renews its lease with each part. Otherwise another process begins it anew.
LEASE = timedelta(seconds=20)


class ExportJob(LeasedWork):
    """An export that is made in the background. An account has one at most that is not finished, as it has a `due_at`.

    `parts` and `octets` are those that are stored already, `done` the number of events in them. `session` is the
    session that asked for the export.
    """

    title: ClassVar = "an export"
    lease: ClassVar = LEASE

    owner: PydanticObjectId
    session: PydanticObjectId | None = None
    status: ExportStatus
    total: int
    done: int
    parts: int
    octets: int
    created_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime

    class Settings:
        """The collection and its indexes; the server deletes expired jobs."""

        name = "export_jobs"
        indexes: ClassVar = [
            index("due_at", name="due"),
            index("owner", name="unfinished", unique=True, partialFilterExpression={"due_at": {"$exists": True}}),
            index("owner", "_id", name="owner_id"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    def new(cls, owner: Id, session: Id | None, total: int, now: datetime) -> "ExportJob":
        """Return a new job that is due at once, of an account with `total` events; it is not stored yet."""
        return cls(
            owner=owner,
            session=session,
            status="waiting",
            total=total,
            done=0,
            parts=0,
            octets=0,
            attempts=0,
            due_at=now,
            created_at=now,
            expires_at=now + LIFETIME,
        )

    @classmethod
    async def by_id(cls, id: Id, owner: Id) -> "ExportJob | None":
        """Return a job of a user, or None."""
        return await find_one(cls, {cls.id: id, cls.owner: owner})

    @classmethod
    async def find_unfinished(cls, owner: Id) -> "ExportJob | None":
        """Return the job of a user that is not finished, or None."""
        return await find_one(cls, {cls.owner: owner, cls.due_at: {"$exists": True}})

    def insert_writes(self) -> list[Write]:
        """Return the writes that create the job; they are refused when its owner is deleted or disabled."""
        return [Insert(self), Require(User, {User.id: self.owner, User.disabled: False})]

    @classmethod
    def changes_when_leased(cls) -> Changes:
        """Return the changes after which a job that is leased begins anew."""
        changes = assign(cls.status, "running")
        for count in (cls.done, cls.parts, cls.octets):
            changes |= assign(count, 0)
        return changes

    @classmethod
    def changes_when_released(cls) -> Changes:
        """Return the changes after which a job waits."""
        return assign(cls.status, "waiting")

    @classmethod
    def add_part_writes(cls, id: Id, holder: Id, part: "ExportPart", events: int, now: datetime) -> list[Write]:
        """Return the writes that add a part with so many events, and renew the lease; refused if that is lost."""
        added = {cls.parts: 1, cls.octets: len(part.data), cls.done: events}
        update: Changes = {"$set": cls.renewal(now), "$inc": added}
        return [Insert(part), Update(cls, cls.held(id, holder), update)]

    @classmethod
    def end_write(cls, id: Id, holder: Id, now: datetime, status: ExportStatus) -> Update:
        """Return the write that ends a job; refused if the lease is lost."""
        changes = assign(cls.status, status) | assign(cls.finished_at, now)
        return Update(cls, cls.held(id, holder), {"$set": changes, "$unset": clear(cls.due_at, cls.lease_holder)})

    @classmethod
    def delete_all_writes(cls, owner: Id, *, except_id: Id | None = None) -> list[Delete]:
        """Return the writes that delete the jobs of a user with their files, except one of them if it is given."""
        others: Filter = {} if except_id is None else {cls.id: {"$ne": except_id}}
        return [
            Delete(cls, {cls.owner: owner} | others, many=True),
            ExportPart.delete_all_write(owner, except_job=except_id),
        ]


class ExportPart(FilePart):
    """A part of the file of an export."""

    class Settings:
        """The collection and its indexes."""

        name = "export_parts"
        indexes: ClassVar = list(FILE_PART_INDEXES)


class ExportJobRead(Reply):
    """An export that is made in the background, and its progress."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "692000000000000000000001",
                    "status": "running",
                    "total": 100000,
                    "done": 42000,
                    "size": 31457280,
                    "file": None,
                    "created_at": "2026-11-21T09:00:00Z",
                    "finished_at": None,
                    "expires_at": "2026-11-23T09:00:00Z",
                }
            ]
        }
    )

    id: str
    status: ExportStatus
    total: Annotated[int, Field(description="How many events the account had when the export was asked for.")]
    done: Annotated[int, Field(description="How many events are in the file so far.")]
    size: Annotated[int, Field(description="The size of the file so far, in octets.")]
    file: Annotated[str | None, Field(description="The address of the file; null until the job is done.")]
    created_at: datetime
    finished_at: Annotated[datetime | None, Field(description="When the job was done or failed.")]
    expires_at: Annotated[datetime, Field(description="When the job and its file are deleted.")]

    @classmethod
    def from_document(cls, job: ExportJob, base_url: str) -> "ExportJobRead":
        """Return the representation of a stored job."""
        fields: dict[str, Any] = {name: getattr(job, name) for name in ("status", "total", "done", "created_at")}
        return cls(
            id=str(job.id),
            size=job.octets,
            file=f"{base_url}/api/v1/exports/{job.id}/file" if job.status == "done" else None,
            finished_at=job.finished_at,
            expires_at=job.expires_at,
            **fields,
        )
