"""Personal access tokens: what a person gives a program so that it may act for them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.commit import change
from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index
from database.reads import decode, page
from database.writes import Delete
from models.shared.fields import NO_NUL
from models.shared.schema import Reply, Request
from models.shared.views import Page, to_json
from planner.domain.cursors import encode_cursor

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
        """Where tokens are stored; the server itself removes them when their time is over."""

        name = "personal_tokens"
        indexes: ClassVar = [
            index("digest", name="digest", unique=True),
            index("user", "_id", name="user_id"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    async def by_digest(cls, digest: str, now: datetime) -> Stored | None:
        """The token with this hash, if its time is not over."""
        found = await page(cls, {"digest": digest, "expires_at": {"$gt": now}}, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    async def touch(cls, id: Id, now: datetime) -> None:
        """Note that the token was used."""
        await change(cls, {"_id": id}, {"$set": {"last_used_at": now}})

    @classmethod
    def removing(cls, id: Id, user: Id) -> Delete:
        """The write that removes one token of a user's; refused when there is none."""
        return Delete(cls, {"_id": id, "user": user})

    @classmethod
    def delete_all_of(cls, user: Id) -> Delete:
        """The write that removes every token of a user's."""
        return Delete(cls, {"user": user}, many=True)

    @classmethod
    async def listed(cls, user: Id, now: datetime, after: Id | None, limit: int) -> Page:
        """A page of a user's tokens, the oldest first."""
        match: Filter = {"user": user, "expires_at": {"$gt": now}}
        if after is not None:
            match["_id"] = {"$gt": after}
        found = [decode(raw) for raw in await page(cls, match, [("_id", 1)], limit + 1)]
        items = [to_json(personal_token_body(stored)) for stored in found[:limit]]
        return Page(items, encode_cursor(str(found[limit - 1]["_id"])) if len(found) > limit else None)


def personal_token_body(stored: Stored) -> dict[str, Any]:
    """A token as it is answered, without its secret."""
    return {
        "id": str(stored["_id"]),
        "name": stored["name"],
        "scopes": stored["scopes"],
        "created_at": stored["created_at"],
        "expires_at": stored["expires_at"],
        "last_used_at": stored.get("last_used_at"),
    }


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


class PersonalTokenCreated(PersonalTokenRead):
    """A new token, with its secret, which is shown only now."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"token": "planner_pat_…"}]})

    token: Annotated[str, Field(description="The secret; send it as `Authorization: Bearer …`.")]


class PersonalTokenPage(Reply):
    """A page of personal access tokens."""

    items: list[PersonalTokenRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
