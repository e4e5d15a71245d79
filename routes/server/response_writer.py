"""Writing a response: its head and the first part of its body with one system call."""

import asyncio
from typing import Protocol

# A longer body is written by itself, because to copy it would cost more than the call.
MAX_JOINED_BYTES = 64 * 1024


class Cycle(Protocol):
    """What is needed of uvicorn's own object for a request and its response."""

    response_started: bool


class ResponseWriter(asyncio.Transport):
    """What uvicorn writes one response to: the transport of its connection, but for the head, which waits for the body.

    Each write costs a system call, and wakes the client. uvicorn writes the head when the response begins, and the body
    after it.
    """

    def __init__(self, transport: asyncio.Transport, cycle: Cycle) -> None:
        super().__init__()
        self._transport = transport
        self._cycle = cycle
        self._head: bytes | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write a part of the response; the first one, its head, together with the second one."""
        if self._head is None and self._cycle.response_started:
            self._head = bytes(data)
        elif self._head and len(data) <= MAX_JOINED_BYTES:
            self._transport.write(self._head + data)
            self._head = b""
        else:
            self._write_head()
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection, when all that was written has been sent."""
        self._write_head()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether the connection is closing or closed."""
        return self._transport.is_closing()

    def _write_head(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""
