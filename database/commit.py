"""Committing groups of writes, and single conditional updates."""

from collections.abc import Sequence
from typing import TypeVar
from weakref import WeakKeyDictionary

from pymongo import ReturnDocument

from database import ordered_writes
from database.connection import REQUEST_SECONDS, Database, Operation, bound_database, collection_name
from database.documents import StoredDocument
from database.queries import Changes, Filter
from database.transactions import GroupCommit
from database.writes import Insert, Write

D = TypeVar("D", bound=StoredDocument)
_group_commits: WeakKeyDictionary[Database, GroupCommit] = WeakKeyDictionary()


async def commit_atomically(
    writes: Sequence[Write], *, seconds: float = REQUEST_SECONDS, separate: bool = False
) -> bool:
    """Do all the writes, or none of them, within `seconds`.

    Returns False when a required write matched nothing, or a `Require` or `Forbid` refused; raises
    `DuplicateKey` when a unique index did. In both cases no write was done.

    On a replica set this is a transaction, which small groups share (`transactions.py`). A large
    group is better `separate`. On a server without transactions the writes are done one after the
    other, and a crash in between leaves the first ones done (`ordered_writes.py`): put inserts first.
    """
    database = bound_database()
    if database.transactions:
        group_commit = _group_commits.get(database)
        if group_commit is None:
            group_commit = _group_commits[database] = GroupCommit(database)
        done = await group_commit.commit(writes, seconds, separate=separate)
    else:
        done = await ordered_writes.apply_in_order(database, writes)
    if done:
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
    return None if stored is None else document.from_stored(stored)
