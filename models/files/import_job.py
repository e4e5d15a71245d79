"""Imports that go on after their request was answered: what is to be done, how far it is, and the file."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import Field

from database.commit import change, commit_atomically
from database.documents import StoredDocument
from database.queries import Id, Stored, index, new_id
from database.reads import batches, decode, page
from database.writes import Delete, InsertStored, Update, Write
from models.accounts.user import User

Progress = Literal["waiting", "running", "done", "failed"]
# A finished import can be looked up for so long; an unfinished one is given up then.
KEPT = timedelta(days=7)
# How long one process has until it says again that it is at it. After that, another may go on.
LEASE = timedelta(seconds=6)
# So many a person may have unfinished: each has a slot.
SLOTS = 5
# The server takes no document over 16 MiB.
CHUNK_BYTES = 4 * 1024 * 1024
# An import that one process after the other dies of is given up.
MOST_ATTEMPTS = 10


class ImportChunk(StoredDocument):
    """A part of the file of an import, the `n`th."""

    job: PydanticObjectId
    owner: PydanticObjectId
    n: int
    data: bytes
    expires_at: datetime

    class Settings:
        """Where they are stored; the server itself removes what was left over."""

        name = "import_chunks"
        indexes: ClassVar = [
            index("job", "n", name="job_n", unique=True),
            index("owner", name="owner"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]


class ImportJob(StoredDocument):
    """An import. While it is unfinished it has a `slot`, and `due_at`, when somebody may take it up.

    `holder` is whoever is at it. `done` counts groups of entries with the same UID, of `total`.
    """

    owner: PydanticObjectId
    status: Progress = "waiting"
    charset: str
    dry_run: bool
    reject: bool = False
    total: int | None = None
    done: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: list[dict[str, Any]] = Field(default_factory=list)
    reason: str | None = None
    attempts: int = 0
    slot: int | None = None
    due_at: datetime | None = None
    holder: PydanticObjectId | None = None
    created_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime

    class Settings:
        """Where they are stored; the server itself removes them when their time is over."""

        name = "import_jobs"
        indexes: ClassVar = [
            index("due_at", name="due"),
            index("owner", "slot", name="slot", unique=True, partialFilterExpression={"slot": {"$exists": True}}),
            index("owner", name="owner"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    async def taken(cls, owner: Id) -> set[int]:
        """The slots of a person's unfinished imports."""
        match = {"owner": owner, "slot": {"$exists": True}}
        return {decode(raw)["slot"] for raw in await page(cls, match, None, SLOTS, {"slot": 1})}

    @classmethod
    async def keep(cls, job: Id, owner: Id, content: bytes, now: datetime) -> None:
        """Store the file of an import that is about to be ordered."""
        for n, at in enumerate(range(0, len(content), CHUNK_BYTES)):
            chunk = {"_id": new_id(), "job": job, "owner": owner, "n": n, "data": content[at : at + CHUNK_BYTES]}
            await commit_atomically([InsertStored(ImportChunk, chunk | {"expires_at": now + KEPT})])

    @classmethod
    def ordering(cls, stored: Stored, slot: int) -> list[Write]:
        """The writes that have an import done, refused when its owner is gone; `DuplicateKey` for a slot in use."""
        now = stored["created_at"]
        # Written, not only asked for: so it collides with the removal of the account.
        owner = Update(User, {"_id": stored["owner"], "disabled": False}, {"$set": {"updated_at": now}})
        return [InsertStored(cls, stored | {"slot": slot, "due_at": now, "expires_at": now + KEPT}), owner]

    @classmethod
    async def of(cls, id: Id, owner: Id) -> Stored | None:
        """An import of a person's."""
        found = await page(cls, {"_id": id, "owner": owner}, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    async def of_owner(cls, owner: Id) -> AsyncIterator[Stored]:
        """Every import of a person that is still known."""
        async for found in batches(cls, {"owner": owner}, 10):
            for raw in found:
                yield decode(raw)

    @classmethod
    async def content(cls, id: Id) -> bytes:
        """The file of an import, read chunk by chunk, so that others have their turn."""
        chunks: list[bytes] = []
        while found := await page(ImportChunk, {"job": id, "n": len(chunks)}, None, 1):
            chunks.append(decode(found[0])["data"])
        return b"".join(chunks)

    @classmethod
    async def claim(cls, holder: Id, now: datetime) -> Stored | None:
        """An import that is due, for this holder to do; no other gets it as long as it is renewed."""
        match = {"due_at": {"$lte": now}}
        claimed = {"status": "running", "holder": holder, "due_at": now + LEASE}
        raw = await change(cls, match, {"$set": claimed, "$inc": {"attempts": 1}})
        return None if raw is None else decode(raw)

    @classmethod
    async def renew(cls, id: Id, holder: Id, now: datetime) -> bool:
        """Say that one is still at it; False when it is no longer one's own."""
        return await change(cls, {"_id": id, "holder": holder}, {"$set": {"due_at": now + LEASE}}) is not None

    @classmethod
    async def release(cls, id: Id, holder: Id, now: datetime) -> None:
        """Let somebody else go on at once; that does not count as an attempt that failed."""
        match = {"_id": id, "holder": holder}
        free = {"$set": {"status": "waiting", "due_at": now}, "$unset": {"holder": ""}, "$inc": {"attempts": -1}}
        await change(cls, match, free)

    @classmethod
    def noting(cls, id: Id, holder: Id, before: int, counts: Mapping[str, Any]) -> Update:
        """The write that notes what became of some more entries, after the `before` first ones.

        It is refused for whoever does not hold it any more, or where these were noted already.
        """
        change_: dict[str, Any] = {
            "$set": {"total": counts["total"]},
            "$inc": {name: counts[name] for name in ("done", "created", "updated", "unchanged")},
        }
        if counts["failed"]:
            change_["$push"] = {"failed": {"$each": counts["failed"]}}
        return Update(cls, {"_id": id, "holder": holder, "done": before}, change_)

    @classmethod
    def finishing(
        cls, id: Id, holder: Id, now: datetime, *, total: int | None = None, reason: str | None = None
    ) -> list[Write]:
        """The writes that end an import, as failed for a `reason`, and forget its file."""
        told: dict[str, Any] = {"status": "done", "finished_at": now, "expires_at": now + KEPT}
        if reason is not None:
            told |= {"status": "failed", "reason": reason}
        if total is not None:
            told["total"] = total
        gone = dict.fromkeys(("slot", "due_at", "holder"), "")
        return [
            Update(cls, {"_id": id, "holder": holder}, {"$set": told, "$unset": gone}),
            Delete(ImportChunk, {"job": id}, many=True),
        ]

    @classmethod
    def delete_all_of(cls, owner: Id) -> list[Write]:
        """The writes that forget every import of a person."""
        return [Delete(document, {"owner": owner}, many=True) for document in (cls, ImportChunk)]
