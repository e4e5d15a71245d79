"""Missing indexes are built at the start, and the log says which, of how much, and how far that is."""

import logging
from typing import Any

import pytest

from database.connection import Database, bind
from database.opening import index_builds
from database.opening.index_builds import build_indexes, describe_progress, find_missing_indexes
from models import DOCUMENTS
from models.events.event import Event
from tests.support.documents import insert_user

pytestmark = pytest.mark.real_server("the mock builds no indexes")
BUILD = {
    "ns": "planner.events",
    "command": {"createIndexes": "events"},
    "msg": "Index Build: scanning collection Index Build: scanning collection: 54370/200200 27%",
    "progress": {"done": 54370, "total": 200200},
}


async def test_missing_indexes_of_what_is_stored_are_built_and_named_in_the_log(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await insert_user(database)
    users = database.handle["users"]
    declared = set(await users.index_information())
    dropped = sorted(declared - {"_id_"})[:2]
    for name in dropped:
        await users.drop_index(name)
    with caplog.at_level(logging.INFO, "planner.database"):
        await build_indexes(database, DOCUMENTS)
    assert set(await users.index_information()) == declared
    begun, ended = (record.getMessage() for record in caplog.records)
    assert "users" in begun and "1 documents" in begun and all(name in begun for name in dropped)
    assert ended.startswith("built the indexes of users in ")


async def test_a_start_with_all_indexes_says_nothing(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await insert_user(database)
    with caplog.at_level(logging.INFO, "planner.database"):
        await build_indexes(database, DOCUMENTS)
    assert caplog.records == []


async def test_indexes_of_an_empty_collection_are_left_to_the_binding(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await database.handle["events"].drop_index("public_key_ends")
    with caplog.at_level(logging.INFO, "planner.database"):
        await build_indexes(database, DOCUMENTS)
        assert [index.document["name"] for index in (await find_missing_indexes(database, Event)).indexes] == [
            "public_key_ends"
        ]
        await bind(database, DOCUMENTS)
    assert (await find_missing_indexes(database, Event)).indexes == []
    assert caplog.records == []


async def test_a_long_build_is_reported_while_it_goes_on(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_builds, "FIRST_REPORT_SECONDS", 0.0)
    monkeypatch.setattr(index_builds, "REPORT_SECONDS", 0.0)
    await database.handle["users"].insert_many(
        {"email": f"{n}@example.com", "email_key": f"{n}@example.com"} for n in range(20_000)
    )
    await database.handle["users"].drop_indexes()
    with caplog.at_level(logging.INFO, "planner.database"):
        await build_indexes(database, DOCUMENTS)
    await database.handle["users"].delete_many({})
    assert any("building indexes of users for " in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ({}, "scanning collection, 54370 of 200200 (27 %)"),
        ({"ns": "planner.users"}, "the server is between two steps"),
        ({"progress": None}, "the server is between two steps"),
        ({"command": {"find": "events"}}, "the server is between two steps"),
    ],
)
def test_the_progress_is_that_of_the_collection(operation: dict[str, Any], said: str) -> None:
    assert describe_progress([BUILD | operation], "planner.events") == said
