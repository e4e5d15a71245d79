"""Writes that belong together: all of them happen, or none."""

import asyncio
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import bson
from beanie import Document
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, ReturnDocument

from database import journal
from database.connection import REQUEST_SECONDS, Database, bound, collection
from database.queries import Filter
from database.transactions import Committer
from database.writes import Write

_RAW = CodecOptions(document_class=RawBSONDocument)
_begun: set[asyncio.Task[bool]] = set()
_committers: WeakKeyDictionary[Database, Committer] = WeakKeyDictionary()


async def commit_atomically(
    writes: Sequence[Write], *, seconds: float = REQUEST_SECONDS, separate: bool = False
) -> bool:
    """Do all the writes as one, within `seconds`; `separate` from others' groups when there are many.

    Returns False when a needed write matched nothing: then none was done. Raises
    `DuplicateKey` when a unique index refuses one: then, too, none was done.

    On a replica set this is a transaction (`transactions.py`). Elsewhere the writes are
    journalled and done in order (`journal.py`): give inserts and needed writes first, for
    of what was done before a refusal only inserts are taken back.
    """
    database = bound()
    if not database.transactions:
        task = asyncio.create_task(journal.in_order(database, writes))
        _begun.add(task)
        task.add_done_callback(_begun.discard)
        # Shielded: what was begun is carried through, even for a caller who hangs up.
        return await asyncio.shield(task)
    committer = _committers.get(database)
    if committer is None:
        committer = _committers[database] = Committer(database)
    return await committer.commit(writes, seconds, separate=separate)


async def change(of: type[Document], match: Filter, change: dict[str, Any], *, upsert: bool = False) -> bytes | None:
    """Change the one document that matches; its new state as raw bytes, or None for no match."""
    database, name = bound(), collection(of)
    if database.sync is None:
        stored = await database.handle[name].find_one_and_update(
            match, change, upsert=upsert, return_document=ReturnDocument.AFTER
        )
        return None if stored is None else bson.encode(stored)

    def work(client: MongoClient[Any]) -> bytes | None:
        target = client[database.name].get_collection(name, codec_options=_RAW)
        found = target.find_one_and_update(match, change, upsert=upsert, return_document=ReturnDocument.AFTER)
        return None if found is None else found.raw

    return await database.run_in_thread(work)
