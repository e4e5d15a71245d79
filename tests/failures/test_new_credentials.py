"""New credentials of the database are used without a restart: SIGHUP makes new workers that read `.env`."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from tests.conftest import SECRET
from tests.support.clients import ok, sign_up
from tests.support.mongod import Standalone, initiate_replica_set
from tests.support.processes import worker_processes
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until, wait_until_async

pytestmark = [pytest.mark.real_server("the mock has no users"), pytest.mark.slow]
PASSWORDS = {"first": "the first one", "second": "the second one"}


class ProtectedDatabase:
    """A replica set of one member that asks for a password, and an operator who creates and drops its users."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        key = folder / "key"
        key.write_text("only for this test " * 4)
        key.chmod(0o600)
        self._mongod = Standalone(folder / "mongo", "--replSet", "rs", "--keyFile", str(key))
        self._mongod.start()
        with self._mongod.connect() as client:
            # As long as there is no user, this is allowed from the same machine.
            initiate_replica_set(client, "rs", self._mongod.port)
            client.admin.command("createUser", "operator", pwd="operator", roles=["root"])
        self._operator: MongoClient[dict[str, object]] = MongoClient(
            self._mongod.url, username="operator", password="operator", authSource="admin", directConnection=True
        )

    def create_user(self, name: str) -> None:
        self._operator.admin.command(
            "createUser", name, pwd=PASSWORDS[name], roles=[{"role": "readWrite", "db": "planner"}]
        )

    def drop_user(self, name: str) -> None:
        self._operator.admin.command("dropUser", name)

    def url_for(self, name: str) -> str:
        password = PASSWORDS[name].replace(" ", "%20")
        return f"mongodb://{name}:{password}@127.0.0.1:{self._mongod.port}/planner?authSource=admin&replicaSet=rs"

    def stop(self) -> None:
        self._operator.close()
        self._mongod.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ProtectedDatabase]:
    database = ProtectedDatabase(tmp_path / "database")
    try:
        yield database
    finally:
        database.stop()


def replace_workers(server: RunningServer) -> None:
    """Send SIGHUP, and wait until every worker is another one."""
    assert server.process is not None
    before = worker_processes(server)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not worker_processes(server) & before and len(worker_processes(server)) == 2)


async def test_workers_use_the_credentials_that_are_in_the_env_file_at_sighup(
    tmp_path: Path, database: ProtectedDatabase
) -> None:
    env = tmp_path / ".env"
    database.create_user("first")
    env.write_text(f"DATABASE_URL={database.url_for('first')}\n")
    with running(tmp_path / "data", ("--workers", "2"), SECRET_KEY=SECRET) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            event = await ada.event()
            # With credentials that the database refuses, the workers that run are kept.
            env.write_text(f"DATABASE_URL={database.url_for('second')}\n")
            assert server.process is not None
            before = worker_processes(server)
            server.process.send_signal(signal.SIGHUP)
            await wait_until_async(lambda: "was not ready; the workers that run are kept" in server.output)
            assert worker_processes(server) == before
            assert ok(await ada.get(f"/events/{event['id']}"))["title"] == event["title"]
            assert PASSWORDS["second"] not in server.output
            # With credentials that it accepts, they are replaced, and the old ones are not needed any more.
            database.create_user("second")
            replace_workers(server)
            database.drop_user("first")
            assert ok(await ada.get(f"/events/{event['id']}"))["title"] == event["title"]
            await ada.event()
