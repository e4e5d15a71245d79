"""Store the number of each event's last change beside the event, in `event_changes`.

To number a change, the server then writes a small document with few indexes instead of the event with all of its own.
Running it twice changes nothing.
"""

from contextlib import suppress
from typing import Any

from beanie import Document, free_fall_migration
from pymongo.errors import OperationFailure

from database.drivers.choice import driver

INDEXES = ("waiting", "creator_changes", "public_changes")
OWNED: dict[str, Any] = {"creator": {"$type": "objectId"}}
IS_PUBLIC = {"$eq": ["$visibility", "public"]}


class Events(Document):
    """The events; through them the database is reached."""

    class Settings:
        """Where they are."""

        name = "events"


async def drop_indexes(events: Any) -> None:
    """Drop the indexes of the numbers that events had."""
    for name in INDEXES:
        with suppress(OperationFailure):
            await events.drop_index(name)


class Forward:
    """To numbers beside the events."""

    @free_fall_migration(document_models=[Events])
    async def move(self, session: Any) -> None:
        """Copy the numbers, and remove them from the events."""
        events = driver.collection_of(Events)
        # First the indexes: without them, removing a number is a small write.
        await drop_indexes(events)
        change = {
            "creator": 1,
            "public": IS_PUBLIC,
            "revision": 1,
            "change_number": {"$ifNull": ["$change_number", 0]},
        }
        merge = {"into": "event_changes", "whenMatched": "keepExisting"}
        await driver.aggregate(events, [{"$match": OWNED}, {"$project": change}, {"$merge": merge}])
        await events.update_many(OWNED | {"change_number": {"$exists": True}}, {"$unset": {"change_number": ""}})


class Backward:
    """Back to numbers in the events."""

    @free_fall_migration(document_models=[Events])
    async def move_back(self, session: Any) -> None:
        """Copy the numbers into the events again; an event without one waits for it."""
        events = driver.collection_of(Events)
        changes = events.database["event_changes"]
        await events.update_many(OWNED | {"change_number": {"$exists": False}}, {"$set": {"change_number": 0}})
        merge = {"into": "events", "whenMatched": "merge", "whenNotMatched": "discard"}
        await driver.aggregate(changes, [{"$project": {"change_number": 1}}, {"$merge": merge}])
        await changes.drop()
