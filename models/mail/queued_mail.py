"""The queue of mails: stored, so that a crash loses none and no request waits for one."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import Id, assign, index
from database.writes import Delete, Insert

Kind = Literal[
    "verify",
    "reset",
    "email-change-requested",
    "email-changed",
    "password-changed",
    "password-removed",
    "sign-in-ways-changed",
]
# A mail that could not be sent within this time is dropped.
LIFETIME = timedelta(days=3)
# The time that one process has to send a mail, before another one tries.
LEASE = timedelta(minutes=2)


class QueuedMail(StoredDocument):
    """A mail that is to be sent: its kind, and its recipient.

    It contains no token: that is created when the mail is sent, and only its hash is stored. A mail of the
    kind `reset` has no `user`, because nobody has checked yet whether the address has an account.
    """

    kind: Kind
    user: PydanticObjectId | None = None
    email: str
    due_at: datetime
    attempts: int = Field(0, description="The number of times that a process has claimed the mail.")
    expires_at: datetime

    class Settings:
        """The collection and its indexes; the server deletes expired mails."""

        name = "queued_mails"
        indexes: ClassVar = [
            index("due_at", name="due"),
            index("user", name="user"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    async def claim(cls, now: datetime) -> "QueuedMail | None":
        """Lease a mail that is due, so that no other process gets it for `LEASE`; return it, or None. Atomic."""
        changes = {"$set": assign(cls.due_at, now + LEASE), "$inc": {cls.attempts: 1}}
        return await find_and_update(cls, {cls.due_at: {"$lte": now}}, changes)

    @classmethod
    async def postpone(cls, id: Id, due_at: datetime) -> None:
        """Make a mail due at a later time."""
        await find_and_update(cls, {cls.id: id}, {"$set": assign(cls.due_at, due_at)})

    @classmethod
    def insert_write(cls, kind: Kind, user: Id | None, email: str, now: datetime) -> Insert:
        """Return the write that queues a mail, due at once."""
        return Insert(cls(kind=kind, user=user, email=email, due_at=now, attempts=0, expires_at=now + LIFETIME))

    @classmethod
    def delete_write(cls, id: Id) -> Delete:
        """Return the write that removes a mail from the queue, if it is there."""
        return Delete(cls, {cls.id: id}, required=False)

    @classmethod
    def delete_all_writes(cls, user: Id, emails: list[str]) -> list[Delete]:
        """Return the writes that remove all mails to a user, whose addresses are `emails`."""
        return [Delete(cls, {cls.user: user}, many=True), Delete(cls, {cls.email: {"$in": emails}}, many=True)]
