"""What was acknowledged outlives a crash of the planner or its database, and accounts stay true to their events."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.failures.concurrent_writers import WRITERS_PER_ACCOUNT, WriterGroup, check_stored_data, list_all_events
from tests.support.clients import sign_up
from tests.support.mongod import embedded_pid, kill_embedded, standalone
from tests.support.servers import RunningServer, running

pytestmark = [pytest.mark.real_server("only a real process can be killed"), pytest.mark.slow]

CRASHES = 5
SECRET = "known to the tests of crashes alone: 5b0e8d17"


@asynccontextmanager
async def writers_at(server: RunningServer) -> AsyncIterator[WriterGroup]:
    """Sign up accounts at this planner, and yield their writers, which have not started yet."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits) as client:
        yield WriterGroup(
            list(await asyncio.gather(*(sign_up(client, f"{n}@example.com") for n in range(len(WRITERS_PER_ACCOUNT)))))
        )


def random_count() -> int:
    """Return after how many responses to cause the failure: each time another number."""
    return random.randint(50, 150)


@pytest.mark.parametrize(("also_mongod", "crashes"), [(False, CRASHES), (True, 3)], ids=["alone", "with_its_mongod"])
async def test_what_was_acknowledged_is_there_after_the_planner_is_killed(
    tmp_path: Path, also_mongod: bool, crashes: int
) -> None:
    with running(tmp_path / "data") as server:
        async with writers_at(server) as writers:
            for _ in range(crashes):
                writers.start()
                await writers.wait_for_acknowledged(random_count())
                server.kill()
                if also_mongod:
                    kill_embedded(server.data_dir)
                await writers.stop(killed=True)
                server.start()
                await check_stored_data(writers)
        assert "Traceback" not in server.output


async def test_what_was_acknowledged_is_there_after_mongod_is_killed_under_a_running_planner(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        lives = {embedded_pid(server.data_dir)}
        async with writers_at(server) as writers:
            for _ in range(CRASHES):
                writers.start()
                await writers.wait_for_acknowledged(random_count())
                kill_embedded(server.data_dir)
                await writers.wait_for_acknowledged(random_count())
                await writers.stop()
                await check_stored_data(writers)
                lives.add(embedded_pid(server.data_dir))
        assert len(lives) == CRASHES + 1
        assert "Traceback" not in server.output


async def test_without_transactions_the_embedded_ids_are_exact_again_after_the_next_start(tmp_path: Path) -> None:
    with (
        standalone(tmp_path / "mongo") as mongod,
        running(tmp_path / "data", DATABASE_URL=mongod.url, SECRET_KEY=SECRET) as server,
    ):
        async with writers_at(server) as writers:
            for _ in range(CRASHES):
                writers.start()
                await writers.wait_for_acknowledged(random_count())
                server.kill()
                await writers.stop(killed=True)
                before = len(server.output)
                server.start()
                assert server.output[before:].count("this MongoDB server has no transactions") == 1
                for account in writers.accounts:
                    stored = [event["id"] for event in await list_all_events(account.person)]
                    assert sorted((await account.person.me())["events"]) == sorted(stored)
        assert "Traceback" not in server.output


def test_without_transactions_several_workers_are_refused(tmp_path: Path) -> None:
    with standalone(tmp_path / "mongo") as mongod:
        server = RunningServer(tmp_path / "data", ("--workers", "2"), DATABASE_URL=mongod.url, SECRET_KEY=SECRET)
        server.launch()
        assert server.process is not None
        assert server.process.wait(30) == 1
        assert "--workers must be 1" in server.output
        assert "Traceback" not in server.output
