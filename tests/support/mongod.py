"""A mongod as an operator might run one: alone, without transactions, or as a replica set of one member."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from database.embedded.server import find_mongod
from tests.support.servers import free_port
from tests.support.waiting import wait_until

OPERATOR = "operator"


class Standalone:
    """A single mongod on a port of its own; `url` is where it is, or will be. `options` are added to its command."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}/planner"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it responds."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [
                str(find_mongod()),
                *("--dbpath", str(self._folder), "--port", str(self.port), "--bind_ip", "127.0.0.1"),
                *("--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--quiet"),
                *("--logpath", str(self._folder / "log"), "--logappend"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *self._options,
            ],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        with self.connect() as client:
            client.admin.command("ping")

    def connect(self) -> MongoClient[dict[str, Any]]:
        """Return a client of this server alone, whether it belongs to a replica set or not."""
        return MongoClient(self.url, directConnection=True, serverSelectionTimeoutMS=30_000)

    def create_operator(self) -> None:
        """Create the user who may do everything: as long as there is no user, this is allowed from the same machine."""
        with self.connect() as client:
            client.admin.command("createUser", OPERATOR, pwd=OPERATOR, roles=["root"])

    def connect_as_operator(self) -> MongoClient[dict[str, Any]]:
        """Return a client of this server alone, as the user of `create_operator`."""
        return MongoClient(
            self.url,
            username=OPERATOR,
            password=OPERATOR,
            authSource="admin",
            directConnection=True,
            serverSelectionTimeoutMS=30_000,
        )

    def kill(self) -> None:
        """Kill it, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


@contextmanager
def standalone(folder: Path) -> Iterator[Standalone]:
    """Run a single mongod for as long as the block runs, unless it is stopped before."""
    mongod = Standalone(folder)
    try:
        mongod.start()
        yield mongod
    finally:
        mongod.stop()


def make_key_file(folder: Path) -> tuple[str, str]:
    """Write a key into this folder; returns the options with which members know each other by it, and ask for users."""
    key = folder / "key"
    key.write_text("only for this test " * 4)
    key.chmod(0o600)
    return "--keyFile", str(key)


def initiate_replica_set(client: MongoClient[Any], name: str, port: int) -> None:
    """Make the mongod of a client the only member of a replica set, and wait until it is the primary."""
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    client.admin.command("replSetInitiate", {"_id": name, "members": [member]})
    wait_until(lambda: client.admin.command("hello")["isWritablePrimary"])


def embedded_pid(data_dir: Path) -> int:
    """Return the process id of the mongod that a planner runs in this DATA_DIR."""
    return int((data_dir / "mongo" / "mongod.lock").read_text())


def kill_embedded(data_dir: Path) -> None:
    """Kill that mongod, as a crash would."""
    os.kill(embedded_pid(data_dir), signal.SIGKILL)
