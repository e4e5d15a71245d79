"""The document that a planner writes to find out whether it can write."""

from datetime import datetime

from pydantic import Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import assign


class Heartbeat(StoredDocument):
    """When a planner last found out that it can write. There is one document, for all planners."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    at: datetime

    class Settings:
        """The collection."""

        name = "heartbeats"

    @classmethod
    async def beat(cls, now: datetime) -> None:
        """Write the document, and wait until a majority of the replica set has it."""
        await find_and_update(cls, {cls.id: "planner"}, {"$set": assign(cls.at, now)}, upsert=True)
