"""The command `find` on a connection of the driver, without the driver's layers above connections.

Most of what requests ask of the database is one short `find`. The driver's cursors and commands cost several times as
much processor time as the exchange of the two messages. So this module writes the message (OP_MSG of the MongoDB wire
protocol) itself. It leaves to the driver what is hard: finding the primary, connections with TLS and authentication,
the pool of them, and what an error says of a server.

For the latter it uses names of the driver that are not public. `is_possible` returns whether they are there; when they
are not, and for whatever a plain `find` cannot do, the caller asks through a cursor, which is slower and does all.
"""

import asyncio
import itertools
import struct
from typing import Any, NamedTuple

import bson
import pymongo
from pymongo import AsyncMongoClient, ReadPreference
from pymongo.errors import ConnectionFailure, ExecutionTimeout

from database.queries import Filter, Projection

# The head of a message: length, request id, id that is responded to, opcode; then flags, and the kind of the section.
_HEAD = struct.Struct("<iiiiIB")
_OP_MSG, _BODY = 2013, 0
# The server ends a query so long before its time is up here, so that its reply says why.
_REPLY_MILLISECONDS = 10
_EXECUTION_TIMEOUT = 50
# A reply has the flags and the kind before its document; that begins with its length and, after a success, `cursor`.
_DOCUMENT_START = 5
_CURSOR = b"\x03cursor\0"
_CURSOR_START = _DOCUMENT_START + 4 + len(_CURSOR)
# A cursor begins with its length and the documents: an array (BSON type 4), which begins with its length.
_FIRST_BATCH = b"\x04firstBatch\0"
_ARRAY_START = _CURSOR_START + 4 + len(_FIRST_BATCH)
# After the documents comes the id of the cursor, an int64. It is 0 when the reply has all of them.
_NO_MORE = b"\x12id\0" + bytes(8)


class FindQuery(NamedTuple):
    """A query for the first `limit` documents of a collection that match, in order; a limit of 0 is none."""

    collection: str
    match: Filter
    fields: Projection | None = None
    order: tuple[tuple[Any, int], ...] = ()
    limit: int = 0


class FindCommand:
    """Sends queries to one database over the connections of a client; no more than `slots` at the same time."""

    def __init__(self, client: AsyncMongoClient[Any], database: str, slots: int) -> None:
        self.client = client
        self.slots = asyncio.Semaphore(slots)
        target = client.get_database(database)
        self._options: dict[str, Any] = {"$db": database}
        # What the URL says of reading; a command does not take it from there itself.
        if concern := target.read_concern.document:
            self._options["readConcern"] = concern
        self._request_ids = itertools.count(1)
        self._is_possible = is_possible(client)

    async def send(self, query: FindQuery, seconds: float) -> list[bytes] | None:
        """Return the documents that a query finds, as bytes; or None if only a cursor can.

        That is without a limit, when they do not fit into one reply (16 MB), when the collection does not exist, and
        when the server or the connection failed: the driver repeats what fails for a moment, such as during the
        election of a primary. Raises `NetworkTimeout` when there is no reply within `seconds`,
        `ServerSelectionTimeoutError` when there is no primary until then, and `ExecutionTimeout` when the server says
        that it took too long.
        """
        if not self._is_possible or not query.limit:
            return None
        try:
            reply = await self._exchange(self._encode(query, seconds), seconds)
        except ConnectionFailure as error:
            if error.timeout:
                raise
            return None
        found = split_reply(reply)
        if found is None:
            await self._end(reply, query.collection)
        return found

    async def _end(self, reply: bytes, collection: str) -> None:
        """End what a reply leaves open on the server; raises `ExecutionTimeout` if it says so."""
        body = bson.decode(reply[_DOCUMENT_START:])
        if body.get("code") == _EXECUTION_TIMEOUT:
            raise ExecutionTimeout(body.get("errmsg", ""), _EXECUTION_TIMEOUT, body)
        if id := body.get("cursor", {}).get("id"):
            await self.client.get_database(self._options["$db"]).command("killCursors", collection, cursors=[id])

    def _encode(self, query: FindQuery, seconds: float) -> bytes:
        command: dict[str, Any] = {"find": query.collection, "filter": query.match}
        if query.fields:
            command["projection"] = query.fields
        if query.order:
            command["sort"] = dict(query.order)
        command |= {"limit": query.limit, "batchSize": query.limit}
        command["maxTimeMS"] = max(1, int(seconds * 1000) - _REPLY_MILLISECONDS)
        return bson.encode(command | self._options)

    async def _exchange(self, document: bytes, seconds: float) -> bytes:
        """Send the document of a command, and return the message that responds to it."""
        id = next(self._request_ids) & 0x7FFFFFFF
        message = _HEAD.pack(_HEAD.size + len(document), id, 0, _OP_MSG, 0, _BODY) + document
        client: Any = self.client
        ends_at = asyncio.get_running_loop().time() + seconds
        # The driver limits by itself how long it looks for the primary and connects to it. A cancellation would not do:
        # it is lost when what the driver waits for happens at the same moment.
        with pymongo.timeout(seconds):
            async with await client._conn_for_reads(ReadPreference.PRIMARY, None, "find") as (connection, _):
                try:
                    async with asyncio.timeout_at(ends_at):
                        stream = connection.conn.get_conn
                        await stream.write(message)
                        reply, _ = await stream.read(id, connection.max_message_size)
                except BaseException as error:  # noqa: BLE001 - it is raised again
                    # Also when the caller was cancelled: what arrives later must not be the reply to another command.
                    await connection._raise_connection_failure(error)
        return bytes(reply)


def is_possible(client: AsyncMongoClient[Any]) -> bool:
    """Return whether queries can be sent over the connections of this client.

    They cannot if the driver has no such connections, if the URL asks for other servers than the primary, and if
    something listens to the commands that the driver sends, such as traces.
    """
    return (
        hasattr(client, "_conn_for_reads")
        and client.read_preference == ReadPreference.PRIMARY
        and not client.options.event_listeners
    )


def split_reply(reply: bytes) -> list[bytes] | None:
    """Return the documents in the reply to a `find`, or None if it does not have exactly those."""
    if not reply.startswith(_CURSOR, _DOCUMENT_START + 4) or not reply.startswith(_FIRST_BATCH, _CURSOR_START + 4):
        return None  # An error; or no such collection: then the server sends the fields in another order.
    end = _ARRAY_START + int.from_bytes(reply[_ARRAY_START : _ARRAY_START + 4], "little")
    if not reply.startswith(_NO_MORE, end):
        return None
    documents, start = [], _ARRAY_START + 4
    # Each element is a type, its index as a text that ends with NUL, and the document; a NUL ends the array.
    while start < end - 1:
        start = reply.index(b"\0", start) + 1
        size = int.from_bytes(reply[start : start + 4], "little")
        documents.append(reply[start : start + size])
        start += size
    return documents
