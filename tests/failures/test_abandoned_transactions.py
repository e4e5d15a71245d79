"""What a killed worker has left open on the server does not fail the writes of others."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from database.connection import APPLICATION
from tests.conftest import SECRET
from tests.failures.protected_database import ProtectedDatabase
from tests.support.clients import sign_up
from tests.support.servers import running

pytestmark = [pytest.mark.real_server("it kills a process"), pytest.mark.slow]
# Writes to each account in a transaction, as a worker does, and never ends it.
WORKER = """
import sys
from pymongo import MongoClient

client = MongoClient(sys.argv[1], appname=sys.argv[2])
session = client.start_session()
session.start_transaction()
client.planner.users.update_many({}, {"$set": {"left": "open"}}, session=session)
print("written", flush=True)
sys.stdin.read()
"""


def begin_and_kill(url: str) -> None:
    """Kill a process, with SIGKILL, in the middle of a transaction that has written to each account."""
    command = [sys.executable, "-c", WORKER, url, APPLICATION]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.kill()


async def test_a_write_succeeds_although_a_worker_was_killed_in_the_middle_of_one_to_the_same_account(
    tmp_path: Path, protected_database: ProtectedDatabase
) -> None:
    # With the rights that operating.md gives to the planner, and no others.
    protected_database.create_user("first")
    url = protected_database.url_for("first")
    with running(tmp_path / "data", DATABASE_URL=url, SECRET_KEY=SECRET) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            begin_and_kill(url)
            # A write waits for five seconds, and then fails.
            assert (await ada.post("/events", json={"title": "Written"})).status_code == 201
            begin_and_kill(url)
            renamed = await ada.patch("/users/me", json={"full_name": "Ada"})
            assert renamed.status_code == 200, renamed.text
            assert "ended transactions of processes that were killed or hang: 1" in server.output
