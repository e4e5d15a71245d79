"""Guards: documents that exist to be written, so that groups of writes follow each other."""

from pydantic import Field

from database.documents import StoredDocument
from database.writes import Update


class Guard(StoredDocument):
    """A rule over several documents, such as that an admin remains.

    Of two groups of writes that both acquire a guard at the same time, one waits for the other or is refused.
    """

    id: str = Field(alias="_id")  # type: ignore[assignment]
    version: int = Field(0, description="How often the guard was acquired.")

    class Settings:
        """The collection."""

        name = "guards"

    @classmethod
    def acquire_write(cls, id: str) -> Update:
        """Return the write that makes groups of writes follow each other; put it first."""
        return Update(cls, {cls.id: id}, {"$inc": {cls.version: 1}}, upsert=True)
