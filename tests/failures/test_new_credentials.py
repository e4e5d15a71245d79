"""New credentials of the database are used without a restart: SIGHUP makes new workers that read `.env`."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.conftest import SECRET
from tests.failures.protected_database import PASSWORDS, ProtectedDatabase
from tests.support.clients import ok, sign_up
from tests.support.processes import worker_processes
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until, wait_until_async

pytestmark = [pytest.mark.real_server("the mock has no users"), pytest.mark.slow]


def replace_workers(server: RunningServer) -> None:
    """Send SIGHUP, and wait until the log says that every worker is another one, as operating.md does."""
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "all workers are new ones" in server.output)


async def test_workers_use_the_credentials_that_are_in_the_env_file_at_sighup(
    tmp_path: Path, protected_database: ProtectedDatabase
) -> None:
    env = tmp_path / ".env"
    protected_database.create_user("first")
    env.write_text(f"DATABASE_URL={protected_database.url_for('first')}\n")
    with running(tmp_path / "data", ("--workers", "2"), SECRET_KEY=SECRET) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            event = await ada.event()
            # With credentials that the database refuses, the workers that run are kept.
            env.write_text(f"DATABASE_URL={protected_database.url_for('second')}\n")
            assert server.process is not None
            before = worker_processes(server)
            server.process.send_signal(signal.SIGHUP)
            await wait_until_async(lambda: "was not ready; the workers that run are kept" in server.output)
            assert worker_processes(server) == before
            assert ok(await ada.get(f"/events/{event['id']}"))["title"] == event["title"]
            assert PASSWORDS["second"] not in server.output
            # With credentials that it accepts, they are replaced, and the old ones are not needed any more.
            protected_database.create_user("second")
            replace_workers(server)
            protected_database.drop_user("first")
            assert ok(await ada.get(f"/events/{event['id']}"))["title"] == event["title"]
            await ada.event()
