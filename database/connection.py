"""Opening the database, waiting for it, and binding the documents to it."""

import asyncio
import contextvars
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

import pymongo
from beanie import Document, init_beanie
from pymongo import MongoClient
from pymongo.errors import ConfigurationError as DriverConfigurationError
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError, WaitQueueTimeoutError

from database.documents import StoredDocument
from database.drivers.choice import AsyncDatabase, Clients, driver
from database.drivers.find_command import FindCommand, FindQuery
from database.errors import DatabaseUnavailable
from database.opening.checks import READING, WRITING, check_disk, check_hello, check_rights
from database.opening.failures import Failure, explain_operation, explain_url, log_ignored_options
from database.opening.servers import explain_servers
from database.queries import Filter

log = logging.getLogger("planner.database")
T = TypeVar("T")
D = TypeVar("D", bound=StoredDocument)

DEFAULT_NAME = "planner"
# Under this name the server lists the connections of a planner.
APPLICATION = "planner"
WAIT_SECONDS = 30.0
# How long one operation waits for the database, and all operations of a request together. Shorter than the election of
# a primary: the caller gets a 503 with Retry-After, and not a request that never ends.
OPERATION_SECONDS = 5.0
REQUEST_SECONDS = 5.0
# A server that has been silent for the sum of both has failed: what waits for it is then ended, and what comes later
# waits for another one. The sum is not less than OPERATION_SECONDS: no slow server is given up that still responds.
HEARTBEAT_SECONDS = 2.0
CONNECT_SECONDS = 3.0
CLOSE_SECONDS = 0.5
INDEX_SECONDS = 3600.0
DATABASE_THREADS = 8
# How long the first attempt to connect waits for a server: the log soon says what is waited for.
FIRST_SECONDS = 1.0


class Operation(NamedTuple):
    """What is asked of the server: the kind of operation, the collection, and the filter if there is one."""

    kind: str
    collection: str = ""
    filter: Filter | None = None


# Called when an operation of the blocking driver has ended, in its thread: with the operation, the time that it waited
# for a thread, and the time that it took there, both in seconds.
OperationObserver = Callable[[Operation, float, float], None]


@dataclass
class RequestLimit:
    """The time at which the operations of a request have to end, by `time.monotonic`; infinite without a limit."""

    ends_at: float = math.inf

    def extend(self) -> None:
        """Begin to count again, because the client took its time to send the next part of the request."""
        if self.ends_at != math.inf:
            self.ends_at = time.monotonic() + REQUEST_SECONDS

    def lift(self) -> None:
        """Give each further operation its own time, however long the request takes."""
        self.ends_at = math.inf


_request_limit: ContextVar[RequestLimit | None] = ContextVar("request_limit", default=None)


@contextmanager
def limit_request() -> Iterator[RequestLimit]:
    """Limit the operations of this task to REQUEST_SECONDS altogether, until the limit is lifted or the block ends."""
    limit = RequestLimit(time.monotonic() + REQUEST_SECONDS)
    token = _request_limit.set(limit)
    try:
        yield limit
    finally:
        # Work that goes on after the request has no limit either.
        limit.lift()
        _request_limit.reset(token)


def lift_request_limit() -> None:
    """Lift the limit of the request that this task handles, because it rightly takes long, such as an import."""
    if (limit := _request_limit.get()) is not None:
        limit.lift()


def extend_request_limit() -> None:
    """Begin to count again for the request that this task handles, because it has waited for its turn until now."""
    if (limit := _request_limit.get()) is not None:
        limit.extend()


def seconds_for_operation() -> float:
    """Return how long the next operation may take: OPERATION_SECONDS, or what is left for the request."""
    limit = _request_limit.get()
    return OPERATION_SECONDS if limit is None else min(OPERATION_SECONDS, limit.ends_at - time.monotonic())


@dataclass(eq=False)
class Database:
    """An open connection: the driver's handles, and whether the server has transactions.

    `sync` and `pool` are the blocking driver and its threads, and `find_command` sends short queries without them; the
    stand-in of the tests has none of these.
    """

    handle: AsyncDatabase
    transactions: bool
    sync: MongoClient[Any] | None = None
    pool: ThreadPoolExecutor | None = field(default=None, repr=False)
    find_command: FindCommand | None = field(default=None, repr=False)
    on_operation: OperationObserver | None = field(default=None, repr=False)
    _working: set[Future[Any]] = field(default_factory=set, repr=False)
    _write_listeners: dict[type[StoredDocument], list[Callable[[], None]]] = field(default_factory=dict, repr=False)
    _insert_listeners: dict[type[StoredDocument], list[Callable[[Any], None]]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The name of the database on its server."""
        return str(self.handle.name)

    def on_insert(self, document: type[D], listener: Callable[[D], None]) -> None:
        """Have `listener` called with each such document that this process has inserted, when it is committed."""
        self._insert_listeners.setdefault(document, []).append(listener)

    def on_write(self, document: type[StoredDocument], listener: Callable[[], None]) -> None:
        """Have `listener` called when this process has inserted, updated or deleted such documents in a group."""
        self._write_listeners.setdefault(document, []).append(listener)

    def notify_written(self, documents: Iterable[type[Document]]) -> None:
        """Call the listeners of documents of these kinds, which have just been committed."""
        for document in self._write_listeners.keys() & set(documents):
            for listener in self._write_listeners[document]:
                listener()

    def notify_inserted(self, document: StoredDocument) -> None:
        """Call the listeners of a document that has just been committed."""
        for listener in self._insert_listeners.get(type(document), ()):
            listener(document)

    async def run_in_thread(
        self, operation: Operation, work: Callable[[MongoClient[Any]], T], seconds: float | None = None
    ) -> T:
        """Run `work`, an operation, on the blocking driver in a thread, within `seconds`.

        Without `seconds`, it may take OPERATION_SECONDS, or what is left for the request.

        The asynchronous driver is the blocking one behind a thread pool, with a change of threads for
        each call; work of four calls, such as a transaction, costs one change this way instead of four.

        The time counts from now, not from when a thread is free: while the database does not respond,
        all threads wait for it, and whoever waits for a thread must learn of it as soon. Raises one of
        `UNAVAILABLE_ERRORS` when the time is up.
        """
        assert self.sync is not None and self.pool is not None
        asked = time.monotonic()
        deadline = asked + (seconds_for_operation() if seconds is None else seconds)

        def run_until_deadline(client: MongoClient[Any]) -> T:
            begun = time.monotonic()
            try:
                if begun >= deadline:
                    raise WaitQueueTimeoutError("every thread was waiting for the database")
                with pymongo.timeout(deadline - begun):
                    return work(client)
            finally:
                self._report(operation, asked, begun)

        # With the context of the caller, what is logged and traced in the thread has the id of the request.
        run = contextvars.copy_context().run
        working = self.pool.submit(run, run_until_deadline, self.sync)
        self._working.add(working)
        working.add_done_callback(self._working.discard)
        return await asyncio.wrap_future(working)

    async def send_find(self, operation: Operation, query: FindQuery) -> list[bytes] | None:
        """Return the documents that a query finds within the time of an operation, or None if only a cursor can.

        See `FindCommand.send`. It costs no change of threads, and much less than `run_in_thread`.
        """
        if self.find_command is None:
            return None
        asked = time.monotonic()
        deadline = asked + seconds_for_operation()
        async with self.find_command.slots:
            begun = time.monotonic()
            try:
                if begun >= deadline:
                    raise WaitQueueTimeoutError("every connection was waiting for the database")
                return await self.find_command.send(query, deadline - begun)
            finally:
                self._report(operation, asked, begun)

    def _report(self, operation: Operation, asked: float, begun: float) -> None:
        """Tell the observer of an operation that has ended now; both times are by `time.monotonic`."""
        if self.on_operation is not None:
            self.on_operation(operation, begun - asked, time.monotonic() - begun)

    async def ping(self) -> None:
        """Ask the server for a response; raises one of `UNAVAILABLE_ERRORS` when there is none."""
        await self.handle.command("ping")

    async def close(self) -> None:
        """Close every connection. What its threads are doing has CLOSE_SECONDS to end, because a server may hang."""
        # The threads first: a transaction that loses its connection stays open on the server, and other writes of the
        # same documents wait meanwhile (`transactions/abandoned.py`).
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(wait, list(self._working), CLOSE_SECONDS)
        # The driver tells the server which sessions end, and must not wait for one that does not respond.
        with pymongo.timeout(CLOSE_SECONDS):
            if self.sync is None or self.find_command is None:
                self.handle.client.close()
            else:
                await driver.close(Clients(self.handle.client, self.sync, self.find_command.client))


def hosts_of(url: str) -> str:
    """Return the host or hosts of a URL, for messages: never its user or password."""
    hosts = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return unquote(hosts.rpartition("@")[2])


async def open_database(url: str, wait: float | None = None, threads: int = DATABASE_THREADS) -> Database:
    """Connect to `url`; while the server is unavailable, retry with back-off for up to `wait` seconds (WAIT_SECONDS).

    The blocking driver gets so many `threads`, and as many queries that need none are sent at the same time. Raises
    `DatabaseUnavailable`, which says why and what to do: when the time is up, and at once when waiting cannot help,
    such as for a wrong password.
    """
    place, limit = hosts_of(url), WAIT_SECONDS if wait is None else wait
    begun, pause, patience, logged = time.monotonic(), 0.25, FIRST_SECONDS, ""
    ignored_options: set[str] = set()
    while True:
        left = max(begun + limit - time.monotonic(), pause)
        found = await _try_to_open(url, min(patience, left, OPERATION_SECONDS), threads, ignored_options)
        if isinstance(found, Database):
            return found
        longest = min(limit, found.patience)
        if longest and found.reason != logged:
            log.warning("waiting for the database at %s: %s", place, found.reason)
            logged = found.reason
        if time.monotonic() + pause > begun + longest:
            raise DatabaseUnavailable(found.describe(place, longest))
        await asyncio.sleep(pause)
        pause, patience = min(pause * 2, 2.0), patience * 2


async def _try_to_open(url: str, patience: float, threads: int, ignored_options: set[str]) -> Database | Failure:
    """Return the database of a URL if there is a primary within some seconds, or why there is none."""
    try:
        with log_ignored_options(url, ignored_options):
            clients = driver.connect(
                url,
                tz_aware=True,
                w="majority",
                retryWrites=True,
                retryReads=True,
                timeoutMS=int(OPERATION_SECONDS * 1000),
                connectTimeoutMS=int(CONNECT_SECONDS * 1000),
                heartbeatFrequencyMS=int(HEARTBEAT_SECONDS * 1000),
                appname=APPLICATION,
            )
        handle = clients.asynchronous.get_default_database(default=DEFAULT_NAME)
    except (PyMongoError, OSError, ValueError) as error:
        return explain_url(error, url)
    try:
        with pymongo.timeout(patience):
            hello = await clients.asynchronous.admin.command("hello")
            failure = check_hello(hello)
            if failure is None:
                # Credentials are first checked by a command that needs them.
                await handle.command("listCollections", nameOnly=True, filter={"name": "users"})
                return Database(
                    handle=handle,
                    transactions=bool(hello.get("setName")) or hello.get("msg") == "isdbgrid",
                    sync=clients.blocking,
                    pool=ThreadPoolExecutor(threads, thread_name_prefix="database"),
                    find_command=FindCommand(clients.finding, str(handle.name), threads),
                )
    except ServerSelectionTimeoutError:
        failure = await explain_servers(clients.blocking, url, hosts_of(url))
    except DriverConfigurationError as error:
        failure = explain_url(error, url)
    except PyMongoError as error:
        failure = explain_operation(error)
    await driver.close(clients)
    return failure


async def check_database(database: Database, url: str, *, reads_only: bool = False) -> None:
    """Check that the user of a URL has the rights that are needed, and that the disk of the server is not full.

    Raises `DatabaseUnavailable`, which says what to do.
    """
    rights = READING if reads_only else WRITING
    failure = await check_rights(database.handle, rights) or await check_disk(database.handle)
    if failure is not None:
        raise DatabaseUnavailable(failure.describe(hosts_of(url)))


_bound: Database | None = None


async def bind(database: Database, documents: Sequence[type[StoredDocument]]) -> None:
    """Bind the documents to a database, and create their indexes.

    Beanie binds a document class to one database for the whole process, and this module does the
    same, so that a write and its document cannot disagree.
    """
    global _bound  # noqa: PLW0603
    # Building an index over much data takes longer than any request may.
    with pymongo.timeout(INDEX_SECONDS):
        await init_beanie(database=database.handle, document_models=list(documents))
    # Beanie has replaced the names of the fields by expressions that are equal to anything.
    for document in documents:
        document.name_fields()
    _bound = database


def bound_database() -> Database:
    """Return the database that the documents are bound to."""
    assert _bound is not None, "no database is open"
    return _bound


def collection_name(document: type[Document]) -> str:
    """Return the name of the collection of a document."""
    return str(document.get_settings().name)
