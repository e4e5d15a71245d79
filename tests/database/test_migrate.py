"""Migrations: a database as the planner of the FastAPI books leaves it becomes one of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import bcrypt
import httpx
import pytest
from bson import ObjectId
from pydantic import SecretStr

from database.connection import Database, bind
from database.migrate import migrate, names, pending
from database.migrations.m0004_standard_names import COLLECTIONS, FIELDS
from models import DOCUMENTS
from models.events.event import Event
from models.events.public_event_index import copy_public_event
from planner.app import create_app
from planner.domain.recurrence.documents import compute_series_span
from planner.errors import ConfigurationError
from planner.settings import Settings
from planner.startup import recover
from tests.conftest import url_of
from tests.support.clients import Person, ok, sign_in

Open = Callable[[], Awaitable[Database]]
pytestmark = [
    pytest.mark.foreign_documents("of the planner of the books, and of earlier versions"),
    pytest.mark.real_server("Beanie's migrations need a session, which the mock has not"),
    # Beanie's own, from noting which migration was run.
    pytest.mark.filterwarnings("ignore:Accessing the 'model_fields' attribute on the instance:DeprecationWarning"),
]

ADA, BEN, READING, PICNIC, ORPHAN = (ObjectId(f"65000000000000000000000{n}") for n in range(1, 6))
PASSWORD = "exemplary"


def textbook_event(id: ObjectId, creator: str | None, **fields: Any) -> dict[str, Any]:
    """An event as the books' planner stores it."""
    stored = {
        "_id": id,
        "creator": creator,
        "title": "FastAPI Book Launch",
        "image": "https://linktomyimage.com/image.png",
        "description": "We will be discussing the contents of the FastAPI book.",
        "tags": ["python", "fastapi", "book", "launch"],
        "location": "Google Meet",
    }
    return stored | fields


async def fill(database: Database) -> None:
    """The books' planner with two accounts and three events, one of them nobody's."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await database.handle["users"].insert_many(
        [
            {"_id": ADA, "email": "Ada@Packt.com", "password": hashed, "events": [READING]},
            {"_id": BEN, "email": "ben@packt.com", "password": hashed, "events": None},
        ]
    )
    await database.handle["events"].insert_many(
        [
            textbook_event(READING, "Ada@Packt.com"),
            textbook_event(PICNIC, "ada@packt.com", title="Picnic " * 60, image="pic.png", tags=["Park", "park", ""]),
            textbook_event(ORPHAN, None),
        ]
    )


async def everything(database: Database) -> dict[str, list[Any]]:
    """All that is stored of accounts and events."""
    return {name: await database.handle[name].find({}).sort("_id", 1).to_list(None) for name in ("users", "events")}


@pytest.fixture
async def database(open_database_for_test: Open) -> AsyncIterator[Database]:
    """A database of this test's own, with nothing in it, no index either, and nothing bound to it."""
    opened = await open_database_for_test()
    await opened.handle.client.drop_database(opened.name)
    yield opened
    await opened.close()


@pytest.fixture
def reaching(settings: Settings, mongo_url: str) -> Callable[[Database], Settings]:
    """Settings that name a database."""
    return lambda database: settings.model_copy(update={"database_url": SecretStr(url_of(mongo_url, database.name))})


async def test_a_new_database_needs_no_migration(database: Database) -> None:
    assert await pending(database) == []
    assert await migrate(database) == []


async def test_listing_pending_migrations_changes_nothing(database: Database) -> None:
    await pending(database)
    assert await database.handle.list_collection_names() == []


async def test_a_database_that_is_ours_from_the_beginning_never_needs_the_first_migration(
    database: Database, reaching: Callable[[Database], Settings]
) -> None:
    await recover(reaching(database), exclusive=True)
    await database.handle["users"].insert_one({"email": "ada@example.com"})
    assert await pending(database) == []


async def test_a_database_of_the_textbook_planner_needs_every_migration(database: Database) -> None:
    await fill(database)
    assert await pending(database) == names()


async def test_migrating_returns_the_names_of_the_migrations_that_ran_and_a_second_time_none(
    database: Database,
) -> None:
    await fill(database)
    assert await migrate(database) == names()
    assert await pending(database) == []
    before = await everything(database)
    assert await migrate(database) == []
    assert await everything(database) == before


async def test_a_migration_that_is_run_again_changes_nothing(database: Database) -> None:
    await fill(database)
    await migrate(database)
    before = await everything(database)
    await database.handle["migrations_log"].delete_many({})
    assert await migrate(database) == names()
    assert await everything(database) == before


async def test_accounts_of_the_textbook_planner_can_sign_in_and_have_their_events(
    database: Database, open_database_for_test: Open, settings: Settings
) -> None:
    await fill(database)
    await migrate(database)
    app = create_app(settings, open_database=open_database_for_test)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as api,
    ):
        signed_in = ok(await sign_in(api, "ada@packt.com", PASSWORD))
        ada = Person(api, signed_in["user"]["id"], "ada@packt.com", signed_in["access_token"])
        assert ada.id == str(ADA)
        assert (await ada.me())["events"] == [str(READING), str(PICNIC)]

        listed = ok(await ada.get("/events"))["items"]
        assert [event["id"] for event in listed] == [str(READING), str(PICNIC)]
        assert listed[0]["creator"] == ada.id
        assert listed[0]["tags"] == ["python", "fastapi", "book", "launch"]
        assert listed[0]["image"] == "https://linktomyimage.com/image.png"
        assert listed[1]["tags"] == ["park"]
        assert listed[1]["image"] is None
        assert len(listed[1]["title"]) == 200

        for event in listed:  # Each can be worked with as any other.
            path = f"/events/{event['id']}"
            assert ok(await ada.patch(path, json={"start": "2026-12-01"}))["revision"] == 2
            ok(await ada.delete(path), 204)
        assert (await ada.me())["events"] == []

        # Who could read everything there still can, and a second sign-in meets the better hash.
        tokens = ok(await sign_in(api, "ben@packt.com", PASSWORD))
        ben = Person(api, str(BEN), "ben@packt.com", tokens["access_token"])
        new = await ben.event()
        assert (await ben.me())["events"] == [new["id"]]
        ok(await sign_in(api, "ben@packt.com", PASSWORD))
        assert (await sign_in(api, "ben@packt.com", PASSWORD + "!")).status_code == 401


async def test_an_event_that_is_nobodys_is_set_aside_and_breaks_no_list(
    database: Database, open_database_for_test: Open, settings: Settings
) -> None:
    await fill(database)
    await migrate(database)
    app = create_app(settings, open_database=open_database_for_test)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as api,
    ):
        ben = Person(api, str(BEN), "", ok(await sign_in(api, "ben@packt.com", PASSWORD))["access_token"])
        listed = ok(await ben.get("/events?scope=all"))["items"]
        assert [event["id"] for event in listed] == [str(READING), str(PICNIC)]
        assert (await ben.get(f"/events/{ORPHAN}")).status_code == 404
    await migrate(database, back=len(names()))
    assert await database.handle["events"].find_one({"_id": ORPHAN}) == textbook_event(ORPHAN, None)


async def test_going_back_leaves_what_the_books_planner_reads(database: Database) -> None:
    await fill(database)
    await migrate(database)
    await bind(database, DOCUMENTS)  # As a start does: it makes the indexes.
    assert await migrate(database, back=len(names())) == names()[::-1]
    stored = await everything(database)
    assert [(user["email"], user["events"]) for user in stored["users"]] == [
        ("Ada@Packt.com", [READING, PICNIC]),
        ("ben@packt.com", []),
    ]
    assert [event["creator"] for event in stored["events"]] == ["Ada@Packt.com", "Ada@Packt.com", None]
    assert await pending(database) == names()


async def test_there_is_no_way_back_beyond_the_beginning(database: Database) -> None:
    assert await migrate(database, back=len(names())) == []
    await fill(database)
    assert await migrate(database, back=len(names())) == []
    await migrate(database)
    assert await migrate(database, back=-1) == []
    assert await pending(database) == []
    assert await migrate(database, back=len(names()) + 5) == names()[::-1]
    assert await migrate(database, back=len(names())) == []
    assert await pending(database) == names()


async def test_going_back_and_forth_keeps_what_was_added_in_between(database: Database) -> None:
    await fill(database)
    await migrate(database)
    ours = {"visibility": "private", "start": "2026-12-01", "key": f"2026-12-01T00:00:00Z {READING}", "revision": 7}
    await database.handle["events"].update_one({"_id": READING}, {"$set": ours})
    await database.handle["users"].update_one({"_id": ADA}, {"$set": {"role": "admin"}})
    await database.handle["users"].update_one({"_id": BEN}, {"$set": {"disabled": True}})
    before = await everything(database)
    await migrate(database, back=len(names()))
    await migrate(database)
    again = await everything(database)
    assert [user["role"] for user in again["users"]] == ["admin", "user"]
    assert [user["disabled"] for user in again["users"]] == [False, True]
    (reading, _), (expected, _) = again["events"], before["events"]
    assert reading == expected | {"revision": 1}


async def test_two_accounts_that_differ_in_letter_case_only_are_left_to_the_operator(database: Database) -> None:
    await fill(database)
    await database.handle["users"].insert_one({"email": "ADA@packt.com", "password": "!", "events": []})
    before = await everything(database)
    with pytest.raises(RuntimeError, match="letter case"):
        await migrate(database)
    assert await everything(database) == before
    assert await pending(database) == names()


async def test_a_start_on_data_that_need_a_migration_is_refused_with_the_command_to_run(
    database: Database, reaching: Callable[[Database], Settings]
) -> None:
    await fill(database)
    before = await everything(database)
    with pytest.raises(ConfigurationError) as caught:
        await recover(reaching(database), exclusive=True)
    assert "python -m planner migrate" in str(caught.value)
    assert names()[0] in str(caught.value)
    assert await everything(database) == before
    await migrate(database)
    await recover(reaching(database), exclusive=True)


async def test_events_stored_before_changes_were_numbered_wait_for_their_number(database: Database) -> None:
    await fill(database)
    await migrate(database)
    await database.handle["events"].update_many({}, {"$unset": {"change_number": "", "reminders": ""}})
    await migrate(database, back=len(names()) - 1)
    await migrate(database)
    found = await database.handle["events"].find({}).to_list(None)
    assert [stored["reminders"] for stored in found] == [[]] * len(found)
    changes = await database.handle["event_changes"].find({}).to_list(None)
    assert [change["change_number"] for change in changes] == [0] * 2


async def test_data_of_a_newer_version_is_left_alone(database: Database, settings: Settings, mongo_url: str) -> None:
    await fill(database)
    await migrate(database)
    await database.handle["migrations_log"].update_one({"is_current": True}, {"$set": {"name": "m9999_to_come.py"}})
    url = SecretStr(url_of(mongo_url, database.name))
    with pytest.raises(ConfigurationError, match="m9999_to_come"):
        await recover(settings.model_copy(update={"database_url": url}), exclusive=True)


async def test_series_stored_before_are_told_apart_by_how_long_they_go_on(database: Database) -> None:
    await fill(database)
    await migrate(database)
    reaches = [timedelta(days=days) for days in (1, 8, 9, 64, 500, 4096, 4097)]
    for reach in reaches:
        stored = {"_id": ObjectId(), "creator": ADA, "revision": 1, "repeats": True, "span": -1}
        stored |= {"begins": datetime(2026, 1, 1), "ends": datetime(2026, 1, 1) + reach, "uid": str(reach)}
        await database.handle["events"].insert_one(stored)
    await migrate(database, back=len(names()) - 1)
    await migrate(database)
    found = await database.handle["events"].find({"repeats": True}).sort("_id", 1).to_list(None)
    assert [stored["span"] for stored in found] == [compute_series_span(reach) for reach in reaches]


async def test_events_stored_before_are_found_by_their_words_and_places(database: Database) -> None:
    await fill(database)
    await migrate(database)
    await bind(database, DOCUMENTS)
    events, published = database.handle["events"], database.handle["public_event_index"]
    await events.update_one({"_id": READING}, {"$set": {"geo": {"lat": 52.5, "lon": 13.4}}})
    await events.update_one({"_id": PICNIC}, {"$set": {"visibility": "private", "geo": None}})
    await published.insert_one({"_id": ORPHAN, "creator": ADA, "title": "Not there any more"})
    await migrate(database, back=len(names()) - 2)
    assert "published" not in await database.handle.list_collection_names()
    assert not {"creator_words", "creator_place", "public_place"} & set(await events.index_information())
    await migrate(database)
    await bind(database, DOCUMENTS)
    reading, picnic = await events.find({}).sort("_id", 1).to_list(None)
    assert reading["place"] == {"type": "Point", "coordinates": [13.4, 52.5]} and "place" not in picnic
    copy = copy_public_event(Event.from_stored(reading))
    assert copy and await published.find({}).to_list(None) == [copy.to_stored()]


async def test_fields_get_their_standard_names_and_on_the_way_back_the_old_ones(database: Database) -> None:
    await fill(database)
    await migrate(database)
    key, old_names = {"_id": "renamed"}, {new: old for old, new in COLLECTIONS.items()}
    for collection, fields in FIELDS.items():
        await database.handle[collection].insert_one(key | {new: old for old, new in fields.items()})
    await migrate(database, back=len(names()) - 3)
    for collection, fields in FIELDS.items():
        stored = await database.handle[old_names.get(collection, collection)].find_one(key)
        assert stored == key | {old: old for old in fields}
    await migrate(database)
    for collection, fields in FIELDS.items():
        stored = await database.handle[collection].find_one(key)
        assert stored == key | {new: old for old, new in fields.items()}


async def test_an_index_that_had_other_keys_is_made_anew(database: Database) -> None:
    await fill(database)
    await migrate(database)
    await migrate(database, back=len(names()) - 1)
    await database.handle["events"].create_index([("creator", 1), ("ends", 1)], name="creator_series")
    await migrate(database)
    await bind(database, DOCUMENTS)
    indexes = await database.handle["events"].index_information()
    assert [field for field, _ in indexes["creator_series"]["key"]] == ["creator", "span", "key", "ends"]


async def test_feeds_and_import_jobs_get_their_new_names_and_lose_their_slots(database: Database) -> None:
    await fill(database)
    await migrate(database)
    await migrate(database, back=len(names()) - 3)
    feeds, jobs, chunks = (database.handle[name] for name in ("feeds", "import_jobs", "import_chunks"))
    await feeds.create_index([("user", 1), ("slot", 1)], name="user_slot", unique=True)
    await jobs.create_index([("owner", 1), ("slot", 1)], name="slot", unique=True)
    await chunks.create_index([("job", 1), ("n", 1)], name="job_n", unique=True)
    await feeds.insert_many([{"user": ADA, "digest": f"{n}", "slot": n} for n in range(2)])
    job = {"_id": ObjectId(), "owner": ADA, "status": "running", "reject": True, "holder": BEN, "slot": 0}
    await jobs.insert_one(job)
    await chunks.insert_many([{"job": job["_id"], "n": n} for n in range(2)])
    await migrate(database)
    await bind(database, DOCUMENTS)
    assert [feed.get("slot") for feed in await feeds.find({}).to_list(None)] == [None, None]
    expected = {"_id": job["_id"], "owner": ADA, "status": "running", "reject_conflicts": True, "lease_holder": BEN}
    assert await jobs.find({}).to_list(None) == [expected]
    assert [chunk["number"] for chunk in await chunks.find({}).sort("_id", 1).to_list(None)] == [0, 1]
    indexes = {name for collection in (feeds, jobs, chunks) for name in await collection.index_information()}
    assert not {"user_slot", "slot", "job_n"} & indexes
    assert {"user_id", "owner_status", "job_number"} <= indexes
    await migrate(database, back=len(names()) - 3)
    assert [feed["slot"] for feed in await feeds.find({}).sort("_id", 1).to_list(None)] == [0, 1]
    assert [job["reject"] for job in await jobs.find({}).to_list(None)] == [True]
    assert [chunk["n"] for chunk in await chunks.find({}).sort("_id", 1).to_list(None)] == [0, 1]
