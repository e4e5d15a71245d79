"""Feeds in requests and responses."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from models.events.event_schema import Scope, TagFilter
from models.files.feed import Feed
from models.shared.fields import NO_NUL
from models.shared.schema import Reply, Request

_EXAMPLE: dict[str, Any] = {
    "id": "692000000000000000000005",
    "name": "On my phone",
    "scope": "mine",
    "tag": None,
    "created_at": "2026-11-21T09:00:00Z",
    "last_read_at": None,
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
    tag: TagFilter = None


class FeedRead(Reply):
    """A feed, without its address."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    name: str
    scope: Scope
    tag: str | None
    created_at: datetime
    last_read_at: Annotated[datetime | None, Field(description="When it was last read, to the minute; null if never.")]

    @classmethod
    def from_document(cls, feed: Feed) -> "FeedRead":
        """Return the representation of a stored feed."""
        return cls(
            id=str(feed.id),
            name=feed.name,
            scope=feed.scope,
            tag=feed.tag,
            created_at=feed.created_at,
            last_read_at=feed.last_read_at,
        )


class FeedCreated(FeedRead):
    """A new feed, with its address, which is shown only now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_EXAMPLE | {"url": "https://planner.example/api/v1/feeds/planner_feed_….ics"}]}
    )

    url: Annotated[str, Field(description="Everybody who has this address can read the feed.")]


class FeedPage(Reply):
    """A page of feeds."""

    items: list[FeedRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
