"""Let events be found by their words and places.

Events with a `geo` get `place`, the same as a GeoJSON point, and what of public events is
searched is copied into `published`. Doing it twice changes nothing.
"""

from typing import Any

from beanie import Document, free_fall_migration

from database.drivers.choice import driver

PUBLISHED = "published"
COPIED = ("creator", "title", "tags", "location", "description", "place", "ends", "key")


class Events(Document):
    """The events, with places or without."""

    class Settings:
        """Where they are."""

        name = "events"


class Forward:
    """Place and copy."""

    @free_fall_migration(document_models=[Events])
    async def place_and_copy(self, session: Any) -> None:
        """Give the events their places, and `published` the copies of public ones and no others."""
        events = driver.collection_of(Events)
        place = {"type": "Point", "coordinates": ["$geo.lon", "$geo.lat"]}
        await events.update_many({"geo.lat": {"$exists": True}}, [{"$set": {"place": place}}])
        await events.update_many({"geo": None, "place": {"$exists": True}}, {"$unset": {"place": ""}})
        # What is null is left out, as where the planner writes it.
        pairs = [{"k": name, "v": f"${name}"} for name in ("_id", *COPIED)]
        present = {"$filter": {"input": pairs, "cond": {"$gt": ["$$this.v", None]}}}
        stages: list[dict[str, Any]] = [
            {"$match": {"visibility": "public"}},
            {"$replaceRoot": {"newRoot": {"$arrayToObject": present}}},
            {"$merge": {"into": PUBLISHED, "on": "_id", "whenMatched": "replace"}},
        ]
        await events.database[PUBLISHED].delete_many({})
        await driver.aggregate(events, stages)


class Backward:
    """Back to events that are not searched."""

    @free_fall_migration(document_models=[Events])
    async def forget_copies(self, session: Any) -> None:
        """Take the places and the copies away, with the indexes that would slow down what does not use them."""
        events = driver.collection_of(Events)
        await events.update_many({"place": {"$exists": True}}, {"$unset": {"place": ""}})
        await events.database.drop_collection(PUBLISHED)
        for name in await events.index_information():
            if name in ("creator_words", "creator_place", "public_place"):
                await events.drop_index(name)
