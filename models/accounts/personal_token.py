"""Personal access tokens: with one, a program acts for a person, within the scopes of the token."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import Id, assign, index
from database.reads import Slice, find_one, find_slice
from database.writes import Delete
from models.shared.fields import NO_NUL
from models.shared.schema import Reply, Request

Scope = Literal["events:read", "events:write", "account:read"]
SCOPE_DESCRIPTIONS: dict[Scope, str] = {
    "events:read": "Read events: yours, and the others that you may see.",
    "events:write": "Create, change, delete, restore and import your events.",
    "account:read": "Read your account.",
}
SCOPES = tuple(SCOPE_DESCRIPTIONS)
DAY = 24 * 60 * 60
YEAR = 365 * DAY


class PersonalToken(StoredDocument):
    """A personal access token; only the hash of its secret is stored."""

    user: PydanticObjectId
    name: str
    scopes: list[Scope]
    digest: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None

    class Settings:
        """The collection and its indexes; the server deletes expired tokens."""

        name = "personal_tokens"
        indexes: ClassVar = [
            index("digest", name="digest", unique=True),
            index("user", "_id", name="user_id"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    async def by_digest(cls, digest: str, now: datetime) -> "PersonalToken | None":
        """Return the token with this hash, if it has not expired."""
        return await find_one(cls, {cls.digest: digest, cls.expires_at: {"$gt": now}})

    @classmethod
    async def record_use(cls, id: Id, now: datetime) -> None:
        """Store when the token was last used."""
        await find_and_update(cls, {cls.id: id}, {"$set": assign(cls.last_used_at, now)})

    @classmethod
    async def find_by_user(cls, user: Id, now: datetime, after: Id | None, limit: int) -> Slice["PersonalToken"]:
        """Return the first tokens of a user after the token `after`, the oldest first."""
        return await find_slice(cls, {cls.user: user, cls.expires_at: {"$gt": now}}, after, limit)

    @classmethod
    def delete_write(cls, id: Id, user: Id) -> Delete:
        """Return the write that deletes a token of a user; refused when the user has no such token."""
        return Delete(cls, {cls.id: id, cls.user: user})

    @classmethod
    def delete_all_write(cls, user: Id) -> Delete:
        """Return the write that deletes all tokens of a user."""
        return Delete(cls, {cls.user: user}, many=True)


class PersonalTokenCreate(Request):
    """A new personal access token."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "calendar script", "scopes": ["events:read"], "expires_in": 604800}]}
    )

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL, description="What the token is for.")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES), description="What the token permits.")]
    expires_in: Annotated[
        int, Field(ge=60, le=YEAR, description="In how many seconds it expires. Default: one day; at most one year.")
    ] = DAY


EXAMPLE: dict[str, Any] = {
    "id": "692000000000000000000004",
    "name": "calendar script",
    "scopes": ["events:read"],
    "created_at": "2026-11-21T09:00:00Z",
    "expires_at": "2026-11-28T09:00:00Z",
    "last_used_at": None,
}


class PersonalTokenRead(Reply):
    """A personal access token, without its secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: Annotated[datetime | None, Field(description="When it was last used, to the minute; null if never.")]

    @classmethod
    def from_document(cls, token: PersonalToken) -> "PersonalTokenRead":
        """Return the token as its user sees it."""
        return cls(
            id=str(token.id),
            name=token.name,
            scopes=token.scopes,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )


class PersonalTokenCreated(PersonalTokenRead):
    """A new token, with its secret, which is shown only now."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"token": "planner_pat_…"}]})

    token: Annotated[str, Field(description="The secret; send it as `Authorization: Bearer …`.")]


class PersonalTokenPage(Reply):
    """A page of personal access tokens."""

    items: list[PersonalTokenRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
