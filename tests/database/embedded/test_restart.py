"""An embedded mongod that dies is started again, and no acknowledged write is lost."""

import contextlib
import itertools
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from database.embedded import server as embedded
from database.embedded.server import EmbeddedMongo
from tests.database.embedded.planner_process import connect, needs_mongod, stored_ids
from tests.support.mongod import embedded_pid
from tests.support.waiting import wait_until

pytestmark = needs_mongod


def test_a_mongod_that_crashes_is_restarted_under_the_same_url(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedMongo(tmp_path) as mongo, connect(mongo) as client:
        client.test.documents.insert_one({"_id": 1})
        pid = embedded_pid(tmp_path)
        os.kill(pid, signal.SIGKILL)
        client.test.documents.insert_one({"_id": 2})
        assert client.test.documents.count_documents({}) == 2
        assert embedded_pid(tmp_path) != pid
    (record,) = [record for record in caplog.records if record.name == "planner.database"]
    assert "starting it again" in record.getMessage()


def test_clients_can_connect_only_when_mongod_accepts_writes_so_that_they_have_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedMongo(tmp_path) as mongo, connect(mongo) as client:
        pid = embedded_pid(tmp_path)
        reached: list[Path] = []
        obstacle = embedded.find_unready_reason

        def not_yet(path: Path) -> str:
            obstacle(path)  # raises OSError as long as nobody listens
            reached.append(path)
            return "it is not to take writes yet"

        monkeypatch.setattr(embedded, "find_unready_reason", not_yet)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: reached)
        with pytest.raises(PyMongoError), connect(mongo, serverSelectionTimeoutMS=100) as early:
            early.admin.command("ping")
        monkeypatch.undo()
        with client.start_session() as session:
            session.with_transaction(lambda session: client.test.documents.insert_one({"_id": 1}, session=session))
        assert embedded_pid(tmp_path) != pid
        assert stored_ids(mongo) == {1}


def test_every_write_acknowledged_by_a_majority_survives_the_death_of_mongod(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path) as mongo:
        acknowledged: set[Any] = set()
        is_killed = threading.Event()

        def write(first: int) -> None:
            with connect(mongo, w="majority", retryWrites=False) as client, contextlib.suppress(PyMongoError):
                for number in itertools.count(first):
                    # Between two writes, the death of the server is not noticed.
                    if is_killed.is_set():
                        return
                    client.test.documents.insert_one({"_id": number})
                    acknowledged.add(number)

        writers = [threading.Thread(target=write, args=(n * 1_000_000,)) for n in range(3)]
        for writer in writers:
            writer.start()
        wait_until(lambda: len(acknowledged) > 300)
        os.kill(embedded_pid(tmp_path), signal.SIGKILL)
        is_killed.set()
        for writer in writers:
            writer.join()
        assert acknowledged - stored_ids(mongo) == set()


def test_a_mongod_that_crashes_again_and_again_is_reported_with_its_log_and_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded, "RAPID_EXITS", 2)
    with EmbeddedMongo(tmp_path) as mongo:
        needed = tmp_path / "mongo" / "storage.bson"
        content = needed.read_bytes()
        needed.write_bytes(b"damaged")
        os.kill(embedded_pid(tmp_path), signal.SIGKILL)

        def reports() -> list[str]:
            return [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL]

        wait_until(reports)
        assert "Unable to read the storage engine metadata file" in reports()[0]
        needed.write_bytes(content)
        with connect(mongo) as client:
            client.test.documents.insert_one({"_id": 1})
