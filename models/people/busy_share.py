"""Shares of free/busy: who may see when whom is busy."""

from datetime import datetime
from typing import Annotated, ClassVar

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.documents import StoredDocument
from database.queries import Id, index
from database.reads import Slice, exists, find_slice, has_at_least
from database.writes import Delete
from models.shared.schema import Reply

# The number of people to whom one person may give access.
MAX_SHARES = 1_000


class BusyShare(StoredDocument):
    """The permission of a `reader` to see when an `owner` is busy."""

    owner: PydanticObjectId
    reader: PydanticObjectId
    created_at: datetime

    class Settings:
        """The collection and its indexes; each pair has one share at most."""

        name = "busy_shares"
        indexes: ClassVar = [
            index("owner", "reader", name="owner_reader", unique=True),
            index("owner", "_id", name="owner_id"),
            index("reader", name="reader"),
        ]

    @classmethod
    async def has_access(cls, owner: Id, reader: Id) -> bool:
        """Return whether the reader may see when the owner is busy."""
        return await exists(cls, {cls.owner: owner, cls.reader: reader})

    @classmethod
    async def is_limit_reached(cls, owner: Id) -> bool:
        """Return whether the owner has `MAX_SHARES` shares."""
        return await has_at_least(cls, {cls.owner: owner}, MAX_SHARES)

    @classmethod
    async def find_by_owner(cls, owner: Id, after: Id | None, limit: int) -> Slice["BusyShare"]:
        """Return the first shares of an owner after the share `after`, the oldest first."""
        return await find_slice(cls, {cls.owner: owner}, after, limit)

    @classmethod
    def delete_write(cls, owner: Id, reader: Id) -> Delete:
        """Return the write that deletes the share of this pair, if there is one."""
        return Delete(cls, {cls.owner: owner, cls.reader: reader}, required=False)

    @classmethod
    def delete_all_of_owner_write(cls, owner: Id) -> Delete:
        """Return the write that deletes every share of an owner."""
        return Delete(cls, {cls.owner: owner}, many=True)

    @classmethod
    def delete_all_of_reader_write(cls, reader: Id) -> Delete:
        """Return the write that deletes every share that others have given to a reader."""
        return Delete(cls, {cls.reader: reader}, many=True)


class BusyShareRead(Reply):
    """A person who may see when you are busy."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user": "692000000000000000000002", "created_at": "2026-11-21T09:00:00Z"}],
        }
    )

    user: Annotated[str, Field(description="The id of the person's account.")]
    created_at: Annotated[datetime, Field(description="When you gave access.")]

    @classmethod
    def from_document(cls, share: BusyShare) -> "BusyShareRead":
        """Return the share as its owner sees it."""
        return cls(user=str(share.reader), created_at=share.created_at)


class BusySharePage(Reply):
    """A page of the people who may see when you are busy, the oldest share first."""

    items: list[BusyShareRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
