"""The embedded server keeps its promises against a real mongod; each test starts its own."""

import asyncio
import contextlib
import errno
import fcntl
import json
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from database.embedded import processes
from database.embedded import server as embedded
from database.embedded.server import DataDirBusy, EmbeddedFailed, EmbeddedMongo, EmbeddedUnavailable, find_mongod

try:
    find_mongod()
except EmbeddedUnavailable as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = pytest.mark.real_server
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, relies on prctl")

ROOT = Path(embedded.__file__).parents[2]

# A planner as the operating system sees one. It says where its database is, and on Ctrl-C writes once more, which
# works only when the Ctrl-C did not reach mongod.
PLANNER = """
import signal, sys
from pathlib import Path
from pymongo import MongoClient
from database import embedded
if "unleashed" in sys.argv:
    embedded.leashed = list
# Whoever runs the tests in the background may have had SIGINT ignored, which a child inherits.
signal.signal(signal.SIGINT, signal.default_int_handler)
with embedded.EmbeddedMongo(Path(sys.argv[1])) as mongo:
    with MongoClient(mongo.url) as client:
        client.test.things.insert_one({"_id": "before"})
        try:
            print(mongo.url, flush=True)
            sys.stdin.read()
        except KeyboardInterrupt:
            client.test.things.insert_one({"_id": "after"})
"""


@pytest.fixture(autouse=True)
def give_back_the_disk(tmp_path: Path) -> Iterator[None]:
    """The journal of each mongod takes 300 MB, and pytest would keep the directories of three runs."""
    yield
    shutil.rmtree(tmp_path)


def connect(mongo: EmbeddedMongo, **options: Any) -> MongoClient[dict[str, Any]]:
    return MongoClient(mongo.url, **options)


def until(fact: Callable[[], Any], seconds: float = 20) -> Any:
    """Return the first true value of `fact`; fail when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := fact()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)
    return value


def pid_of(data_dir: Path) -> int:
    return int((data_dir / "mongo" / "mongod.lock").read_text())


def has_ended(pid: int) -> bool:
    return not processes.command_line(pid)


def things(mongo: EmbeddedMongo) -> set[Any]:
    with connect(mongo) as client:
        return {thing["_id"] for thing in client.test.things.find()}


@contextlib.contextmanager
def planner(data_dir: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A planner in a process group of its own, which holds its database when this returns."""
    command = [sys.executable, "-c", PLANNER, str(data_dir), *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("mongodb://")
            yield process
        finally:
            process.kill()


def test_data_log_and_lock_lie_in_a_private_data_dir(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    with EmbeddedMongo(data_dir):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        assert (data_dir / "mongo" / "WiredTiger").exists()
        assert (data_dir / "mongod.log").stat().st_size > 0
        assert (data_dir / "planner.lock").exists()


def test_what_was_written_is_there_at_the_next_start_and_both_starts_are_fast(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path)
    for starts, limit in ((1, 5), (2, 3)):
        begun = time.monotonic()
        mongo.start()
        assert time.monotonic() - begun < limit
        with connect(mongo) as client:
            client.test.things.update_one({"_id": 1}, {"$inc": {"starts": 1}}, upsert=True)
            assert client.test.things.find_one() == {"_id": 1, "starts": starts}
        begun = time.monotonic()
        mongo.stop()
        assert time.monotonic() - begun < 3


def test_stop_is_quick_while_clients_wait_for_changes(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path)
    mongo.start()
    with connect(mongo, serverSelectionTimeoutMS=100) as client:
        changes = client.test.things.watch(max_await_time_ms=60_000)

        def wait_for_change() -> None:
            with contextlib.suppress(PyMongoError):
                changes.next()

        waiting = threading.Thread(target=wait_for_change)
        waiting.start()
        until(lambda: list(client.admin.aggregate([{"$currentOp": {}}, {"$match": {"op": "getmore"}}])))
        begun = time.monotonic()
        mongo.stop()
        assert time.monotonic() - begun < 3
        waiting.join()
        changes.close()


def test_stop_may_be_called_before_start_and_twice_after_it(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path)
    mongo.stop()
    mongo.start()
    mongo.stop()
    mongo.stop()


def test_stop_kills_a_mongod_that_does_not_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.2)
    with EmbeddedMongo(tmp_path):
        pid = pid_of(tmp_path)
        os.kill(pid, signal.SIGSTOP)
    assert has_ended(pid)


def test_a_long_log_is_moved_aside_at_start_and_while_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, older = tmp_path / "mongod.log", tmp_path / "mongod.log.1"
    log.write_bytes(b"x" * (embedded.LOG_BYTES + 1))
    monkeypatch.setattr(embedded, "LOG_CHECK_SECONDS", 0.05)
    with EmbeddedMongo(tmp_path):
        assert older.read_bytes()[:1] == b"x"
        assert log.read_bytes()[:1] == b"{"
        with log.open("ab") as file:
            file.truncate(embedded.LOG_BYTES + 1)
        until(lambda: older.read_bytes()[:1] == b"{" and log.exists())


@on_linux
def test_it_listens_on_a_private_unix_socket_and_on_no_port(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path):
        links = []
        for link in Path(f"/proc/{pid_of(tmp_path)}/fd").iterdir():
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
        client.test.things.insert_one({"_id": 1})
        private = (tmp_path / name / "run").resolve()
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not private.exists()


def test_transactions_work_with_both_drivers(tmp_path: Path) -> None:
    async def with_motor(url: str) -> None:
        client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(url)
        try:
            async with await client.start_session() as session:
                session.start_transaction()
                await client.test.things.insert_one({"_id": "undone"}, session=session)
                await session.abort_transaction()
                async with session.start_transaction():
                    await client.test.things.insert_one({"_id": "motor"}, session=session)
        finally:
            client.close()

    with EmbeddedMongo(tmp_path) as mongo:
        with connect(mongo) as client, client.start_session() as session:
            session.with_transaction(lambda session: client.test.things.insert_one({"_id": "pymongo"}, session=session))
        asyncio.run(with_motor(mongo.url))
        assert things(mongo) == {"pymongo", "motor"}


def test_data_serve_again_after_the_directory_moved(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path / "here") as mongo, connect(mongo) as client:
        client.test.things.insert_one({"_id": 1})
    (tmp_path / "here").rename(tmp_path / "there")
    with EmbeddedMongo(tmp_path / "there") as mongo:
        assert things(mongo) == {1}


def test_data_serve_again_when_their_replica_set_names_another_host(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path) as mongo, connect(mongo, retryWrites=False) as client:
        client.test.things.insert_one({"_id": 1})
        client.local["system.replset"].update_one({}, {"$set": {"members.0.host": "127.0.0.1:1"}})
    with EmbeddedMongo(tmp_path) as mongo:
        assert things(mongo) == {1}


def test_ctrl_c_reaches_the_planner_and_leaves_mongod_to_it(tmp_path: Path) -> None:
    with planner(tmp_path) as process:
        pid = pid_of(tmp_path)
        assert os.getsid(pid) != os.getsid(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
        assert has_ended(pid)
    with EmbeddedMongo(tmp_path) as mongo:
        assert things(mongo) == {"before", "after"}


@on_linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_mongod_ends_with_a_planner_that_is_killed_and_the_next_start_succeeds(
    tmp_path: Path, number: signal.Signals
) -> None:
    with planner(tmp_path) as process:
        pid = pid_of(tmp_path)
        process.send_signal(number)
        process.wait()
        with EmbeddedMongo(tmp_path) as mongo:
            assert has_ended(pid)
            assert things(mongo) == {"before"}


@on_linux
def test_mongod_ends_with_a_planner_that_nobody_follows(tmp_path: Path) -> None:
    with planner(tmp_path) as process:
        pid = pid_of(tmp_path)
        process.kill()
        until(lambda: has_ended(pid))


@on_linux
def test_a_command_whose_parent_is_gone_before_it_begins_does_not_begin() -> None:
    command = processes.leashed([sys.executable, "-c", "print('it ran')"])
    said = subprocess.run(command, capture_output=True, check=True)
    assert said.stdout == b"it ran\n"
    command[command.index(str(os.getpid()))] = "1"
    said = subprocess.run(command, capture_output=True, check=True)
    assert said.stdout == b""


@pytest.mark.parametrize("hangs", [False, True])
def test_start_ends_an_orphan_even_one_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    with planner(tmp_path, "unleashed") as process:
        pid = pid_of(tmp_path)
        process.kill()
        process.wait()
        assert not has_ended(pid)
        if hangs:
            os.kill(pid, signal.SIGSTOP)
            monkeypatch.setattr(embedded, "ORPHAN_SECONDS", 0.5)
        with EmbeddedMongo(tmp_path) as mongo:
            assert has_ended(pid)
            assert things(mongo) == {"before"}


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


def test_a_mongod_that_dies_comes_back_under_the_same_url(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with EmbeddedMongo(tmp_path) as mongo, connect(mongo) as client:
        client.test.things.insert_one({"_id": 1})
        pid = pid_of(tmp_path)
        os.kill(pid, signal.SIGKILL)
        client.test.things.insert_one({"_id": 2})
        assert client.test.things.count_documents({}) == 2
        assert pid_of(tmp_path) != pid
    (record,) = [record for record in caplog.records if record.name == "planner.database"]
    assert "starting it again" in record.getMessage()


def test_clients_are_let_in_again_only_when_mongod_takes_writes_so_that_they_keep_their_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedMongo(tmp_path) as mongo, connect(mongo) as client:
        pid = pid_of(tmp_path)
        reached: list[Path] = []
        obstacle = embedded._obstacle

        def not_yet(path: Path) -> str:
            obstacle(path)  # raises OSError as long as nobody listens
            reached.append(path)
            return "it is not to take writes yet"

        monkeypatch.setattr(embedded, "_obstacle", not_yet)
        os.kill(pid, signal.SIGKILL)
        until(lambda: reached)
        with pytest.raises(PyMongoError), connect(mongo, serverSelectionTimeoutMS=100) as early:
            early.admin.command("ping")
        monkeypatch.undo()
        with client.start_session() as session:
            session.with_transaction(lambda session: client.test.things.insert_one({"_id": 1}, session=session))
        assert pid_of(tmp_path) != pid
        assert things(mongo) == {1}


def test_every_write_acknowledged_by_a_majority_survives_the_death_of_mongod(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path) as mongo:
        acknowledged: set[Any] = set()

        def write(first: int) -> None:
            with connect(mongo, w="majority", retryWrites=False) as client, contextlib.suppress(PyMongoError):
                for number in range(first, first + 1_000_000):
                    client.test.things.insert_one({"_id": number})
                    acknowledged.add(number)

        writers = [threading.Thread(target=write, args=(n * 1_000_000,)) for n in range(3)]
        for writer in writers:
            writer.start()
        until(lambda: len(acknowledged) > 300)
        os.kill(pid_of(tmp_path), signal.SIGKILL)
        for writer in writers:
            writer.join()
        assert acknowledged - things(mongo) == set()


def test_a_mongod_that_keeps_dying_is_reported_with_its_log_and_comes_back_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded, "RAPID_DEATHS", 2)
    with EmbeddedMongo(tmp_path) as mongo:
        needed = tmp_path / "mongo" / "storage.bson"
        content = needed.read_bytes()
        needed.write_bytes(b"damaged")
        os.kill(pid_of(tmp_path), signal.SIGKILL)

        def reports() -> list[str]:
            return [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL]

        until(reports)
        assert "Unable to read the storage engine metadata file" in reports()[0]
        needed.write_bytes(content)
        with connect(mongo) as client:
            client.test.things.insert_one({"_id": 1})


def test_a_second_planner_is_told_who_has_the_directory(tmp_path: Path) -> None:
    with planner(tmp_path) as process:
        with pytest.raises(DataDirBusy) as caught:
            EmbeddedMongo(tmp_path).start()
        assert str(process.pid) in str(caught.value)
        assert socket.gethostname() in str(caught.value)
        assert json.loads((tmp_path / "planner.lock").read_text())["since"] in str(caught.value)
        assert not has_ended(pid_of(tmp_path))


def test_two_in_one_process_do_not_share_a_directory(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path) as mongo:
        with pytest.raises(DataDirBusy):
            EmbeddedMongo(tmp_path).start()
        with pytest.raises(DataDirBusy):
            EmbeddedMongo(tmp_path).start()
        assert things(mongo) == set()


def test_worker_processes_disturb_neither_lock_nor_mongod(tmp_path: Path) -> None:
    work = "from pymongo import MongoClient\nwith MongoClient({!r}) as c: c.test.things.insert_one({{'_id': 1}})"
    with EmbeddedMongo(tmp_path) as mongo:
        pid = pid_of(tmp_path)
        worker = multiprocessing.get_context("spawn").Process(target=exec, args=(work.format(mongo.url),))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
        assert things(mongo) == {1}
        assert pid_of(tmp_path) == pid
        with pytest.raises(DataDirBusy):
            EmbeddedMongo(tmp_path).start()


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_keeps_no_lock_and_cannot_stop_the_server(tmp_path: Path) -> None:
    ended, end = os.pipe()
    mongo = EmbeddedMongo(tmp_path)
    mongo.start()
    pid = pid_of(tmp_path)
    child = os.fork()
    if child == 0:  # pragma: no cover
        mongo.stop()
        os.close(end)
        os.read(ended, 1)
        os._exit(0)
    try:
        assert things(mongo) == set()
        assert pid_of(tmp_path) == pid
        mongo.stop()
        with EmbeddedMongo(tmp_path):
            pass
    finally:
        mongo.stop()
        os.close(end)
        os.close(ended)
        os.waitpid(child, 0)


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
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "mongod ended with code" in said.stdout, said.stderr


def test_a_data_dir_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedFailed, match=os.strerror(errno.ENOTDIR)):
        EmbeddedMongo(tmp_path / "file" / "data").start()


def test_a_mongod_that_never_answers_is_reported_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.3)
    monkeypatch.setattr(EmbeddedMongo, "_command", lambda self: [sys.executable, "-c", "import signal; signal.pause()"])
    with pytest.raises(EmbeddedFailed, match="took no writes within"):
        EmbeddedMongo(tmp_path).start()


def test_a_mongod_on_path_is_taken_first_and_an_old_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    packaged = find_mongod()
    assert packaged != tmp_path / "mongod"
    for version, chosen in (("v6.0.1", tmp_path / "mongod"), ("v5.0.9", packaged)):
        (tmp_path / "mongod").write_text(f"#!/bin/sh\necho 'db version {version}'\n")
        (tmp_path / "mongod").chmod(0o755)
        assert find_mongod() == chosen


def test_a_packaged_mongod_that_lost_its_executable_bit_gets_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "fiftyone" / "db" / "bin" / "mongod"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'db version v6.0.5'\n")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert find_mongod() == program
    assert os.access(program, os.X_OK)


@pytest.mark.parametrize(
    ("says", "named"),
    [
        (
            "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file",
            "libcurl.so.4",
        ),
        ("dyld: Library not loaded: @rpath/libcurl.4.dylib", "libcurl.4.dylib"),
        (None, "none on PATH"),
    ],
)
def test_without_a_mongod_that_runs_the_two_ways_on_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str | None, named: str
) -> None:
    if says:
        (tmp_path / "mongod").write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 127\n")
        (tmp_path / "mongod").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(EmbeddedUnavailable) as caught:
        EmbeddedMongo(tmp_path / "data").start()
    for word in (named, "docker compose up -d mongo", "compose.yaml", "DATABASE_URL"):
        assert word in str(caught.value)
    assert not (tmp_path / "data").exists()
