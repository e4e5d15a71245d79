"""The audit log: what happened to accounts, when, by whom and from where; never a secret."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, ClassVar

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.documents import StoredDocument
from database.queries import Filter, Id, assign, index
from database.reads import Slice, find_slice
from database.writes import Update
from models.shared.schema import PageQuery, Reply


class AuditEntry(StoredDocument):
    """Something that happened to an account.

    `actor` is who did it, as far as somebody was signed in; `address` is the network address.
    """

    at: datetime
    event: str
    account: PydanticObjectId | None
    actor: PydanticObjectId | None
    address: str | None
    detail: str | None = None
    expires_at: datetime

    class Settings:
        """The collection and its indexes; the server deletes expired entries."""

        name = "audit"
        indexes: ClassVar = [
            index("account", "_id", name="account_id"),
            index("event", "_id", name="event_id"),
            index("actor", name="actor"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    def without_accounts(self, ids: Collection[Id]) -> "AuditEntry":
        """Return the entry as it is once every reference to these accounts is removed; it refers to one of them."""
        changes = assign(AuditEntry.address, None)
        if self.account in ids:
            changes |= assign(AuditEntry.account, None)
        if self.actor in ids:
            changes |= assign(AuditEntry.actor, None)
        return self.with_stored(changes)

    @classmethod
    def anonymize_writes(cls, account: Id) -> list[Update]:
        """Return the writes that remove every reference to an account; the entries stay."""
        return [
            Update(cls, {cls.account: account}, _set_null(cls.account, cls.address), many=True),
            Update(cls, {cls.actor: account}, _set_null(cls.actor, cls.address), many=True),
        ]

    @classmethod
    async def find_newest(
        cls, account: Id | None, event: str | None, before: Id | None, limit: int
    ) -> Slice["AuditEntry"]:
        """Return the newest entries, the newest first, that are older than the entry `before`.

        Only those about `account`, and only those that are called `event`; None for any.
        """
        match: Filter = {}
        if account is not None:
            match[cls.account] = account
        if event is not None:
            match[cls.event] = event
        return await find_slice(cls, match, before, limit, newest_first=True)


def _set_null(account: PydanticObjectId | None, address: str | None) -> dict[str, object]:
    return {"$set": assign(account, None) | assign(address, None)}


class AuditQuery(PageQuery):
    """Filters of the audit log."""

    account: Annotated[str | None, Field(max_length=24, description="Only entries about the account with this id.")] = (
        None
    )
    event: Annotated[
        str | None,
        Field(max_length=64, pattern=r"^[^\x00]*$", description="Only entries of this kind.", examples=["sign-in"]),
    ] = None


class AuditRead(Reply):
    """An entry of the audit log: something that happened to an account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "692000000000000000000003",
                    "at": "2026-11-21T09:00:00Z",
                    "event": "sign-in",
                    "account": "692000000000000000000000",
                    "actor": "692000000000000000000000",
                    "address": "203.0.113.7",
                    "detail": None,
                }
            ]
        }
    )

    id: str
    at: Annotated[datetime, Field(description="When it happened.")]
    event: Annotated[str, Field(description="What happened, such as `sign-in`.")]
    account: Annotated[str | None, Field(description="The id of the account that it happened to.")]
    actor: Annotated[str | None, Field(description="The id of the account that did it; null if nobody was signed in.")]
    address: Annotated[str | None, Field(description="The IP address of the request.")]
    detail: Annotated[str | None, Field(description="What else is known, such as the sign-in provider.")]

    @classmethod
    def from_document(cls, entry: AuditEntry) -> "AuditRead":
        """Return the entry as it is sent."""
        return cls(
            id=str(entry.id),
            at=entry.at,
            event=entry.event,
            account=str(entry.account) if entry.account else None,
            actor=str(entry.actor) if entry.actor else None,
            address=entry.address,
            detail=entry.detail,
        )


class AuditPage(Reply):
    """A page of the audit log, the newest entry first."""

    items: list[AuditRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
