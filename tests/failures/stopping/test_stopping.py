"""However the planner ends, it leaves nothing behind that holds its port or its data."""

import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.failures.stopping.conftest import ALONE, WITH_WORKERS
from tests.support.mongod import embedded_pid
from tests.support.processes import family_of, have_ended, worker_processes
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.real_server("it ends real processes"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, relies on prctl"),
]


def is_free(server: RunningServer) -> bool:
    try:
        httpx.get(f"{server.root}/healthz", timeout=1)
    except httpx.ConnectError:
        return True
    return False


@pytest.mark.parametrize("arguments", [ALONE, WITH_WORKERS], ids=["alone", "with_workers"])
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_a_planner_that_is_stopped_ends_with_status_0_and_leaves_no_process_behind(
    tmp_path: Path, how: str, arguments: tuple[str, ...]
) -> None:
    with running(tmp_path / "data", arguments) as server:
        assert server.process is not None
        everyone = family_of(server.process.pid)
        assert embedded_pid(server.data_dir) in everyone
        if how == "Ctrl-C":
            # The terminal sends it to every process of its foreground group.
            os.killpg(server.process.pid, signal.SIGINT)
        else:
            server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        wait_until(lambda: have_ended(everyone))
        assert is_free(server)
        assert "Traceback" not in server.output


@pytest.mark.parametrize("arguments", [ALONE, WITH_WORKERS], ids=["alone", "with_workers"])
def test_after_a_kill_every_other_process_ends_too_and_the_planner_can_be_started_again(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with running(tmp_path / "data", arguments) as server:
        assert server.process is not None
        everyone = family_of(server.process.pid)
        assert len(worker_processes(server)) == (2 if arguments else 0)
        server.kill()
        wait_until(lambda: have_ended(everyone))
        assert is_free(server)
        server.start()


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "data", WITH_WORKERS) as server:
        before = worker_processes(server)
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(worker_processes(server) - {killed}) == 2)
        for _ in range(20):
            assert httpx.get(f"{server.root}/readyz", timeout=30).status_code == 200


def test_a_second_planner_in_the_same_directory_ends_with_a_message_that_names_the_first(tmp_path: Path) -> None:
    with running(tmp_path / "data") as first:
        assert first.process is not None
        second = RunningServer(first.data_dir)
        second.launch()
        assert second.process is not None
        assert second.process.wait(30) == 1
        assert f"planner: Another planner uses {first.data_dir}: process {first.process.pid} on " in second.output
        assert "Traceback" not in second.output
        assert httpx.get(f"{first.root}/readyz").status_code == 200
