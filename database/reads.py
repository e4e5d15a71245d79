"""Stored documents as the bytes the server sent.

A document's bytes are what its JSON is a pure function of, so whoever renders them can
remember the result by them, and never shows anything but what the database holds now.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Any

import bson
from beanie import Document
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.cursor import RawBatchCursor

from database.connection import bound, collection
from database.queries import Filter, Id, Stored

_AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
Order = list[tuple[str, int]]


def decode(raw: bytes) -> Stored:
    """The document in `raw`, with aware datetimes."""
    return bson.decode(raw, codec_options=_AWARE)


def encode(stored: Stored) -> bytes:
    """The bytes of a document: what `decode` makes it of."""
    return bson.encode(stored)


async def page(
    document: type[Document], match: Filter, order: Order | None, limit: int, fields: Filter | None = None
) -> list[bytes]:
    """The first `limit` documents that match, in order; a limit of 0 is none."""
    database = bound()
    name = collection(document)
    if database.sync is None:
        cursor = database.handle[name].find(match, fields, sort=order, limit=limit)
        return [bson.encode(stored) for stored in await cursor.to_list(limit or None)]

    def work(client: MongoClient[Any]) -> bytes:
        found = client[database.name][name].find_raw_batches(match, fields, sort=order, limit=limit, batch_size=limit)
        return b"".join(found)

    async def ask() -> list[bytes]:
        return _split(await database.run_in_thread(work))

    question = (database, name, bson.encode(match), tuple(order or ()), limit, bson.encode(fields or {}))
    return list(await _pages.ask(question, ask))


class _Shared:
    """Questions that are asked in the same words in the same turn of the event loop are asked once.

    Many people look at the same public list. As with `Loader`, nothing is remembered between
    turns: every answer was read after it was asked for.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, asyncio.Future[list[bytes]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Hashable, ask: Callable[[], Awaitable[list[bytes]]]) -> list[bytes]:
        """What `ask` answers, which is called once for all who have this question now."""
        future = self._waiting.get(question)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[question] = loop.create_future()
            loop.call_soon(self._send, loop, question, ask)
        # Shielded: a caller who hangs up must not cancel it for those who wait along.
        return await asyncio.shield(future)

    def _send(
        self, loop: asyncio.AbstractEventLoop, question: Hashable, ask: Callable[[], Awaitable[list[bytes]]]
    ) -> None:
        task = loop.create_task(_settle(self._waiting.pop(question), ask))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _settle(future: asyncio.Future[list[bytes]], ask: Callable[[], Awaitable[list[bytes]]]) -> None:
    try:
        found = await ask()
    except BaseException as error:
        if not future.done():
            future.set_exception(error)
            future.exception()  # Seen, even when every caller has hung up.
        if not isinstance(error, Exception):
            raise
        return
    if not future.done():
        future.set_result(found)


_pages = _Shared()


async def batches(
    document: type[Document], match: Filter, size: int, fields: Filter | None = None
) -> AsyncIterator[list[bytes]]:
    """All documents that match, some at a time, in no order; for what may be many."""
    database, name = bound(), collection(document)
    if database.sync is None:
        for at in range(0, len(found := await page(document, match, None, 0, fields)), size):
            yield found[at : at + size]
        return
    cursors: list[RawBatchCursor[Any]] = []

    def work(client: MongoClient[Any]) -> list[bytes]:
        if not cursors:
            cursors.append(client[database.name][name].find_raw_batches(match, fields, batch_size=size))
        return _split(next(cursors[0], b""))

    try:
        while found := await database.run_in_thread(work):
            yield found
            # The server says so when a batch was the last one: then there is nothing more to ask for.
            if not cursors[0].alive:
                return
    finally:
        if cursors and cursors[0].alive:
            await database.run_in_thread(lambda _: cursors[0].close())


def _split(batches: bytes) -> list[bytes]:
    # Each BSON document begins with its own length, four bytes little-endian.
    documents, start = [], 0
    while start < len(batches):
        end = start + int.from_bytes(batches[start : start + 4], "little")
        documents.append(batches[start:end])
        start = end
    return documents


class Loader:
    """Reads documents by id; ids asked for in the same turn of the event loop share a query.

    Under load most of a read's cost is the trip to the server, and requests arrive
    together. A lone read goes out at once, in the same turn. Nothing is remembered
    between turns: every answer was read after it was asked for.
    """

    def __init__(self, document: type[Document]) -> None:
        self._document = document
        self._waiting: dict[Id, asyncio.Future[bytes | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, id: Id) -> bytes | None:
        """The document with this id, or None."""
        future = self._waiting.get(id)
        if future is None:
            loop = asyncio.get_running_loop()
            if not self._waiting:
                loop.call_soon(self._send, loop)
            future = self._waiting[id] = loop.create_future()
        # Shielded: a caller who hangs up must not cancel it for those who wait along.
        return await asyncio.shield(future)

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, {}
        task = loop.create_task(self._read(waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, waiting: dict[Id, asyncio.Future[bytes | None]]) -> None:
        try:
            found = await by_ids(self._document, list(waiting))
        except BaseException as error:
            for future in waiting.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # Seen, even when every caller has hung up.
            if not isinstance(error, Exception):
                raise
            return
        for id, future in waiting.items():
            if not future.done():
                future.set_result(found.get(id))


async def by_ids(document: type[Document], ids: list[Id]) -> dict[Id, bytes]:
    """The documents with these ids, those that are there."""
    database, name = bound(), collection(document)
    match: Filter = {"_id": ids[0] if len(ids) == 1 else {"$in": ids}}
    if database.sync is None:
        cursor = database.handle[name].find(match)
        return {stored["_id"]: bson.encode(stored) for stored in await cursor.to_list(None)}

    def work(client: MongoClient[Any]) -> dict[Id, bytes]:
        found = client[database.name][name].find_raw_batches(match, limit=len(ids), batch_size=len(ids))
        # The server stores `_id` first: its 12 bytes follow the length and the element's head.
        return {Id(raw[9:21]): raw for raw in _split(b"".join(found))}

    return await database.run_in_thread(work)
