"""The version of the time zone rules by which it was computed when recurring events take place."""

from pydantic import Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import assign
from database.reads import find_one

HOURS = "hours"


class TimeZoneVersion(StoredDocument):
    """A version of the time zone rules; the id says what was computed by them."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    version: str

    class Settings:
        """The collection."""

        name = "time_zone_versions"

    @classmethod
    async def is_current(cls, version: str) -> bool:
        """Return whether it was computed by this version when recurring events take place."""
        return await find_one(cls, {cls.id: HOURS, cls.version: version}) is not None

    @classmethod
    async def record(cls, version: str) -> None:
        """Store that it is computed by this version when recurring events take place."""
        await find_and_update(cls, {cls.id: HOURS}, {"$set": assign(cls.version, version)}, upsert=True)
