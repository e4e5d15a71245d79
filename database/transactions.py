"""Groups of writes as transactions, several groups to a transaction when they come at once.

A commit waits for the disk and for a majority of the replica set, whatever is in it. So
groups that arrive while a commit is on its way are gathered, and go together in the next
one (group commit). Each caller still hears only of its own group, and only when it is
safe. It also means that two writers of one document in this process never collide.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from pymongo import InsertOne, MongoClient, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError, WaitQueueTimeoutError

from database.connection import Database, collection
from database.writes import Delete, Forbid, Insert, Require, Update, Write

MOST_GROUPS = 64
Group = Sequence[Write]
# What was gathered gets at least this long, however long it waited for the commit before.
LEAST_SECONDS = 1.0


class _Waiting(NamedTuple):
    """A group, who waits for it, and until when by `time.monotonic`."""

    group: Group
    future: "asyncio.Future[bool]"
    over: float

    @property
    def left(self) -> float:
        return max(self.over - time.monotonic(), LEAST_SECONDS)


class _NoMatch(Exception):
    """A needed write matched nothing; raised to abort the transaction around it."""


class Committer:
    """Commits groups of writes for one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._busy = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def commit(self, group: Group, seconds: float, *, separate: bool = False) -> bool:
        """Do all the writes of the group; see `groups.commit_atomically`."""
        if not all(_is_plain(write) for write in group):
            return await self._alone(group, seconds)
        if separate:
            return await asyncio.shield(asyncio.ensure_future(self._apart(group, seconds)))
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(group, future, time.monotonic() + seconds))
        if not self._busy:
            self._busy = True
            task = asyncio.create_task(self._work_off())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # Shielded: what was begun is carried through, even for a caller who hangs up.
        return await asyncio.shield(future)

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_GROUPS], self._waiting[MOST_GROUPS:]
                # Their time went by with a commit that hung: they must not wait for another one.
                now = time.monotonic()
                late = [waiting for waiting in batch if waiting.over <= now]
                _answer_all(late, WaitQueueTimeoutError("the commit before took all the time there was"))
                await self._gathered([waiting for waiting in batch if waiting.over > now])
        finally:
            self._busy = False

    async def _gathered(self, batch: list[_Waiting]) -> None:
        if len(batch) > 1:
            try:
                name, left = self._database.name, min(waiting.left for waiting in batch)
                await self._database.run_in_thread(lambda client: _all(client, name, batch), left)
            except (_NoMatch, BulkWriteError, DuplicateKeyError):
                # One group was refused and the transaction was aborted: each for itself, then.
                pass
            except Exception as error:  # noqa: BLE001 - each caller is to hear of it
                _answer_all(batch, error)
                return
            else:
                for waiting in batch:
                    _answer(waiting.future, True)
                return
        await asyncio.gather(*(self._answered(waiting) for waiting in batch))

    async def _answered(self, waiting: _Waiting) -> None:
        try:
            _answer(waiting.future, await self._alone(waiting.group, waiting.left))
        except Exception as error:  # noqa: BLE001 - the caller is to hear of it
            _answer(waiting.future, error)

    async def _apart(self, group: Group, seconds: float) -> bool:
        """A large group as a transaction of its own, in a few commands."""
        waiting = _Waiting(group, asyncio.get_running_loop().create_future(), time.monotonic() + seconds)
        try:
            await self._database.run_in_thread(lambda client: _all(client, self._database.name, [waiting]), seconds)
        except (_NoMatch, BulkWriteError, DuplicateKeyError):
            # Which write was refused, and why, is told by doing them one by one.
            return await self._alone(group, waiting.left)
        return True

    async def _alone(self, group: Group, seconds: float) -> bool:
        return await self._database.run_in_thread(lambda client: _one(client, self._database.name, group), seconds)


def _is_plain(write: Write) -> bool:
    """Whether a write can be counted among others of its kind in one command.

    One that may match nothing would hide that a neighbour's, which may not, did so.
    """
    return isinstance(write, Insert) or (
        isinstance(write, Update) and write.needed and not write.upsert and not write.many
    )


def _answer(future: "asyncio.Future[bool]", outcome: bool | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # Seen, even when the caller has hung up.
    else:
        future.set_result(outcome)


def _answer_all(batch: list[_Waiting], outcome: Exception) -> None:
    for waiting in batch:
        _answer(waiting.future, outcome)


def _one(client: MongoClient[Any], name: str, group: Group) -> bool:
    def body(session: ClientSession) -> None:
        for write in group:
            _perform(client, name, write, session)

    # The bound on `run_in_thread` holds for the whole group, its retries included.
    with client.start_session() as session:
        try:
            session.with_transaction(body)
        except _NoMatch:
            return False
    return True


def _all(client: MongoClient[Any], name: str, batch: list[_Waiting]) -> None:
    """Do several groups in one transaction; raises, with none done, if any of them is refused."""
    operations: dict[str, list[Any]] = {}
    needed: dict[str, int] = {}
    for waiting in batch:
        for write in waiting.group:
            match write:
                case Insert():
                    operations.setdefault(collection(write.into), []).append(InsertOne(write.stored))
                case Update():
                    target = collection(write.of)
                    operations.setdefault(target, []).append(UpdateOne(write.match, write.change))
                    needed[target] = needed.get(target, 0) + write.needed

    def body(session: ClientSession) -> None:
        for target, requests in operations.items():
            done = client[name][target].bulk_write(requests, session=session)
            if done.matched_count < needed.get(target, 0):
                raise _NoMatch

    with client.start_session() as session:
        session.with_transaction(body)


def _perform(client: MongoClient[Any], name: str, write: Write, session: ClientSession) -> None:
    match write:
        case Insert():
            client[name][collection(write.into)].insert_one(write.stored, session=session)
        case Update(many=True):
            client[name][collection(write.of)].update_many(write.match, write.change, session=session)
        case Update():
            done = client[name][collection(write.of)].update_one(
                write.match, write.change, upsert=write.upsert, session=session
            )
            if write.needed and not done.matched_count and not write.upsert:
                raise _NoMatch
        case Delete(many=False):
            gone = client[name][collection(write.of)].delete_one(write.match, session=session)
            if write.needed and not gone.deleted_count:
                raise _NoMatch
        case Require() | Forbid():
            _check(client, name, write, session)
        case Delete():
            client[name][collection(write.of)].delete_many(write.match, session=session)


def _check(client: MongoClient[Any], name: str, condition: Require | Forbid, session: ClientSession) -> None:
    found = client[name][collection(condition.of)]
    match condition:
        case Require():
            if found.count_documents(condition.match, limit=condition.least, session=session) < condition.least:
                raise _NoMatch
        case Forbid():
            if found.find_one(condition.match, {"_id": 1}, session=session):
                raise _NoMatch
