"""What events were before they were changed or removed: each revision by itself."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from beanie import PydanticObjectId

from database.commit import commit_atomically
from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index, new_id
from database.reads import decode, page
from database.writes import Delete, Insert, InsertStored, Update, Write

# How a revision came to be, where it is not a plain change.
Act = Literal["deleted", "restored", "taken-down", "takedown-lifted"]
# For so long a removed event can be restored.
RESTORABLE = timedelta(days=30)
# What a stored event says that belongs to no revision of it: whose it is, how it came to be
# as it is, what the house has decided about it. All else is its content, and can be restored.
OF_SERVER = frozenset(
    {
        "_id",
        "uid",
        "creator",
        "created_at",
        "updated_at",
        "revision",
        "editor",
        "act",
        "change_number",
        "sequence",
        "place",
        "takedown",
    }
)
# A state may be large: so many are held at once, and so many removed.
CHUNK = 20
AT_ONCE = 500
_REMOVALS = {"expires_at": {"$exists": True}}


class Revision(StoredDocument):
    """One revision of an event that is there no more: `state` is the event as it was stored.

    A removal counts as a revision without a state. The revision that an event has now is in
    the event itself. `by` is there only when it was not the creator; None when whoever it was
    has left.
    """

    event: PydanticObjectId
    revision: int
    creator: PydanticObjectId
    by: PydanticObjectId | None = None
    at: datetime
    act: Act | None = None
    state: dict[str, Any] | None = None
    expires_at: datetime | None = None

    class Settings:
        """Where they are stored. Only removals have an end to their time; what goes with them is left alone."""

        name = "revisions"
        indexes: ClassVar = [
            index("event", "revision", name="event_revision", unique=True),
            index("creator", "_id", name="creator_id"),
            index("by", name="by", partialFilterExpression={"by": {"$exists": True}}),
            index("expires_at", name="removals", partialFilterExpression=_REMOVALS),
        ]

    @classmethod
    def of(cls, stored: Stored) -> Stored:
        """The revision that an event is stored as now."""
        fields: Stored = {
            "event": stored["_id"],
            "revision": stored["revision"],
            "creator": stored["creator"],
            "at": stored["updated_at"],
            "state": {name: value for name, value in stored.items() if name != "editor"},
        }
        if "editor" in stored:
            fields["by"] = stored["editor"]
        if "act" in stored:
            fields["act"] = stored["act"]
        return fields

    @classmethod
    def keeping(cls, stored: Stored) -> Insert:
        """The write that keeps an event as it is stored now."""
        return InsertStored(cls, {"_id": new_id()} | cls.of(stored))

    @classmethod
    def ending(cls, stored: Stored, by: Id, now: datetime) -> list[Write]:
        """The writes that keep a removed event, and say how long it can be restored."""
        removal: Stored = {
            "_id": new_id(),
            "event": stored["_id"],
            "revision": stored["revision"] + 1,
            "creator": stored["creator"],
            "at": now,
            "act": "deleted",
            "expires_at": now + RESTORABLE,
        }
        if by != stored["creator"]:
            removal["by"] = by
        return [cls.keeping(stored), InsertStored(cls, removal)]

    @classmethod
    def reviving(cls, removal: Stored) -> Update:
        """The write after which what an event was is kept on; refused when it was restored meanwhile."""
        same = {"_id": removal["_id"], "expires_at": removal["expires_at"]}
        return Update(cls, same, {"$unset": {"expires_at": ""}})

    @classmethod
    async def overdue(cls, now: datetime, most: int) -> list[Stored]:
        """The removals of events that can be restored no more."""
        found = await page(cls, {"expires_at": {"$lte": now}}, [("expires_at", 1)], most)
        return [decode(raw) for raw in found]

    @classmethod
    async def some_before(cls, removal: Stored) -> list[Id]:
        """The ids of some of what a removed event was, where there is any of it."""
        match: Filter = {"event": removal["event"], "revision": {"$lt": removal["revision"]}}
        found = await page(cls, match, [("revision", 1)], AT_ONCE, {"_id": 1})
        return [decode(raw)["_id"] for raw in found]

    @classmethod
    async def forget(cls, removal: Stored) -> None:
        """Forget what a removed event was; the removal goes last, so that what is cut short is done again."""
        while ids := await cls.some_before(removal):
            await commit_atomically([Delete(cls, {"_id": {"$in": ids}}, many=True)])
        await commit_atomically([Delete(cls, {"_id": removal["_id"]}, required=False)])

    @classmethod
    def delete_all_of(cls, creator: Id) -> Delete:
        """The write that forgets every revision of somebody's events."""
        return Delete(cls, {"creator": creator}, many=True)

    @classmethod
    def forgetting(cls, by: Id) -> Update:
        """The write after which nothing says who made these revisions of other people's events."""
        return Update(cls, {"by": by}, {"$set": {"by": None}}, required=False, many=True)

    @classmethod
    async def last(cls, event: Id) -> Stored | None:
        """The newest revision of an event that it has no more: its removal, when it was removed."""
        found = await page(cls, {"event": event}, [("revision", -1)], 1)
        return decode(found[0]) if found else None

    @classmethod
    async def exactly(cls, event: Id, revision: int) -> Stored | None:
        """What an event was at a revision that it has no more."""
        found = await page(cls, {"event": event, "revision": revision}, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    async def before(cls, event: Id, revision: int, most: int) -> AsyncIterator[Stored]:
        """The revisions of an event before this one, the newest first; so many at most, never all of them at once."""
        while most > 0:
            limit = min(most, CHUNK)
            match: Filter = {"event": event, "revision": {"$lt": revision}}
            found = await page(cls, match, [("revision", -1)], limit)
            for raw in found:
                kept = decode(raw)
                yield kept
                revision = kept["revision"]
            most = most - limit if len(found) == limit else 0

    @classmethod
    async def of_creator(cls, creator: Id) -> AsyncIterator[Stored]:
        """Every revision of somebody's events that they have no more, in the order in which they were kept."""
        match: Filter = {"creator": creator}
        while found := await page(cls, match, [("_id", 1)], CHUNK):
            for raw in found:
                kept = decode(raw)
                yield kept
            match = {"creator": creator, "_id": {"$gt": kept["_id"]}}


def content(stored: Stored, beside: Stored) -> Stored:
    """What an older state of an event says, for it as it is stored `beside` that.

    What a moderator has taken down stays private.
    """
    says = {name: value for name, value in stored.items() if name not in OF_SERVER}
    return says | {"visibility": "private"} if "takedown" in beside else says
