"""Counters of what is limited, shared by all processes."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.errors import DuplicateKey
from database.queries import assign, index
from database.reads import find_one
from database.writes import Delete
from planner.domain.rate_limits import RateLimit


class RateLimitCounter(StoredDocument):
    """The times at which something last happened: one more than its limit allows, at most."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    times: list[datetime]
    expires_at: datetime

    class Settings:
        """The collection and its index; the server deletes expired counters."""

        name = "rate_limit_counters"
        indexes: ClassVar = [index("expires_at", name="expired", expireAfterSeconds=0)]

    @classmethod
    async def find_times(cls, id: str) -> list[datetime]:
        """Return the times of this counter, the oldest first."""
        counter = await find_one(cls, {cls.id: id})
        return [] if counter is None else counter.times

    @classmethod
    def delete_write(cls, ids: Sequence[str]) -> Delete:
        """Return the write that sets these counters back to nothing."""
        return Delete(cls, {cls.id: {"$in": list(ids)}}, many=True)

    @classmethod
    async def add_time(cls, id: str, limit: RateLimit, now: datetime) -> list[datetime]:
        """Add a time to this counter, and return its times as they are then, the oldest first. Atomic."""
        changes = {
            "$push": {cls.times: {"$each": [now], "$slice": -(limit.max_count + 1)}},
            "$set": assign(cls.expires_at, now + 2 * limit.period),
        }
        try:
            counter = await find_and_update(cls, {cls.id: id}, changes, upsert=True)
        except DuplicateKey:  # Two first times at once: the other one has inserted the counter.
            counter = await find_and_update(cls, {cls.id: id}, changes, upsert=True)
        assert counter is not None
        return counter.times
