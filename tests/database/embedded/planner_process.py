"""A planner as a process of its own, with its embedded database, and what can be seen of that from outside."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from database.embedded import processes
from database.embedded.server import EmbeddedMongo, EmbeddedUnavailable, find_mongod
from tests.support.servers import ROOT


def explain_missing_mongod() -> str | None:
    """Return why no mongod can be run on this machine, or None when one can."""
    try:
        find_mongod()
    except EmbeddedUnavailable as error:
        return str(error)
    return None


reason = explain_missing_mongod()
needs_mongod = [pytest.mark.real_server, pytest.mark.skipif(reason is not None, reason=reason or "")]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, relies on prctl")

# A planner as the operating system sees one. It prints where its database is, and on Ctrl-C writes once more, which
# works only when the Ctrl-C did not reach mongod.
PLANNER = """
import signal, sys
from pathlib import Path
from pymongo import MongoClient
from database.embedded import server
if "independent" in sys.argv:
    server.end_with_parent = list
# Whoever runs the tests in the background may have had SIGINT ignored, which a child inherits.
signal.signal(signal.SIGINT, signal.default_int_handler)
with server.EmbeddedMongo(Path(sys.argv[1])) as mongo:
    with MongoClient(mongo.url) as client:
        client.test.documents.insert_one({"_id": "before"})
        try:
            print(mongo.url, flush=True)
            sys.stdin.read()
        except KeyboardInterrupt:
            client.test.documents.insert_one({"_id": "after"})
"""


def connect(mongo: EmbeddedMongo, **options: Any) -> MongoClient[dict[str, Any]]:
    return MongoClient(mongo.url, **options)


def has_ended(pid: int) -> bool:
    return not processes.command_line(pid)


def stored_ids(mongo: EmbeddedMongo) -> set[Any]:
    """Return the ids of all documents that a test has written."""
    with connect(mongo) as client:
        return {document["_id"] for document in client.test.documents.find()}


@contextlib.contextmanager
def planner_process(data_dir: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a planner in a process group of its own, from when its database answers until the block ends."""
    command = [sys.executable, "-c", PLANNER, str(data_dir), *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("mongodb://")
            yield process
        finally:
            process.kill()
