"""The embedded server ends together with its planner, and only what belongs to it is ever ended."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from database.embedded import processes
from database.embedded import server as embedded
from database.embedded.server import EmbeddedFailed, EmbeddedMongo
from tests.database.embedded.planner_process import has_ended, needs_mongod, on_linux, planner_process, stored_ids
from tests.support.mongod import embedded_pid
from tests.support.waiting import wait_until

pytestmark = needs_mongod


def test_ctrl_c_stops_the_planner_which_then_stops_mongod(tmp_path: Path) -> None:
    with planner_process(tmp_path) as process:
        pid = embedded_pid(tmp_path)
        assert os.getsid(pid) != os.getsid(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
        assert has_ended(pid)
    with EmbeddedMongo(tmp_path) as mongo:
        assert stored_ids(mongo) == {"before", "after"}


@on_linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_mongod_ends_with_a_planner_that_is_killed_and_the_next_start_succeeds(
    tmp_path: Path, number: signal.Signals
) -> None:
    with planner_process(tmp_path) as process:
        pid = embedded_pid(tmp_path)
        process.send_signal(number)
        process.wait()
        with EmbeddedMongo(tmp_path) as mongo:
            assert has_ended(pid)
            assert stored_ids(mongo) == {"before"}


@on_linux
def test_mongod_ends_with_its_planner_though_no_other_planner_starts(tmp_path: Path) -> None:
    with planner_process(tmp_path) as process:
        pid = embedded_pid(tmp_path)
        process.kill()
        wait_until(lambda: has_ended(pid))


@on_linux
def test_a_command_does_not_run_when_its_parent_has_already_ended() -> None:
    command = processes.end_with_parent([sys.executable, "-c", "print('it ran')"])
    said = subprocess.run(command, capture_output=True, check=True)
    assert said.stdout == b"it ran\n"
    command[command.index(str(os.getpid()))] = "1"
    said = subprocess.run(command, capture_output=True, check=True)
    assert said.stdout == b""


@pytest.mark.parametrize("hangs", [False, True])
def test_start_ends_an_orphan_even_one_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    with planner_process(tmp_path, "independent") as process:
        pid = embedded_pid(tmp_path)
        process.kill()
        process.wait()
        assert not has_ended(pid)
        if hangs:
            os.kill(pid, signal.SIGSTOP)
            monkeypatch.setattr(embedded, "ORPHAN_SECONDS", 0.5)
        with EmbeddedMongo(tmp_path) as mongo:
            assert has_ended(pid)
            assert stored_ids(mongo) == {"before"}


@pytest.mark.parametrize("holds", [False, True])
def test_start_never_signals_a_process_that_is_not_its_mongod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holds: bool
) -> None:
    lock = tmp_path / "mongo" / "mongod.lock"
    lock.parent.mkdir()
    stranger = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(stranger, stdin=subprocess.PIPE) as process, lock.open("w+") as file:
        file.write(str(process.pid))
        file.flush()
        if holds:
            fcntl.flock(file, fcntl.LOCK_EX)
            monkeypatch.setattr(embedded, "ORPHAN_SECONDS", 0.05)
            with pytest.raises(EmbeddedFailed, match=str(process.pid)):
                EmbeddedMongo(tmp_path).start()
        else:
            with EmbeddedMongo(tmp_path):
                pass
        assert process.poll() is None
        process.kill()
