"""A planner that is told to stop, or killed, while it or its workers start: it ends soon, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from planner.serving.supervisor import Server
from tests.failures.failover.replica_set import ReplicaSet, replica_set
from tests.failures.stopping.conftest import STOP_SECONDS, WITH_WORKERS
from tests.support.mongod import Standalone, embedded_pid
from tests.support.processes import family_of, have_ended, worker_processes
from tests.support.servers import ROOT, RunningServer, running
from tests.support.waiting import wait_until
from tests.support.workers import both_workers

pytestmark = [
    pytest.mark.real_server("it ends and stops real processes"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
SECRET = "known to the tests of ended starts alone: 51e07c3a"


@pytest.fixture
def launched(tmp_path: Path, database: ReplicaSet) -> Iterator[RunningServer]:
    """A planner whose two workers have just been started, and do not serve yet."""
    server = RunningServer(tmp_path / "data", WITH_WORKERS, DATABASE_URL=database.url, SECRET_KEY=SECRET)
    server.launch()
    wait_until(lambda: len(worker_processes(server)) == 2)
    yield server
    server.stop()


@pytest.fixture
def slow_database(tmp_path: Path) -> Iterator[Standalone]:
    """A database with an event, in which no index is ever finished."""
    database = Standalone(tmp_path / "mongo", "--setParameter", "enableTestCommands=1")
    database.start()
    with database.connect() as client:
        client.planner.events.insert_one({"title": "An event without an account"})
        client.admin.command("configureFailPoint", "hangAfterStartingIndexBuild", mode="alwaysOn")
    yield database
    database.kill()


def test_sigterm_ends_a_planner_that_waits_for_an_index_to_be_built(tmp_path: Path, slow_database: Standalone) -> None:
    server = RunningServer(tmp_path / "data", DATABASE_URL=slow_database.url, SECRET_KEY=SECRET)
    server.launch()
    assert server.process is not None
    try:
        with slow_database.connect() as client:
            search: list[dict[str, Any]] = [
                {"$currentOp": {}},
                {"$match": {"command.createIndexes": {"$exists": True}}},
            ]
            wait_until(lambda: list(client.admin.aggregate(search)))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_SECONDS) == 0
    finally:
        server.kill()
    assert "Traceback" not in server.output


def test_a_signal_gives_up_the_start_of_a_server_and_later_none_interrupts_its_end() -> None:
    server = Server(uvicorn.Config("unused"))
    with pytest.raises(KeyboardInterrupt):
        server.handle_exit(signal.SIGTERM, None)
    server.started = True
    for _ in range(2):
        server.handle_exit(signal.SIGINT, None)
    assert server.should_exit
    assert not server.force_exit


def test_sigterm_ends_a_planner_whose_embedded_database_hangs(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        assert server.process is not None
        everyone = family_of(server.process.pid)
        os.kill(embedded_pid(server.data_dir), signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_SECONDS) == 0
        wait_until(lambda: have_ended(everyone))


def test_sigterm_before_anything_is_imported_ends_the_process_without_a_traceback(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "data")
    server.launch()
    assert server.process is not None
    # Python has begun to run `planner/__main__.py` when it has a handler for the signal.
    status = Path(f"/proc/{server.process.pid}/status")
    bit = 1 << signal.SIGTERM - 1
    try:
        wait_until(lambda: int(status.read_text().split("SigCgt:")[1].split()[0], 16) & bit)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_SECONDS) in (128 + signal.SIGTERM, 0)
    finally:
        server.kill()
    assert "Traceback" not in server.output


def test_workers_whose_supervisor_is_killed_while_they_start_end_too(launched: RunningServer) -> None:
    assert launched.process is not None
    everyone = family_of(launched.process.pid)
    launched.kill()
    wait_until(lambda: have_ended(everyone))


def test_ctrl_c_while_workers_start_ends_all_without_a_traceback(launched: RunningServer) -> None:
    assert launched.process is not None
    everyone = family_of(launched.process.pid)
    # A terminal sends it to the whole group.
    os.killpg(launched.process.pid, signal.SIGINT)
    assert launched.process.wait(STOP_SECONDS) == 0
    wait_until(lambda: have_ended(everyone))
    assert "Traceback" not in launched.output


def test_sigterm_ends_a_backup_and_leaves_no_part_of_it(tmp_path: Path) -> None:
    with replica_set(tmp_path / "mongo", size=1) as database:
        with database.members[0].connect_as_operator() as client:
            # Some seconds of work: random bytes cannot be compressed.
            client.planner.events.insert_many([{"description": os.urandom(20_000)} for _ in range(5_000)])
        environment = {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database.url,
            "SECRET_KEY": SECRET,
            "DATA_DIR": str(tmp_path / "data"),
        }
        command = [sys.executable, "-m", "planner", "backup", str(tmp_path / "backup")]
        with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL) as backup:
            wait_until(lambda: list(tmp_path.glob("backup*")))
            backup.send_signal(signal.SIGTERM)
            assert backup.wait(STOP_SECONDS) != 0
        assert list(tmp_path.glob("backup*")) == []


async def test_a_wrong_setting_is_reported_in_a_sentence_and_the_next_sighup_replaces_the_workers(
    tmp_path: Path, database: ReplicaSet
) -> None:
    (tmp_path / ".env").write_text("")
    with running(tmp_path / "data", WITH_WORKERS, DATABASE_URL=database.url, SECRET_KEY=SECRET) as server:
        assert server.process is not None
        async with both_workers(server):
            before = worker_processes(server)
        (tmp_path / ".env").write_text("GRACE_SECONDS=nonsense\n")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "GRACE_SECONDS: must be a whole number" in server.output)
        (tmp_path / ".env").write_text("")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "all workers are new ones" in server.output)
        assert not before & worker_processes(server)
        assert "Traceback" not in server.output
