"""Single-use tokens that are sent by mail: to prove an address, to set a new password."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import Field

from database.documents import StoredDocument
from database.queries import Id, Stored, index
from database.reads import decode, page
from database.writes import Delete, Insert, InsertStored

Purpose = Literal["verify", "reset"]
LIFETIME: dict[Purpose, timedelta] = {"verify": timedelta(hours=24), "reset": timedelta(hours=1)}


class OneTimeToken(StoredDocument):
    """A token that can be used once, under its hash."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    purpose: Purpose
    user: PydanticObjectId
    email_key: str
    expires_at: datetime

    class Settings:
        """Where they are stored; the server itself removes them when their time is over."""

        name = "one_time_tokens"
        indexes: ClassVar = [
            index("user", name="user"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    def issue(cls, digest: str, purpose: Purpose, user: Id, email_key: str, now: datetime) -> Insert:
        """The write that makes a token good."""
        return InsertStored(
            cls,
            {
                "_id": digest,
                "purpose": purpose,
                "user": user,
                "email_key": email_key,
                "expires_at": now + LIFETIME[purpose],
            },
        )

    @classmethod
    async def good(cls, digest: str, purpose: Purpose, now: datetime) -> Stored | None:
        """The token, if it is still good."""
        match = {"_id": digest, "purpose": purpose, "expires_at": {"$gt": now}}
        found = await page(cls, match, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    def use(cls, digest: str) -> Delete:
        """The write that uses a token up; refused when somebody else has."""
        return Delete(cls, {"_id": digest})

    @classmethod
    def delete_all_of(cls, user: Id) -> Delete:
        """The write that makes every token of a user's worthless."""
        return Delete(cls, {"user": user}, many=True)
