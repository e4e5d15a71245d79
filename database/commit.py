"""Committing groups of writes, and single conditional updates."""

from collections.abc import Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, ReturnDocument

from database import ordered_writes
from database.connection import REQUEST_SECONDS, Database, bound_database, collection_name
from database.documents import StoredDocument
from database.queries import Changes, Filter
from database.transactions import GroupCommit
from database.writes import Insert, Write

D = TypeVar("D", bound=StoredDocument)
_RAW = CodecOptions(document_class=RawBSONDocument)
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
        database.notify_inserted({type(write.document) for write in writes if isinstance(write, Insert)})
    return done


async def find_and_update(document: type[D], match: Filter, changes: Changes, *, upsert: bool = False) -> D | None:
    """Update the one document that matches; returns it as it is then, or None when none matches. Atomic."""
    database, name = bound_database(), collection_name(document)
    if database.sync is None:
        stored = await database.handle[name].find_one_and_update(
            match, changes, upsert=upsert, return_document=ReturnDocument.AFTER
        )
        return None if stored is None else document.from_stored(stored)

    def update(client: MongoClient[Any]) -> bytes | None:
        target = client[database.name].get_collection(name, codec_options=_RAW)
        found = target.find_one_and_update(match, changes, upsert=upsert, return_document=ReturnDocument.AFTER)
        return None if found is None else found.raw

    raw = await database.run_in_thread(update)
    return None if raw is None else document.from_raw(raw)
