"""A data directory has one planner at a time."""

import json
import multiprocessing
import os
import socket
from pathlib import Path

import pytest

from database.embedded.server import DataDirBusy, EmbeddedMongo
from tests.database.embedded.planner_process import has_ended, needs_mongod, planner_process, stored_ids
from tests.support.mongod import embedded_pid

pytestmark = needs_mongod


def test_a_second_planner_is_refused_with_the_process_and_host_of_the_first(tmp_path: Path) -> None:
    with planner_process(tmp_path) as process:
        with pytest.raises(DataDirBusy) as caught:
            EmbeddedMongo(tmp_path).start()
        assert str(process.pid) in str(caught.value)
        assert socket.gethostname() in str(caught.value)
        assert json.loads((tmp_path / "planner.lock").read_text())["since"] in str(caught.value)
        assert not has_ended(embedded_pid(tmp_path))


def test_two_in_one_process_do_not_share_a_directory(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path) as mongo:
        with pytest.raises(DataDirBusy):
            EmbeddedMongo(tmp_path).start()
        with pytest.raises(DataDirBusy):
            EmbeddedMongo(tmp_path).start()
        assert stored_ids(mongo) == set()


def test_worker_processes_disturb_neither_lock_nor_mongod(tmp_path: Path) -> None:
    work = "from pymongo import MongoClient\nwith MongoClient({!r}) as c: c.test.documents.insert_one({{'_id': 1}})"
    with EmbeddedMongo(tmp_path) as mongo:
        pid = embedded_pid(tmp_path)
        worker = multiprocessing.get_context("spawn").Process(target=exec, args=(work.format(mongo.url),))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
        assert stored_ids(mongo) == {1}
        assert embedded_pid(tmp_path) == pid
        with pytest.raises(DataDirBusy):
            EmbeddedMongo(tmp_path).start()


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_holds_no_lock_and_cannot_stop_the_server(tmp_path: Path) -> None:
    ended, end = os.pipe()
    mongo = EmbeddedMongo(tmp_path)
    mongo.start()
    pid = embedded_pid(tmp_path)
    child = os.fork()
    if child == 0:  # pragma: no cover
        mongo.stop()
        os.close(end)
        os.read(ended, 1)
        os._exit(0)
    try:
        assert stored_ids(mongo) == set()
        assert embedded_pid(tmp_path) == pid
        mongo.stop()
        with EmbeddedMongo(tmp_path):
            pass
    finally:
        mongo.stop()
        os.close(end)
        os.close(ended)
        os.waitpid(child, 0)
