"""All worker processes count together, by the address that a trusted proxy forwards and no other."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import SECRET, url_of
from tests.services.shared.limited_requests import QUARTER, WRONG, assert_limited
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in, sign_up
from tests.support.servers import RunningServer, running
from tests.support.workers import both_workers

on_processes = pytest.mark.real_server("the planner is a process of its own")


@pytest.fixture(scope="module")
def server(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Two workers behind a proxy, so that each test can have addresses of its own."""
    with running(
        tmp_path_factory.mktemp("limits") / "data",
        ["--workers", "2"],
        DATABASE_URL=url_of(mongo_url, f"test_{uuid4().hex[:12]}"),
        SECRET_KEY=SECRET,
        RATE_LIMITS="on",
        TRUSTED_PROXIES="127.0.0.1",
        # Twenty passwords at once are checked, and none is refused because others come first.
        SIGN_IN_WAIT_SECONDS="60",
    ) as server:
        yield server


_address = itertools.count(1)


def own_address() -> dict[str, str]:
    number = next(_address)
    return {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250}"}


@pytest.fixture
async def outside(server: RunningServer) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=server.url, timeout=90, headers=own_address()) as client:
        yield client


async def somebody(api: Planner) -> Person:
    return await sign_up(api, f"p{uuid4().hex}@example.com")


async def wrong(api: Planner, email: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return await api.post("/auth/signin", json={"email": email, "password": WRONG}, headers=headers)


async def guess(api: Planner, headers: list[dict[str, str]]) -> set[int]:
    """Return the statuses of wrong sign-ins to accounts that do not exist.

    Eight at a time, because what would wait too long for its password to be hashed is refused.
    """
    statuses: set[int] = set()
    for start in range(0, len(headers), 8):
        group = [wrong(api, f"nobody{uuid4().hex}@example.com", each) for each in headers[start : start + 8]]
        statuses |= {answer.status_code for answer in await asyncio.gather(*group)}
    return statuses


@on_processes
async def test_twenty_guesses_at_once_all_count(outside: Planner) -> None:
    person = await somebody(outside)
    answers = await asyncio.gather(*(wrong(outside, person.email) for _ in range(20)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= 10
    assert_limited(await sign_in(outside, person.email), QUARTER)


@on_processes
async def test_a_right_password_among_many_at_once_is_refused_after_ten_failures(outside: Planner) -> None:
    person = await somebody(outside)
    await asyncio.gather(*(wrong(outside, person.email) for _ in range(9)))
    passwords = [WRONG] * 10 + [PASSWORD] * 10
    answers = await asyncio.gather(*(sign_in(outside, person.email, password) for password in passwords))
    assert sum(answer.status_code == 401 for answer in answers) <= 1
    assert (await sign_in(outside, person.email)).status_code == 429


@on_processes
async def test_two_workers_share_the_counters(server: RunningServer, outside: Planner) -> None:
    person = await somebody(outside)
    async with both_workers(server) as (one, other):
        here, there = own_address(), own_address()
        for _ in range(5):
            assert (await wrong(one, person.email, here)).status_code == 401
            assert (await wrong(other, person.email, there)).status_code == 401
        for worker in (one, other):
            assert_limited(await wrong(worker, person.email, own_address()), QUARTER)
            assert_limited(await sign_in(worker, person.email), QUARTER)


@on_processes
async def test_behind_a_trusted_proxy_the_forwarded_address_counts(outside: Planner) -> None:
    household, other = own_address(), own_address()
    person = await somebody(outside)
    assert await guess(outside, [household] * 60) == {401}
    assert_limited(await wrong(outside, person.email, household), QUARTER)
    forged = {"X-Forwarded-For": f"192.0.2.77, {household['X-Forwarded-For']}"}
    assert_limited(await wrong(outside, person.email, forged), QUARTER)
    assert (await wrong(outside, person.email, other)).status_code == 401


@on_processes
async def test_a_forged_forwarded_address_resets_no_counter(
    mongo_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = url_of(mongo_url, f"test_{uuid4().hex[:12]}")
    folder = tmp_path_factory.mktemp("forged") / "data"
    with running(folder, DATABASE_URL=database, SECRET_KEY=SECRET, RATE_LIMITS="on") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=90) as api:
            person = await somebody(api)

            def forged() -> dict[str, Any]:
                return own_address() | {"Forwarded": "for=192.0.2.60", "X-Real-IP": "192.0.2.61"}

            assert await guess(api, [forged() for _ in range(60)]) == {401}
            assert_limited(await wrong(api, person.email, forged()), QUARTER)
            assert_limited(await wrong(api, person.email), QUARTER)
            [session] = ok(await person.get("/auth/sessions"))["items"]
            assert session["address"] == "127.0.0.1"
