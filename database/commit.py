"""Committing groups of writes and single conditional updates, and confirming what was read.

What is read may not have a majority yet. A primary that has lost its majority goes on for some seconds: it applies a
write at once, and then waits for the majority in vain, so that its client gets an error. When the client repeats the
request, it may find that write done: an answer that relies on it must wait for the majority too (`confirm_reads`), for
the next primary may never have seen it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pymongo import MongoClient, ReturnDocument

from database import ordered_writes
from database.connection import (
    Database,
    Operation,
    bound_database,
    collection_name,
    seconds_for_operation,
)
from database.documents import StoredDocument
from database.queries import Changes, Filter
from database.single_flight import SingleFlight
from database.transactions.group_commit import GroupCommit
from database.writes import Insert, Write

D = TypeVar("D", bound=StoredDocument)
_group_commits: WeakKeyDictionary[Database, GroupCommit] = WeakKeyDictionary()


async def commit_atomically(writes: Sequence[Write], *, seconds: float | None = None, separate: bool = False) -> bool:
    """Do all the writes, or none of them, within `seconds` (default: `connection.seconds_for_operation`).

    Returns False when a required write matched nothing, or a `Require` or `Forbid` refused; raises
    `DuplicateKey` when a unique index did. In both cases no write was done.

    On a replica set this is a transaction, which small groups share (`transactions/`). A large
    group is better `separate`. On a server without transactions the writes are done one after the
    other, and a crash in between leaves the first ones done (`ordered_writes.py`): put inserts first.
    """
    database = bound_database()
    if database.transactions:
        group_commit = _group_commits.get(database)
        if group_commit is None:
            group_commit = _group_commits[database] = GroupCommit(database)
        seconds = seconds_for_operation() if seconds is None else seconds
        done = await group_commit.commit(writes, seconds, separate=separate)
    else:
        done = await ordered_writes.apply_in_order(database, writes)
    if done:
        _note_commit()
        for write in writes:
            if isinstance(write, Insert):
                database.notify_inserted(write.document)
        database.notify_written(type(write.document) if isinstance(write, Insert) else write.of for write in writes)
    return done


async def find_and_update(document: type[D], match: Filter, changes: Changes, *, upsert: bool = False) -> D | None:
    """Update the one document that matches; returns it as it is then, or None when none matches. Atomic."""
    database, name = bound_database(), collection_name(document)
    after = ReturnDocument.AFTER
    if database.sync is None:
        target = database.handle[name]
        stored = await target.find_one_and_update(match, changes, upsert=upsert, return_document=after)
    else:
        stored = await database.run_in_thread(
            Operation("findAndModify", name, match),
            lambda client: client[database.name][name].find_one_and_update(
                match, changes, upsert=upsert, return_document=after
            ),
        )
    if stored is None:
        return None
    _note_commit()
    return document.from_stored(stored)


@dataclass
class Commits:
    """Whether a write was acknowledged by a majority, since `note_commits` began."""

    were_made: bool = False


_noted: ContextVar[Commits | None] = ContextVar("noted_commits", default=None)
_confirmations: SingleFlight[None] = SingleFlight()
# A collection that does not exist.
_NOTHING = "confirmations"


@contextmanager
def note_commits() -> Iterator[Commits]:
    """Note whether this task commits anything while the block runs."""
    token = _noted.set(commits := Commits())
    try:
        yield commits
    finally:
        _noted.reset(token)


def _note_commit() -> None:
    if (commits := _noted.get()) is not None:
        commits.were_made = True


async def confirm_reads() -> None:
    """Return when a majority has everything that was read until now; raises one of `UNAVAILABLE_ERRORS` if it has not.

    Callers at the same moment share one trip to the server. A server without a replica set has nothing to confirm.
    """
    database = bound_database()
    if not database.transactions:
        return

    def write_nothing(client: MongoClient[Any]) -> None:
        # A write that changes nothing is acknowledged when a majority has everything that came before it.
        client[database.name][_NOTHING].update_one({"_id": 0}, {"$set": {"_id": 0}})

    await _confirmations.run(
        database, lambda: database.run_in_thread(Operation("update", _NOTHING, {"_id": 0}), write_nothing)
    )
