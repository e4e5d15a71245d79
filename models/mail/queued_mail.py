"""Mails that are to be sent: stored, so that a crash forgets none and a request waits for none."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from beanie import PydanticObjectId

from database.commit import change
from database.documents import StoredDocument
from database.queries import Id, Stored, index, new_id
from database.reads import decode
from database.writes import Delete, Insert, InsertStored

Kind = Literal["verify", "reset", "email-changed", "password-changed"]
# A mail that could not be sent in this time is given up.
PATIENCE = timedelta(days=3)
# How long one process has to send a mail before another may try.
LEASE = timedelta(minutes=2)


class QueuedMail(StoredDocument):
    """A mail that is due: what kind, and to whom.

    It holds no token: the token is made when the mail is sent, and only its hash is stored.
    A `reset` holds the address that was asked for, whether or not an account has it.
    """

    kind: Kind
    user: PydanticObjectId | None = None
    address: str
    due_at: datetime
    attempts: int = 0
    expires_at: datetime

    class Settings:
        """Where mails are stored, in the order in which they are due."""

        name = "queued_mails"
        indexes: ClassVar = [
            index("due_at", name="due"),
            index("user", name="user"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    def ordering(cls, kind: Kind, user: Id | None, address: str, now: datetime) -> Insert:
        """The write that has a mail sent; for a group of writes."""
        return InsertStored(
            cls,
            {
                "_id": new_id(),
                "kind": kind,
                "user": user,
                "address": address,
                "due_at": now,
                "attempts": 0,
                "expires_at": now + PATIENCE,
            },
        )

    @classmethod
    async def claim(cls, now: datetime) -> Stored | None:
        """A mail that is due, for this process to send; no other gets it while the lease lasts."""
        raw = await change(cls, {"due_at": {"$lte": now}}, {"$set": {"due_at": now + LEASE}, "$inc": {"attempts": 1}})
        return None if raw is None else decode(raw)

    @classmethod
    async def put_off(cls, id: Id, until: datetime) -> None:
        """Try a mail again later."""
        await change(cls, {"_id": id}, {"$set": {"due_at": until}})

    @classmethod
    def sent(cls, id: Id) -> Delete:
        """The write that strikes a mail off."""
        return Delete(cls, {"_id": id}, required=False)

    @classmethod
    def delete_all_of(cls, user: Id) -> Delete:
        """The write that strikes off every mail to a user."""
        return Delete(cls, {"user": user}, many=True)
