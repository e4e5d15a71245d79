"""Two planners on one database are restarted one after the other, and nobody who uses them notices."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from tests.conftest import SECRET, url_of
from tests.domain.ics.samples import event, file
from tests.failures.concurrent_writers import list_all_events
from tests.services.files.test_importer import send
from tests.support.clients import Person, ok, sign_up
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until_async

pytestmark = [pytest.mark.real_server("it ends real processes"), pytest.mark.slow]
POLL_SECONDS = 0.1
CLIENTS = 8
ENTRIES = 1_500
TEXT = file(*(event(f"SUMMARY:{n}", "RRULE:FREQ=WEEKLY;COUNT=5", uid=f"{n}@x") for n in range(ENTRIES)))


class LoadBalancer:
    """Sends each request to one of the planners that say that they are ready, on connections that it keeps open."""

    def __init__(self, servers: list[RunningServer]) -> None:
        self._clients = [httpx.AsyncClient(base_url=server.url, timeout=30) for server in servers]
        self._roots = [server.root for server in servers]
        self._ready = [True] * len(servers)
        self._turns = itertools.cycle(range(len(servers)))

    def is_ready(self, n: int) -> bool:
        return self._ready[n]

    async def watch(self) -> None:
        """Ask each planner again and again whether it is ready, until the task is cancelled."""
        async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as client:
            while True:
                for n, root in enumerate(self._roots):
                    try:
                        self._ready[n] = (await client.get(f"{root}/readyz")).status_code == 200
                    except httpx.TransportError:
                        self._ready[n] = False
                await asyncio.sleep(POLL_SECONDS)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request. Raises `httpx.TransportError` when its connection ends without a response."""
        n = next(n for n in self._turns if self._ready[n])
        return await self._clients[n].request(method, path, **options)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def load_balancer(servers: list[RunningServer]) -> AsyncIterator[LoadBalancer]:
    balancer = LoadBalancer(servers)
    watching = asyncio.create_task(balancer.watch())
    try:
        yield balancer
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await balancer.close()


@pytest.fixture
def planners(mongo_url: str, tmp_path: Path) -> Iterator[list[RunningServer]]:
    """Two planners on one database."""
    name = f"test_{uuid4().hex[:12]}"
    # Long enough for a busy machine to see in time that a planner is about to stop.
    settings = {"DATABASE_URL": url_of(mongo_url, name), "SECRET_KEY": SECRET, "DRAIN_SECONDS": "3"}
    # What one of them signs, the other one accepts only if they have the same address.
    settings |= {"PUBLIC_URL": "http://planner.test"}
    with running(tmp_path / "one", **settings) as one, running(tmp_path / "two", **settings) as two:
        yield [one, two]
    with MongoClient[Any](mongo_url) as client:
        client.drop_database(name)


async def test_a_rolling_restart_of_two_planners_closes_no_connection_unanswered(planners: list[RunningServer]) -> None:
    async with httpx.AsyncClient(base_url=planners[0].url, timeout=30) as client:
        ada = await sign_up(client, "ada@example.com")
    is_over = False
    answered = 0

    async def use(balancer: LoadBalancer) -> None:
        nonlocal answered
        while not is_over:
            ok(await balancer.request("GET", "/events", headers=ada.headers))
            created = ok(await balancer.request("POST", "/events", headers=ada.headers, json={"title": "New"}), 201)
            ok(await balancer.request("DELETE", f"/events/{created['id']}", headers=ada.headers), 204)
            answered += 3
            await asyncio.sleep(0.02)

    def has_answered(enough: int) -> bool:
        return answered > enough

    async with load_balancer(planners) as balancer:
        users = [asyncio.create_task(use(balancer)) for _ in range(CLIENTS)]
        for n, server in enumerate(planners):
            enough = answered + 50
            await wait_until_async(partial(has_answered, enough))
            assert await asyncio.to_thread(server.stop) == 0
            await asyncio.to_thread(server.start)
            await wait_until_async(partial(balancer.is_ready, n))
        is_over = True
        await asyncio.gather(*users)
    for server in planners:
        assert "Traceback" not in server.output


async def test_an_import_is_answered_when_its_planner_is_stopped_and_another_planner_does_the_rest(
    planners: list[RunningServer],
) -> None:
    stopped, other = planners
    async with (
        httpx.AsyncClient(base_url=stopped.url, timeout=60) as first,
        httpx.AsyncClient(base_url=other.url, timeout=60) as second,
    ):
        ada = await sign_up(first, "ada@example.com")
        importing = asyncio.create_task(send(ada, TEXT))
        ada_elsewhere = Person(second, ada.id, ada.email, ada.token)

        async def has_begun() -> bool:
            return bool((await ada_elsewhere.me())["events"]) or importing.done()

        await wait_until_async(has_begun)
        assert await asyncio.to_thread(stopped.stop, signal.SIGTERM) == 0
        answer = await importing
        assert answer.status_code in (200, 503)
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
        said = ok(await send(ada_elsewhere, TEXT))
        assert said["created"] + said["unchanged"] == ENTRIES
        assert len(await list_all_events(ada_elsewhere)) == ENTRIES
    assert "Traceback" not in stopped.output
