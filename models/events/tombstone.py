"""Events that are gone, for those who keep a copy of what they saw."""

from datetime import datetime, timedelta
from typing import ClassVar

from beanie import PydanticObjectId

from database.documents import StoredDocument
from database.queries import Id, Stored, index, new_id
from database.writes import Delete, Insert, InsertStored, Update, Write

# For so long it is known what is gone; who asks less often reads everything anew.
KNOWN = timedelta(days=90)
# The number of what waits to be numbered, as of an event.
WAITING = 0
_PUBLIC = {"public": True}


class Tombstone(StoredDocument):
    """An event that was `removed`, or is not public any more; `public` says that it was.

    `change_number` numbers it among the changes of events. `owner` is its creator, as long as there is one.
    """

    event: PydanticObjectId
    owner: PydanticObjectId | None = None
    public: bool
    removed: bool
    at: datetime
    change_number: int = WAITING

    class Settings:
        """Where they are stored; the server itself removes them when their time is over."""

        name = "tombstones"
        indexes: ClassVar = [
            index("change_number", name="waiting", partialFilterExpression={"change_number": WAITING}),
            index("owner", "change_number", "event", name="owner_changes"),
            index("change_number", "event", name="public_changes", partialFilterExpression=_PUBLIC),
            index("at", name="expired", expireAfterSeconds=int(KNOWN.total_seconds())),
        ]

    @classmethod
    def forgetting(cls, owner: Id) -> list[Write]:
        """The writes after which nothing says whose the events were; those nobody else saw are not noted at all."""
        return [
            Delete(cls, {"owner": owner, "removed": True, "public": False}, many=True),
            Update(cls, {"owner": owner}, {"$unset": {"owner": ""}}, required=False, many=True),
        ]

    @classmethod
    def noting(cls, stored: Stored, now: datetime, *, removed: bool) -> Insert:
        """The write that notes a stored event as removed, or else as no longer public."""
        return InsertStored(
            cls,
            {
                "_id": new_id(),
                "event": stored["_id"],
                "owner": stored["creator"],
                "public": stored["visibility"] == "public",
                "removed": removed,
                "at": now,
                "change_number": WAITING,
            },
        )
