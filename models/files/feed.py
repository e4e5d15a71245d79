"""Feeds: private addresses that calendar programs subscribe to."""

from datetime import datetime
from typing import ClassVar

from beanie import PydanticObjectId

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import Id, assign, index
from database.reads import Slice, find_one, find_slice, has_at_least
from database.writes import Delete
from models.events.event_schema import Scope

# The largest number of feeds of one user.
MAX_FEEDS = 50


class Feed(StoredDocument):
    """A feed of events. Its address has a secret token, of which only the hash is stored."""

    user: PydanticObjectId
    name: str
    scope: Scope
    tag: str | None = None
    digest: str
    created_at: datetime
    last_read_at: datetime | None = None

    class Settings:
        """The collection and its indexes."""

        name = "feeds"
        indexes: ClassVar = [
            index("digest", name="digest", unique=True),
            index("user", "_id", name="user_id"),
        ]

    @classmethod
    async def by_digest(cls, digest: str) -> "Feed | None":
        """Return the feed whose token has this hash, or None."""
        return await find_one(cls, {cls.digest: digest})

    @classmethod
    async def find_by_user(cls, user: Id, after: Id | None, limit: int) -> Slice["Feed"]:
        """Return the first feeds of a user after the one with the id `after`, the oldest first."""
        return await find_slice(cls, {cls.user: user}, after, limit)

    @classmethod
    async def is_limit_reached(cls, user: Id) -> bool:
        """Return whether a user has as many feeds as allowed."""
        return await has_at_least(cls, {cls.user: user}, MAX_FEEDS)

    @classmethod
    async def record_read(cls, id: Id, now: datetime) -> None:
        """Store when the feed was last read."""
        await find_and_update(cls, {cls.id: id}, {"$set": assign(cls.last_read_at, now)})

    @classmethod
    def delete_write(cls, id: Id, user: Id) -> Delete:
        """Return the write that deletes a feed of a user; it is refused when there is none."""
        return Delete(cls, {cls.id: id, cls.user: user})

    @classmethod
    def delete_all_write(cls, user: Id) -> Delete:
        """Return the write that deletes every feed of a user."""
        return Delete(cls, {cls.user: user}, many=True)
