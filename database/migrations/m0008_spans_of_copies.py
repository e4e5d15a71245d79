"""Store the class of each event's length in the searchable copy of public events too, so that an index has it.

Running it twice changes nothing.
"""

from typing import Any

from beanie import Document, free_fall_migration


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
        merge = {"into": "public_event_index", "whenMatched": "merge", "whenNotMatched": "discard"}
        stages: list[dict[str, Any]] = [
            {"$match": {"visibility": "public"}},
            {"$project": {"span": 1}},
            {"$merge": merge},
        ]
        await Events.get_motor_collection().aggregate(stages).to_list(None)


class Backward:
    """Back to copies without one."""

    @free_fall_migration(document_models=[Events])
    async def forget(self, session: Any) -> None:
        """Remove the span from the copies."""
        copies = Events.get_motor_collection().database["public_event_index"]
        await copies.update_many({}, {"$unset": {"span": ""}})
