"""What was acknowledged outlives a crash of the planner or its database, and accounts stay true to their events."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.clients import sign_up
from tests.support.concurrent_writers import SHARES, Crowd, all_events, check
from tests.support.mongod import embedded_pid, kill_embedded, standalone
from tests.support.servers import RunningServer, running

pytestmark = [pytest.mark.real_server("only a real process can be killed"), pytest.mark.slow]

CRASHES = 5
LONGEST_SECONDS = 12.0
SECRET = "known to the tests of crashes alone: 5b0e8d17"


@pytest.fixture(autouse=True)
def tell_and_tidy_up(tmp_path: Path) -> Iterator[None]:
    """Shows what the planner said, should the test fail; and each mongod takes some 300 MB, kept for three runs."""
    yield
    for log in tmp_path.glob("*.log"):
        print(log.read_text())
    shutil.rmtree(tmp_path)


@asynccontextmanager
async def crowd_at(server: RunningServer) -> AsyncIterator[Crowd]:
    """A crowd with accounts at this planner, that has not yet begun."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits) as client:
        yield Crowd(list(await asyncio.gather(*(sign_up(client, f"{n}@example.com") for n in range(len(SHARES))))))


def some() -> int:
    """After how many answers to strike: never at the same point."""
    return random.randint(50, 150)


@pytest.mark.parametrize(("also_mongod", "crashes"), [(False, CRASHES), (True, 3)], ids=["alone", "with_its_mongod"])
async def test_what_was_acknowledged_is_there_after_the_planner_is_killed(
    tmp_path: Path, also_mongod: bool, crashes: int
) -> None:
    with running(tmp_path / "data") as server:
        async with crowd_at(server) as crowd:
            for _ in range(crashes):
                crowd.set_out()
                await crowd.until_acknowledged(some())
                server.kill()
                if also_mongod:
                    kill_embedded(server.data_dir)
                await crowd.come_back(cut_off=True)
                server.start()
                await check(crowd)
        assert "Traceback" not in server.output


async def test_what_was_acknowledged_is_there_after_mongod_is_killed_under_a_running_planner(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        lives = {embedded_pid(server.data_dir)}
        async with crowd_at(server) as crowd:
            for _ in range(CRASHES):
                crowd.set_out()
                await crowd.until_acknowledged(some())
                kill_embedded(server.data_dir)
                await crowd.until_acknowledged(some())
                await crowd.come_back()
                await check(crowd)
                lives.add(embedded_pid(server.data_dir))
            assert crowd.slowest < LONGEST_SECONDS
        assert len(lives) == CRASHES + 1
        assert "Traceback" not in server.output


async def test_without_transactions_the_embedded_ids_are_exact_again_after_the_next_start(tmp_path: Path) -> None:
    with (
        standalone(tmp_path / "mongo") as mongod,
        running(tmp_path / "data", DATABASE_URL=mongod.url, SECRET_KEY=SECRET) as server,
    ):
        async with crowd_at(server) as crowd:
            for _ in range(CRASHES):
                crowd.set_out()
                await crowd.until_acknowledged(some())
                server.kill()
                await crowd.come_back(cut_off=True)
                before = len(server.output)
                server.start()
                assert server.output[before:].count("this MongoDB server has no transactions") == 1
                for author in crowd.authors:
                    stored = [event["id"] for event in await all_events(author.person)]
                    assert sorted((await author.person.me())["events"]) == sorted(stored)
        assert "Traceback" not in server.output


def test_without_transactions_several_workers_are_refused(tmp_path: Path) -> None:
    with standalone(tmp_path / "mongo") as mongod:
        server = RunningServer(tmp_path / "data", ("--workers", "2"), DATABASE_URL=mongod.url, SECRET_KEY=SECRET)
        server.launch()
        assert server.process is not None
        assert server.process.wait(30) == 1
        assert "--workers must be 1" in server.output
        assert "Traceback" not in server.output
