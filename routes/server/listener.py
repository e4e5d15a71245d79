"""Accepting new connections, several at a time."""

import asyncio
import logging
import socket
from collections.abc import Callable

from planner.errors import ConfigurationError

log = logging.getLogger("planner.http")
# So many connections are accepted in one turn of the event loop. The first turn takes one, so that other worker
# processes get their share, and each further turn twice as many for as long as more are waiting.
MOST_AT_A_TIME = 64
# How long nothing is accepted after the system has refused, such as because no more files can be opened.
PAUSE_SECONDS = 0.5


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that has this address; raises `ConfigurationError` when it is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"{host}:{port} is not available: {error.strerror}. Set HOST or PORT.") from None
    listener.set_inheritable(True)
    return listener


class Listener:
    """Accepts the connections of one listening socket, which is closed by whoever opened it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol_factory: Callable[[], asyncio.Protocol],
        sock: socket.socket,
        backlog: int,
    ) -> None:
        self.sockets = (sock,)
        self._loop = loop
        self._protocol_factory = protocol_factory
        self._sock = sock
        self._batch = 1
        self._is_closed = False
        self._is_failing = False
        self._tasks: set[asyncio.Task[object]] = set()
        sock.listen(backlog)
        sock.setblocking(False)
        loop.add_reader(sock.fileno(), self._accept_some)

    def close(self) -> None:
        """Accept nothing more."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._sock.fileno())

    async def wait_closed(self) -> None:
        """Wait until what was accepted has its protocol."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept_some(self) -> None:
        # What was accepted is counted, and refused if need be, some turns later. Unbounded, it would take all files.
        for _ in range(min(self._batch, MOST_AT_A_TIME - len(self._tasks))):
            try:
                connection, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                self._batch = 1
                return
            except OSError as error:
                self._pause(error)
                return
            self._is_failing = False
            self._start(connection)
        self._batch = min(2 * self._batch, MOST_AT_A_TIME)

    def _start(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task: asyncio.Task[object] = self._loop.create_task(
            self._loop.connect_accepted_socket(self._protocol_factory, connection)
        )
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Such as a client that has gone again already.
            log.debug("a new connection failed: %s", error)

    def _pause(self, error: OSError) -> None:
        if not self._is_failing:
            self._is_failing = True
            log.error("new connections cannot be accepted: %s; they wait meanwhile", error.strerror)
        self._loop.remove_reader(self._sock.fileno())
        self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._sock.fileno(), self._accept_some)
