"""Tallies of what is limited, shared by all processes."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from database.commit import change
from database.documents import StoredDocument
from database.errors import DuplicateKey
from database.queries import index
from database.reads import decode, page
from planner.domain.rate_limits import RateLimit


class RateLimitCounter(StoredDocument):
    """When something last happened, at most as often as its limit allows."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    times: list[datetime]
    expires_at: datetime

    class Settings:
        """Where tallies are stored; the server itself removes them when they no longer matter."""

        name = "rate_limit_counters"
        indexes: ClassVar = [index("expires_at", name="expired", expireAfterSeconds=0)]

    @classmethod
    async def of(cls, id: str) -> list[datetime]:
        """The times noted under this id, the oldest first."""
        found = await page(cls, {"_id": id}, None, 1)
        return list(decode(found[0])["times"]) if found else []

    @classmethod
    async def note(cls, id: str, limit: RateLimit, now: datetime) -> list[datetime]:
        """Note one more time and answer those that stand then, in one atomic write."""
        update = {
            "$push": {"times": {"$each": [now], "$slice": -(limit.max_count + 1)}},
            "$set": {"expires_at": now + 2 * limit.period},
        }
        try:
            raw = await change(cls, {"_id": id}, update, upsert=True)
        except DuplicateKey:  # Two first times at once: the other one has made the tally.
            raw = await change(cls, {"_id": id}, update, upsert=True)
        assert raw is not None
        return list(decode(raw)["times"])
