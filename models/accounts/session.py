"""Sessions: one for each sign-in, with its current refresh token."""

from datetime import datetime
from typing import Annotated, ClassVar

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import Filter, Id, assign, index
from database.reads import Slice, find_one, find_slice
from database.writes import Delete, Require
from models.shared.schema import Reply


class Session(StoredDocument):
    """A sign-in, until it expires or is revoked, or its refresh token is used a second time.

    A session that has ended is deleted: what does not exist cannot be brought back by a race.
    """

    user: PydanticObjectId
    refresh_digest: str = Field(description="The hash of the current refresh token.")
    rotated_at: datetime | None = Field(None, description="When the current refresh token replaced another one.")
    scopes: list[str] | None = Field(None, description="The scopes of its tokens; None: all rights.")
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime

    class Settings:
        """The collection and its indexes; the server deletes expired sessions."""

        name = "sessions"
        indexes: ClassVar = [
            index("user", "_id", name="user_id"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    async def by_id(cls, id: Id, now: datetime, user: Id | None = None) -> "Session | None":
        """Return the session with this id, if it has not ended and belongs to the user (None: to any)."""
        match: Filter = {cls.id: id, cls.expires_at: {"$gt": now}}
        if user is not None:
            match[cls.user] = user
        return await find_one(cls, match)

    @classmethod
    async def rotate_refresh_token(
        cls, id: Id, old_digest: str, new_digest: str, now: datetime, address: str
    ) -> "Session | None":
        """Replace the current refresh token; return the session, or None if the old token is not the current one.

        Atomic.
        """
        match = {cls.id: id, cls.refresh_digest: old_digest, cls.expires_at: {"$gt": now}}
        changes = assign(cls.refresh_digest, new_digest) | assign(cls.rotated_at, now)
        changes |= assign(cls.last_used_at, now) | assign(cls.address, address)
        return await find_and_update(cls, match, {"$set": changes})

    @classmethod
    async def by_unused_refresh_token(
        cls, id: Id, token_digest: str, since: datetime, now: datetime
    ) -> "Session | None":
        """Return the session if this refresh token is the current one, and has replaced another one after `since`."""
        match = {
            cls.id: id,
            cls.refresh_digest: token_digest,
            cls.rotated_at: {"$gte": since},
            cls.expires_at: {"$gt": now},
        }
        return await find_one(cls, match)

    @classmethod
    async def record_use(cls, id: Id, now: datetime) -> None:
        """Store when the session was last used."""
        await find_and_update(cls, {cls.id: id}, {"$set": assign(cls.last_used_at, now)})

    @classmethod
    async def find_by_user(cls, user: Id, now: datetime, after: Id | None, limit: int) -> Slice["Session"]:
        """Return the first sessions of a user after the session `after`, the oldest first."""
        return await find_slice(cls, {cls.user: user, cls.expires_at: {"$gt": now}}, after, limit)

    @classmethod
    def require_write(cls, id: Id, user: Id, now: datetime) -> Require:
        """Return what refuses a group of writes when this session of a user has ended."""
        return Require(cls, {cls.id: id, cls.user: user, cls.expires_at: {"$gt": now}})

    @classmethod
    def delete_write(cls, id: Id, user: Id) -> Delete:
        """Return the write that ends a session of a user; refused when the user has no such session."""
        return Delete(cls, {cls.id: id, cls.user: user})

    @classmethod
    def delete_all_write(cls, user: Id, *, except_id: Id | None = None) -> Delete:
        """Return the write that ends all sessions of a user, or all but one."""
        match: Filter = {cls.user: user}
        if except_id is not None:
            match[cls.id] = {"$ne": except_id}
        return Delete(cls, match, many=True)


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

    @classmethod
    def from_document(cls, session: Session, *, current: Id | None) -> "SessionRead":
        """Return the session as its user sees it who is signed in with the session `current`."""
        return cls(
            id=str(session.id),
            device=session.device,
            address=session.address,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            current=session.id == current,
        )


class SessionPage(Reply):
    """A page of sessions."""

    items: list[SessionRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
