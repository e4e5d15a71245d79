"""The numbers of changes of events, in the order in which the changes became visible."""

from pydantic import Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import assign
from database.writes import Update

CHANGES = "changes"


class ChangeSequence(StoredDocument):
    """The last number that was assigned."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    value: int = 0

    class Settings:
        """Where the sequence is stored."""

        name = "change_sequences"

    @classmethod
    async def last(cls) -> int:
        """Return the last number: every change that has it, or a lower one, can be read."""
        found = await find_and_update(cls, {cls.id: CHANGES}, {"$setOnInsert": assign(cls.value, 0)}, upsert=True)
        assert found is not None
        return found.value

    @classmethod
    def advance(cls, last: int) -> Update:
        """Return the write that makes the number after `last` the last one; refused when another has done so."""
        return Update(cls, {cls.id: CHANGES, cls.value: last}, {"$set": assign(cls.value, last + 1)})
