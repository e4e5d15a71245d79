"""Reading: requests that come together share a query, and nothing outlives the turn it was asked in."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import bson
import pytest

from database import reads
from database.aggregations import aggregate
from database.bson_values import decode
from database.connection import Database
from database.drivers.find_command import FindCommand, FindQuery
from database.queries import Id, new_id
from database.reads import Loader, find_raw
from models.accounts.user import User
from models.events.event import Event
from models.shared.time_zone_version import TimeZoneVersion
from tests.support.documents import NOW, build_user, insert_user


class ReadCounter:
    """Counts the trips to the database, and can make the next ones fail or wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[list[Id]] = []
        self.error: BaseException | None = None
        self.may_continue: asyncio.Event | None = None
        self.has_started = asyncio.Event()
        original = reads.find_raw_by_ids

        async def counted(document: Any, ids: list[Id]) -> dict[Id, bytes]:
            self.requests.append(ids)
            self.has_started.set()
            if self.may_continue:
                await self.may_continue.wait()
            if self.error:
                raise self.error
            return await original(document, ids)

        monkeypatch.setattr(reads, "find_raw_by_ids", counted)


@pytest.fixture
def reads_of_documents(monkeypatch: pytest.MonkeyPatch) -> ReadCounter:
    return ReadCounter(monkeypatch)


@pytest.fixture
def loader() -> Loader[User]:
    return Loader(User)


def email(raw: bytes | None) -> Any:
    assert raw is not None
    return decode(raw)["email"]


async def test_documents_requested_in_one_iteration_of_the_event_loop_share_a_query(
    database: Database, loader: Loader[User], reads_of_documents: ReadCounter
) -> None:
    ada, ben, nobody = await insert_user(database), await insert_user(database, name="ben"), new_id()
    one, two, again, none = await asyncio.gather(*(loader.get_raw(id) for id in (ada, ben, ada, nobody)))
    assert (email(one), email(two), none) == ("ada@example.com", "ben@example.com", None)
    assert again == one
    assert reads_of_documents.requests == [[ada, ben, nobody]]


async def test_nothing_is_cached_beyond_one_iteration_of_the_event_loop(
    database: Database, loader: Loader[User]
) -> None:
    ada = await insert_user(database)
    assert email(await loader.get_raw(ada)) == "ada@example.com"
    await database.handle["users"].update_one({"_id": ada}, {"$set": {"email": "lovelace@example.com"}})
    assert email(await loader.get_raw(ada)) == "lovelace@example.com"
    await database.handle["users"].delete_one({"_id": ada})
    assert await loader.get_raw(ada) is None


async def test_a_request_during_a_query_starts_its_own_query(
    database: Database, loader: Loader[User], reads_of_documents: ReadCounter
) -> None:
    ada = await insert_user(database)
    reads_of_documents.may_continue = asyncio.Event()
    first = asyncio.create_task(loader.get_raw(ada))
    await reads_of_documents.has_started.wait()
    second = asyncio.create_task(loader.get_raw(ada))
    await asyncio.sleep(0)
    reads_of_documents.may_continue.set()
    assert email(await first) == email(await second) == "ada@example.com"
    assert reads_of_documents.requests == [[ada], [ada]]


async def test_an_error_is_raised_for_all_who_wait_and_for_nobody_after_them(
    database: Database, loader: Loader[User], reads_of_documents: ReadCounter
) -> None:
    ada = await insert_user(database)
    reads_of_documents.error = ConnectionError("away")
    outcomes = await asyncio.gather(*(loader.get_raw(id) for id in (ada, ada, new_id())), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError] * 3
    reads_of_documents.error = None
    assert email(await loader.get_raw(ada)) == "ada@example.com"


async def test_a_cancelled_caller_does_not_cancel_the_others(
    database: Database, loader: Loader[User], reads_of_documents: ReadCounter
) -> None:
    ada = await insert_user(database)
    tasks = [asyncio.create_task(loader.get_raw(ada)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert email(outcomes[1]) == email(outcomes[2]) == "ada@example.com"  # type: ignore[arg-type]
    assert reads_of_documents.requests == [[ada]]


async def test_a_failed_query_whose_callers_were_all_cancelled_is_not_logged(
    loader: Loader[User], reads_of_documents: ReadCounter, caplog: pytest.LogCaptureFixture
) -> None:
    reads_of_documents.error = ConnectionError("away")
    task = asyncio.create_task(loader.get_raw(new_id()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for _ in range(3):
        await asyncio.sleep(0)
    assert reads_of_documents.requests
    assert caplog.records == []


async def test_a_single_read_is_sent_in_the_iteration_in_which_it_is_requested(
    loader: Loader[User], reads_of_documents: ReadCounter
) -> None:
    reads_of_documents.may_continue = asyncio.Event()
    task = asyncio.create_task(loader.get_raw(new_id()))
    for _ in range(3):  # The task begins, the query is sent, its own task begins.
        await asyncio.sleep(0)
    assert len(reads_of_documents.requests) == 1
    task.cancel()


async def test_a_read_document_equals_the_stored_one(database: Database, loader: Loader[User]) -> None:
    document = build_user(events={"0a": [new_id()]}, full_name="Ada 🦉")
    await database.handle["users"].insert_one(document)
    raw = await loader.get_raw(document["_id"])
    assert raw is not None
    assert decode(raw) == document
    assert decode(raw)["created_at"] == NOW


async def test_instants_are_read_in_utc(database: Database) -> None:
    raw = bson.encode({"at": datetime(2026, 5, 1, 12, tzinfo=UTC)})
    assert decode(raw)["at"] == datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert decode(raw)["at"].utcoffset() is not None


async def test_a_page_has_the_first_matches_in_order(database: Database) -> None:
    for name in ("c", "a", "d", "b"):
        await insert_user(database, name=name)
    found = await find_raw(User, {"email": {"$ne": "a@example.com"}}, order=[("email", 1)], limit=2)
    assert [email(raw) for raw in found] == ["b@example.com", "c@example.com"]
    assert len(await find_raw(User, {}, order=[("email", 1)], limit=9)) == 4
    assert await find_raw(User, {"email": "x"}, limit=9) == []


async def test_a_page_of_large_documents_is_complete(database: Database) -> None:
    # More than one message of 16 MB holds.
    for name in "abcde":
        await insert_user(database, name=name, full_name="x" * 4_000_000)
    found = await find_raw(User, {}, order=[("email", 1)], limit=5)
    assert [email(raw)[0] for raw in found] == list("abcde")


async def test_a_page_can_be_of_some_fields_only(database: Database) -> None:
    ada = await insert_user(database)
    (raw,) = await find_raw(User, {"_id": ada}, limit=1, fields={"role": 1})
    assert decode(raw) == {"_id": ada, "role": "user"}


class QueryCounter:
    """Counts the queries that pages cost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests = 0
        original = FindCommand.send

        async def counted(command: FindCommand, query: FindQuery, seconds: float) -> list[bytes] | None:
            self.requests += 1
            return await original(command, query, seconds)

        monkeypatch.setattr(FindCommand, "send", counted)


ONE_QUERY = pytest.mark.real_server("the mock is asked directly")


@ONE_QUERY
async def test_equal_pages_requested_in_one_iteration_share_a_query(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "ben"):
        await insert_user(database, name=name)
    queries = QueryCounter(monkeypatch)
    found = await asyncio.gather(*(find_raw(User, {"role": "user"}, order=[("_id", 1)], limit=5) for _ in range(10)))
    assert queries.requests == 1
    assert [len(each) for each in found] == [2] * 10
    found[0].clear()
    assert len(found[1]) == 2


@ONE_QUERY
async def test_pages_that_differ_in_anything_have_queries_of_their_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await insert_user(database)
    queries = QueryCounter(monkeypatch)
    requests: list[Any] = [
        find_raw(User, {"role": "user"}, order=[("_id", 1)], limit=5),
        find_raw(User, {"role": "admin"}, order=[("_id", 1)], limit=5),
        find_raw(User, {"role": "user"}, order=[("_id", -1)], limit=5),
        find_raw(User, {"role": "user"}, limit=5),
        find_raw(User, {"role": "user"}, order=[("_id", 1)], limit=6),
        find_raw(User, {"role": "user"}, order=[("_id", 1)], limit=5, fields={"_id": 1}),
        find_raw(Event, {"role": "user"}, order=[("_id", 1)], limit=5),
    ]
    found = await asyncio.gather(*requests)
    assert queries.requests == len(requests)
    assert [len(each) for each in found] == [1, 0, 1, 1, 1, 1, 0]
    assert decode(found[5][0]) == {"_id": ada}


@ONE_QUERY
async def test_a_page_requested_after_a_write_contains_it(database: Database) -> None:
    requests = asyncio.create_task(find_raw(User, {}, limit=5))
    await insert_user(database)
    assert len(await find_raw(User, {}, limit=5)) == 1
    await requests


@ONE_QUERY
async def test_a_cancelled_caller_does_not_cancel_a_shared_page(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insert_user(database)
    tasks = [asyncio.create_task(find_raw(User, {}, limit=5)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert [len(await task) for task in tasks[1:]] == [1, 1]


@ONE_QUERY
async def test_an_error_of_a_shared_page_is_raised_for_all(database: Database) -> None:
    wrong: list[Any] = await asyncio.gather(
        *(find_raw(User, {"$nonsense": 1}, limit=5) for _ in range(3)), return_exceptions=True
    )
    assert [type(error).__name__ for error in wrong] == ["OperationFailure"] * 3
    assert await find_raw(User, {}, limit=5) == []


FOREIGN = pytest.mark.foreign_documents("stores only what these tests read")


def insert_large_events(database: Database, number: int, size: int) -> list[Id]:
    """Insert events of so many bytes each; they have what these tests read, and nothing else."""
    assert database.sync is not None
    ids = [new_id() for _ in range(number)]
    events = [{"_id": id, "key": str(id), "description": "x" * size} for id in ids]
    database.sync[database.name]["events"].insert_many(events)
    return ids


@FOREIGN
@ONE_QUERY
async def test_a_result_of_more_than_one_reply_is_read_whole_and_leaves_no_cursor_open(database: Database) -> None:
    ids = insert_large_events(database, 20, 1024 * 1024)
    before = await database.handle.command("serverStatus")
    found = await find_raw(Event, {}, order=[(Event.key, 1)], limit=20)
    assert [decode(raw)["_id"] for raw in found] == ids
    after = await database.handle.command("serverStatus")
    assert after["metrics"]["cursor"]["open"]["total"] <= before["metrics"]["cursor"]["open"]["total"]


@FOREIGN
@ONE_QUERY
@pytest.mark.parametrize("limit", [0, 1, 2, 11, 12, 13])
async def test_no_document_is_missing_and_none_is_beyond_the_limit(database: Database, limit: int) -> None:
    ids = insert_large_events(database, 12, 10)
    found = await find_raw(Event, {}, order=[(Event.key, -1)], limit=limit, fields={"description": 0})
    assert [decode(raw) for raw in found] == [{"_id": id, "key": str(id)} for id in ids[::-1][: limit or None]]


@FOREIGN
@ONE_QUERY
async def test_what_a_pipeline_yields_are_bytes_of_their_own_however_large(database: Database) -> None:
    ids = insert_large_events(database, 3, 100_000)
    found = await aggregate(Event, [{"$match": {}}, {"$sort": {"_id": 1}}])
    assert [type(raw) for raw in found] == [bytes] * 3
    assert [decode(raw)["_id"] for raw in found] == ids


@pytest.mark.real_server("the mock answers without a reply of the server")
async def test_a_collection_that_does_not_exist_has_no_documents(database: Database) -> None:
    await database.handle.drop_collection("time_zone_versions")
    assert await find_raw(TimeZoneVersion, {}, limit=5) == []
