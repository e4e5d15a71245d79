"""The command `find` over connections of the driver: the same documents as with a cursor, whatever fails on the way."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymongo import AsyncMongoClient, monitoring
from pymongo.errors import (
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)
from pymongo.network_layer import PyMongoProtocol

from database.bson_values import decode
from database.connection import Database, Operation, limit_request, open_database
from database.drivers.find_command import FindCommand, FindQuery, is_possible
from database.queries import Id
from database.reads import find_raw
from models.accounts.user import User
from models.events.event import Event
from tests.conftest import url_of
from tests.support.documents import insert_user
from tests.support.servers import free_port
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.real_server("the mock has no connections")

USERS = FindQuery("users", {}, {"email": 1}, (("email", 1),), 5)
OPERATION = Operation("find", "users")


def slow_query(milliseconds: int) -> FindQuery:
    """Return a query that takes so long for each document."""
    return FindQuery("users", {"$where": f"sleep({milliseconds}) || true"}, limit=1)


def command_of(database: Database) -> FindCommand:
    assert database.find_command is not None
    return database.find_command


async def emails(database: Database) -> list[str]:
    return [decode(raw)["email"] for raw in await find_raw(User, {}, order=[("email", 1)], limit=5)]


@pytest.fixture
async def ada(database: Database) -> Id:
    return await insert_user(database)


@pytest.mark.usefixtures("ada")
async def test_it_finds_what_a_cursor_finds(database: Database) -> None:
    found = await command_of(database).send(USERS, 5)
    expected = await database.handle["users"].find({}, {"email": 1}).to_list(None)
    assert found is not None
    assert [decode(raw) for raw in found] == expected


@pytest.mark.usefixtures("ada")
async def test_requests_at_the_same_time_get_each_their_own_documents(database: Database) -> None:
    names = [f"user{number}" for number in range(100)]
    ids = [await insert_user(database, name=name) for name in names]
    queries = [FindQuery("users", {"_id": id}, {"email": 1}, limit=1) for id in ids]
    found = await asyncio.gather(*(database.send_find(OPERATION, query) for query in queries))
    assert [decode(raw)["email"] for (raw,) in filter(None, found)] == [f"{name}@example.com" for name in names]


@pytest.mark.usefixtures("ada")
async def test_who_is_cancelled_leaves_no_reply_for_others(database: Database) -> None:
    command = command_of(database)
    for _ in range(20):
        task = asyncio.create_task(command.send(slow_query(50), 5))
        await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await emails(database) == ["ada@example.com"]


@pytest.mark.usefixtures("ada")
async def test_a_lost_connection_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await command_of(database).send(USERS, 5)
    original, lost = PyMongoProtocol.read, 0

    async def lose(stream: PyMongoProtocol, *arguments: Any) -> Any:
        nonlocal lost
        lost += 1
        stream.transport.abort()
        return await original(stream, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(PyMongoProtocol, "read", lose)
        assert await emails(database) == ["ada@example.com"]
    assert lost
    assert await command_of(database).send(USERS, 5)


@pytest.mark.usefixtures("ada")
async def test_a_query_that_the_server_ends_says_that_it_took_too_long(database: Database) -> None:
    with pytest.raises(ExecutionTimeout):
        await command_of(database).send(slow_query(2_000), 0.2)
    assert await emails(database) == ["ada@example.com"]


async def test_a_server_that_does_not_respond_in_time_is_not_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(*_: Any) -> Any:
        await asyncio.Event().wait()

    await command_of(database).send(USERS, 5)
    with monkeypatch.context() as patch:
        patch.setattr(PyMongoProtocol, "read", wait)
        with pytest.raises(NetworkTimeout):
            await command_of(database).send(USERS, 0.05)
    assert await emails(database) == []


async def test_without_a_primary_it_ends_in_time() -> None:
    client: AsyncMongoClient[Any] = AsyncMongoClient(f"mongodb://127.0.0.1:{free_port()}")
    command = FindCommand(client, "planner", 8)
    # The driver looks for a primary twice a second: some of these times end exactly when it does.
    tries = [command.send(USERS, seconds) for seconds in (0.3, 0.5, 0.5, 0.7, 1.0, 1.0)]
    outcomes = await asyncio.wait_for(asyncio.gather(*tries, return_exceptions=True), 10)
    assert {type(outcome) for outcome in outcomes} == {ServerSelectionTimeoutError}
    await client.close()


async def test_who_waits_for_a_connection_until_the_time_is_up_is_told_so(database: Database) -> None:
    slots = command_of(database).slots
    taken = 0
    while not slots.locked():
        await slots.acquire()
        taken += 1
    with limit_request() as limit:
        limit.ends_at = 0
        waiting = asyncio.create_task(database.send_find(OPERATION, USERS))
        await asyncio.sleep(0)
    for _ in range(taken):
        slots.release()
    with pytest.raises(WaitQueueTimeoutError):
        await waiting


@pytest.mark.usefixtures("ada")
async def test_a_second_attempt_has_only_the_time_that_the_first_one_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("database.connection.OPERATION_SECONDS", 0.2)

    async def lose_the_connection_at_the_end(query: FindQuery, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        await wait_until_async(lambda: time.monotonic() >= ends_at)

    monkeypatch.setattr(command_of(database), "send", lose_the_connection_at_the_end)
    with pytest.raises(WaitQueueTimeoutError):
        await emails(database)


async def test_a_query_that_the_server_refuses_raises_its_error(database: Database) -> None:
    with pytest.raises(OperationFailure, match="nonsense"):
        await find_raw(User, {"$nonsense": 1}, limit=5)


@pytest.mark.foreign_documents("stores only what this test reads")
async def test_what_does_not_fit_into_a_reply_leaves_no_cursor_open(database: Database) -> None:
    events = [{"_id": number, "description": "x" * 1024 * 1024} for number in range(20)]
    await database.handle["events"].insert_many(events)
    before = await database.handle.command("serverStatus")
    query = FindQuery("events", {}, limit=20)
    assert await command_of(database).send(query, 5) is None
    after = await database.handle.command("serverStatus")
    assert after["metrics"]["cursor"]["open"]["total"] <= before["metrics"]["cursor"]["open"]["total"]


@asynccontextmanager
async def opened(mongo_url: str, database: Database, *options: str) -> AsyncIterator[Database]:
    """Open the database once more, with further options in its URL."""
    other = await open_database("&".join([url_of(mongo_url, database.name), *options]))
    try:
        yield other
    finally:
        await other.close()


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("option", ["readConcernLevel=majority", "compressors=zlib"])
async def test_options_of_the_url_are_respected(mongo_url: str, database: Database, option: str) -> None:
    async with opened(mongo_url, database, option) as other:
        found = await command_of(other).send(USERS, 5)
        assert found is not None
        assert [decode(raw)["email"] for raw in found] == ["ada@example.com"]


async def test_other_servers_than_the_primary_are_left_to_the_driver(mongo_url: str, database: Database) -> None:
    async with opened(mongo_url, database, "readPreference=secondaryPreferred") as other:
        assert not is_possible(command_of(other).client)
        assert await command_of(other).send(USERS, 5) is None


class Listener(monitoring.CommandListener):
    """Records the names of commands, as traces do."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Ignore the end of a command."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Ignore the end of a command."""


async def test_queries_are_sent_by_the_driver_when_something_listens_to_its_commands(database: Database) -> None:
    client: AsyncMongoClient[Any] = AsyncMongoClient("mongodb://127.0.0.1", event_listeners=[Listener()])
    assert not is_possible(client)
    assert await FindCommand(client, database.name, 1).send(USERS, 5) is None


@pytest.mark.usefixtures("ada")
async def test_with_a_driver_without_those_connections_a_cursor_finds_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(AsyncMongoClient, "_conn_for_reads")
    client: AsyncMongoClient[Any] = AsyncMongoClient("mongodb://127.0.0.1")
    assert not is_possible(client)
    monkeypatch.setattr(database, "find_command", FindCommand(client, database.name, 1))
    assert await emails(database) == ["ada@example.com"]
    assert await find_raw(Event, {}, limit=3) == []
