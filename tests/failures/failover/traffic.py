"""What requests and checks of readiness brought, and when; and what follows from that."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from tests.failures.concurrent_writers import LOST
from tests.support.servers import RunningServer

# How soon readiness must follow a change of what is possible.
READINESS_SECONDS = 2.0
POLL_SECONDS = 0.2


class Exchange(NamedTuple):
    """A request and what it brought: the status, or LOST when its connection ended without a response.

    The times are of `time.monotonic`. A sign-in may take longer than other requests, because it waits for its turn to
    compare the password, and for the database before and after that.
    """

    is_write: bool
    status: int
    began: float
    ended: float
    is_sign_in: bool = False

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def is_acknowledged_write(self) -> bool:
        return self.is_write and 200 <= self.status < 300


class ReadinessPolls:
    """Asks /readyz again and again, each time on a new connection, as a load balancer does."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._task: asyncio.Task[None] | None = None
        self.made: list[Exchange] = []

    def start(self) -> None:
        self._task = asyncio.create_task(self._ask())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _ask(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=30, limits=limits) as client:
            while True:
                began = time.monotonic()
                try:
                    status = (await client.get(f"{self._server.root}/readyz")).status_code
                except httpx.TransportError:
                    status = LOST
                self.made.append(Exchange(is_write=False, status=status, began=began, ended=time.monotonic()))
                await asyncio.sleep(POLL_SECONDS)


def longest_gap(exchanges: Sequence[Exchange], since: float, until: float) -> float:
    """Return the longest time between `since` and `until` in which no write was acknowledged, in seconds."""
    moments = sorted(e.ended for e in exchanges if e.is_acknowledged_write and since < e.ended < until)
    edges = [since, *moments, until]
    return max(later - earlier for earlier, later in itertools.pairwise(edges))


def longest_request(exchanges: Sequence[Exchange]) -> float:
    """Return how long the slowest request took that is no sign-in, in seconds."""
    return max((exchange.seconds for exchange in exchanges if not exchange.is_sign_in), default=0.0)


def find_false_readiness(polls: Sequence[Exchange], exchanges: Sequence[Exchange], end: float) -> list[str]:
    """Return each answer of /readyz before `end` that was contrary to what happened to the writes around it.

    A 200 is false when no write was acknowledged in the READINESS_SECONDS before and after. A 503 is false when no
    request failed in that time, and no second of it was without an acknowledged write.
    """
    if not exchanges:
        return []
    begin = min(e.began for e in exchanges)
    found = []
    for poll in polls:
        since, until = poll.began - READINESS_SECONDS, poll.ended + READINESS_SECONDS
        if since < begin or until > end:
            continue
        at = f"{poll.began - begin:.1f} s after the start"
        around = [e for e in exchanges if e.ended > since and e.began < until]
        if poll.status == 200 and not any(e.is_acknowledged_write and e.ended < until for e in around):
            found.append(f"it said that it was ready, {at}")
        has_failed = any(not 200 <= e.status < 300 for e in around)
        if poll.status == 503 and not has_failed and longest_gap(around, since, until) < 1:
            found.append(f"it said that it was not ready, {at}")
    return found
