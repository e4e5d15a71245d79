"""Deciding by what is stored and then writing, with nothing changed in between."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from database.commit import commit_atomically
from database.connection import Database, bind
from database.errors import DuplicateKey
from database.queries import Id, assign, new_id
from database.writes import Insert, Update, Write
from models import DOCUMENTS
from models.accounts.user_write_lock import UserWriteLock
from models.shared.guard import Guard
from planner.errors import Conflict, InvalidToken, Unavailable
from planner.services.events.user_lock import UserWriteLocks
from tests.support.documents import get_stored, insert_user


@pytest.fixture(params=["transactions", "ordered writes"])
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
    return await insert_user(database)


async def decide_nothing() -> None:
    """Decide that the write may go on."""


def insert_guard(name: str) -> Insert:
    """Return a write that can be committed once."""
    return Insert(Guard(id=name))


async def test_each_decision_sees_the_writes_of_the_one_before(database: Database, ada: Id) -> None:
    """Twenty tasks count and then add one, half of them as another process: none counts what is not added yet."""
    counted: list[int] = []
    # Without transactions there is only one process.
    first = UserWriteLocks()
    sides = [first, UserWriteLocks() if database.transactions else first]

    async def add(number: int) -> None:
        found = 0

        async def decide() -> None:
            nonlocal found
            found = await database.handle["guards"].count_documents({})

        async def write(lock: Write) -> bool:
            return await commit_atomically([lock, insert_guard(str(number))])

        assert await sides[number % 2].decide_and_write(ada, decide, write)
        counted.append(found)

    await asyncio.gather(*(add(number) for number in range(20)))
    assert sorted(counted) == list(range(20))
    lock = await UserWriteLock.by_user(ada)
    assert lock is not None and lock.current is not None


async def test_an_error_of_the_decision_is_raised_and_nothing_is_written(database: Database, ada: Id) -> None:
    async def decide() -> None:
        raise Conflict("no")

    async def write(lock: Write) -> bool:
        raise AssertionError

    with pytest.raises(Conflict):
        await UserWriteLocks().decide_and_write(ada, decide, write)
    assert "write_lock" not in await get_stored(database, "users", ada)


async def test_a_write_that_is_refused_for_another_reason_is_not_retried(database: Database, ada: Id) -> None:
    tries = 0

    async def refused(lock: Write) -> bool:
        nonlocal tries
        tries += 1
        return await commit_atomically(
            [lock, Update(Guard, {Guard.id: "not there"}, {"$set": assign(Guard.version, 1)})]
        )

    async def collides(lock: Write) -> bool:
        nonlocal tries
        tries += 1
        return await commit_atomically([lock, insert_guard("there")])

    await commit_atomically([insert_guard("there")])
    assert await UserWriteLocks().decide_and_write(ada, decide_nothing, refused) is False
    with pytest.raises(DuplicateKey):
        await UserWriteLocks().decide_and_write(ada, decide_nothing, collides)
    assert tries == 2


async def test_a_deleted_account_has_no_write_lock(database: Database) -> None:
    with pytest.raises(InvalidToken):
        await UserWriteLocks().decide_and_write(new_id(), decide_nothing, lambda lock: commit_atomically([lock]))
    assert await UserWriteLock.by_user(new_id()) is None


async def test_after_losing_every_attempt_the_error_is_unavailable(database: Database, ada: Id) -> None:
    async def quicker() -> None:
        lock = await UserWriteLock.by_user(ada)
        assert lock is not None
        assert await commit_atomically([lock.replace_write()])

    with pytest.raises(Unavailable):
        await UserWriteLocks().decide_and_write(
            ada, quicker, lambda lock: commit_atomically([lock, insert_guard("too late")])
        )
    assert await database.handle["guards"].count_documents({}) == 0


async def test_the_lock_of_one_user_does_not_delay_another(database: Database, ada: Id) -> None:
    ben = await insert_user(database, name="ben")
    side, in_the_middle, go_on = UserWriteLocks(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        in_the_middle.set()
        await go_on.wait()

    first = asyncio.create_task(
        side.decide_and_write(ada, wait, lambda lock: commit_atomically([lock, insert_guard("ada")]))
    )
    await in_the_middle.wait()
    assert await side.decide_and_write(ben, decide_nothing, lambda lock: commit_atomically([lock, insert_guard("ben")]))
    go_on.set()
    assert await first
