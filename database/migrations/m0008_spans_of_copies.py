"""Store the class of each event's length in the searchable copy of public events too, so that an index has it.

Two indexes of public events get the end of an event too, and other names: the former ones are dropped. Running it twice
changes nothing.
"""

from contextlib import suppress
from typing import Any

from beanie import Document, free_fall_migration
from pymongo.errors import OperationFailure

from database.drivers.choice import driver

REPLACED_INDEXES = ("public_key", "public_tags_key")


class Events(Document):
    """The events; through them the database is reached."""

    class Settings:
        """Where they are."""

        name = "events"


class Forward:
    """To copies with a span."""

    @free_fall_migration(document_models=[Events])
    async def copy(self, session: Any) -> None:
        """Copy the span of all public events."""
        events = driver.collection_of(Events)
        merge = {"into": "public_event_index", "whenMatched": "merge", "whenNotMatched": "discard"}
        public, span = {"$match": {"visibility": "public"}}, {"$project": {"span": 1}}
        await driver.aggregate(events, [public, span, {"$merge": merge}])
        for name in REPLACED_INDEXES:
            with suppress(OperationFailure):
                await events.drop_index(name)


class Backward:
    """Back to copies without one."""

    @free_fall_migration(document_models=[Events])
    async def forget(self, session: Any) -> None:
        """Remove the span from the copies."""
        copies = driver.collection_of(Events).database["public_event_index"]
        await copies.update_many({}, {"$unset": {"span": ""}})
