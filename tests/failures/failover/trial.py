"""A trial: a failure happens while 16 writers write, and what it brought is compared with what is promised."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.failures.concurrent_writers import LOST, WRITERS_PER_ACCOUNT, WriterGroup, check_stored_data
from tests.failures.failover.failures import WORKERS, Failure, Scene
from tests.failures.failover.replica_set import ReplicaSet, replica_set
from tests.failures.failover.traffic import (
    Exchange,
    ReadinessPolls,
    find_false_readiness,
    longest_gap,
    longest_request,
)
from tests.support.clients import sign_up
from tests.support.processes import worker_processes
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until_async

SECRET = "known to the trials of failures alone: 1d8b3f02"
# What is promised: how long no write is acknowledged after an election began, and how long a request takes.
ELECTION_SECONDS = 15.0
REQUEST_SECONDS = 8.0
# How many requests must succeed before a failure, and again while it lasts and after it.
REQUESTS = 150
# So that the load is that of people, and not of a benchmark on the machine of the test.
PAUSE_SECONDS = 0.05


class Result(NamedTuple):
    """What a trial brought. Times are in seconds."""

    name: str
    writes: int
    refused: int
    lost: int
    gap: float
    after_election: float
    longest_request: float
    not_ready: int
    broken_promises: list[str]


class Trial:
    """A planner with two workers on a replica set of three, and its writers."""

    def __init__(self, database: ReplicaSet, server: RunningServer, people: httpx.AsyncClient, requests: int) -> None:
        self._requests = requests
        self._database = database
        self._server = server
        self._people = people
        self._exchanges: list[Exchange] = []
        self._writers: WriterGroup | None = None
        # How much of the planner's log has been read.
        self._read = 0

    async def sign_up(self) -> None:
        """Create the accounts of the writers."""
        people = [await sign_up(self._people, f"{n}@example.com") for n in range(len(WRITERS_PER_ACCOUNT))]
        self._writers = WriterGroup(people, self._observe, PAUSE_SECONDS)

    async def cancel(self) -> None:
        """End the writers, if they have not stopped."""
        if self._writers is not None:
            await self._writers.cancel()

    def _observe(self, method: str, path: str, status: int, began: float, ended: float) -> None:
        is_write = method != "GET" and path.startswith("/events")
        self._exchanges.append(Exchange(is_write, status, began, ended, is_sign_in=path == "/auth/signin"))

    async def run(self, failure: Failure) -> Result:
        """Let a failure happen, wait until all is as before, and compare what is stored with what was acknowledged.

        Raises AssertionError when what was acknowledged is not stored, and when the planner does not recover.
        """
        assert self._writers is not None
        self._exchanges.clear()
        polls = ReadinessPolls(self._server)
        scene = Scene(self._database, self._server)
        self._writers.start()
        polls.start()
        await self._writers.wait_for_acknowledged(self._requests)
        begun_at = time.monotonic()
        await failure.begin(scene)
        if failure.writes_go_on:
            await self._writers.wait_for_acknowledged(self._requests)
        else:
            await asyncio.sleep(failure.seconds)
        majority_at = await asyncio.to_thread(self._database.heal)
        if not failure.writes_go_on:
            scene.majority_at = majority_at
        await self._writers.wait_for_acknowledged(self._requests)
        until = time.monotonic()
        await asyncio.to_thread(self._database.wait_until_whole)
        await self._wait_for_workers(scene)
        # From now on there are fewer and fewer writes, which says nothing about readiness.
        stopped_at = time.monotonic()
        await self._writers.stop()
        await polls.stop()
        await check_stored_data(self._writers)
        since = scene.majority_at or begun_at
        elected_at = max(await asyncio.to_thread(self._database.find_last_election), since)
        return self._compare(
            failure,
            polls.made,
            stopped_at,
            longest_gap(self._exchanges, since, until),
            longest_gap(self._exchanges, elected_at, until),
        )

    async def _wait_for_workers(self, scene: Scene) -> None:
        def are_replaced() -> bool:
            now = worker_processes(self._server)
            return len(now) == WORKERS and not now & scene.lost_workers

        await wait_until_async(are_replaced)

    def _compare(
        self, failure: Failure, polls: list[Exchange], stopped_at: float, gap: float, after_election: float
    ) -> Result:
        made = self._exchanges
        slowest = max(longest_request(made), longest_request(polls))
        broken = find_false_readiness(polls, made, stopped_at)
        if after_election > ELECTION_SECONDS:
            broken.append(
                f"no write was acknowledged for {after_election:.1f} s after an election began, "
                f"{ELECTION_SECONDS:.0f} at most are promised"
            )
        if slowest > REQUEST_SECONDS:
            broken.append(f"a request took {slowest:.1f} s, {REQUEST_SECONDS:.0f} at most are promised")
        failed = Counter(e.status for e in (*made, *polls) if e.status >= 500 and e.status != 503)
        broken += [f"{count} requests got status {status}" for status, count in failed.items()]
        before, traceback, after = self._server.output[self._read :].partition("Traceback")
        self._read += len(before + traceback + after)
        if traceback:
            broken.append(f"the log has a traceback: {before[-200:]}{traceback}{after[:4000]}")
        return Result(
            failure.name,
            sum(e.is_acknowledged_write for e in made),
            sum(e.status == 503 for e in made),
            sum(e.status == LOST for e in made),
            gap,
            after_election,
            slowest,
            sum(poll.status != 200 for poll in polls),
            broken,
        )


async def _sometimes_close(request: httpx.Request) -> None:
    """Have a connection closed after about ten requests.

    After the death of a worker the other one has all connections. If they stayed open and that one were stopped next,
    nobody would write, although the planner is ready for everybody else.
    """
    if random.random() < 0.1:
        request.headers["connection"] = "close"


@asynccontextmanager
async def open_trial(folder: Path, election_seconds: float, requests: int = REQUESTS) -> AsyncIterator[Trial]:
    """Start a replica set and a planner with two workers in this folder, and sign up the writers."""
    with (
        replica_set(folder / "mongo", election_seconds) as database,
        running(folder / "data", ("--workers", str(WORKERS)), DATABASE_URL=database.url, SECRET_KEY=SECRET) as server,
    ):
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        hooks = {"request": [_sometimes_close]}
        async with httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits, event_hooks=hooks) as people:
            trial = Trial(database, server, people, requests)
            await trial.sign_up()
            try:
                yield trial
            finally:
                await trial.cancel()
