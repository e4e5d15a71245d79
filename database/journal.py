"""A journal of writes that belong together, for servers without transactions.

A group of writes is first noted here as one document, then done in order, then the note
is removed. What a crash leaves behind is therefore a note of everything that was meant,
and `mend` does it again at the next start. Every journalled write can be done twice
without harm: an insert that is already there is skipped, and an update carries a filter
that no longer matches once it has been done. A note may also be of a group that was
refused right before the crash; what was inserted for it is then taken back.

When the database went away in the middle of a group, its note stands as well, while the
planner runs on. It is acted on as soon as the database is back, and before any other
group: what a caller does next must not be undone by it at some later start.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import bson
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from database.connection import Database, collection
from database.errors import UNAVAILABLE_ERRORS, is_unavailable
from database.queries import Stored, new_id
from database.writes import Delete, Forbid, Insert, Require, Update, Write

log = logging.getLogger("planner.database")
COLLECTION = "journal"
# How often a database that went away is asked whether what it cut short can be finished.
RETRY_SECONDS = 1.0

_standing: WeakKeyDictionary[Database, set[ObjectId]] = WeakKeyDictionary()
_finishing: WeakKeyDictionary[Database, asyncio.Task[None]] = WeakKeyDictionary()
_waiting: set[asyncio.Task[None]] = set()


async def in_order(database: Database, writes: Sequence[Write]) -> bool:
    """Do the writes one after the other, noted in the journal; see `groups.commit_atomically`."""
    # What only asks is asked before anything is noted: a refusal then leaves nothing to mend.
    for write in writes:
        if isinstance(write, Require | Forbid) and not await _once(database, write):
            return False
    writes = [write for write in writes if not isinstance(write, Require | Forbid)]
    if len(writes) == 1:  # A single write is atomic by itself.
        return await _once(database, writes[0])
    await _finish(database)
    entry = new_id()
    try:
        return await _noted(database, entry, writes)
    except Exception as error:
        # Any other error leaves the note standing as well, and the next start acts on it.
        if is_unavailable(error):
            _leave_standing(database, entry)
        raise


async def _noted(database: Database, entry: ObjectId, writes: Sequence[Write]) -> bool:
    await _open(database, entry, writes)
    done: list[Write] = []
    refused: DuplicateKeyError | None = None
    for write in writes:
        try:
            if not await _once(database, write):
                break
        except DuplicateKeyError as error:
            refused = error
            break
        done.append(write)
    complete = len(done) == len(writes)
    if not complete:
        await _undo(database, done)
    await _close(database, entry)
    if refused:
        raise refused
    return complete


async def _undo(database: Database, done: Sequence[Write]) -> None:
    for write in done:
        if isinstance(write, Insert):
            await database.handle[collection(write.into)].delete_one({"_id": write.stored["_id"]})


async def _once(database: Database, write: Write) -> bool:
    """Do one write outside a transaction; False when it was needed and matched nothing."""
    match write:
        case Insert():
            await database.handle[collection(write.into)].insert_one(dict(write.stored))
            return True
        case Update(many=True):
            await database.handle[collection(write.of)].update_many(write.match, write.change)
            return True
        case Update():
            done = await database.handle[collection(write.of)].update_one(
                write.match, write.change, upsert=write.upsert
            )
            return bool(done.matched_count) or write.upsert or not write.needed
        case Delete(many=False):
            gone = await database.handle[collection(write.of)].delete_one(write.match)
            return bool(gone.deleted_count) or not write.needed
        case Require():
            found = await database.handle[collection(write.of)].count_documents(write.match, limit=write.least)
            return bool(found >= write.least)
        case Forbid():
            return not await database.handle[collection(write.of)].count_documents(write.match, limit=1)
        case Delete():
            await database.handle[collection(write.of)].delete_many(write.match)
            return True


def _as_entry(write: Insert | Update | Delete) -> Stored:
    # Filters and updates are noted as bytes: their `$` names may not stand in a stored document.
    match write:
        case Insert():
            return {"insert": collection(write.into), "stored": write.stored}
        case Update():
            return {
                "update": collection(write.of),
                "match": bson.encode(write.match | write.once),
                "change": bson.encode(write.change),
                "upsert": write.upsert,
                "many": write.many,
                "needed": write.needed,
            }
        case Delete():
            return {
                "delete": collection(write.of),
                "match": bson.encode(write.match),
                "many": write.many,
                "needed": write.needed,
            }


async def _open(database: Database, entry: ObjectId, writes: Sequence[Write]) -> None:
    entries = [_as_entry(write) for write in writes if not isinstance(write, Require | Forbid)]
    await database.handle[COLLECTION].insert_one({"_id": entry, "writes": entries})


async def _close(database: Database, note: Any) -> None:
    await database.handle[COLLECTION].delete_one({"_id": note})


async def mend(database: Database) -> int:
    """Do again what the journal still holds; returns how many groups that were.

    Called at start, before the first request: what stands in the journal then was left
    there by a crash.
    """
    entries = await database.handle[COLLECTION].find({}).sort("_id", 1).to_list(None)
    for entry in entries:
        await _again(database, entry)
    if entries:
        log.warning("mended %d group(s) of writes that a crash had cut short", len(entries))
    return len(entries)


async def _again(database: Database, entry: Stored) -> None:
    for number, write in enumerate(entry["writes"]):
        if not await _redo(database, write):
            await _take_back(database, entry["writes"][:number])
            break
    await _close(database, entry["_id"])


def _leave_standing(database: Database, entry: ObjectId) -> None:
    """Remember a note of this process's, and act on it once the database is back, even if nobody writes."""
    notes = _standing.setdefault(database, set())
    if not notes:
        task = asyncio.create_task(_keep_trying(database))
        _waiting.add(task)
        task.add_done_callback(_waiting.discard)
    notes.add(entry)


async def _keep_trying(database: Database) -> None:
    while _standing[database]:
        await asyncio.sleep(RETRY_SECONDS)
        with suppress(*UNAVAILABLE_ERRORS):
            await _finish(database)


async def _finish(database: Database) -> None:
    """Act on the notes that this process left standing; raises at once for all who wait when it cannot be done."""
    if not _standing.get(database):
        return
    task = _finishing.get(database)
    if task is None or task.done():
        task = _finishing[database] = asyncio.create_task(_act_on_standing(database))
    await asyncio.shield(task)


async def _act_on_standing(database: Database) -> None:
    notes = _standing[database]
    for id in sorted(notes):
        try:
            # It may never have been stored, or have been removed without an answer.
            if entry := await database.handle[COLLECTION].find_one({"_id": id}):
                await _again(database, entry)
                log.warning("finished a group of writes that was cut short when the database went away")
        except Exception as error:
            if is_unavailable(error):
                raise
            # It must not stand in the way of everything else.
            log.exception("a group of writes that was cut short is left to the next start")
        notes.discard(id)


async def _redo(database: Database, write: Stored) -> bool:
    """Do a noted write again, unless it was done already; False when it was refused."""
    if "insert" in write:
        target, stored = database.handle[write["insert"]], write["stored"]
        try:
            await target.insert_one(stored)
        except DuplicateKeyError:
            # An ObjectId is nobody else's; under any other id there may be another's document.
            own = {"_id": stored["_id"]} if isinstance(stored["_id"], ObjectId) else stored
            return bool(await target.count_documents(own, limit=1))
        return True
    match = bson.decode(write["match"])
    sought = {"_id": match["_id"]} if write["needed"] and not write["many"] and "_id" in match else None
    if "update" in write:
        target, change = database.handle[write["update"]], bson.decode(write["change"])
        await (
            target.update_many(match, change)
            if write["many"]
            else target.update_one(match, change, upsert=write["upsert"])
        )
        return sought is None or bool(await target.count_documents(sought, limit=1))
    target = database.handle[write["delete"]]
    await (target.delete_many(match) if write["many"] else target.delete_one(match))
    return sought is None or not await target.count_documents(sought, limit=1)


async def _take_back(database: Database, done: Sequence[Stored]) -> None:
    for write in done:
        if "insert" in write:
            await database.handle[write["insert"]].delete_one({"_id": write["stored"]["_id"]})
