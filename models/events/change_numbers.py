"""The numbers of changes of events, in the order in which the changes became visible.

See docs/decisions/0030-numbering-in-the-background.md.
"""

from typing import ClassVar

from beanie import PydanticObjectId
from pydantic import Field

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import assign, index
from database.writes import Delete, Insert, Update
from models.events.event import Event

# The number of a change that has none yet: see `planner/services/events/changes.py`.
UNNUMBERED = 0
CHANGES = "changes"
_WAITING = {"change_number": UNNUMBERED}
_NUMBERED = {"change_number": {"$gt": UNNUMBERED}}


class EventChange(StoredDocument):
    """The last change of an event, under the event's id: its number, or `UNNUMBERED`.

    `creator` is that of the event, and `public` says whether everybody may see the event. `revision` is that of the
    event: so each change of the event writes this document, and conflicts with the transaction that numbers the change
    before it.
    """

    creator: PydanticObjectId
    public: bool
    revision: int
    change_number: int = UNNUMBERED

    class Settings:
        """Where the changes are stored."""

        name = "event_changes"
        indexes: ClassVar = [
            index("creator", name="waiting", partialFilterExpression=_WAITING),
            index("creator", "change_number", "_id", name="creator_changes", partialFilterExpression=_NUMBERED),
            index("change_number", "_id", name="public_changes", partialFilterExpression={"public": True} | _NUMBERED),
        ]

    @classmethod
    def insert_write(cls, event: Event) -> Insert:
        """Return the write that belongs to the insertion of an event."""
        return Insert(
            cls(
                id=event.id,
                creator=event.creator,
                public=event.visibility == "public",
                revision=event.revision,
                change_number=UNNUMBERED,
            )
        )

    @classmethod
    def update_write(cls, event: Event) -> Update:
        """Return the write that belongs to the update of an event: it needs a new number."""
        changed = assign(cls.public, event.visibility == "public") | assign(cls.revision, event.revision)
        changed |= assign(cls.change_number, UNNUMBERED)
        changes = {"$set": changed, "$setOnInsert": assign(cls.creator, event.creator)}
        return Update(cls, {cls.id: event.id}, changes, upsert=True)

    @classmethod
    def delete_write(cls, event: Event) -> Delete:
        """Return the write that belongs to the deletion of an event."""
        return Delete(cls, {cls.id: event.id}, required=False)


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
