"""Let events be found by the cells of a grid that their places are in, instead of by an index of places.

Events with a place, and the copies of public ones, get `cells`. What is computed here is what the planner computed
when this was written (`planner/domain/search/cells.py`): a migration does the same for ever. Running it twice changes
nothing.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import blake2b
from math import atan, cos, pi, radians, sin
from typing import Any

from beanie import Document, free_fall_migration
from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from database.drivers.choice import driver

log = logging.getLogger("planner.database")

BATCH_SIZE = 1_000
LOG_EVERY = 20_000
FORMER_INDEXES = ("creator_place", "public_place")
INDEXES = {
    "events": ("creator_cells_key", "creator_cells_span_key", "creator_cells_series"),
    "public_event_index": ("cells_key", "cells_span_key", "cells_series"),
}
LAST_LEVEL = 18


class Events(Document):
    """The events; through them the database is reached."""

    class Settings:
        """Where they are."""

        name = "events"


def list_cells(lon: float, lat: float) -> list[int]:
    """Return the numbers of the cells that a point is in, one for every other level."""
    latitude, longitude = radians(lat), radians(lon)
    point = (cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude))
    axis = max(range(3), key=lambda each: abs(point[each]))
    face = 2 * axis + (point[axis] < 0)
    column, row = (count_columns(point[(axis + step) % 3] / abs(point[axis])) for step in (1, 2))
    found = []
    for level in range(0, LAST_LEVEL + 1, 2):
        shift = LAST_LEVEL - level
        found.append((6 * level + face) << 2 * LAST_LEVEL | (column >> shift) << LAST_LEVEL | row >> shift)
    return found


def count_columns(tangent: float) -> int:
    """Return how many columns of the last level are before an angle from the middle of a face."""
    number = 1 << LAST_LEVEL
    return min(int((atan(tangent) / (pi / 4) + 1) / 2 * number), number - 1)


def list_tag_cells(cells: list[int], tags: list[str]) -> list[int]:
    """Return the numbers of cells for events with one of the tags."""
    texts = [f"{cell} {tag}" for tag in tags for cell in cells]
    return [int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True) for text in texts]


async def batches(events: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield all events that have a place, so many at a time."""
    batch = []
    fields = {"place": 1, "tag_keys": 1}
    async for event in events.find({"place.coordinates": {"$exists": True}}, fields, sort=[("_id", 1)]):
        batch.append(event)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


async def drop_indexes(collection: Any, names: tuple[str, ...]) -> None:
    """Drop those of these indexes that there are."""
    for name in names:
        with suppress(OperationFailure):
            await collection.drop_index(name)


class Forward:
    """To cells."""

    @free_fall_migration(document_models=[Events])
    async def compute(self, session: Any) -> None:
        """Compute the cells of all events with a place, and of the copies of the public ones."""
        events = driver.collection_of(Events)
        done = 0
        async for batch in batches(events):
            changes, copies = [], []
            for event in batch:
                cells = list_cells(*event["place"]["coordinates"])
                tagged = cells + list_tag_cells(cells, event.get("tag_keys") or [])
                changes.append(UpdateOne({"_id": event["_id"]}, {"$set": {"cells": cells}}))
                copies.append(UpdateOne({"_id": event["_id"]}, {"$set": {"cells": tagged}}))
            await events.bulk_write(changes, ordered=False)
            await events.database["public_event_index"].bulk_write(copies, ordered=False)
            done += len(batch)
            if done % LOG_EVERY == 0:
                log.info("computing the cells of events: %d done", done)
        await drop_indexes(events, FORMER_INDEXES)


class Backward:
    """Back to an index of places."""

    @free_fall_migration(document_models=[Events])
    async def forget(self, session: Any) -> None:
        """Remove the cells, and their indexes."""
        database = driver.collection_of(Events).database
        for name, indexes in INDEXES.items():
            await drop_indexes(database[name], indexes)
            await database[name].update_many({"cells": {"$exists": True}}, {"$unset": {"cells": ""}})
