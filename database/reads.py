"""Reading documents, typed; and as the bytes that the server sent, where they are hot.

A rendered document is a pure function of its bytes. Whoever renders documents can therefore cache
the result by the bytes, and never shows anything but what the database holds now.
"""

from collections.abc import AsyncIterator
from typing import Any, Generic, NamedTuple, TypeVar

import bson
from bson.raw_bson import DEFAULT_RAW_BSON_OPTIONS
from pymongo import MongoClient
from pymongo.cursor import RawBatchCursor
from pymongo.errors import ConnectionFailure, OperationFailure

from database.connection import Operation, bound_database, collection_name
from database.documents import StoredDocument
from database.queries import Filter, Id, Projection
from database.single_flight import SingleFlight

D = TypeVar("D", bound=StoredDocument)
T = TypeVar("T")
Order = list[tuple[Any, int]]
# The documents are the first field of a reply: an array (BSON type 4), after the four bytes of the length of it all.
_FIRST_BATCH = b"\x04firstBatch\0"
_ARRAY_START = 4 + len(_FIRST_BATCH)


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

    query = _FindQuery(name, match, fields, tuple(order or ()), limit)

    async def ask() -> list[bytes]:
        return await database.run_in_thread(
            Operation("find", name, match), lambda client: _find_raw_documents(client, database.name, query)
        )

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

    query = _FindQuery(name, match, document.fields_to_read, limit=len(ids))
    found = await database.run_in_thread(
        Operation("find", name, match), lambda client: _find_raw_documents(client, database.name, query)
    )
    # The server stores `_id` first: its 12 bytes follow the length and the element's head.
    return {Id(raw[9:21]): raw for raw in found}


class _FindQuery(NamedTuple):
    """A query for the first `limit` documents of a collection that match, in order; a limit of 0 is none."""

    collection: str
    match: Filter
    fields: Projection | None = None
    order: tuple[tuple[Any, int], ...] = ()
    limit: int = 0


def _find_raw_documents(client: MongoClient[Any], database: str, query: _FindQuery) -> list[bytes]:
    """Return the documents that a query finds, as bytes.

    A cursor of the driver costs half as much processor time again as the command `find`, because it is made for results
    of any length. It reads a result without a limit, or of more than the 16 MB of one reply; and one whose command
    failed, because the driver repeats what fails for a moment, such as during the election of a primary, but no
    commands.
    """
    found = _ask_once(client, database, query) if query.limit else None
    return _read_with_cursor(client, database, query) if found is None else found


def _read_with_cursor(client: MongoClient[Any], database: str, query: _FindQuery) -> list[bytes]:
    batches = client[database][query.collection].find_raw_batches(
        query.match, query.fields, sort=list(query.order) or None, limit=query.limit, batch_size=query.limit
    )
    return _split_documents(b"".join(batches))


def _ask_once(client: MongoClient[Any], database: str, query: _FindQuery) -> list[bytes] | None:
    """Return the documents, or None if they did not come with one reply."""
    target = client[database]
    command = {"find": query.collection, "filter": query.match, "limit": query.limit, "batchSize": query.limit}
    command |= {"projection": query.fields} if query.fields else {}
    command |= {"sort": dict(query.order)} if query.order else {}
    # What the address of the database says of reading; a command does not take it from there itself.
    command |= {"readConcern": concern} if (concern := target.read_concern.document) else {}
    try:
        reply = target.command(command, read_preference=target.read_preference, codec_options=DEFAULT_RAW_BSON_OPTIONS)
    except (ConnectionFailure, OperationFailure) as error:
        if error.timeout:
            raise
        return None
    cursor = reply["cursor"]
    raw = bytes(cursor.raw)
    if not raw.startswith(_FIRST_BATCH, 4):
        return None  # Of a collection that does not exist, the server sends the fields in another order.
    documents, rest = _split_reply(raw)
    # What follows the documents begins with the id of the cursor, an int64, which is 0 if there are no more of them.
    if rest.startswith(b"\x12id\0" + bytes(8)):
        return documents
    target.command("killCursors", query.collection, cursors=[cursor["id"]])
    return None


def _split_reply(cursor: bytes) -> tuple[list[bytes], bytes]:
    """Return the documents in the `cursor` of a reply, and the bytes that follow them."""
    end = _ARRAY_START + int.from_bytes(cursor[_ARRAY_START : _ARRAY_START + 4], "little")
    documents, start = [], _ARRAY_START + 4
    # Each element is a type, its index as a text that ends with NUL, and the document; a NUL ends the array.
    while start < end - 1:
        start = cursor.index(b"\0", start) + 1
        size = int.from_bytes(cursor[start : start + 4], "little")
        documents.append(cursor[start : start + size])
        start += size
    return documents, cursor[end:]


def _split_documents(batches: bytes) -> list[bytes]:
    """Return the documents in these bytes, which are one after the other."""
    # Each BSON document begins with its own length, four bytes little-endian.
    documents, start = [], 0
    while start < len(batches):
        end = start + int.from_bytes(batches[start : start + 4], "little")
        documents.append(batches[start:end])
        start = end
    return documents
