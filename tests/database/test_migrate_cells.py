"""The cells of events that were stored before there were cells."""

import random
from typing import Any

from bson import ObjectId

from database.connection import Database, bind
from database.migrate import migrate, names
from models import DOCUMENTS
from models.events.public_event_index import copy_public_event
from tests.database.test_migrate import database, pytestmark
from tests.support.documents import build_event_document, insert_user

__all__ = ["database", "pytestmark"]
BEFORE = 8
TAGS = ["Straße", "book"]


async def everything(database: Database) -> list[list[dict[str, Any]]]:
    """All events and all copies of public ones."""
    collections = (database.handle[name] for name in ("events", "public_event_index"))
    return [await collection.find({}).sort("_id", 1).to_list(None) for collection in collections]


async def list_indexes(database: Database) -> set[str]:
    """The names of the indexes of both collections."""
    collections = (database.handle[name] for name in ("events", "public_event_index"))
    return {name for collection in collections for name in await collection.index_information()}


async def test_events_stored_before_get_the_cells_that_new_ones_have(database: Database) -> None:
    ada, dice = await insert_user(database), random.Random(1)
    places: list[Any] = [(dice.uniform(-90, 90), dice.uniform(-180, 180)) for _ in range(1100)]
    places += [(90, 0), (-90, 0), (0, 180), (0, -180), (45, 45), (0, 0)]
    fields: list[dict[str, Any]] = [{"geo": {"lat": lat, "lon": lon}} for lat, lon in places]
    fields += [{"geo": None}, {}, {"geo": {"lat": 1, "lon": 2}, "visibility": "private"}]
    events = [build_event_document(ada, **({"visibility": "public", "tags": TAGS} | each)) for each in fields]
    await database.handle["events"].insert_many([event.to_stored() for event in events])
    copies = [copy.to_stored() for event in events if (copy := copy_public_event(event))]
    await database.handle["public_event_index"].insert_many(copies)
    expected = await everything(database)
    assert [len(list(filter(None, (stored.get("cells") for stored in part)))) for part in expected] == [1107, 1106]

    await migrate(database)
    assert await everything(database) == expected
    await bind(database, DOCUMENTS)
    await migrate(database, back=len(names()) - BEFORE)
    assert not any("cells" in stored for part in await everything(database) for stored in part)
    assert not {name for name in await list_indexes(database) if "cells" in name}
    await migrate(database)
    assert await everything(database) == expected


async def test_the_index_of_places_is_replaced_by_those_of_cells(database: Database) -> None:
    await insert_user(database)
    await migrate(database)
    await migrate(database, back=len(names()) - BEFORE)
    events = database.handle["events"]
    await events.insert_one({"_id": ObjectId(), "place": {"type": "Point", "coordinates": [180, -90]}})
    await events.create_index([("creator", 1), ("place", "2dsphere")], name="creator_place")
    await events.create_index([("place", "2dsphere")], name="public_place")
    await migrate(database)
    await bind(database, DOCUMENTS)
    indexes = await list_indexes(database)
    assert not {"creator_place", "public_place"} & indexes
    assert {"creator_cells_key", "cells_key", "cells_span_key", "cells_series"} <= indexes
