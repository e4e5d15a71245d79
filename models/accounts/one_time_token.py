"""One-time tokens, which are sent by mail: to verify an address, or to set a new password."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import Field

from database.documents import StoredDocument
from database.queries import Id, index
from database.reads import find_one
from database.writes import Delete, Insert

Purpose = Literal["verify", "reset"]
LIFETIME: dict[Purpose, timedelta] = {"verify": timedelta(hours=24), "reset": timedelta(hours=1)}


class OneTimeToken(StoredDocument):
    """A token that can be used once, under its hash.

    It is only valid while the account has the e-mail address that the token was sent to.
    """

    id: str = Field(alias="_id")  # type: ignore[assignment]
    purpose: Purpose
    user: PydanticObjectId
    email_key: str
    expires_at: datetime

    class Settings:
        """The collection and its indexes; the server deletes expired tokens."""

        name = "one_time_tokens"
        indexes: ClassVar = [
            index("user", name="user"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    async def find_valid(cls, digest: str, purpose: Purpose, now: datetime) -> "OneTimeToken | None":
        """Return the token with this hash, if it is for this purpose, and was neither used nor has expired."""
        return await find_one(cls, {cls.id: digest, cls.purpose: purpose, cls.expires_at: {"$gt": now}})

    @classmethod
    def insert_write(cls, digest: str, purpose: Purpose, user: Id, email_key: str, now: datetime) -> Insert:
        """Return the write of a new token."""
        expires_at = now + LIFETIME[purpose]
        return Insert(cls(id=digest, purpose=purpose, user=user, email_key=email_key, expires_at=expires_at))

    @classmethod
    def delete_write(cls, digest: str) -> Delete:
        """Return the write that uses a token up; refused when it has been used up already."""
        return Delete(cls, {cls.id: digest})

    @classmethod
    def delete_for_address_write(cls, user: Id, email_key: str) -> Delete:
        """Return the write that invalidates all tokens of a user that were sent to this address."""
        return Delete(cls, {cls.user: user, cls.email_key: email_key}, many=True)

    @classmethod
    def delete_all_write(cls, user: Id) -> Delete:
        """Return the write that invalidates all tokens of a user."""
        return Delete(cls, {cls.user: user}, many=True)
