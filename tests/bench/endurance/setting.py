"""A planner on a MongoDB of its own, in a folder that is removed afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pymongo import MongoClient

from database.embedded.server import EmbeddedMongo
from tests.support.mongod import embedded_pid
from tests.support.servers import RunningServer

DATABASE = "planner"
SETTINGS = {"SECRET_KEY": "m" * 40, "ACCESS_TOKEN_MINUTES": "1440"}


class Setting(NamedTuple):
    """The planner, its database through the blocking driver, and the process of MongoDB."""

    server: RunningServer
    database: Any
    mongod: int


@contextmanager
def running_planner(name: str) -> Iterator[Setting]:
    """Run a planner with one worker for as long as the block runs; `name` is a part of the name of its folder."""
    folder = Path(tempfile.mkdtemp(prefix=f"planner-{name}-"))
    try:
        with EmbeddedMongo(folder / "mongo") as mongo, MongoClient[dict[str, Any]](mongo.url) as client:
            url = mongo.url.replace("/?", f"/{DATABASE}?")
            server = RunningServer(folder / "planner", DATABASE_URL=url, **SETTINGS)
            server.start()
            try:
                yield Setting(server, client[DATABASE], embedded_pid(folder / "mongo"))
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
