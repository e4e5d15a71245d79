"""Groups of writes on a server without transactions, for development and tests only.

The writes are done in the order in which they are given. What only asks comes first, so that most
refusals leave nothing behind. When a later write is refused, the documents that were inserted before
it are deleted again. A crash in between leaves the first writes done: groups begin with their
inserts, so the worst that is left is an event whose id is missing in its creator's document, or an
id whose event is gone. Both are repaired at the next start (`models/events/embedded_ids.py`).
"""

import asyncio
from collections.abc import Sequence

from pymongo.errors import DuplicateKeyError

from database.connection import Database, collection_name
from database.writes import Delete, Forbid, Insert, Require, Update, Write

_running: set["asyncio.Task[bool]"] = set()


async def apply_in_order(database: Database, writes: Sequence[Write]) -> bool:
    """Do the writes one after the other; see `commit.commit_atomically` for what is returned and raised."""
    task = asyncio.create_task(_apply(database, writes))
    _running.add(task)
    task.add_done_callback(_running.discard)
    # Shielded: a group that has begun is finished, even when its caller is cancelled.
    return await asyncio.shield(task)


async def _apply(database: Database, writes: Sequence[Write]) -> bool:
    checks = [write for write in writes if isinstance(write, Require | Forbid)]
    changes = [write for write in writes if isinstance(write, Insert | Update | Delete)]
    for check in checks:
        if not await _passes(database, check):
            return False
    inserted: list[Insert] = []
    for write in changes:
        try:
            done = await _apply_one(database, write)
        except DuplicateKeyError:
            await _delete_inserted(database, inserted)
            raise
        if not done:
            await _delete_inserted(database, inserted)
            return False
        if isinstance(write, Insert):
            inserted.append(write)
    return True


async def _passes(database: Database, check: Require | Forbid) -> bool:
    limit = check.least if isinstance(check, Require) else 1
    found = await database.handle[collection_name(check.of)].count_documents(check.match, limit=limit)
    return bool(found >= limit) if isinstance(check, Require) else not found


async def _apply_one(database: Database, write: Insert | Update | Delete) -> bool:
    """Do one write; returns False when it was required and matched nothing."""
    if isinstance(write, Insert):
        await database.handle[collection_name(type(write.document))].insert_one(write.document.to_stored())
        return True
    target = database.handle[collection_name(write.of)]
    if isinstance(write, Update):
        if write.many:
            await target.update_many(write.match, write.changes)
            return True
        updated = await target.update_one(write.match, write.changes, upsert=write.upsert)
        return bool(updated.matched_count) or write.upsert or not write.required
    if write.many:
        await target.delete_many(write.match)
        return True
    deleted = await target.delete_one(write.match)
    return bool(deleted.deleted_count) or not write.required


async def _delete_inserted(database: Database, inserted: Sequence[Insert]) -> None:
    for write in inserted:
        await database.handle[collection_name(type(write.document))].delete_one({"_id": write.document.id})
