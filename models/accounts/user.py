"""Accounts: what is stored, and every query and conditional write on them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.commit import change
from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index
from database.reads import Loader, decode, page
from database.writes import Update
from models.shared.fields import fold
from models.shared.schema import Reply
from models.shared.views import Page, View, to_json
from planner.domain.cursors import encode_cursor

Role = Literal["user", "moderator", "admin"]


class User(StoredDocument):
    """An account, with the ids of the events it created embedded.

    `events` is the set of those ids in up to 256 small lists, each under the last two
    hexadecimal digits of its ids. Adding to a list costs the server time in proportion
    to the list, so one list of ten thousand would make each new event dearer than the
    last; see docs/decisions/0003-embedded-event-ids.md.
    """

    email: str
    email_key: str
    username: str | None = None
    username_key: str | None = None
    full_name: str | None = None
    password: str | None = None
    role: Role = "user"
    email_verified: bool = False
    disabled: bool = False
    events: dict[str, list[PydanticObjectId]] = Field(default_factory=dict)
    identities: list[dict[str, str]] = Field(
        default_factory=list, description="Who the account is to providers: each issuer and subject."
    )
    signed_in_at: datetime | None = None
    write_lock: PydanticObjectId | None = Field(None, description="See `models/accounts/user_write_lock.py`.")
    revision: int = Field(1, ge=1)
    created_at: datetime
    updated_at: datetime

    loader: ClassVar[Loader["User"]]

    class Settings:
        """Where accounts are stored; e-mail and username are unique whatever their letter case."""

        name = "users"
        indexes: ClassVar = [
            index("email_key", name="email_key", unique=True),
            index(
                "username_key",
                name="username_key",
                unique=True,
                # Not by its type: the server would then not use the index for a comparison.
                partialFilterExpression={"username_key": {"$exists": True}},
            ),
            index(
                "identities.issuer",
                "identities.subject",
                name="identities",
                unique=True,
                partialFilterExpression={"identities.subject": {"$exists": True}},
            ),
        ]

    @classmethod
    async def by_login(cls, login: str) -> Stored | None:
        """The document of the account with this e-mail address or username, without its events.

        Left out, they cannot make finding one account take longer than finding another.
        """
        key = fold(login)
        match = {"email_key" if "@" in key else "username_key": key}
        found = await page(cls, match, None, 1, {"events": 0})
        return decode(found[0]) if found else None

    @classmethod
    async def by_identity(cls, issuer: str, subject: str) -> Stored | None:
        """The document of the account that somebody is to a provider."""
        found = await page(cls, identified(issuer, subject), None, 1)
        return decode(found[0]) if found else None

    @classmethod
    def linking(cls, user: Stored, issuer: str, subject: str, now: datetime) -> Update:
        """The write that links an account to who somebody is to a provider; for a group of writes.

        It is refused when the account's address is no longer what it was, or no longer proved.
        """
        one = identity(issuer, subject)
        match = {
            "_id": user["_id"],
            "email_key": user["email_key"],
            "email_verified": True,
            "disabled": False,
            "identities": {"$ne": one},
        }
        change_ = {"$push": {"identities": one}, "$set": {"updated_at": now}, "$inc": {"revision": 1}}
        return Update(cls, match, change_)

    @classmethod
    async def stored(cls, id: Id) -> Stored | None:
        """The account's document as it stands."""
        raw = await cls.loader.get_raw(id)
        return None if raw is None else decode(raw)

    @classmethod
    async def standing(cls, id: Id) -> Stored | None:
        """What decides whether the account may act: its role, and whether it is disabled."""
        found = await page(cls, {"_id": id}, None, 1, {"role": 1, "disabled": 1})
        return decode(found[0]) if found else None

    @classmethod
    async def upgrade_password(cls, id: Id, old: str, new: str) -> None:
        """Store the same password under a better hash, unless it was changed meanwhile."""
        await change(cls, {"_id": id, "password": old}, {"$set": {"password": new}})

    @classmethod
    async def changed(cls, id: Id, revision: int, change_: dict[str, Any]) -> Stored | None:
        """Change the account if it still has this revision, and count it up; None if not."""
        raw = await change(cls, {"_id": id, "revision": revision}, change_ | {"$inc": {"revision": 1}})
        return None if raw is None else decode(raw)

    @classmethod
    def changing(cls, id: Id, now: datetime, match: Mapping[str, Any] | None = None, **fields: Any) -> Update:
        """The write that sets fields of an account that still matches; for a group of writes."""
        return Update(
            cls, {"_id": id, **(match or {})}, {"$set": fields | {"updated_at": now}, "$inc": {"revision": 1}}
        )

    @classmethod
    def signing_in(cls, id: Id, now: datetime) -> Update:
        """The write that goes with whatever lets a token act for an account.

        It is refused when the account is gone or disabled, and collides with its removal: no
        session or token can come to be while its account goes.
        """
        return Update(cls, {"_id": id, "disabled": False}, {"$set": {"signed_in_at": now}})

    @classmethod
    async def listed(cls, after: Id | None, limit: int) -> Page:
        """A page of all accounts, the oldest first."""
        match: Filter = {} if after is None else {"_id": {"$gt": after}}
        found = [decode(raw) for raw in await page(cls, match, [("_id", 1)], limit + 1)]
        items = [user_view(stored).json for stored in found[:limit]]
        return Page(items, encode_cursor(str(found[limit - 1]["_id"])) if len(found) > limit else None)

    @classmethod
    def embed(cls, id: Id, event: Id, now: datetime) -> Update:
        """The write that adds an event's id; for a group of writes."""
        return Update(
            cls,
            {"_id": id},
            {"$push": {_list(event): event}, "$inc": {"revision": 1}, "$set": {"updated_at": now}},
        )

    @classmethod
    def embed_all(cls, id: Id, events: Sequence[Id], now: datetime) -> Update:
        """The write that adds the ids of several events at once; for a group of writes."""
        lists = {f"{cls.events}.{name}": ids for name, ids in event_ids_by_bucket(events).items()}
        return Update(
            cls,
            {"_id": id},
            {
                "$push": {name: {"$each": ids} for name, ids in lists.items()},
                "$inc": {"revision": 1},
                "$set": {"updated_at": now},
            },
        )

    @classmethod
    def release(cls, id: Id, event: Id, now: datetime) -> Update:
        """The write that takes an event's id out again; for a group of writes."""
        return Update(
            cls,
            {"_id": id},
            {"$pull": {_list(event): event}, "$inc": {"revision": 1}, "$set": {"updated_at": now}},
            required=False,
        )


User.loader = Loader(User)


def identity(issuer: str, subject: str) -> dict[str, str]:
    """Who somebody is to a provider, as it is stored."""
    return {"issuer": issuer, "subject": subject}


def identified(issuer: str, subject: str) -> Filter:
    """What finds the account of an identity; the second half is what makes the partial index serve."""
    return {"identities": {"$elemMatch": identity(issuer, subject)}, "identities.subject": subject}


def event_ids_by_bucket(events: Iterable[Id]) -> dict[str, list[Id]]:
    """Return the ids in the lists that they belong to, as `User.events` holds them."""
    buckets: dict[str, list[Id]] = {}
    for event in events:
        buckets.setdefault(str(event)[-2:], []).append(event)
    return buckets


def _list(event: Id) -> str:
    """The field of the list that an event's id belongs to: its last byte spreads evenly."""
    return f"events.{str(event)[-2:]}"


def event_ids(lists: dict[str, list[Id]]) -> list[Id]:
    """The ids in the lists, in the order in which they were made."""
    return sorted(id for ids in lists.values() for id in ids)


def user_view(stored: Stored) -> View:
    """The view of an account's document; the only place that says what of it is answered."""
    body: dict[str, Any] = {
        "id": str(stored["_id"]),
        "email": stored["email"],
        "username": stored.get("username"),
        "full_name": stored.get("full_name"),
        "role": stored["role"],
        "email_verified": stored["email_verified"],
        "disabled": stored["disabled"],
        "events": [str(id) for id in event_ids(stored["events"])],
        "created_at": stored["created_at"],
        "updated_at": stored["updated_at"],
    }
    return View(to_json(body), body["id"], stored["revision"])


EXAMPLE: dict[str, Any] = {
    "id": "692000000000000000000000",
    "email": "ada@example.com",
    "username": "ada",
    "full_name": None,
    "role": "user",
    "email_verified": False,
    "disabled": False,
    "events": ["692000000000000000000001"],
    "created_at": "2026-11-21T09:00:00Z",
    "updated_at": "2026-11-21T09:00:00Z",
}


class UserRead(Reply):
    """An account."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    email: str
    username: str | None
    full_name: str | None
    role: Role
    email_verified: Annotated[bool, Field(description="Whether its owner has proved to receive e-mail there.")]
    disabled: Annotated[bool, Field(description="Whether an admin has disabled it: nobody can sign in.")]
    events: Annotated[list[str], Field(description="The ids of the events that this account created.")]
    created_at: datetime
    updated_at: datetime


class UserPage(Reply):
    """A page of accounts."""

    items: list[UserRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
