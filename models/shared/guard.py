"""Documents that exist to be written: two groups of writes that both write one wait for each other."""

from pydantic import Field

from database.documents import StoredDocument
from database.writes import Update


class Guard(StoredDocument):
    """Stands for a rule over several documents, such as that an admin remains."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    taken: int = 0

    class Settings:
        """Where guards are stored."""

        name = "guards"

    @classmethod
    def taking(cls, id: str) -> Update:
        """The write that makes groups of writes follow each other; put it first."""
        return Update(cls, {"_id": id}, {"$inc": {"taken": 1}}, upsert=True)
