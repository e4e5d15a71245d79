"""What events were before they were changed or removed: each revision by itself."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from beanie import Document, PydanticObjectId

from database.queries import Id, Stored, index, new_id
from database.writes import Delete, Insert, Update, Write

# How a revision came to be, where it is not a plain change.
Act = Literal["deleted", "restored", "taken-down", "takedown-lifted"]
# For so long a removed event can be restored.
RESTORABLE = timedelta(days=30)


class Revision(Document):
    """One revision of an event that is there no more: `state` is the event as it was stored.

    A removal counts as a revision without a state. The revision that an event has now is in
    the event itself.
    """

    event: PydanticObjectId
    revision: int
    creator: PydanticObjectId
    by: PydanticObjectId
    at: datetime
    act: Act | None = None
    state: dict[str, Any] | None = None
    expires_at: datetime | None = None

    class Settings:
        """Where they are stored; the server itself removes those of removed events when their time is over."""

        name = "revisions"
        indexes: ClassVar = [
            index("event", "revision", name="event_revision", unique=True),
            index("creator", name="creator"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    def keeping(cls, stored: Stored, expires_at: datetime | None = None) -> Insert:
        """The write that keeps an event as it is stored now."""
        fields = {
            "_id": new_id(),
            "event": stored["_id"],
            "revision": stored["revision"],
            "creator": stored["creator"],
            "by": stored.get("editor", stored["creator"]),
            "at": stored["updated_at"],
            "state": stored,
        }
        if "act" in stored:
            fields["act"] = stored["act"]
        return Insert(cls, fields | ({"expires_at": expires_at} if expires_at else {}))

    @classmethod
    def ending(cls, stored: Stored, by: Id, now: datetime) -> list[Write]:
        """The writes that keep a removed event for as long as it can be restored."""
        expires_at = now + RESTORABLE
        removal: Stored = {
            "_id": new_id(),
            "event": stored["_id"],
            "revision": stored["revision"] + 1,
            "creator": stored["creator"],
            "by": by,
            "at": now,
            "act": "deleted",
            "expires_at": expires_at,
        }
        return [
            cls.keeping(stored, expires_at),
            Insert(cls, removal),
            Update(cls, {"event": stored["_id"]}, {"$set": {"expires_at": expires_at}}, needed=False, many=True),
        ]

    @classmethod
    def dropping(cls, creator: Id) -> Delete:
        """The write that forgets every revision of somebody's events."""
        return Delete(cls, {"creator": creator}, many=True)
