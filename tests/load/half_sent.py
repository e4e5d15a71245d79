"""Requests that are never complete, and connections on which nothing is asked."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

from tests.bench.load import END
from tests.load.clients import HOST, Answer, Answers
from tests.load.setting import HEALTH, LoadedPlanner

EACH = 100
# Longer than the minute after which an idle connection is closed.
PATIENCE = 75.0
HEAD = b"GET /healthz HTTP/1.1\r\nHost: planner.test\r\nX-Un"
BODY = b"POST /api/v1/auth/signin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
KINDS = {"half a head": HEAD, "half a body": BODY, "nothing sent": b"", "idle after a response": HEALTH}


@dataclass
class HalfSent:
    """By what was sent: the statuses, and after how many seconds the connection was closed."""

    kinds: dict[str, Answers]

    def __str__(self) -> str:
        return "\n".join(
            f"{kind}: {len(answers.all)} connections, {answers.count()}, "
            f"closed after {answers.quantile(0):.0f} to {answers.quantile(1):.0f} s"
            for kind, answers in self.kinds.items()
        )


async def measure(planner: LoadedPlanner) -> HalfSent:
    """Send each of the beginnings on many connections, and wait until they are closed."""
    kinds = await asyncio.gather(*(_wait_for_each(planner.port, [sent] * EACH) for sent in KINDS.values()))
    return HalfSent(dict(zip(KINDS, kinds, strict=True)))


async def _wait_for_each(port: int, beginnings: Iterable[bytes]) -> Answers:
    return Answers(list(await asyncio.gather(*(_wait_for_end(port, sent) for sent in beginnings))))


async def _wait_for_end(port: int, sent: bytes) -> Answer:
    reader, writer = await asyncio.open_connection(HOST, port)
    begun, received, status = perf_counter(), b"", "closed"
    writer.write(sent)
    try:
        async with asyncio.timeout(PATIENCE):
            while data := await reader.read(65536):
                received += data
    except TimeoutError:
        status = "open"
    except OSError:
        status = "reset"
    writer.close()
    answered = received.partition(END)[0][9:12].decode()
    return Answer(f"{answered} {status}".strip(), perf_counter() - begun)
