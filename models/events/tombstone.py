"""Tombstones: for clients that keep a copy, the events that they must remove from it."""

from datetime import datetime, timedelta
from typing import ClassVar

from beanie import PydanticObjectId

from database.documents import StoredDocument
from database.queries import Id, clear, index
from database.writes import Delete, Insert, Update, Write
from models.events.change_numbers import UNNUMBERED
from models.events.event import Event

# A client that has not asked for changes for longer than this has to read everything again.
TOMBSTONE_LIFETIME = timedelta(days=90)


class Tombstone(StoredDocument):
    """A note that an event was deleted (`removed`), or else that it is no longer public.

    `public` means that it was public before. `owner` is its creator, as long as that account exists.
    `change_number` is the number of this change among all changes of events, or `UNNUMBERED`.
    """

    event: PydanticObjectId
    owner: PydanticObjectId | None = None
    public: bool
    removed: bool
    at: datetime
    change_number: int = UNNUMBERED

    class Settings:
        """Where tombstones are stored; the server itself deletes them when they expire."""

        name = "tombstones"
        indexes: ClassVar = [
            index("change_number", name="waiting", partialFilterExpression={"change_number": UNNUMBERED}),
            index("owner", "change_number", "event", name="owner_changes"),
            index("change_number", "event", name="public_changes", partialFilterExpression={"public": True}),
            index("at", name="expired", expireAfterSeconds=int(TOMBSTONE_LIFETIME.total_seconds())),
        ]

    @classmethod
    def insert_write(cls, event: Event, now: datetime, *, removed: bool) -> Insert:
        """Return the write that inserts the tombstone of an event."""
        return Insert(
            cls(
                event=event.id,
                owner=event.creator,
                public=event.visibility == "public",
                removed=removed,
                at=now,
                change_number=UNNUMBERED,
            )
        )

    @classmethod
    def insert_ownerless_write(cls, event: Id, now: datetime) -> Insert:
        """Return the write that inserts the tombstone of a public event that goes with the account of its creator."""
        return Insert(cls(event=event, public=True, removed=True, at=now, change_number=UNNUMBERED))

    @classmethod
    def anonymize_writes(cls, owner: Id) -> list[Write]:
        """Return the writes that remove an account's id from its tombstones, and those that only it could see."""
        return [
            Delete(cls, {cls.owner: owner, cls.removed: True, cls.public: False}, many=True),
            Update(cls, {cls.owner: owner}, {"$unset": clear(cls.owner)}, required=False, many=True),
        ]
