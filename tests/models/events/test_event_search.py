"""What is searched of public events says what the events say, and nothing that is not answered."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from database.commit import commit_atomically
from database.connection import Database, bind
from database.queries import Id, new_id
from models import DOCUMENTS
from models.events.event import Event
from models.events.event_queries import EventSelection
from models.events.event_search import search_words
from models.events.event_view import find_event_view, render_event
from models.events.event_writes import create_event_writes, delete_event_writes, update_event_writes
from models.events.public_event_index import copy_public_event
from planner.domain.search.cells import list_cells
from tests.support.documents import NOW, build_event_document, insert_user, list_ids

ANYBODY = new_id()


async def without_transactions(database: Database) -> Database:
    """The same, as on a server that has none."""
    without = replace(database, transactions=False)
    await bind(without, DOCUMENTS)
    return without


async def copies(database: Database) -> list[dict[str, Any]]:
    """What is searched."""
    found: list[dict[str, Any]] = await database.handle["public_event_index"].find({}).sort("_id", 1).to_list(None)
    return found


async def assert_they_say_the_same(database: Database) -> None:
    events = await database.handle["events"].find({}, {"search": 0}).sort("_id", 1).to_list(None)
    expected = [copy.to_stored() for stored in events if (copy := copy_public_event(Event.from_stored(stored)))]
    assert await copies(database) == expected
    for stored in events:
        geo = stored.get("geo")
        assert stored.get("cells") == (list_cells(geo["lat"], geo["lon"]) if geo else None)


async def create(database: Database, creator: Id) -> Id:
    new = build_event_document(
        creator, visibility="public", location="Town library", geo={"lat": 1, "lon": 2}, start="2026-12-01"
    )
    assert await commit_atomically(create_event_writes(new))
    return new.id


async def read(id: Id) -> Event:
    view = await find_event_view(id)
    assert view is not None
    return view.event


async def change(before: Event, **fields: Any) -> bool:
    after = before.revise(fields, by=before.creator, now=NOW)
    return await commit_atomically(update_event_writes(before, after))


async def delete(before: Event) -> bool:
    return await commit_atomically(delete_event_writes(before, before.creator, NOW))


async def changed(id: Id, **fields: Any) -> None:
    assert await change(await read(id), **fields)


CHANGES: dict[str, dict[str, Any]] = {
    "the title": {"title": "Another"},
    "no place any more": {"geo": None, "location": None},
    "another place": {"geo": {"lat": 3, "lon": 4}},
    "another tag": {"tags": ["books"]},
    "what is not searched": {"status": "cancelled"},
    "private": {"visibility": "private"},
    "unlisted": {"visibility": "unlisted"},
}


@pytest.mark.parametrize("transactions", [True, False])
@pytest.mark.parametrize("what", CHANGES)
async def test_the_index_of_public_events_follows_each_change(
    what: str, transactions: bool, database: Database
) -> None:
    if not transactions:
        database = await without_transactions(database)
    id = await create(database, await insert_user(database))
    await assert_they_say_the_same(database)
    await changed(id, **CHANGES[what])
    await assert_they_say_the_same(database)
    await changed(id, visibility="public", title="As public as before")
    assert len(await copies(database)) == 1
    await assert_they_say_the_same(database)
    assert await delete(await read(id))
    assert await copies(database) == []


async def test_a_refused_write_leaves_nothing_in_the_index(database: Database) -> None:
    assert not await commit_atomically(create_event_writes(build_event_document(new_id(), visibility="public")))
    assert await copies(database) == []
    id = await create(database, await insert_user(database))
    before = await read(id)
    await changed(id, title="Meanwhile")
    assert not await change(before, title="Too late")
    assert not await delete(before)
    assert [copy["search"]["words"] for copy in await copies(database)] == [["meanwhile", "town", "library"]]


async def test_a_refused_write_without_transactions_leaves_nothing_in_the_index(database: Database) -> None:
    database = await without_transactions(database)
    assert not await commit_atomically(create_event_writes(build_event_document(new_id(), visibility="public")))
    assert await list_ids(database, "events") == set()
    assert await copies(database) == []


@pytest.mark.real_server("the mock has no regular expressions in aggregations")
async def test_an_event_that_became_private_during_a_search_is_left_out_and_the_page_is_filled(
    database: Database,
) -> None:
    ada = await insert_user(database)
    events = [build_event_document(ada, visibility="public", start=f"2026-12-{day:02}") for day in range(1, 7)]
    for new in events:
        assert await commit_atomically(create_event_writes(new))
    # As it looks to a search that read the copies before, and the events after the change.
    for new in events[1:4]:
        await database.handle["events"].update_one({"_id": new.id}, {"$set": {"visibility": "private"}})
    await database.handle["events"].delete_one({"_id": events[4].id})
    # In the scope of public events, one's own private events are left out too.
    for selection in (EventSelection("all", ANYBODY), EventSelection("public", ada)):
        seen, after = [], None
        while True:
            views, after, _ = await search_words(selection, "launch", after, 2, NOW)
            seen += [view.id for view in views]
            if after is None:
                break
        assert seen == [str(events[0].id), str(events[5].id)]


def test_the_indexed_place_of_an_event_is_not_rendered() -> None:
    new = build_event_document(new_id(), geo={"lat": 1.5, "lon": 2.5})
    assert new.place == {"type": "Point", "coordinates": [2.5, 1.5]}
    assert "place" not in orjson.loads(render_event(new).editors_json)
