"""A load generator: keep-alive connections that each ask again as soon as they are answered.

It reads of an answer no more than its status and its length, so that the core it shares
with mongod is not what limits the figures.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from time import perf_counter
from typing import cast

LENGTH = b"content-length: "
END = b"\r\n\r\n"
NOT_MODIFIED = b"304"


def request(method: str, path: str, token: str = "", body: bytes = b"", kind: str = "application/json") -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "host: planner.bench"]
    if token:
        lines.append(f"authorization: Bearer {token}")
    if body:
        lines += [f"content-type: {kind}", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class LoadResult:
    """What came of a load: the seconds each good answer took, and how many answers were not good."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.bad: dict[str, int] = {}
        self.begun = self.ended = 0.0
        self.processor = 0.0  # the seconds of processor time that the server took, where that can be known

    @property
    def each(self) -> float:
        """The microseconds of processor time that the server took for each answer."""
        return self.processor / len(self.taken) * 1e6 if self.taken else 0.0

    @property
    def rate(self) -> float:
        """Answers per second, up to the moment of the last one."""
        return len(self.taken) / (self.ended - self.begun) if self.taken else 0.0

    def quantile(self, part: float) -> float:
        """The milliseconds within which this part of the answers came."""
        ordered = sorted(self.taken)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000 if ordered else 0.0


class _Client(asyncio.Protocol):
    """One connection. HTTP is not pipelined: there is one answer to wait for at a time."""

    def __init__(self, requests: Iterator[bytes], result: LoadResult, end: "_End") -> None:
        self._requests, self._result, self._end = requests, result, end
        self._head = b""
        self._missing = 0
        self._status = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self.idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have the methods and not the class.
        self._transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        assert self._transport is not None
        if self._end.reached():
            self.idle.set_result(None)
            return
        self._sent = perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            if self._head:
                data = self._head + data
            end = data.find(END)
            if end < 0:
                self._head = data
                return
            self._head = b""
            self._status = data[9:12]
            at = data.find(LENGTH, 0, end)
            length = 0 if at < 0 else int(data[at + len(LENGTH) : data.find(b"\r", at)])
            self._missing = end + len(END) + length - len(data)
        if self._missing > 0:
            return
        self._answered()

    def _answered(self) -> None:
        now, result = perf_counter(), self._result
        if self._status[:1] != b"2" and self._status != NOT_MODIFIED:
            status = self._status.decode()
            result.bad[status] = result.bad.get(status, 0) + 1
        elif not self._end.over:
            result.taken.append(now - self._sent)
            result.ended = now
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.idle.done():
            self._result.bad["connection lost"] = self._result.bad.get("connection lost", 0) + 1
            self.idle.set_result(None)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


class _End:
    """When to stop: after some seconds (`over` is then set from outside), or after a number of requests."""

    def __init__(self, count: int | None) -> None:
        self.over = False
        self._left = count

    def reached(self) -> bool:
        if self._left is None:
            return self.over
        self._left -= 1
        return self._left < 0


async def drive(
    port: int,
    clients: Sequence[Iterable[bytes]],
    *,
    seconds: float | None = None,
    count: int | None = None,
    result: LoadResult | None = None,
) -> LoadResult:
    """Load the server at `port` with one connection for each of `clients`, which says what that one asks in turn.

    A list is begun again and again; an iterator goes on in the next call where it is now.

    What is still unanswered after `seconds` is waited for and not counted. Who gives a `result` can watch it grow.
    """
    loop = asyncio.get_running_loop()
    result, end = result or LoadResult(), _End(count)
    connections: list[_Client] = []
    for requests in clients:
        client = _Client(requests if isinstance(requests, Iterator) else cycle(requests), result, end)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        connections.append(client)
    result.begun = perf_counter()
    for client in connections:
        client.ask()
    if seconds is not None:
        await asyncio.sleep(seconds)
        end.over = True
    await asyncio.gather(*(client.idle for client in connections))
    for client in connections:
        client.close()
    return result
