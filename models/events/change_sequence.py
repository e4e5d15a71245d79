"""The numbers of changes of events, in the order in which they became visible."""

from beanie import Document
from pydantic import Field

from database.commit import change
from database.reads import decode
from database.writes import Update

CHANGES = "changes"


class Sequence(Document):
    """The last number that was given out.

    `giving` is there while a server without transactions gives out the next one. On a replica
    set nobody ever sees it.
    """

    id: str = Field(alias="_id")  # type: ignore[assignment]
    value: int = 0
    giving: bool | None = None

    class Settings:
        """Where the sequences are stored."""

        name = "sequences"

    @classmethod
    async def last(cls) -> int:
        """The last number: every change that has it, or a lower one, can be read."""
        raw = await change(cls, {"_id": CHANGES}, {"$setOnInsert": {"value": 0}}, upsert=True)
        assert raw is not None
        return int(decode(raw)["value"])

    @classmethod
    def taking(cls, last: int) -> Update:
        """The write that takes the number after `last`, refused when another has it; put it first."""
        match = {"_id": CHANGES, "value": last, "giving": {"$exists": False}}
        return Update(cls, match, {"$set": {"giving": True}})

    @classmethod
    def given(cls, last: int) -> Update:
        """The write that says that what got the number after `last` can be read; put it last."""
        return Update(cls, {"_id": CHANGES, "value": last}, {"$set": {"value": last + 1}, "$unset": {"giving": ""}})
