"""Who lets whom see when they are busy."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index, new_id
from database.reads import decode, page
from database.writes import Delete, Insert, InsertStored
from models.shared.schema import Reply
from models.shared.views import Page, to_json
from planner.domain.cursors import encode_cursor

# As many as one person may let see it.
MOST = 1_000


class BusyShare(StoredDocument):
    """A leave to see when its `owner` is busy, given to its `reader`."""

    owner: PydanticObjectId
    reader: PydanticObjectId
    created_at: datetime

    class Settings:
        """Where they are stored; one for each pair."""

        name = "busy_shares"
        indexes: ClassVar = [
            index("owner", "reader", name="owner_reader", unique=True),
            index("owner", "_id", name="owner_id"),
            index("reader", name="reader"),
        ]

    @classmethod
    async def holds(cls, owner: Id, reader: Id) -> bool:
        """Whether the owner lets the reader see it."""
        return bool(await page(cls, {"owner": owner, "reader": reader}, None, 1, {"_id": 1}))

    @classmethod
    async def is_full(cls, owner: Id) -> bool:
        """Whether the owner lets as many see it as one may."""
        return len(await page(cls, {"owner": owner}, [("_id", 1)], MOST, {"_id": 1})) == MOST

    @classmethod
    async def listed(cls, owner: Id, after: Id | None, limit: int) -> Page:
        """A page of those whom the owner lets see it, the oldest leave first."""
        match: Filter = {"owner": owner}
        if after is not None:
            match["_id"] = {"$gt": after}
        found = [decode(raw) for raw in await page(cls, match, [("_id", 1)], limit + 1)]
        items = [to_json(_body(stored)) for stored in found[:limit]]
        return Page(items, encode_cursor(str(found[limit - 1]["_id"])) if len(found) > limit else None)

    @classmethod
    def giving(cls, owner: Id, reader: Id, now: datetime) -> Insert:
        """The write that gives the leave; raises `DuplicateKey` when it is given already."""
        return InsertStored(cls, {"_id": new_id(), "owner": owner, "reader": reader, "created_at": now})

    @classmethod
    def taking_back(cls, owner: Id, reader: Id) -> Delete:
        """The write that takes the leave back, if it was given."""
        return Delete(cls, {"owner": owner, "reader": reader}, required=False)

    @classmethod
    def delete_all_of(cls, id: Id) -> list[Delete]:
        """The writes that remove every leave that somebody gave or was given."""
        return [Delete(cls, {"owner": id}, many=True), Delete(cls, {"reader": id}, many=True)]


def _body(stored: Stored) -> dict[str, Any]:
    return {"user": str(stored["reader"]), "created_at": stored["created_at"]}


class BusyShareRead(Reply):
    """A person who may see when you are busy."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user": "692000000000000000000002", "created_at": "2026-11-21T09:00:00Z"}],
        }
    )

    user: Annotated[str, Field(description="The id of the person's account.")]
    created_at: Annotated[datetime, Field(description="When you gave access.")]


class BusySharePage(Reply):
    """A page of the people who may see when you are busy, the oldest share first."""

    items: list[BusyShareRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
