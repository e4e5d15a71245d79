"""Let the changes of events be numbered: those stored before wait for their number like new ones.

Events get `seq`, 0 for what waits to be numbered, and an empty list of `reminders`. Doing it
twice changes nothing.
"""

from typing import Any

from beanie import Document, free_fall_migration


class Events(Document):
    """The events, with numbered changes or without."""

    class Settings:
        """Where they are."""

        name = "events"


class Forward:
    """Have every event wait for its number."""

    @free_fall_migration(document_models=[Events])
    async def wait_for_numbers(self, session: Any) -> None:
        """Give the events the fields that they lack."""
        events = Events.get_motor_collection()
        await events.update_many({"seq": {"$exists": False}}, {"$set": {"seq": 0}})
        await events.update_many({"reminders": {"$exists": False}}, {"$set": {"reminders": []}})


class Backward:
    """Back to events that are not numbered."""

    @free_fall_migration(document_models=[Events])
    async def forget_numbers(self, session: Any) -> None:
        """Take the numbers away; the copies that people keep begin anew."""
        events = Events.get_motor_collection()
        await events.update_many({}, {"$unset": {"seq": ""}})
        await events.database["sequences"].delete_many({})
