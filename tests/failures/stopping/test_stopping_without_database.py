"""A planner ends soon after SIGTERM, and keeps its workers, whatever its database and its workers do."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.failures.failover.replica_set import ReplicaSet
from tests.failures.stopping.conftest import ALONE, STOP_SECONDS, WITH_WORKERS
from tests.support.processes import family_of, have_ended, worker_processes
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until
from tests.support.workers import both_workers

pytestmark = [
    pytest.mark.real_server("it ends and stops real processes"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
SECRET = "known to the tests of stopping alone: 92ce01fd"


@pytest.fixture
def hanging(database: ReplicaSet) -> Iterator[ReplicaSet]:
    """A database that the test stops, and that responds again afterwards."""
    yield database
    if database.members[0].is_stopped:
        database.members[0].send_sigcont()


def settings(database: ReplicaSet) -> dict[str, str]:
    return {"DATABASE_URL": database.url, "SECRET_KEY": SECRET}


def send_requests(server: RunningServer) -> list[threading.Thread]:
    """Send requests that wait for the database; their responses do not matter."""

    def send() -> None:
        with suppress(httpx.TransportError):
            httpx.post(f"{server.url}/auth/signin", json={"email": "ada@example.com", "password": "x"}, timeout=30)

    senders = [threading.Thread(target=send) for _ in range(10)]
    for sender in senders:
        sender.start()
    return senders


@pytest.mark.parametrize("arguments", [ALONE, WITH_WORKERS], ids=["alone", "with_workers"])
def test_sigterm_ends_a_planner_within_ten_seconds_while_its_database_hangs(
    tmp_path: Path, hanging: ReplicaSet, arguments: tuple[str, ...]
) -> None:
    with running(tmp_path / "data", arguments, **settings(hanging)) as server:
        assert server.process is not None
        everyone = family_of(server.process.pid)
        hanging.members[0].send_sigstop()
        senders = send_requests(server)
        wait_until(lambda: httpx.get(f"{server.root}/readyz", timeout=30).status_code == 503)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_SECONDS) == 0
        wait_until(lambda: have_ended(everyone))
        for sender in senders:
            sender.join()
        assert "Traceback" not in server.output


@pytest.mark.parametrize("arguments", [ALONE, WITH_WORKERS], ids=["alone", "with_workers"])
def test_sigterm_ends_a_planner_that_waits_for_its_database_to_start(
    tmp_path: Path, hanging: ReplicaSet, arguments: tuple[str, ...]
) -> None:
    hanging.members[0].send_sigstop()
    server = RunningServer(tmp_path / "data", arguments, **settings(hanging))
    server.launch()
    assert server.process is not None
    try:
        wait_until(lambda: "waiting for the database" in server.output)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(STOP_SECONDS)
        assert "Traceback" not in server.output
    finally:
        server.stop()


def test_workers_that_die_or_are_replaced_while_the_database_hangs_wait_for_it_until_sigterm(
    tmp_path: Path, hanging: ReplicaSet
) -> None:
    with running(tmp_path / "data", WITH_WORKERS, **settings(hanging)) as server:
        assert server.process is not None
        hanging.members[0].send_sigstop()
        killed = min(worker_processes(server))
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: "waiting for the database" in server.output)
        hanging.members[0].send_sigcont()
        wait_until(lambda: "serves requests" in server.output)
        assert killed not in worker_processes(server)
        assert len(worker_processes(server)) == 2

        before, waiting = worker_processes(server), server.output.count("waiting for the database")
        hanging.members[0].send_sigstop()
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.output.count("waiting for the database") > waiting)
        assert before < worker_processes(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_SECONDS) == 0
        assert "Traceback" not in server.output


async def test_a_worker_that_hangs_does_not_keep_the_planner_from_ending(tmp_path: Path, database: ReplicaSet) -> None:
    with running(tmp_path / "data", WITH_WORKERS, **settings(database)) as server:
        assert server.process is not None
        async with both_workers(server):
            everyone = family_of(server.process.pid)
        os.kill(min(worker_processes(server)), signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        wait_until(lambda: have_ended(everyone))
