"""Reading documents, typed; and as the bytes that the server sent, where they are hot.

A rendered document is a pure function of its bytes. Whoever renders documents can therefore cache
the result by the bytes, and never shows anything but what the database holds now.
"""

import time
from collections.abc import AsyncIterator
from typing import Any, Generic, NamedTuple, TypeVar

import bson
from pymongo import MongoClient
from pymongo.cursor import RawBatchCursor

from database.connection import Database, Operation, bound_database, collection_name, seconds_for_operation
from database.documents import StoredDocument
from database.drivers.find_command import FindQuery
from database.queries import Filter, Id, Projection
from database.single_flight import SingleFlight

D = TypeVar("D", bound=StoredDocument)
T = TypeVar("T")
Order = list[tuple[Any, int]]


class Slice(NamedTuple, Generic[T]):
    """The first items of a list, and whether there are more."""

    items: list[T]
    has_more: bool


async def find_one(document: type[D], match: Filter, fields: Projection | None = None) -> D | None:
    """Return the first document that matches, or None."""
    found = await find_raw(document, match, limit=1, fields=fields)
    return document.from_raw(found[0]) if found else None


async def find(
    document: type[D], match: Filter, *, order: Order | None = None, limit: int = 0, fields: Projection | None = None
) -> list[D]:
    """Return the first `limit` documents that match, in order; a limit of 0 is none."""
    return [document.from_raw(raw) for raw in await find_raw(document, match, order=order, limit=limit, fields=fields)]


async def find_slice(
    document: type[D],
    match: Filter,
    after: Id | None,
    limit: int,
    *,
    newest_first: bool = False,
    fields: Projection | None = None,
) -> Slice[D]:
    """Return the first `limit` documents that match and come after the id `after`, in order of id."""
    if after is not None:
        match = {**match, "_id": {"$lt" if newest_first else "$gt": after}}
    order: Order = [("_id", -1 if newest_first else 1)]
    found = await find(document, match, order=order, limit=limit + 1, fields=fields)
    return Slice(found[:limit], len(found) > limit)


async def exists(document: type[StoredDocument], match: Filter) -> bool:
    """Return whether a document matches."""
    return bool(await find_raw(document, match, limit=1, fields={"_id": 1}))


async def has_at_least(document: type[StoredDocument], match: Filter, least: int) -> bool:
    """Return whether so many documents match; no more of them are looked at."""
    return len(await find_raw(document, match, limit=least, fields={"_id": 1})) == least


async def count(document: type[StoredDocument], match: Filter, limit: int = 0) -> int:
    """Return how many documents match, or `limit` if that many do; without a filter the server's estimate."""
    database, name = bound_database(), collection_name(document)
    options: dict[str, Any] = {"limit": limit} if limit else {}
    if database.sync is None:
        return int(await database.handle[name].count_documents(match, **options))

    def read(client: MongoClient[Any]) -> int:
        collection = client[database.name][name]
        if not match and not limit:
            return collection.estimated_document_count()
        return collection.count_documents(match, **options)

    return await database.run_in_thread(Operation("count", name, match), read)


async def find_raw(
    document: type[StoredDocument],
    match: Filter,
    *,
    order: Order | None = None,
    limit: int = 0,
    fields: Projection | None = None,
) -> list[bytes]:
    """Return the first `limit` documents that match, in order, as bytes; a limit of 0 is none.

    Equal queries that are made at the same moment share one trip to the server.
    """
    database, name = bound_database(), collection_name(document)
    fields = document.fields_to_read if fields is None else fields
    if database.sync is None:
        cursor = database.handle[name].find(match, fields, sort=order, limit=limit)
        return [bson.encode(stored) for stored in await cursor.to_list(limit or None)]

    query = FindQuery(name, match, fields, tuple(order or ()), limit)

    async def ask() -> list[bytes]:
        return await _find_documents(database, query)

    key = (database, name, bson.encode(match), query.order, limit, bson.encode(fields or {}))
    return list(await _queries.run(key, ask))


_queries: SingleFlight[list[bytes]] = SingleFlight()


async def find_raw_batches(
    document: type[StoredDocument], match: Filter, size: int, fields: Projection | None = None
) -> AsyncIterator[list[bytes]]:
    """Yield all documents that match, as bytes, `size` at a time, in no order."""
    database, name = bound_database(), collection_name(document)
    fields = document.fields_to_read if fields is None else fields
    if database.sync is None:
        for at in range(0, len(found := await find_raw(document, match, fields=fields)), size):
            yield found[at : at + size]
        return
    cursors: list[RawBatchCursor[Any]] = []

    def read(client: MongoClient[Any]) -> list[bytes]:
        if not cursors:
            cursors.append(client[database.name][name].find_raw_batches(match, fields, batch_size=size))
        return _split_documents(next(cursors[0], b""))

    try:
        while found := await database.run_in_thread(Operation("find", name, match), read):
            yield found
            # The server says with a batch that it was the last one: then there is nothing more to ask for.
            if not cursors[0].alive:
                return
    finally:
        if cursors and cursors[0].alive:
            await database.run_in_thread(Operation("killCursors", name), lambda _: cursors[0].close())


class Loader(Generic[D]):
    """Reads documents by id; ids that are asked for at the same moment share one query.

    Under load the trip to the server is most of what such a read costs, and requests arrive
    together. A lone read is sent at once. Nothing is cached: every result was read after it was
    asked for.
    """

    def __init__(self, document: type[D]) -> None:
        self._document = document
        self._ids: dict[Id, None] = {}
        self._reads: SingleFlight[dict[Id, bytes]] = SingleFlight()

    async def get_raw(self, id: Id) -> bytes | None:
        """Return the document with this id as bytes, or None."""
        self._ids[id] = None
        return (await self._reads.run("ids", self._read)).get(id)

    async def get(self, id: Id) -> D | None:
        """Return the document with this id, or None."""
        raw = await self.get_raw(id)
        return None if raw is None else self._document.from_raw(raw)

    async def _read(self) -> dict[Id, bytes]:
        ids, self._ids = self._ids, {}
        return await find_raw_by_ids(self._document, list(ids))


async def find_raw_by_ids(document: type[StoredDocument], ids: list[Id]) -> dict[Id, bytes]:
    """Return the documents with these ids, those that exist, as bytes by their id."""
    database, name = bound_database(), collection_name(document)
    match: Filter = {"_id": ids[0] if len(ids) == 1 else {"$in": ids}}
    if database.sync is None:
        cursor = database.handle[name].find(match, document.fields_to_read)
        return {stored["_id"]: bson.encode(stored) for stored in await cursor.to_list(None)}

    found = await _find_documents(database, FindQuery(name, match, document.fields_to_read, limit=len(ids)))
    # The server stores `_id` first: its 12 bytes follow the length and the element's head.
    return {Id(raw[9:21]): raw for raw in found}


async def _find_documents(database: Database, query: FindQuery) -> list[bytes]:
    """Return the documents that a query finds, as bytes: with one command if that is possible, else with a cursor."""
    operation = Operation("find", query.collection, query.match)
    ends_at = time.monotonic() + seconds_for_operation()
    if (found := await database.send_find(operation, query)) is not None:
        return found
    # Both attempts are one operation: whoever stops the planner waits for it, and no longer than for any other.
    left = ends_at - time.monotonic()
    return await database.run_in_thread(operation, lambda client: _read_with_cursor(client, database.name, query), left)


def _read_with_cursor(client: MongoClient[Any], database: str, query: FindQuery) -> list[bytes]:
    batches = client[database][query.collection].find_raw_batches(
        query.match, query.fields, sort=list(query.order) or None, limit=query.limit, batch_size=query.limit
    )
    return _split_documents(b"".join(batches))


def _split_documents(batches: bytes) -> list[bytes]:
    """Return the documents in these bytes, which are one after the other."""
    # Each BSON document begins with its own length, four bytes little-endian.
    documents, start = [], 0
    while start < len(batches):
        end = start + int.from_bytes(batches[start : start + 4], "little")
        documents.append(batches[start:end])
        start = end
    return documents
