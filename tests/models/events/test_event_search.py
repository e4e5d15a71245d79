"""What is searched of public events says what the events say, and nothing that is not answered."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from database.connection import Database, bind
from database.queries import Id, Stored, new_id
from models import DOCUMENTS
from models.events.event import Event
from models.events.event_search import SearchScope, search
from models.events.event_view import render
from models.events.public_event_index import copy_of
from planner.domain.cursors import decode_search_cursor
from tests.database.things import NOW, event, ids_in, stored_user

ANYBODY = new_id()


async def without_transactions(database: Database) -> Database:
    """The same, as on a server that has none."""
    without = replace(database, transactions=False)
    await bind(without, DOCUMENTS)
    return without


async def copies(database: Database) -> list[Stored]:
    """What is searched."""
    found: list[Stored] = await database.handle["public_event_index"].find({}).sort("_id", 1).to_list(None)
    return found


async def assert_they_say_the_same(database: Database) -> None:
    events = await database.handle["events"].find({}).sort("_id", 1).to_list(None)
    expected = [{"_id": stored["_id"]} | copy for stored in events if (copy := copy_of(stored))]
    assert await copies(database) == expected


async def create(database: Database, creator: Id) -> Id:
    stored = event(creator, visibility="public", location="Town library", geo={"lat": 1, "lon": 2}, start="2026-12-01")
    assert await Event.add(stored)
    id: Id = stored["_id"]
    return id


async def changed(id: Id, **fields: Any) -> None:
    view = await Event.view(id)
    assert view is not None
    assert await Event.change(view, fields | {"updated_at": NOW}, view.creator, clear=()) is not None


CHANGES: dict[str, dict[str, Any]] = {
    "the title": {"title": "Another"},
    "no place any more": {"geo": None, "location": None},
    "what is not searched": {"status": "cancelled"},
    "private": {"visibility": "private"},
    "unlisted": {"visibility": "unlisted"},
}


@pytest.mark.parametrize("transactions", [True, False])
@pytest.mark.parametrize("what", CHANGES)
async def test_it_follows_each_change(what: str, transactions: bool, database: Database) -> None:
    if not transactions:
        database = await without_transactions(database)
    id = await create(database, await stored_user(database))
    await assert_they_say_the_same(database)
    await changed(id, **CHANGES[what])
    await assert_they_say_the_same(database)
    await changed(id, visibility="public", title="As public as before")
    assert len(await copies(database)) == 1
    await assert_they_say_the_same(database)
    view = await Event.view(id)
    assert view is not None and await Event.remove(view, view.creator, NOW)
    assert await copies(database) == []


async def test_what_is_refused_leaves_nothing_to_be_found(database: Database) -> None:
    assert not await Event.add(event(new_id(), visibility="public"))
    assert await copies(database) == []
    id = await create(database, await stored_user(database))
    before = await Event.view(id)
    assert before is not None
    await changed(id, title="Meanwhile")
    assert await Event.change(before, {"title": "Too late", "updated_at": NOW}, before.creator) is None
    assert not await Event.remove(before, before.creator, NOW)
    assert [copy["title"] for copy in await copies(database)] == ["Meanwhile"]


async def test_what_is_refused_without_transactions_leaves_nothing_to_be_found(database: Database) -> None:
    database = await without_transactions(database)
    assert not await Event.add(event(new_id(), visibility="public"))
    assert await ids_in(database, "events") == set()
    assert await copies(database) == []


@pytest.mark.real_server("the mock has no text indexes")
async def test_what_became_private_while_it_was_looked_for_is_not_answered_and_hides_nothing_behind_it(
    database: Database,
) -> None:
    ada = await stored_user(database)
    events = [event(ada, visibility="public", start=f"2026-12-{day:02}") for day in range(1, 7)]
    for stored in events:
        assert await Event.add(stored)
    # As it looks to a search that read the copies before, and the events after the change.
    for stored in events[1:4]:
        await database.handle["events"].update_one({"_id": stored["_id"]}, {"$set": {"visibility": "private"}})
    await database.handle["events"].delete_one({"_id": events[4]["_id"]})
    seen, after = [], None
    while True:
        page = await search(SearchScope("all", ANYBODY), "launch", after, 2)
        seen += [orjson.loads(item)["id"] for item in page.items]
        if page.next is None:
            break
        after = decode_search_cursor(page.next, "launch")
    assert seen == [str(events[0]["_id"]), str(events[5]["_id"])]


def test_where_an_event_is_for_the_indexes_is_not_answered() -> None:
    stored = event(new_id(), geo={"lat": 1.5, "lon": 2.5})
    assert stored["place"] == {"type": "Point", "coordinates": [2.5, 1.5]}
    assert "place" not in orjson.loads(render(stored).json)
