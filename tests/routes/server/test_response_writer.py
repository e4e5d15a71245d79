"""A response is written with one call if it can be, and the bytes are those that uvicorn writes."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from routes.server.response_writer import MAX_JOINED_BYTES, ResponseWriter

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class RecordingTransport(asyncio.Transport):
    """Records what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Record some bytes."""
        self.written.append(bytes(data))

    def close(self) -> None:
        """Record that the connection is closed."""
        self.is_closed = True

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.is_closed


@pytest.fixture
def transport() -> RecordingTransport:
    return RecordingTransport()


@pytest.fixture
def cycle() -> Any:
    return SimpleNamespace(response_started=True)


@pytest.fixture
def writer(transport: RecordingTransport, cycle: Any) -> ResponseWriter:
    return ResponseWriter(transport, cycle)


def test_head_and_body_are_written_together(transport: RecordingTransport, writer: ResponseWriter) -> None:
    for part in (HEAD, b"first", b"second"):
        writer.write(part)
    assert transport.written == [HEAD + b"first", b"second"]


def test_a_response_without_a_body_is_written(transport: RecordingTransport, writer: ResponseWriter) -> None:
    writer.write(HEAD)
    writer.write(b"")
    assert transport.written == [HEAD]


def test_a_long_body_is_not_copied(transport: RecordingTransport, writer: ResponseWriter) -> None:
    body = b"x" * (MAX_JOINED_BYTES + 1)
    writer.write(HEAD)
    writer.write(body)
    assert transport.written == [HEAD, body]


def test_a_response_that_breaks_off_after_its_head_is_sent_so_far(
    transport: RecordingTransport, writer: ResponseWriter
) -> None:
    writer.write(HEAD)
    writer.close()
    assert transport.written == [HEAD]
    assert writer.is_closing()


def test_what_is_written_before_the_response_begins_is_no_head(
    transport: RecordingTransport, writer: ResponseWriter, cycle: Any
) -> None:
    cycle.response_started = False
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    cycle.response_started = True
    writer.write(HEAD)
    writer.write(b"body")
    assert transport.written == [b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"body"]
