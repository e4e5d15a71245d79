"""Feeds: private addresses that calendar programs subscribe to."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from beanie import PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field

from database.commit import change
from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index
from database.reads import decode, page
from database.writes import Delete
from models.events.event_schema import Bound, Scope
from models.shared.fields import NO_NUL
from models.shared.schema import Reply, Request
from models.shared.views import Page, to_json
from planner.domain.cursors import encode_cursor

# How many one person has at most.
MOST = 50


class Feed(StoredDocument):
    """A private address; only the hash of the token in it is stored.

    `slot` numbers the feeds of a person: an index lets no two have the same one, so nobody gets
    more than there are slots.
    """

    user: PydanticObjectId
    slot: int
    name: str
    scope: Scope
    tag: str | None = None
    digest: str
    created_at: datetime
    last_read_at: datetime | None = None

    class Settings:
        """Where feeds are stored."""

        name = "feeds"
        indexes: ClassVar = [
            index("digest", name="digest", unique=True),
            index("user", "slot", name="user_slot", unique=True),
            index("user", "_id", name="user_id"),
        ]

    @classmethod
    async def by_digest(cls, digest: str) -> Stored | None:
        """The feed whose token has this hash."""
        found = await page(cls, {"digest": digest}, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    async def free_slot(cls, user: Id) -> int | None:
        """The first slot that is free; None when there is none."""
        found = await page(cls, {"user": user}, None, MOST, {"slot": 1})
        taken = {decode(raw)["slot"] for raw in found}
        return next((slot for slot in range(MOST) if slot not in taken), None)

    @classmethod
    async def touch(cls, id: Id, now: datetime) -> None:
        """Note that the feed was read."""
        await change(cls, {"_id": id}, {"$set": {"last_read_at": now}})

    @classmethod
    def removing(cls, id: Id, user: Id) -> Delete:
        """The write that removes one feed of a user's; refused when there is none."""
        return Delete(cls, {"_id": id, "user": user})

    @classmethod
    def delete_all_of(cls, user: Id) -> Delete:
        """The write that removes every feed of a user's."""
        return Delete(cls, {"user": user}, many=True)

    @classmethod
    async def listed(cls, user: Id, after: Id | None, limit: int) -> Page:
        """A page of a user's feeds, the oldest first."""
        match: Filter = {"user": user}
        if after is not None:
            match["_id"] = {"$gt": after}
        found = [decode(raw) for raw in await page(cls, match, [("_id", 1)], limit + 1)]
        items = [to_json(feed_body(stored)) for stored in found[:limit]]
        return Page(items, encode_cursor(str(found[limit - 1]["_id"])) if len(found) > limit else None)


def feed_body(stored: Stored) -> dict[str, Any]:
    """A feed as it is answered, without its address."""
    return {
        "id": str(stored["_id"]),
        "name": stored["name"],
        "scope": stored["scope"],
        "tag": stored["tag"],
        "created_at": stored["created_at"],
        "last_read_at": stored.get("last_read_at"),
    }


class FeedCreate(Request):
    """A new feed: its name, and which events it has."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "On my phone", "scope": "mine"}]})

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            pattern=NO_NUL,
            description="The name of the feed; calendar programs show it as the title.",
        ),
    ]
    scope: Annotated[Scope, Field(description="Your own events, everyone's public ones, or both.")] = "mine"
    tag: Annotated[
        str | None,
        Field(max_length=200, pattern=NO_NUL, description="Only events with this tag; letter case is ignored."),
    ] = None


class ExportQuery(BaseModel):
    """Which events to export."""

    model_config = ConfigDict(hide_input_in_errors=True)

    scope: Annotated[
        Scope, Field(description="`mine`: your own events; `public`: public events of everybody; `all`: both.")
    ] = "mine"
    since: Annotated[
        Bound | None,
        Field(alias="from", description="Start of the window: a date or an RFC 3339 time. Default: no limit."),
    ] = None
    until: Annotated[
        Bound | None,
        Field(alias="to", description="End of the window, exclusive, in the same form. Default: no limit."),
    ] = None
    tag: Annotated[
        str | None,
        Field(max_length=200, pattern=NO_NUL, description="Only events with this tag; letter case is ignored."),
    ] = None


EXAMPLE: dict[str, Any] = {
    "id": "692000000000000000000005",
    "name": "On my phone",
    "scope": "mine",
    "tag": None,
    "created_at": "2026-11-21T09:00:00Z",
    "last_read_at": None,
}


class FeedRead(Reply):
    """A feed, without its address."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    name: str
    scope: Scope
    tag: str | None
    created_at: datetime
    last_read_at: Annotated[datetime | None, Field(description="When it was last read, to the minute; null if never.")]


class FeedCreated(FeedRead):
    """A new feed, with its address, which is shown only now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [EXAMPLE | {"url": "https://planner.example/api/v1/feeds/planner_feed_….ics"}]}
    )

    url: Annotated[str, Field(description="Everybody who has this address can read the feed.")]


class FeedPage(Reply):
    """A page of feeds."""

    items: list[FeedRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
