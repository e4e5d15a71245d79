"""What happened to accounts: who, when, from where; never a secret."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index, new_id
from database.reads import decode, page
from database.writes import Insert, InsertStored, Update
from models.shared.schema import PageQuery, Reply
from models.shared.views import Page, to_json
from planner.domain.cursors import encode_cursor


class Audit(StoredDocument):
    """One thing that happened to an account."""

    at: datetime
    event: str
    account: PydanticObjectId | None
    actor: PydanticObjectId | None
    address: str | None
    detail: str | None = None
    expires_at: datetime

    class Settings:
        """Where they are stored; the server itself removes them when their time is over."""

        name = "audit"
        indexes: ClassVar = [
            index("account", "_id", name="account_id"),
            index("event", "_id", name="event_id"),
            index("actor", name="actor"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    def entry(
        cls,
        event: str,
        now: datetime,
        kept: timedelta,
        account: Id | None,
        actor: Id | None,
        address: str | None,
        detail: str | None = None,
    ) -> Insert:
        """The write that notes something; for a group of writes."""
        return InsertStored(
            cls,
            {
                "_id": new_id(),
                "at": now,
                "event": event,
                "account": account,
                "actor": actor,
                "address": address,
                "detail": detail,
                "expires_at": now + kept,
            },
        )

    @classmethod
    def forgetting(cls, account: Id) -> list[Update]:
        """The writes that leave no reference to an account; what happened stays."""
        return [
            Update(cls, {"account": account}, {"$set": {"account": None, "address": None}}, required=False, many=True),
            Update(cls, {"actor": account}, {"$set": {"actor": None, "address": None}}, required=False, many=True),
        ]

    @classmethod
    async def listed(cls, wanted: "AuditQuery", account: Id | None, after: Id | None) -> Page:
        """A page of what happened, the newest first."""
        match: Filter = {}
        if account is not None:
            match["account"] = account
        if wanted.event is not None:
            match["event"] = wanted.event
        if after is not None:
            match["_id"] = {"$lt": after}
        found = [decode(raw) for raw in await page(cls, match, [("_id", -1)], wanted.limit + 1)]
        items = [to_json(audit_body(stored)) for stored in found[: wanted.limit]]
        more = len(found) > wanted.limit
        return Page(items, encode_cursor(str(found[wanted.limit - 1]["_id"])) if more else None)


def audit_body(stored: Stored) -> dict[str, Any]:
    """An entry as it is answered."""
    return {
        "id": str(stored["_id"]),
        "at": stored["at"],
        "event": stored["event"],
        "account": str(stored["account"]) if stored["account"] else None,
        "actor": str(stored["actor"]) if stored["actor"] else None,
        "address": stored["address"],
        "detail": stored["detail"],
    }


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


class AuditPage(Reply):
    """A page of the audit log, the newest entry first."""

    items: list[AuditRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
