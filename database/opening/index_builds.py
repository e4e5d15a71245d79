"""Building the indexes that are missing, and saying how far that is."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pymongo
from pymongo import IndexModel
from pymongo.errors import OperationFailure, PyMongoError

from database.connection import INDEX_SECONDS, Database
from database.documents import StoredDocument

log = logging.getLogger("planner.database")
# The first report comes soon, so that whoever waits for a start knows why; the next ones less often.
FIRST_REPORT_SECONDS, REPORT_SECONDS = 2.0, 10.0


class MissingIndexes(NamedTuple):
    """The indexes that a collection does not have yet, and about how many documents it has."""

    collection: str
    indexes: list[IndexModel]
    documents: int


async def build_indexes(database: Database, documents: Sequence[type[StoredDocument]]) -> None:
    """Build the missing indexes of all collections that are not empty, and log what is built and how far it is.

    Indexes of empty collections are created when the documents are bound, which takes no time.
    """
    for document in documents:
        missing = await find_missing_indexes(database, document)
        if missing.indexes and missing.documents:
            await _build(database, missing)


async def find_missing_indexes(database: Database, document: type[StoredDocument]) -> MissingIndexes:
    """Return the declared indexes of a document class that its collection does not have, by their names."""
    settings: Any = document.__dict__["Settings"]
    collection = database.handle[settings.name]
    declared: list[IndexModel] = list(getattr(settings, "indexes", []))
    existing = (await collection.index_information()).keys() if declared else ()
    missing = [index for index in declared if index.document["name"] not in existing]
    return MissingIndexes(settings.name, missing, await collection.estimated_document_count() if missing else 0)


async def _build(database: Database, missing: MissingIndexes) -> None:
    names = ", ".join(str(index.document["name"]) for index in missing.indexes)
    log.info(
        "building %d index(es) of %s, which has %d documents: %s",
        *(len(missing.indexes), missing.collection, missing.documents, names),
    )
    begun = time.monotonic()
    report = asyncio.create_task(_report_progress(database, missing.collection, begun))
    try:
        with pymongo.timeout(INDEX_SECONDS):
            await database.handle[missing.collection].create_indexes(missing.indexes)
    finally:
        report.cancel()
    log.info("built the indexes of %s in %.0f s", missing.collection, time.monotonic() - begun)


async def _report_progress(database: Database, collection: str, begun: float) -> None:
    """Log how far the server is with the indexes of a collection, until the task is cancelled."""
    pause = FIRST_REPORT_SECONDS
    while True:
        await asyncio.sleep(pause)
        pause = REPORT_SECONDS
        try:
            found = await database.handle.client.admin.command(
                {"aggregate": 1, "pipeline": [{"$currentOp": {"allUsers": True, "localOps": True}}], "cursor": {}}
            )
            progress = describe_progress(found["cursor"]["firstBatch"], f"{database.name}.{collection}")
        except OperationFailure:
            progress = "the server does not tell how far it is"  # That needs rights which not every account has.
        except PyMongoError:
            continue
        log.info("building indexes of %s for %.0f s: %s", collection, time.monotonic() - begun, progress)


def describe_progress(operations: Iterable[Mapping[str, Any]], namespace: str) -> str:
    """Return what the server says of the index builds of a collection, from its current operations."""
    for operation in operations:
        if "createIndexes" not in operation.get("command", {}) or operation.get("ns") != namespace:
            continue
        progress = operation.get("progress")
        if progress and progress.get("total"):
            done, total = progress["done"], progress["total"]
            # Such as "Index Build: scanning collection Index Build: scanning collection: 10/100 10%".
            step = str(operation.get("msg", "")).split(":")[1:2]
            return f"{''.join(step).removesuffix('Index Build').strip()}, {done} of {total} ({100 * done // total} %)"
    return "the server is between two steps"
