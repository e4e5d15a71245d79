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
from tests.support.mongods import embedded_pid, kill_embedded, standalone
from tests.support.servers import RunningServer, running
from tests.support.writers import SHARES, Crowd, check

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


async def test_without_transactions_a_killed_planner_mends_at_its_next_start_what_it_left_half_done(
    tmp_path: Path,
) -> None:
    with (
        standalone(tmp_path / "mongo") as mongod,
        running(tmp_path / "data", DATABASE_URL=mongod.url, SECRET_KEY=SECRET) as server,
    ):
        mended = 0
        async with crowd_at(server) as crowd:
            for _ in range(CRASHES):
                crowd.set_out()
                await crowd.until_acknowledged(some())
                server.kill()
                await crowd.come_back(cut_off=True)
                before = len(server.output)
                server.start()
                said = server.output[before:]
                assert said.count("this MongoDB has no transactions") == 1
                assert said.count("that a crash had cut short") <= 1
                mended += said.count("that a crash had cut short")
                await check(crowd)
        # Nearly every request has its note in the journal when it is killed: five times without one is no chance.
        assert mended > 0
        assert "Traceback" not in server.output


async def test_without_transactions_what_an_outage_of_mongod_cut_short_is_finished_by_the_planner_that_goes_on(
    tmp_path: Path,
) -> None:
    with (
        standalone(tmp_path / "mongo") as mongod,
        running(tmp_path / "data", DATABASE_URL=mongod.url, SECRET_KEY=SECRET) as server,
    ):
        async with crowd_at(server) as crowd:
            for _ in range(3):
                crowd.set_out()
                await crowd.until_acknowledged(some())
                mongod.kill()
                mongod.start()
                await crowd.until_acknowledged(some())
                await crowd.come_back()
                await check(crowd)
            assert crowd.slowest < LONGEST_SECONDS
        assert "Traceback" not in server.output
