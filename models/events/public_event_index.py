"""What of public events is searched: a copy of it, with a text index of its own.

A collection has one text index at most, and that of the events begins with the creator: finding
one's own costs the same however much others write. See docs/decisions/0013-search.md.
"""

from datetime import datetime
from typing import Any, ClassVar

from beanie import PydanticObjectId

from database.documents import StoredDocument
from database.queries import Id, Stored, index, text_index
from database.writes import Delete, InsertStored, Update, Write
from models.events.event_queries import PUBLIC

# How much a word counts for, by where it is found.
WEIGHTS = {"title": 10, "tags": 5, "location": 3, "description": 1}
_COPIED = ("creator", *WEIGHTS, "place", "ends", "key")


class PublicEventIndex(StoredDocument):
    """The part of a public event that is searched, under the event's id."""

    creator: PydanticObjectId
    title: str
    tags: list[str]
    location: str | None = None
    description: str | None = None
    place: dict[str, Any] | None = None
    ends: datetime | None = None
    key: str

    class Settings:
        """Where they are stored."""

        name = "public_event_index"
        indexes: ClassVar = [text_index(weights=WEIGHTS, name="words"), index("creator", name="creator")]

    @classmethod
    def adding(cls, stored: Stored) -> list[Write]:
        """The writes that belong to storing a new event."""
        copy = copy_of(stored)
        return [InsertStored(cls, {"_id": stored["_id"]} | copy)] if copy else []

    @classmethod
    def changing(cls, before: Stored, after: Stored) -> list[Write]:
        """The writes that belong to changing an event."""
        was, is_now = copy_of(before), copy_of(after)
        if was == is_now:
            return []
        if not is_now:
            return cls.removing(before)
        change: dict[str, Any] = {"$set": is_now}
        if lacking := dict.fromkeys((name for name in was if name not in is_now), ""):
            change["$unset"] = lacking
        return [Update(cls, {"_id": after["_id"]}, change, required=False, upsert=True)]

    @classmethod
    def removing(cls, stored: Stored) -> list[Write]:
        """The writes that belong to removing an event."""
        return [Delete(cls, {"_id": stored["_id"]}, required=False)] if copy_of(stored) else []

    @classmethod
    def delete_all_of(cls, creator: Id) -> Delete:
        """The write that belongs to removing all of somebody's events."""
        return Delete(cls, {"creator": creator}, many=True)


def copy_of(stored: Stored) -> Stored:
    """What is searched of a stored event; nothing when it is not public."""
    if stored["visibility"] != PUBLIC["visibility"]:
        return {}
    return {name: stored[name] for name in _COPIED if stored.get(name) is not None}
