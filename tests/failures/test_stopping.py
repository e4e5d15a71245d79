"""However the planner ends, it leaves nothing behind that holds its port or its data."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from database.embedded.processes import command_line
from tests.support.mongod import embedded_pid
from tests.support.servers import RunningServer, running

pytestmark = [
    pytest.mark.real_server("it ends real processes"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, relies on prctl"),
]

ALONE = ()
WITH_WORKERS = ("--workers", "2")


@pytest.fixture(autouse=True)
def tell_and_tidy_up(tmp_path: Path) -> Iterator[None]:
    """Shows what the planner said, should the test fail; and each mongod takes some 300 MB, kept for three runs."""
    yield
    for log in tmp_path.glob("*.log"):
        print(log.read_text())
    shutil.rmtree(tmp_path)


def until(fact: Callable[[], object], seconds: float = 30) -> None:
    """Wait until the fact is true."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def children(pid: int) -> set[int]:
    """The processes that this one started and that still run."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in parentheses and may hold anything; the parent is the second field after it.
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if int(parent) == pid and state != "Z":
            found.add(int(entry.parent.name))
    return found


def family(pid: int) -> set[int]:
    """The process and everything that descends from it."""
    return {pid}.union(*(family(child) for child in children(pid)))


def workers(server: RunningServer) -> set[int]:
    assert server.process is not None
    return {pid for pid in children(server.process.pid) if "spawn_main" in command_line(pid)}


def have_ended(pids: set[int]) -> bool:
    return not any(command_line(pid) for pid in pids)


def is_free(server: RunningServer) -> bool:
    try:
        httpx.get(f"{server.root}/healthz", timeout=1)
    except httpx.ConnectError:
        return True
    return False


@pytest.mark.parametrize("arguments", [ALONE, WITH_WORKERS], ids=["alone", "with_workers"])
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_it_ends_well_when_it_is_asked_to_and_leaves_nothing_behind(
    tmp_path: Path, how: str, arguments: tuple[str, ...]
) -> None:
    with running(tmp_path / "data", arguments) as server:
        assert server.process is not None
        everyone = family(server.process.pid)
        assert embedded_pid(server.data_dir) in everyone
        if how == "Ctrl-C":
            # The terminal sends it to every process of its foreground group.
            os.killpg(server.process.pid, signal.SIGINT)
        else:
            server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        until(lambda: have_ended(everyone))
        assert is_free(server)
        assert "Traceback" not in server.output


@pytest.mark.parametrize("arguments", [ALONE, WITH_WORKERS], ids=["alone", "with_workers"])
def test_when_it_is_killed_everything_else_ends_by_itself_and_it_can_be_started_anew(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with running(tmp_path / "data", arguments) as server:
        assert server.process is not None
        everyone = family(server.process.pid)
        assert len(workers(server)) == (2 if arguments else 0)
        server.kill()
        until(lambda: have_ended(everyone))
        assert is_free(server)
        server.start()


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "data", WITH_WORKERS) as server:
        before = workers(server)
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(workers(server) - {killed}) == 2)
        for _ in range(20):
            assert httpx.get(f"{server.root}/readyz", timeout=30).status_code == 200


def test_a_second_planner_in_the_same_directory_is_told_who_has_it_and_ends(tmp_path: Path) -> None:
    with running(tmp_path / "data") as first:
        assert first.process is not None
        second = RunningServer(first.data_dir)
        second.launch()
        assert second.process is not None
        assert second.process.wait(30) == 1
        assert f"planner: Another planner uses {first.data_dir}: process {first.process.pid} on " in second.output
        assert "Traceback" not in second.output
        assert httpx.get(f"{first.root}/readyz").status_code == 200
