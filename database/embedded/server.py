"""A real mongod, run as a child, so that the planner works with nothing installed and nothing configured.

In DATA_DIR lie `mongo/` (the data), `mongod.log` and `mongod.log.1`, `planner.lock` (who runs here) and `run/` (the
socket). The server listens on that socket alone, which only its own user can open, so it needs no password.
"""

import atexit
import json
import logging
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from database.embedded.mongod import EmbeddedUnavailable, find_lack_of_room, find_mongod, last_lines
from database.embedded.processes import POLL_SECONDS, end_holder, end_with_parent, try_lock

START_SECONDS = 30.0
# It usually takes less. If it hangs, the planner has to end within 10 seconds all the same; MongoDB survives a kill.
STOP_SECONDS = 2.0
ORPHAN_SECONDS = 10.0
CACHE_GB = 0.5
OPLOG_MB = 512  # MongoDB would take a twentieth of the disk
LOG_BYTES = 10 * 1024 * 1024
LOG_CHECK_SECONDS = 60.0
STABLE_SECONDS = 10.0
RAPID_EXITS = 5
# A database that cannot start, such as while the disk is full, is back soon after the reason has gone.
LONGEST_PAUSE_SECONDS = 3.0

# A single-node replica set, which transactions and change streams need, works over a unix socket alone: tried with
# 6.0. The path is relative to mongod's working directory, DATA_DIR. So the replica set's configuration stays true
# when the directory moves, and the characters that --bind_ip and host names give a meaning (`,` and `:`) stay out.
SOCKET = "run/mongod.sock"
# Clients use another name for it, which exists only while mongod accepts writes. The driver asks a server once
# for each connection what it can do, and one that is still starting says that it has no sessions. Connections made in
# that moment would be kept, and would refuse every transaction for as long as the planner runs.
PRIMARY_SOCKET = "run/primary.sock"
REPLICA_SET = "planner"
NOT_YET_INITIALIZED = 94
# What mongod logs when its disk is full.
NO_SPACE = "No space left on device"

__all__ = ["DataDirBusy", "EmbeddedFailed", "EmbeddedMongo", "EmbeddedUnavailable", "find_mongod", "running_url"]

log = logging.getLogger("planner.database")


class EmbeddedFailed(RuntimeError):
    """The embedded mongod did not start; the message says why, with the last lines of its log."""


class DataDirBusy(RuntimeError):
    """Another planner holds this DATA_DIR; the message says which process, on which host, since when."""


class EmbeddedMongo:
    """A mongod for one DATA_DIR, restarted when it ends and stopped when this process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        """Name the directory, made with mode 0700 if need be; nothing happens before `start`."""
        self.data_dir = data_dir.resolve()
        self.url = ""
        self._binary = self._sockets = Path()
        self._lock: FileIO | None = None
        self._owner = 0
        self._supervisor: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._spawning = threading.Lock()
        self._stopping = threading.Event()
        self._serving = threading.Event()
        self._unready_reason: str | None = None
        self._ended: str | None = None
        self._log_start = 0

    def start(self) -> str:
        """Start mongod, wait until it takes writes, and return its MongoDB URL, which holds until `stop`.

        Raises EmbeddedUnavailable, DataDirBusy, or EmbeddedFailed; the last within about START_SECONDS, or twice
        that when the process that an earlier planner left behind does not end.
        """
        if self._lock:
            return self.url
        self._binary = find_mongod()
        try:
            if lack := find_lack_of_room(self.data_dir):
                raise EmbeddedFailed(lack)
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _lock_data_dir(self.data_dir)
            self._owner = os.getpid()
            self._data.mkdir(mode=0o700, exist_ok=True)
            # What a killed planner left behind ends here; we hold the directory, so it is nobody's now.
            end_holder(self._data / "mongod.lock", f"--dbpath {self._data} --", ORPHAN_SECONDS)
            self._sockets = self._make_socket_dir()
            self.url = _url(self._sockets / Path(PRIMARY_SOCKET).name)
            self._stopping.clear()
            self._serving.clear()
            self._ended = None
            # A thread of its own, because mongod ends with the thread that spawned it (`end_with_parent`). A daemon
            # thread, so that a caller who forgets `stop` can still end; atexit then calls it.
            self._supervisor = threading.Thread(target=self._supervise, name="embedded-mongod", daemon=True)
            self._supervisor.start()
            self._await_service()
        except OSError as error:
            self.stop()
            raise EmbeddedFailed(f"The embedded database cannot use {self.data_dir}: {error}") from error
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)
        return self.url

    def stop(self) -> None:
        """Stop mongod cleanly, within about a second, and unlock the directory; a second call does nothing."""
        if self._lock is None or self._owner != os.getpid():
            return  # a forked child has a copy of this object, but neither the mongod nor the directory is its own
        with self._spawning:
            self._stopping.set()
            if self._process:
                self._process.terminate()
        if self._supervisor:
            self._supervisor.join(STOP_SECONDS)
            if self._supervisor.is_alive() and self._process:
                log.warning("mongod did not stop within %g s and is killed", STOP_SECONDS)
                self._process.kill()
                self._supervisor.join()
        self._supervisor = self._process = None
        self._remove_socket_dir()
        self._lock.truncate(0)
        self._lock.close()
        self._lock = None
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self.data_dir / "mongo"

    @property
    def _log(self) -> Path:
        return self.data_dir / "mongod.log"

    def _make_socket_dir(self) -> Path:
        """Return the directory of the sockets as clients write it: DATA_DIR/run, or what that links to.

        A path over some 107 bytes cannot be a socket's, and neither can one on certain shared file systems. Then
        `run` links to a short private directory, which a later start finds and removes if this one is killed.
        """
        self._remove_socket_dir()
        run = self.data_dir / "run"
        run.mkdir(mode=0o700)
        if _can_hold_socket(run):
            return run
        run.rmdir()
        short = Path(tempfile.mkdtemp(prefix="planner-"))
        run.symlink_to(short)
        if not _can_hold_socket(short):
            raise OSError(f"neither {run} nor {short} can hold a unix socket")
        return short

    def _remove_socket_dir(self) -> None:
        run = self.data_dir / "run"
        if run.is_symlink():
            shutil.rmtree(run.readlink(), ignore_errors=True)
            run.unlink()
        elif run.exists():
            shutil.rmtree(run)

    def _supervise(self) -> None:
        """Run mongod again and again until `stop`, pausing the longer the faster it ends."""
        rapid = 0
        while True:
            born = time.monotonic()
            self._move_log_aside()
            self._log_start = self._log.stat().st_size if self._log.exists() else 0
            try:
                how, said = self._run_once()
            except OSError as error:
                how, said = f"could not be run: {error}", []
            if self._stopping.is_set():
                return
            self._ended = "\n".join([f"mongod {how}", *(last_lines(self._log, self._log_start) or said)])
            rapid = rapid + 1 if time.monotonic() - born < STABLE_SECONDS else 1
            pause = min(0.1 * 2 ** min(rapid - 1, 10), LONGEST_PAUSE_SECONDS)
            # `start` looks at `_ended` well within the shortest pause: a failed first start is not tried again.
            if self._stopping.wait(pause):
                return
            if rapid == RAPID_EXITS:
                log.critical("%s\nIt ended %d times in a row; retrying with longer pauses.", self._ended, rapid)
            else:
                log.warning("mongod %s; starting it again", how)

    def _run_once(self) -> tuple[str, list[str]]:
        """Run one mongod until it ends; return how it ended, and what it printed before it had its log."""
        with self._spawning:
            if self._stopping.is_set():
                return "was not started", []
            self._serving.clear()
            (self._sockets / Path(PRIMARY_SOCKET).name).unlink(missing_ok=True)
            process = self._process = subprocess.Popen(
                end_with_parent(self._command()),
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is for the planner, which then stops mongod
            )
        assert process.stdout is not None
        # The end of its output is the end of mongod, and unlike Popen.wait this can wait with a limit without
        # waking up all the time. Poll, not select: in a busy server the descriptor may lie above 1024.
        said = b""
        poller = select.poll()
        poller.register(process.stdout, select.POLLIN)
        with process.stdout:
            while True:
                serving = self._serving.is_set()
                if not poller.poll((LOG_CHECK_SECONDS if serving else POLL_SECONDS) * 1000):
                    if not serving:
                        self._open_to_clients()
                    elif self._move_log_aside():
                        process.send_signal(signal.SIGUSR1)  # mongod then opens its log file anew
                    continue
                chunk = os.read(process.stdout.fileno(), 4096)
                if not chunk:
                    break
                said = (said + chunk)[:4096]
        return f"ended with code {process.wait()}", said.decode(errors="replace").splitlines()

    def _command(self) -> list[str]:
        return [
            str(self._binary),
            *("--dbpath", str(self._data)),
            *("--bind_ip", SOCKET),
            "--nounixsocket",  # no second socket in the public temporary directory, where a system's mongod has its own
            *("--replSet", REPLICA_SET),
            *("--oplogSize", str(OPLOG_MB)),
            *("--wiredTigerCacheSizeGB", str(CACHE_GB)),
            *("--logpath", str(self._log), "--logappend", "--logRotate", "reopen", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # No other member could take over, so a shutdown has nobody to give clients time to move to.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        ]

    def _move_log_aside(self) -> bool:
        """Rename the log to `mongod.log.1`, in place of an older one, once it is longer than LOG_BYTES."""
        try:
            if self._log.stat().st_size <= LOG_BYTES:
                return False
            self._log.replace(self._log.with_name("mongod.log.1"))
        except OSError:
            return False  # none yet, or it cannot be moved: no reason to go without a database
        return True

    def _await_service(self) -> None:
        """Return once the mongod just spawned takes writes, or raise EmbeddedFailed."""
        deadline = time.monotonic() + START_SECONDS
        while not self._serving.wait(POLL_SECONDS):
            if self._ended and NO_SPACE in self._ended:
                raise EmbeddedFailed(f"The disk of {self.data_dir} is full; free some space, and start again.")
            if self._ended:
                raise EmbeddedFailed(f"The embedded database did not start. {self._ended}")
            if time.monotonic() > deadline:
                lines = "\n".join([self._unready_reason or "", *last_lines(self._log, self._log_start)])
                raise EmbeddedFailed(f"The embedded database took no writes within {START_SECONDS:g} s: {lines}")

    def _open_to_clients(self) -> None:
        """Take the next step towards a mongod that accepts writes, and give clients its socket when it does."""
        try:
            self._unready_reason = find_unready_reason(self._sockets / Path(SOCKET).name)
            if self._unready_reason is None:
                (self._sockets / Path(PRIMARY_SOCKET).name).symlink_to(Path(SOCKET).name)
                self._serving.set()
        except OSError as error:
            self._unready_reason = f"no connection: {error}"


def find_unready_reason(path: Path) -> str | None:
    """Configure the mongod at this socket if need be; return why it takes no writes yet, or None when it does."""
    # A bare connection first: a MongoClient that comes too early waits half a second before it tries again.
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
    client: MongoClient[dict[str, Any]]
    with MongoClient(_url(path), serverSelectionTimeoutMS=1000, socketTimeoutMS=5000) as client:
        try:
            _configure(client)
            return None if client.admin.command("hello")["isWritablePrimary"] else "it is not primary yet"
        except PyMongoError as error:
            return str(error)


def _configure(client: MongoClient[dict[str, Any]]) -> None:
    """Make mongod the only member of its replica set, also when its data says otherwise, as copied data may."""
    member = {"_id": 0, "host": SOCKET}
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        return
    if [m["host"] for m in config["members"]] != [SOCKET]:
        client.admin.command("replSetReconfig", config | {"members": [member]}, force=True)


def _url(path: Path) -> str:
    # A direct connection: the address that the replica set would lead a client to is relative.
    return f"mongodb://{quote(str(path), safe='')}/?directConnection=true"


def running_url(data_dir: Path) -> str | None:
    """Return the URL of the server that another planner runs on this DATA_DIR now, or None when none does."""
    lock = data_dir / "planner.lock"
    try:
        with lock.open("rb") as file:
            if try_lock(file.fileno()):
                return None
    except FileNotFoundError:
        return None
    # `run` may link to a shorter path, the only one that a socket's address has room for.
    return _url((data_dir.resolve() / "run").resolve() / Path(PRIMARY_SOCKET).name)


def _lock_data_dir(data_dir: Path) -> FileIO:
    """Return the locked lock file of `data_dir`; closing it, or the end of this process, frees the directory."""
    file = FileIO(data_dir / "planner.lock", "a+", opener=lambda path, flags: os.open(path, flags, 0o600))
    try:
        if not try_lock(file.fileno()):
            file.seek(0)
            raise DataDirBusy(f"Another planner uses {data_dir}: {_lock_holder(file.readall())}.")
        since = datetime.now(UTC).isoformat(timespec="seconds")
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode())
    except BaseException:
        file.close()
        raise
    # Python opens files close-on-exec, so mongod does not keep the lock; a forked child must drop its copy itself.
    os.register_at_fork(after_in_child=file.close)
    return file


def _lock_holder(note: bytes) -> str:
    try:
        return "process {pid} on {host}, since {since}".format_map(json.loads(note))
    except (ValueError, KeyError, TypeError):
        return "a process that has not written its id yet"


def _can_hold_socket(folder: Path) -> bool:
    path = folder / Path(PRIMARY_SOCKET).name  # the longer one
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
        except OSError:
            return False
    path.unlink()
    return True
