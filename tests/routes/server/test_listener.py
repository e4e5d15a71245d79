"""New connections: how they are accepted, and what is done when the system refuses to open more files."""

import asyncio
import errno
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from planner.errors import ConfigurationError
from routes.server import listener
from routes.server.connections import raise_file_limit
from routes.server.listener import MOST_AT_A_TIME, Listener, open_listener
from tests.support.waiting import wait_until_async


class Greeting(asyncio.Protocol):
    """Says something as soon as there is a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


class CountingSocket(socket.socket):
    """Counts the connections that are accepted, and refuses while `error` is set."""

    accepted = refused = 0
    error: OSError | None = None

    def accept(self) -> tuple[socket.socket, object]:
        if self.error is not None:
            self.refused += 1
            raise self.error
        connection = super().accept()
        self.accepted += 1
        return connection


@pytest.fixture
def sock() -> Iterator[CountingSocket]:
    with CountingSocket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture
async def listening(sock: CountingSocket) -> AsyncIterator[Listener]:
    listening = Listener(asyncio.get_running_loop(), Greeting, sock, 1000)
    yield listening
    listening.close()
    await listening.wait_closed()


@contextmanager
def connections_to(sock: socket.socket, number: int) -> Iterator[None]:
    """Connect so often; the connections are open while the block runs."""
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        yield


async def greet(sock: socket.socket) -> bytes:
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_every_one_of_many_new_connections_is_served(sock: CountingSocket, listening: Listener) -> None:
    assert await asyncio.gather(*(greet(sock) for _ in range(300))) == [b"hello"] * 300


async def test_many_new_connections_are_accepted_in_few_turns_of_the_event_loop(
    sock: CountingSocket, listening: Listener
) -> None:
    with connections_to(sock, 200):
        turns = 0
        while sock.accepted < 200:
            await asyncio.sleep(0)
            turns += 1
    assert turns < 200 / 8
    assert sock.accepted == 200


async def test_only_so_many_are_accepted_in_one_turn(sock: CountingSocket, listening: Listener) -> None:
    with connections_to(sock, 200):
        before = 0
        while sock.accepted < 200:
            await asyncio.sleep(0)
            assert sock.accepted - before <= MOST_AT_A_TIME
            before = sock.accepted


async def test_only_so_many_are_accepted_before_they_are_counted(
    sock: CountingSocket, listening: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, counted = asyncio.get_running_loop(), asyncio.Event()

    async def wait_to_be_counted(_: object, connection: socket.socket) -> None:
        await counted.wait()
        connection.close()

    monkeypatch.setattr(loop, "connect_accepted_socket", wait_to_be_counted)
    with connections_to(sock, 3 * MOST_AT_A_TIME):
        await wait_until_async(lambda: sock.accepted == MOST_AT_A_TIME)
        for _ in range(10):
            await asyncio.sleep(0)
        assert sock.accepted == MOST_AT_A_TIME
        counted.set()
        await wait_until_async(lambda: sock.accepted == 3 * MOST_AT_A_TIME)


async def test_while_no_files_can_be_opened_clients_wait_and_it_is_logged_once(
    sock: CountingSocket, listening: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "PAUSE_SECONDS", 0.01)
    sock.error = OSError(errno.EMFILE, "Too many open files")
    waiting = asyncio.create_task(greet(sock))
    await wait_until_async(lambda: sock.refused > 3)
    assert len(caplog.records) == 1
    assert "Too many open files" in caplog.text
    sock.error = None
    assert await waiting == b"hello"


async def test_nothing_is_accepted_after_the_listener_was_closed(sock: CountingSocket, listening: Listener) -> None:
    listening.close()
    with socket.create_connection(sock.getsockname()):
        for _ in range(10):
            await asyncio.sleep(0)
    assert sock.accepted == 0


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with open_listener("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(ConfigurationError, match="Set HOST or PORT"):
            open_listener("127.0.0.1", first.getsockname()[1])


def test_the_limit_of_open_files_is_raised_as_far_as_the_system_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    raise_file_limit()
    assert limits == [(4096, 4096)]
