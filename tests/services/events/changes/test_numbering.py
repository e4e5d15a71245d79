"""Changes get their numbers in the background, and nobody waits long for those of others."""

from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from database.queries import Id
from models.events import change_queries
from models.events.change_numbers import UNNUMBERED, EventChange
from models.events.change_queries import ChangePosition
from models.events.event import Event
from models.events.event_schema import Scope
from tests.services.events.changes.event_copies import EventCopy
from tests.support.clients import Person, ok
from tests.support.documents import get_stored
from tests.support.services import database_of, services_of
from tests.support.waiting import wait_until_async


async def count_unnumbered(app: FastAPI) -> int:
    """Return how many changes have no number yet."""
    database = database_of(app)
    return sum(
        [
            await database[name].count_documents({"change_number": UNNUMBERED})
            for name in ("event_changes", "tombstones")
        ]
    )


@pytest.fixture
def one_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may number three changes."""
    monkeypatch.setattr("planner.services.events.changes.BATCH_SIZE", 3)
    monkeypatch.setattr("planner.services.events.changes.REQUEST_SECONDS", 0.0)


async def test_changes_get_numbers_although_nobody_asks(app: FastAPI, ada: Person) -> None:
    made, removed = [await ada.event() for _ in range(2)]
    ok(await ada.patch(f"/events/{made['id']}", json={"title": "Moved"}))
    ok(await ada.delete(f"/events/{removed['id']}"), 204)

    async def are_numbered() -> bool:
        return await count_unnumbered(app) == 0

    await wait_until_async(are_numbered)


async def test_the_background_work_numbers_more_than_one_batch(
    without_background_work: None, one_batch_at_a_time: None, app: FastAPI, ada: Person
) -> None:
    for _ in range(10):
        await ada.event()
    await services_of(app).numbering.number_due()
    assert await count_unnumbered(app) == 0


async def test_with_much_to_number_a_page_has_a_link_and_the_next_pages_the_rest(
    without_background_work: None, one_batch_at_a_time: None, app: FastAPI, ada: Person, ben: Person
) -> None:
    made = {(await ada.event(visibility="public"))["id"] for _ in range(10)}
    seen: set[str] = set()
    token = ""
    pages = 0
    while True:
        response = await ben.get(f"/events/changes?scope=public{token}")
        answer = ok(response)
        seen |= {item["id"] for item in answer["items"]}
        pages += 1
        if "link" not in response.headers:
            break
        token = f"&since={answer['next']}"
    assert seen == made
    assert pages == 4


async def test_with_much_to_number_ones_own_changes_come_first(
    without_background_work: None, one_batch_at_a_time: None, app: FastAPI, ada: Person, ben: Person
) -> None:
    for _ in range(10):
        await ada.event()
    made = await ben.event()
    response = await ben.get("/events/changes")
    assert [item["id"] for item in ok(response)["items"]] == [made["id"]]
    assert "link" not in response.headers
    assert await count_unnumbered(app) > 0


async def test_a_file_has_a_new_etag_each_time_until_its_changes_have_numbers(
    without_background_work: None, one_batch_at_a_time: None, app: FastAPI, ada: Person
) -> None:
    for _ in range(12):
        await ada.event()
    tags = [(await ada.get("/events.ics")).headers["etag"] for _ in range(4)]
    assert len(set(tags)) == 4
    again = await ada.get("/events.ics", headers={"If-None-Match": tags[-1]})
    assert again.status_code == 304


async def test_a_page_of_a_rare_tag_looks_at_a_bounded_number_of_changes(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.events.change_queries.MAX_EXAMINED", 4)
    rare = [(await ada.event(tags=["rare"]))["id"] if n % 12 == 11 else (await ada.event())["id"] for n in range(24)]
    seen, token, links = [], "", 0
    while True:
        response = await ada.get(f"/events/changes?tag=rare&limit=2{token}")
        seen += [item["id"] for item in ok(response)["items"]]
        if "link" not in response.headers:
            break
        links, token = links + 1, f"&since={ok(response)['next']}"
    assert seen == [rare[11], rare[23]]
    assert links > 2


async def test_a_short_page_of_a_rare_tag_takes_few_queries(
    app: FastAPI, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = [(await ada.event(tags=["rare"] if number % 15 == 14 else []))["id"] for number in range(30)][14::15]
    await services_of(app).numbering.number_due()
    assert await count_unnumbered(app) == 0
    sizes: list[int] = []
    read_changed = change_queries._read_changed

    async def count_and_read(scope: Scope, caller: Id, tag: str | None, positions: list[ChangePosition]) -> Any:
        sizes.append(len(positions))
        return await read_changed(scope, caller, tag, positions)

    monkeypatch.setattr(change_queries, "_read_changed", count_and_read)
    page = ok(await ada.get("/events/changes?tag=rare&limit=1"))
    assert [item["id"] for item in page["items"]] == rare[:1]
    assert sizes == [2, 4, 8, 16]


async def test_every_event_has_a_change_as_long_as_it_exists(app: FastAPI, ada: Person) -> None:
    database = database_of(app)
    made = await ada.event()
    id = ObjectId(made["id"])
    for fields, revision in (({"visibility": "public"}, 2), ({"visibility": "private"}, 3)):
        ok(await ada.patch(f"/events/{made['id']}", json=fields))
        change = EventChange.from_stored(await database["event_changes"].find_one({"_id": id}))
        assert (change.public, change.revision) == (fields["visibility"] == "public", revision)
        assert str(change.creator) == made["creator"]
    ok(await ada.delete(f"/events/{made['id']}"), 204)
    assert await database["event_changes"].find_one({"_id": id}) is None


async def test_a_deleted_account_leaves_no_changes(app: FastAPI, ada: Person) -> None:
    await ada.event()
    ok(await ada.request("DELETE", "/users/me", json={"password": ada.password}), 204)

    async def is_empty() -> bool:
        return bool(await database_of(app)["event_changes"].count_documents({}) == 0)

    await wait_until_async(is_empty)


async def test_copies_are_complete_while_little_is_numbered_at_a_time(
    app: FastAPI, ada: Person, ben: Person, one_batch_at_a_time: None
) -> None:
    for _ in range(8):
        await ada.event(visibility="public")
    copy = EventCopy(ben, "scope=public")
    while len(copy.known) < 8:
        await copy.fetch_page()
    assert copy.known == await copy.list_events()


@pytest.mark.real_server("the mock has no transactions")
async def test_a_change_conflicts_with_the_numbering_of_the_change_before_it(
    without_background_work: None, app: FastAPI, ada: Person, mongo_url: str
) -> None:
    made = await ada.event()
    event = Event.from_stored(await get_stored(services_of(app).database, "events", ObjectId(made["id"])))
    write = EventChange.update_write(event.revise({}, by=event.creator, now=event.updated_at))
    with MongoClient[Any](mongo_url) as client, client.start_session() as session:
        session.start_transaction()
        changes = client[services_of(app).database.name]["event_changes"]
        # The transaction reads as of now, before the first change has its number.
        assert changes.find_one(write.match, session=session)["change_number"] == UNNUMBERED  # type: ignore[index]
        ok(await ada.get("/events/changes"))
        with pytest.raises(OperationFailure, match="WriteConflict"):
            changes.update_one(write.match, write.changes, upsert=True, session=session)
