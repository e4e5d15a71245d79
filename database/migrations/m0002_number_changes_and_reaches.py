"""Let the changes of events be numbered, and classify recurring events by their duration.

Events get `seq`, 0 for what waits to be numbered, and an empty list of `reminders`. What
repeats had a `span` of -1 and gets one from -1, for what goes on for up to 8 days, to -5 for
what goes on for more than 4,096. Doing it twice changes nothing.
"""

from contextlib import suppress
from typing import Any

from beanie import Document, free_fall_migration
from pymongo.errors import OperationFailure

from database.drivers.choice import driver

REACHES = (8, 64, 512, 4096)
# By their new keys or their old ones: the server keeps an index under a name for ever as it was made.
INDEXES = ("creator_series", "public_series", "creator_repeating", "public_repeating")
DAY = 24 * 60 * 60 * 1000


class Events(Document):
    """The events, with numbered changes or without."""

    class Settings:
        """Where they are."""

        name = "events"


async def drop_indexes(events: Any) -> None:
    """Drop those that are made anew at the next start."""
    for name in INDEXES:
        with suppress(OperationFailure):
            await events.drop_index(name)


class Forward:
    """Number and classify."""

    @free_fall_migration(document_models=[Events])
    async def wait_for_numbers(self, session: Any) -> None:
        """Give the events the fields that they lack."""
        events = driver.collection_of(Events)
        await events.update_many({"seq": {"$exists": False}}, {"$set": {"seq": 0}})
        await events.update_many({"reminders": {"$exists": False}}, {"$set": {"reminders": []}})
        reach = {"$subtract": ["$ends", "$begins"]}
        branches = [{"case": {"$lte": [reach, days * DAY]}, "then": -1 - number} for number, days in enumerate(REACHES)]
        span = {"$switch": {"branches": branches, "default": -1 - len(REACHES)}}
        await events.update_many({"repeats": True}, [{"$set": {"span": span}}])
        await drop_indexes(events)


class Backward:
    """Back to events that are neither numbered nor classified."""

    @free_fall_migration(document_models=[Events])
    async def forget_numbers(self, session: Any) -> None:
        """Take the numbers away; the copies that people keep begin anew."""
        events = driver.collection_of(Events)
        await events.update_many({}, {"$unset": {"seq": ""}})
        await events.update_many({"repeats": True}, {"$set": {"span": -1}})
        await drop_indexes(events)
        await events.database["sequences"].delete_many({})
