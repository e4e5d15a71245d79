"""Deciding by what is stored and then writing, with nothing changed in between."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from database.commit import commit_atomically
from database.connection import Database, bind
from database.errors import DuplicateKey
from database.queries import Id, new_id
from database.writes import Insert, Update, Write
from models import DOCUMENTS
from models.accounts.user_write_lock import UserWriteLock
from models.shared.guard import Guard
from planner.errors import Conflict, InvalidToken, Unavailable
from planner.services.events import user_lock as turns
from planner.services.events.user_lock import UserWriteLocks
from tests.database.things import stored_in, stored_user

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["transactions", "journal"])
async def database(request: pytest.FixtureRequest, open_database_for_test: Callable[[], Awaitable[Database]]) -> Any:
    """A database that does groups of writes as transactions, or as if it could not."""
    opened = await open_database_for_test()
    if request.param == "transactions" and not opened.transactions:
        pytest.skip("the mock has no transactions")
    await bind(opened, DOCUMENTS)
    opened.transactions = request.param == "transactions"
    yield opened
    await opened.close()


@pytest.fixture
async def ada(database: Database) -> Id:
    return await stored_user(database)


async def nothing() -> None:
    """Nothing speaks against it."""


def noting(name: str) -> Insert:
    """A write that can be done once."""
    return Insert(Guard, {"_id": name, "taken": 1})


async def test_what_one_decides_by_is_as_the_one_before_left_it(database: Database, ada: Id) -> None:
    """Twenty count and then add one, in two processes as it were: none counts what another is about to add."""
    counted: list[int] = []
    sides = [UserWriteLocks(), UserWriteLocks()]

    async def add(number: int) -> None:
        found = 0

        async def decide() -> None:
            nonlocal found
            found = await database.handle["guards"].count_documents({})

        async def write(turn: Write) -> bool:
            return await commit_atomically([turn, noting(str(number))])

        assert await sides[number % 2].take(ada, decide, write)
        counted.append(found)

    await asyncio.gather(*(add(number) for number in range(20)))
    assert sorted(counted) == list(range(20))
    turn = await UserWriteLock.of(ada)
    assert turn is not None and turn.since is None and turn.last is not None


async def test_what_speaks_against_it_is_raised_and_nothing_is_written(database: Database, ada: Id) -> None:
    async def decide() -> None:
        raise Conflict("no")

    async def write(turn: Write) -> bool:
        raise AssertionError

    with pytest.raises(Conflict):
        await UserWriteLocks().take(ada, decide, write)
    assert "turn" not in await stored_in(database, "users", ada)


async def test_what_is_refused_for_a_reason_of_its_own_is_not_tried_again(database: Database, ada: Id) -> None:
    tries = 0

    async def refused(turn: Write) -> bool:
        nonlocal tries
        tries += 1
        return await commit_atomically([turn, Update(Guard, {"_id": "not there"}, {"$set": {"taken": 1}})])

    async def collides(turn: Write) -> bool:
        nonlocal tries
        tries += 1
        return await commit_atomically([turn, noting("there")])

    await commit_atomically([noting("there")])
    assert await UserWriteLocks().take(ada, nothing, refused) is False
    with pytest.raises(DuplicateKey):
        await UserWriteLocks().take(ada, nothing, collides)
    assert tries == 2
    turn = await UserWriteLock.of(ada)
    assert turn is not None and turn.since is None


async def test_somebody_who_is_gone_has_no_turn(database: Database) -> None:
    with pytest.raises(InvalidToken):
        await UserWriteLocks().take(new_id(), nothing, lambda turn: commit_atomically([turn]))
    assert await UserWriteLock.of(new_id()) is None


async def test_whoever_loses_each_time_is_told_to_try_again(database: Database, ada: Id) -> None:
    async def quicker() -> None:
        turn = await UserWriteLock.of(ada)
        assert turn is not None
        assert await commit_atomically([turn.taking(NOW)])
        await turn.over()

    with pytest.raises(Unavailable):
        await UserWriteLocks().take(ada, quicker, lambda turn: commit_atomically([turn, noting("too late")]))
    assert await database.handle["guards"].count_documents({}) == 0


async def test_one_person_waits_for_nobody_else(database: Database, ada: Id) -> None:
    ben = await stored_user(database, name="ben")
    side, in_the_middle, go_on = UserWriteLocks(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        in_the_middle.set()
        await go_on.wait()

    first = asyncio.create_task(side.take(ada, wait, lambda turn: commit_atomically([turn, noting("ada")])))
    await in_the_middle.wait()
    assert await side.take(ben, nothing, lambda turn: commit_atomically([turn, noting("ben")]))
    go_on.set()
    assert await first


@pytest.mark.parametrize("database", ["journal"], indirect=True)
async def test_without_transactions_one_waits_until_the_other_is_done(database: Database, ada: Id) -> None:
    other = await UserWriteLock.of(ada)
    assert other is not None
    await commit_atomically([other.taking(NOW)])
    decided = asyncio.Event()

    async def decide() -> None:
        decided.set()

    waiting = asyncio.create_task(
        UserWriteLocks().take(ada, decide, lambda turn: commit_atomically([turn, noting("later")]))
    )
    for _ in range(5):
        await asyncio.sleep(turns.POLL_SECONDS)
        assert not decided.is_set(), "it decided while another was writing"
    await other.over()
    assert await waiting


@pytest.mark.parametrize("database", ["journal"], indirect=True)
async def test_without_transactions_what_was_cut_short_is_not_waited_for_for_ever(
    database: Database, ada: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.1)
    other = await UserWriteLock.of(ada)
    assert other is not None
    await commit_atomically([other.taking(NOW)])
    assert await UserWriteLocks().take(ada, nothing, lambda turn: commit_atomically([turn, noting("after all")]))
    turn = await UserWriteLock.of(ada)
    assert turn is not None and turn.since is None and turn.last != other.id


@pytest.mark.parametrize("database", ["journal"], indirect=True)
async def test_without_transactions_a_turn_stays_open_when_the_database_goes_away_in_the_middle(
    database: Database, ada: Id
) -> None:
    """What was begun may still be done: whoever comes next must not decide before."""

    async def cut_short(turn: Write) -> bool:
        await commit_atomically([turn])
        raise AutoReconnect("gone")

    async def fails(turn: Write) -> bool:
        await commit_atomically([turn])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await UserWriteLocks().take(ada, nothing, fails)
    assert "since" not in (await stored_in(database, "users", ada))["turn"]
    with pytest.raises(AutoReconnect):
        await UserWriteLocks().take(ada, nothing, cut_short)
    assert "since" in (await stored_in(database, "users", ada))["turn"]
