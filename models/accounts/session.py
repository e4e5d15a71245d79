"""Sessions: one for each sign-in, with the refresh token that carries it on."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.commit import change
from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index
from database.reads import decode, page
from database.writes import Delete, Insert, InsertStored
from models.shared.schema import Reply
from models.shared.views import Page, to_json
from planner.domain.cursors import encode_cursor


class Session(StoredDocument):
    """A sign-in that lasts until it is ended, its refresh token is used twice, or its time is over.

    A session that has ended is removed: what is not there cannot be revived by a race.
    """

    user: PydanticObjectId
    refresh: str
    scopes: list[str] | None = None
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime

    class Settings:
        """Where sessions are stored; the server itself removes them when their time is over."""

        name = "sessions"
        indexes: ClassVar = [
            index("user", "_id", name="user_id"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    def opening(cls, stored: Stored) -> Insert:
        """The write that opens a session; for a group of writes."""
        return InsertStored(cls, stored)

    @classmethod
    async def standing(cls, id: Id, user: Id, now: datetime) -> Stored | None:
        """The session, if it is this user's and has not ended."""
        match = {"_id": id, "user": user, "expires_at": {"$gt": now}}
        found = await page(cls, match, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    async def by_id(cls, id: Id, now: datetime) -> Stored | None:
        """The session, if it has not ended."""
        found = await page(cls, {"_id": id, "expires_at": {"$gt": now}}, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    async def rotate(cls, id: Id, old: str, new: str, now: datetime, address: str) -> Stored | None:
        """Replace the refresh token, if it is still the old one; None if it is not."""
        match = {"_id": id, "refresh": old, "expires_at": {"$gt": now}}
        raw = await change(cls, match, {"$set": {"refresh": new, "last_used_at": now, "address": address}})
        return None if raw is None else decode(raw)

    @classmethod
    async def touch(cls, id: Id, now: datetime) -> None:
        """Note that the session was used."""
        await change(cls, {"_id": id}, {"$set": {"last_used_at": now}})

    @classmethod
    def ending(cls, id: Id, user: Id) -> Delete:
        """The write that ends one session of a user's; refused when there is none."""
        return Delete(cls, {"_id": id, "user": user})

    @classmethod
    def ending_all(cls, user: Id, but: Id | None = None) -> Delete:
        """The write that ends all sessions of a user's, or all but one."""
        match: Filter = {"user": user} if but is None else {"user": user, "_id": {"$ne": but}}
        return Delete(cls, match, many=True)

    @classmethod
    async def listed(cls, user: Id, current: Id | None, now: datetime, after: Id | None, limit: int) -> Page:
        """A page of a user's sessions, the oldest first."""
        match: Filter = {"user": user, "expires_at": {"$gt": now}}
        if after is not None:
            match["_id"] = {"$gt": after}
        found = [decode(raw) for raw in await page(cls, match, [("_id", 1)], limit + 1)]
        items = [to_json(session_body(stored, current)) for stored in found[:limit]]
        return Page(items, encode_cursor(str(found[limit - 1]["_id"])) if len(found) > limit else None)


def session_body(stored: Stored, current: Id | None) -> dict[str, Any]:
    """A session as it is answered."""
    return {
        "id": str(stored["_id"]),
        "device": stored["device"],
        "address": stored["address"],
        "created_at": stored["created_at"],
        "last_used_at": stored["last_used_at"],
        "expires_at": stored["expires_at"],
        "current": stored["_id"] == current,
    }


class SessionRead(Reply):
    """A session."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "692000000000000000000002",
                    "device": "curl/8.5.0",
                    "address": "203.0.113.7",
                    "created_at": "2026-11-21T09:00:00Z",
                    "last_used_at": "2026-11-21T09:15:00Z",
                    "expires_at": "2026-12-21T09:00:00Z",
                    "current": True,
                }
            ]
        }
    )

    id: str
    device: Annotated[str, Field(description="The `User-Agent` of the client that signed in.")]
    address: Annotated[str, Field(description="The IP address of the last sign-in or refresh.")]
    created_at: datetime
    last_used_at: Annotated[datetime, Field(description="When it was last used, to the minute.")]
    expires_at: Annotated[datetime, Field(description="When it expires at the latest.")]
    current: Annotated[bool, Field(description="Whether it is the session of this request.")]


class SessionPage(Reply):
    """A page of sessions."""

    items: list[SessionRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
