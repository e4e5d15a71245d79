"""Accounts: what is stored, and every query and conditional write on them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from beanie import Document, PydanticObjectId
from pydantic import ConfigDict, Field, StringConstraints

from database.queries import Id, Stored, index
from database.reads import Loader, decode, page
from database.writes import Update
from models.fields import Email, Password, Username, fold
from models.schema import Reply, Request
from models.views import View, to_json

Role = Literal["user", "moderator", "admin"]
FullName = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class User(Document):
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
    password: str
    role: Role = "user"
    email_verified: bool = False
    disabled: bool = False
    events: dict[str, list[PydanticObjectId]] = Field(default_factory=dict)
    revision: int = Field(1, ge=1)
    created_at: datetime
    updated_at: datetime

    loader: ClassVar[Loader]

    class Settings:
        """Where accounts are stored; e-mail and username are unique whatever their letter case."""

        name = "users"
        indexes: ClassVar = [
            index("email_key", name="email_key", unique=True),
            index(
                "username_key",
                name="username_key",
                unique=True,
                partialFilterExpression={"username_key": {"$type": "string"}},
            ),
        ]

    @classmethod
    async def by_login(cls, login: str) -> Self | None:
        """The account with this e-mail address or username."""
        key = fold(login)
        return await cls.find_one({"email_key" if "@" in key else "username_key": key})

    @classmethod
    async def stored(cls, id: Id) -> Stored | None:
        """The account's document as it stands."""
        raw = await cls.loader.get(id)
        return None if raw is None else decode(raw)

    @classmethod
    async def standing(cls, id: Id) -> Stored | None:
        """What decides whether the account may act: its role, and whether it is disabled."""
        found = await page(cls, {"_id": id}, None, 1, {"role": 1, "disabled": 1})
        return decode(found[0]) if found else None

    @classmethod
    async def upgrade_password(cls, id: Id, old: str, new: str) -> None:
        """Store the same password under a better hash, unless it was changed meanwhile."""
        await cls.find_one({"_id": id, "password": old}).update({"$set": {"password": new}})

    @classmethod
    def embed(cls, id: Id, event: Id, now: datetime) -> Update:
        """The write that adds an event's id; for a group of writes."""
        return Update(
            cls,
            {"_id": id},
            {"$push": {_list(event): event}, "$inc": {"revision": 1}, "$set": {"updated_at": now}},
            once={_list(event): {"$ne": event}},
        )

    @classmethod
    def release(cls, id: Id, event: Id, now: datetime) -> Update:
        """The write that takes an event's id out again; for a group of writes."""
        return Update(
            cls,
            {"_id": id},
            {"$pull": {_list(event): event}, "$inc": {"revision": 1}, "$set": {"updated_at": now}},
            needed=False,
            once={_list(event): event},
        )


User.loader = Loader(User)


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


class SignUp(Request):
    """What a new account is made from."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.com", "password": "long-enough and unusual", "username": "ada"}]
        }
    )

    email: Email
    password: Password
    username: Username | None = None
    full_name: FullName | None = None


class UserRead(Reply):
    """An account as the API answers it to its owner."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
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
            ]
        }
    )

    id: str
    email: str
    username: str | None
    full_name: str | None
    role: Role
    email_verified: bool
    disabled: bool
    events: Annotated[list[str], Field(description="The ids of the events this account created.")]
    created_at: datetime
    updated_at: datetime
