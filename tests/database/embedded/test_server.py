"""The embedded server starts, keeps its data in one private directory, and stops."""

import asyncio
import contextlib
import errno
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pymongo.errors import PyMongoError

from database.embedded import server as embedded
from database.embedded.server import EmbeddedFailed, EmbeddedMongo
from tests.database.embedded.planner_process import connect, has_ended, needs_mongod, on_linux, stored_ids
from tests.support.mongod import embedded_pid
from tests.support.servers import ROOT
from tests.support.waiting import wait_until

pytestmark = needs_mongod


def test_data_log_and_lock_lie_in_a_private_data_dir(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    with EmbeddedMongo(data_dir):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        assert (data_dir / "mongo" / "WiredTiger").exists()
        assert (data_dir / "mongod.log").stat().st_size > 0
        assert (data_dir / "planner.lock").exists()


def shut_down_by_itself(data_dir: Path) -> bool:
    """Return whether the last mongod in this directory ended in order, without being killed."""
    last = json.loads((data_dir / "mongod.log").read_text().splitlines()[-1])
    return bool(last["msg"] == "Shutting down" and last["attr"] == {"exitCode": 0})


def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path)
    for starts in (1, 2):
        mongo.start()
        with connect(mongo) as client:
            client.test.documents.update_one({"_id": 1}, {"$inc": {"starts": 1}}, upsert=True)
            assert client.test.documents.find_one() == {"_id": 1, "starts": starts}
        mongo.stop()
        assert shut_down_by_itself(tmp_path)


def test_stop_needs_to_kill_nothing_while_clients_wait_for_changes(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path)
    mongo.start()
    with connect(mongo, serverSelectionTimeoutMS=100) as client:
        changes = client.test.documents.watch(max_await_time_ms=60_000)

        def wait_for_change() -> None:
            with contextlib.suppress(PyMongoError):
                changes.next()

        waiting = threading.Thread(target=wait_for_change)
        waiting.start()
        wait_until(lambda: list(client.admin.aggregate([{"$currentOp": {}}, {"$match": {"op": "getmore"}}])))
        mongo.stop()
        assert shut_down_by_itself(tmp_path)
        waiting.join()
        changes.close()


def test_stop_may_be_called_before_start_and_twice_after_it(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path)
    mongo.stop()
    mongo.start()
    pid = embedded_pid(tmp_path)
    mongo.stop()
    mongo.stop()
    assert has_ended(pid)


def test_stop_kills_a_mongod_that_does_not_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.2)
    with EmbeddedMongo(tmp_path):
        pid = embedded_pid(tmp_path)
        os.kill(pid, signal.SIGSTOP)
    assert has_ended(pid)
    assert not shut_down_by_itself(tmp_path)


def test_a_long_log_is_moved_aside_at_start_and_while_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, older = tmp_path / "mongod.log", tmp_path / "mongod.log.1"
    log.write_bytes(b"x" * (embedded.LOG_BYTES + 1))
    monkeypatch.setattr(embedded, "LOG_CHECK_SECONDS", 0.05)
    with EmbeddedMongo(tmp_path):
        assert older.read_bytes()[:1] == b"x"
        assert log.read_bytes()[:1] == b"{"
        with log.open("ab") as file:
            file.truncate(embedded.LOG_BYTES + 1)
        wait_until(lambda: older.read_bytes()[:1] == b"{" and log.exists())


@on_linux
def test_it_listens_on_a_private_unix_socket_and_on_no_port(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path):
        links = []
        for link in Path(f"/proc/{embedded_pid(tmp_path)}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed in the meantime
                links.append(os.readlink(link))
        ports = "".join(Path(f"/proc/net/{kind}").read_text() for kind in ("tcp", "tcp6"))
        tcp = {f"socket:[{line.split()[9]}]" for line in ports.splitlines() if ":" in line}
        assert not tcp.intersection(links)
        sockets = [line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines()]
        assert "run/mongod.sock" in sockets
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "run" / "mongod.sock").stat().st_mode) & 0o077 == 0
        assert not any("planner.lock" in link for link in links), "mongod would keep the directory locked"


@pytest.mark.parametrize("name", ["a, b:c%20ü+@?&", "x" * 120])
def test_data_dir_may_have_any_name_and_any_length(tmp_path: Path, name: str) -> None:
    with EmbeddedMongo(tmp_path / name) as mongo, connect(mongo) as client:
        client.test.documents.insert_one({"_id": 1})
        private = (tmp_path / name / "run").resolve()
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not private.exists()


def test_transactions_work_with_both_drivers(tmp_path: Path) -> None:
    motor = pytest.importorskip("motor.motor_asyncio", reason="Motor is not installed")

    async def with_motor(url: str) -> None:
        client = motor.AsyncIOMotorClient(url)
        try:
            async with await client.start_session() as session:
                session.start_transaction()
                await client.test.documents.insert_one({"_id": "undone"}, session=session)
                await session.abort_transaction()
                async with session.start_transaction():
                    await client.test.documents.insert_one({"_id": "motor"}, session=session)
        finally:
            client.close()

    with EmbeddedMongo(tmp_path) as mongo:
        with connect(mongo) as client, client.start_session() as session:
            session.with_transaction(
                lambda session: client.test.documents.insert_one({"_id": "pymongo"}, session=session)
            )
        asyncio.run(with_motor(mongo.url))
        assert stored_ids(mongo) == {"pymongo", "motor"}


def test_the_data_can_be_used_after_the_directory_was_moved(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path / "here") as mongo, connect(mongo) as client:
        client.test.documents.insert_one({"_id": 1})
    (tmp_path / "here").rename(tmp_path / "there")
    with EmbeddedMongo(tmp_path / "there") as mongo:
        assert stored_ids(mongo) == {1}


def test_the_data_can_be_used_when_their_replica_set_names_another_host(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path) as mongo, connect(mongo, retryWrites=False) as client:
        client.test.documents.insert_one({"_id": 1})
        client.local["system.replset"].update_one({}, {"$set": {"members.0.host": "127.0.0.1:1"}})
    with EmbeddedMongo(tmp_path) as mongo:
        assert stored_ids(mongo) == {1}


def test_a_damaged_data_directory_is_reported_with_the_log(tmp_path: Path) -> None:
    (tmp_path / "mongo").mkdir()
    (tmp_path / "mongo" / "WiredTiger").write_bytes(b"not a database")
    (tmp_path / "mongo" / "WiredTiger.turtle").write_bytes(b"not a database")
    mongo = EmbeddedMongo(tmp_path)
    with pytest.raises(EmbeddedFailed, match="WiredTiger"):
        mongo.start()
    with pytest.raises(EmbeddedFailed, match="WiredTiger"):
        mongo.start()


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    # A limit on the size of files stands in for the full disk; mongod inherits it, so it is set in a child.
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from pathlib import Path; from database.embedded.server import *\n"
        "try: EmbeddedMongo(Path(sys.argv[1])).start()\n"
        "except EmbeddedFailed as error: print(error)"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", script, str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "mongod ended with code" in said.stdout, said.stderr


def test_a_data_dir_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedFailed, match=os.strerror(errno.ENOTDIR)):
        EmbeddedMongo(tmp_path / "file" / "data").start()


def test_a_mongod_that_never_accepts_connections_is_reported_after_the_time_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.3)
    monkeypatch.setattr(EmbeddedMongo, "_command", lambda self: [sys.executable, "-c", "import signal; signal.pause()"])
    with pytest.raises(EmbeddedFailed, match="took no writes within"):
        EmbeddedMongo(tmp_path).start()
