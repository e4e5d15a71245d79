"""Clients that each ask once, on a connection of their own, and requests at a steady rate."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing import Manager, get_context
from threading import Event
from time import perf_counter
from typing import cast

from tests.bench.load import END, LENGTH
from tests.support.waiting import wait_until_async

HOST = "127.0.0.1"
# How long the responses to the last requests are waited for.
PATIENCE = 10.0
# What stands for the status of a request that was not answered in time, and of one whose connection was lost.
NO_ANSWER, LOST = "none", "lost"


@dataclass
class Answer:
    """The status of a response, or why there was none, and after how many seconds it came."""

    status: str
    seconds: float
    head: bytes = b""


@dataclass
class Answers:
    """What came of many requests."""

    all: list[Answer] = field(default_factory=list)

    def with_status(self, status: str) -> list[Answer]:
        return [answer for answer in self.all if answer.status.startswith(status)]

    def count(self) -> dict[str, int]:
        return dict(sorted(Counter(answer.status for answer in self.all).items()))

    def quantile(self, part: float, status: str = "") -> float:
        """Return the seconds within which this part of the responses with a status came; the last one's for 1."""
        ordered = sorted(answer.seconds for answer in self.with_status(status))
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else float("nan")


async def ask_once(port: int, request: bytes, patience: float = 15.0) -> Answer:
    """Send a request on a new connection, and return the response; the time counts from before the connection."""
    begun, received = perf_counter(), b""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(request)
            while END not in received and (data := await reader.read(65536)):
                received += data
        status = received[9:12].decode() or LOST
    except TimeoutError:
        status = NO_ANSWER
    except OSError:
        status = LOST
    finally:
        if writer is not None:
            writer.close()
    return Answer(status, perf_counter() - begun, received.partition(END)[0])


async def ask_all(port: int, requests: Iterable[bytes], patience: float = 15.0) -> Answers:
    """Send requests at once, each on a new connection."""
    return Answers(list(await asyncio.gather(*(ask_once(port, request, patience) for request in requests))))


@contextlib.contextmanager
def asking_in_background(port: int, request: bytes, pause: float) -> Iterator[Answers]:
    """Ask on a new connection each time while the block runs, in a process that waits for nothing else."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool, Manager() as manager:
        is_over = manager.Event()
        asked = pool.submit(_ask_until, port, request, pause, is_over)
        answers = Answers()
        yield answers
        is_over.set()
        answers.all += asked.result()


def _ask_until(port: int, request: bytes, pause: float, is_over: Event) -> list[Answer]:
    found = []
    while not is_over.wait(pause):
        found.append(asyncio.run(ask_once(port, request)))
    return found


class _Connection(asyncio.Protocol):
    """One connection for many requests, one at a time."""

    def __init__(self, answers: Answers, free: list["_Connection"]) -> None:
        self._answers, self._free = answers, free
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent = 0.0
        self.is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._free.append(self)

    def ask(self, request: bytes) -> None:
        assert self._transport is not None
        self._sent, self.is_waiting, self._received = perf_counter(), True, b""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(END)
        if end < 0:
            return
        at = self._received.find(LENGTH, 0, end)
        length = 0 if at < 0 else int(self._received[at + len(LENGTH) : self._received.find(b"\r", at)])
        if len(self._received) >= end + len(END) + length:
            self._end(self._received[9:12].decode())
            self._free.append(self)

    def _end(self, status: str) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self._answers.all.append(Answer(status, perf_counter() - self._sent))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(LOST)

    def close(self) -> None:
        """Close the connection; a request that was not answered counts as such."""
        self._end(NO_ANSWER)
        assert self._transport is not None
        self._transport.close()


class SteadyLoad:
    """Requests at a rate that does not depend on how fast they are answered, each connection with one after the other.

    `unsent` is how many requests found no free connection.
    """

    def __init__(self, port: int, connections: int) -> None:
        self._port, self._number = port, connections
        self._free: list[_Connection] = []
        self.answers = Answers()
        self.unsent = 0

    async def send(self, requests: Sequence[bytes], rate: float, seconds: float) -> Answers:
        """Send so many requests a second, wait for the responses, and return them."""
        loop = asyncio.get_running_loop()
        connections = []
        for _ in range(self._number):
            _, connection = await loop.create_connection(
                lambda: _Connection(self.answers, self._free), HOST, self._port
            )
            connections.append(connection)
        turn = cycle(requests)
        begun, sent = perf_counter(), 0
        while (passed := perf_counter() - begun) < seconds:
            due = int(passed * rate)
            self._send_some(turn, due - sent)
            sent = due
            await asyncio.sleep(0.002)
        with contextlib.suppress(AssertionError):  # Those that are not answered by then count as such.
            await wait_until_async(lambda: not any(connection.is_waiting for connection in connections), PATIENCE)
        for connection in connections:
            connection.close()
        return self.answers

    def _send_some(self, requests: Iterator[bytes], number: int) -> None:
        for _ in range(number):
            if self._free:
                self._free.pop().ask(next(requests))
            else:
                self.unsent += 1
