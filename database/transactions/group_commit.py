"""Groups of writes as transactions, several groups to a transaction when they arrive together.

A commit waits for the disk and for a majority of the replica set, however much is in it. Groups
that arrive while a commit is under way are therefore collected, and share the next transaction
(group commit). Each caller learns only of its own group, and only once it is durable. Two writers
of one document in this process never conflict either.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

from pymongo import InsertOne, MongoClient, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError, WaitQueueTimeoutError

from database.connection import Database, Operation, collection_name
from database.writes import Delete, Forbid, Insert, Require, Update, Write

MAX_GROUPS = 64
_TRANSACTION = Operation("transaction")
Group = Sequence[Write]
# A collected group has at least so many seconds, however long it waited for the commit before it.
LEAST_SECONDS = 1.0


class _PendingGroup(NamedTuple):
    """A group, the future of its caller, and its deadline by `time.monotonic`."""

    group: Group
    future: "asyncio.Future[bool]"
    deadline: float

    @property
    def seconds_left(self) -> float:
        return max(self.deadline - time.monotonic(), LEAST_SECONDS)


class _NoMatch(Exception):
    """A required write matched nothing; it aborts the transaction."""


class GroupCommit:
    """Commits groups of writes to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: list[_PendingGroup] = []
        self._is_committing = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def commit(self, group: Group, seconds: float, *, separate: bool = False) -> bool:
        """Do all the writes of the group; see `commit.commit_atomically`."""
        if not all(_can_be_bulked(write) for write in group):
            return await self._commit_alone(group, seconds)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        pending = _PendingGroup(group, future, time.monotonic() + seconds)
        if separate:
            self._start(self._commit_batch([pending], in_bulk=True))
        else:
            self._pending.append(pending)
            if not self._is_committing:
                self._is_committing = True
                self._start(self._commit_pending())
        # Shielded: a group that has begun is finished, even when its caller is cancelled.
        return await asyncio.shield(future)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit_pending(self) -> None:
        try:
            while self._pending:
                batch, self._pending = self._pending[:MAX_GROUPS], self._pending[MAX_GROUPS:]
                # Their time has passed while another commit did not return: they must not wait for a second one.
                now = time.monotonic()
                expired = [pending for pending in batch if pending.deadline <= now]
                _resolve_all(expired, WaitQueueTimeoutError("the commit before this one took all the time"))
                await self._commit_batch([pending for pending in batch if pending.deadline > now])
        finally:
            self._is_committing = False

    async def _commit_batch(self, batch: list[_PendingGroup], *, in_bulk: bool = False) -> None:
        """Commit groups together, in a few commands; a lone one only if it is large (`in_bulk`)."""
        if in_bulk or len(batch) > 1:
            try:
                name, seconds = self._database.name, min(pending.seconds_left for pending in batch)
                await self._database.run_in_thread(
                    _TRANSACTION, lambda client: _write_in_bulk(client, name, batch), seconds
                )
            except (_NoMatch, BulkWriteError, DuplicateKeyError):
                # One group was refused, and the transaction was aborted: each group gets its own. Doing its
                # writes one by one tells which of them was refused, and why.
                pass
            except Exception as error:  # noqa: BLE001 - each caller receives it
                _resolve_all(batch, error)
                return
            else:
                for pending in batch:
                    _resolve(pending.future, True)
                return
        await asyncio.gather(*(self._commit_and_resolve(pending) for pending in batch))

    async def _commit_and_resolve(self, pending: _PendingGroup) -> None:
        try:
            _resolve(pending.future, await self._commit_alone(pending.group, pending.seconds_left))
        except Exception as error:  # noqa: BLE001 - the caller receives it
            _resolve(pending.future, error)

    async def _commit_alone(self, group: Group, seconds: float) -> bool:
        return await self._database.run_in_thread(
            _TRANSACTION, lambda client: _write_one_by_one(client, self._database.name, group), seconds
        )


def _can_be_bulked(write: Write) -> bool:
    """Return whether one bulk command can hold the write beside others.

    A bulk command counts matches together: a write that may match nothing would hide that its neighbour,
    which may not, did so.
    """
    return isinstance(write, Insert) or (isinstance(write, Update) and write.required and not write.many)


def _resolve(future: "asyncio.Future[bool]", outcome: bool | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # Retrieved, also when the caller was cancelled.
    else:
        future.set_result(outcome)


def _resolve_all(batch: list[_PendingGroup], outcome: Exception) -> None:
    for pending in batch:
        _resolve(pending.future, outcome)


def _write_one_by_one(client: MongoClient[Any], name: str, group: Group) -> bool:
    def body(session: ClientSession) -> None:
        for write in group:
            _perform(client, name, write, session)

    # The time limit of `run_in_thread` holds for the whole transaction, its retries included.
    with client.start_session() as session:
        try:
            session.with_transaction(body)
        except _NoMatch:
            return False
    return True


def _write_in_bulk(client: MongoClient[Any], name: str, batch: list[_PendingGroup]) -> None:
    """Write several groups in one transaction; raises, with nothing written, when any of them is refused."""
    operations: dict[str, list[Any]] = {}
    required: dict[str, int] = {}
    for pending in batch:
        for write in pending.group:
            match write:
                case Insert():
                    target = collection_name(type(write.document))
                    operations.setdefault(target, []).append(InsertOne(write.document.to_stored()))
                case Update():
                    target = collection_name(write.of)
                    operations.setdefault(target, []).append(UpdateOne(write.match, write.changes, write.upsert))
                    required[target] = required.get(target, 0) + write.required

    def body(session: ClientSession) -> None:
        for target, requests in operations.items():
            done = client[name][target].bulk_write(requests, session=session)
            if done.matched_count + done.upserted_count < required.get(target, 0):
                raise _NoMatch

    with client.start_session() as session:
        session.with_transaction(body)


def _perform(client: MongoClient[Any], name: str, write: Write, session: ClientSession) -> None:
    """Do one write in a transaction; raises `_NoMatch` when it is refused."""
    match write:
        case Insert():
            target = client[name][collection_name(type(write.document))]
            target.insert_one(write.document.to_stored(), session=session)
        case Update(many=True):
            client[name][collection_name(write.of)].update_many(write.match, write.changes, session=session)
        case Update():
            updated = client[name][collection_name(write.of)].update_one(
                write.match, write.changes, upsert=write.upsert, session=session
            )
            _require(bool(updated.matched_count) or write.upsert or not write.required)
        case Delete(many=True):
            client[name][collection_name(write.of)].delete_many(write.match, session=session)
        case Delete():
            deleted = client[name][collection_name(write.of)].delete_one(write.match, session=session)
            _require(bool(deleted.deleted_count) or not write.required)
        case Require():
            target = client[name][collection_name(write.of)]
            _require(target.count_documents(write.match, limit=write.least, session=session) >= write.least)
        case Forbid():
            found = client[name][collection_name(write.of)].find_one(write.match, {"_id": 1}, session=session)
            _require(found is None)


def _require(passed: bool) -> None:
    if not passed:
        raise _NoMatch
