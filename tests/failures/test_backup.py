"""A backup that is made while many write, and restored on another server, has everything of one moment."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from pymongo import MongoClient

from database.backup import BackupFailed, read_frames, restore_backup, write_backup
from tests.conftest import url_of
from tests.failures.concurrent_writers import list_all_events
from tests.failures.test_crashes import writers_at
from tests.support.clients import Person, ok
from tests.support.mongod import standalone
from tests.support.servers import ROOT, running

pytestmark = [pytest.mark.real_server("only a real server has snapshots"), pytest.mark.slow]
SECRET = "known to the tests of backups alone: 77c1e0a4"


class Ended(NamedTuple):
    """A command that has ended."""

    status: int
    output: str


def run(*arguments: str, data: Path, **settings: str) -> Ended:
    """Run a command of the planner, with a data folder."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(data), "SECRET_KEY": SECRET}
    command = [sys.executable, "-m", "planner", *arguments]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment | settings, cwd=data.parent
    )
    return Ended(done.returncode, done.stdout + done.stderr)


async def test_a_backup_under_writes_is_restored_elsewhere_as_of_one_moment(tmp_path: Path) -> None:
    file = tmp_path / "planner.backup"
    with running(tmp_path / "data", SECRET_KEY=SECRET) as server:
        async with writers_at(server) as writers:
            writers.start()
            await writers.wait_for_acknowledged(200)
            before = deepcopy([(account.acknowledged_events, account.deleted) for account in writers.accounts])
            made = await asyncio.to_thread(run, "backup", str(file), data=server.data_dir)
            await writers.wait_for_acknowledged(50)
            await writers.stop()
    assert made.status == 0, made.output
    assert "SECRET_KEY" in made.output
    assert file.stat().st_mode & 0o777 == 0o600

    restored = run("restore", str(file), data=tmp_path / "elsewhere")
    assert restored.status == 0, restored.output
    with running(tmp_path / "elsewhere", SECRET_KEY=SECRET) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            for account, (acknowledged, deleted) in zip(writers.accounts, before, strict=True):
                who = {"email": account.person.email, "password": account.person.password}
                signed_in = ok(await client.post("/auth/signin", json=who))
                person = Person(client, account.person.id, account.person.email, signed_in["access_token"])
                events = {event["id"]: event for event in await list_all_events(person)}
                assert sorted((await person.me())["events"]) == sorted(events)
                remained = acknowledged.keys() & account.acknowledged_events.keys()
                assert {id: events.get(id) for id in remained} == {id: acknowledged[id] for id in remained}
                assert not deleted & events.keys()
                await person.event(title="Written after the restore")


@pytest.fixture
def database(mongo_url: str) -> Iterator[Any]:
    """A database with some documents."""
    with MongoClient[Any](mongo_url) as client:
        database = client["backup_source"]
        database["events"].insert_many([{"_id": n, "text": "x" * 100} for n in range(1000)])
        yield database
        client.drop_database("backup_source")
        client.drop_database("backup_target")


def ignore(*_: Any) -> None:
    pass


@pytest.fixture
def file(database: Any, mongo_url: str, tmp_path: Path) -> Path:
    path = tmp_path / "whole"
    assert write_backup(url_of(mongo_url, "backup_source"), path, "1", ignore).documents == 1000
    return path


def test_a_truncated_file_is_refused_and_nothing_is_written(file: Path, database: Any, mongo_url: str) -> None:
    content = file.read_bytes()
    for size in (0, 1, 10, len(content) // 2, len(content) - 9, len(content) - 1):
        file.write_bytes(content[:size])
        with pytest.raises(BackupFailed):
            restore_backup(url_of(mongo_url, "backup_target"), file, ignore)
    assert database.client["backup_target"].list_collection_names() == []


def test_a_damaged_file_is_refused_and_nothing_is_written(file: Path, database: Any, mongo_url: str) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(BackupFailed):
        restore_backup(url_of(mongo_url, "backup_target"), file, ignore)
    assert database.client["backup_target"].list_collection_names() == []


@pytest.mark.parametrize("content", [b"not a backup", b"PK\x03\x04", b"\x1f\x8b\x08\x00 something", b"{}"])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(BackupFailed):
        list(read_frames(path))


def test_a_database_that_is_not_empty_is_left_as_it_is(file: Path, database: Any, mongo_url: str) -> None:
    database["events"].delete_many({"_id": {"$gt": 0}})
    with pytest.raises(BackupFailed, match="not empty"):
        restore_backup(url_of(mongo_url, "backup_source"), file, ignore)
    assert [found["_id"] for found in database["events"].find()] == [0]


def test_a_file_is_never_replaced(file: Path, mongo_url: str) -> None:
    content = file.read_bytes()
    with pytest.raises(BackupFailed, match="exists already"):
        write_backup(url_of(mongo_url, "backup_source"), file, "1", ignore)
    assert file.read_bytes() == content


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path, mongo_url: str) -> None:
    with pytest.raises(BackupFailed, match="cannot be written: No such file"):
        write_backup(url_of(mongo_url, "backup_source"), tmp_path / "nowhere" / "file", "1", ignore)


def test_a_server_without_transactions_cannot_be_backed_up(tmp_path: Path) -> None:
    with standalone(tmp_path / "alone") as server:
        with MongoClient[Any](server.url) as client:
            client["planner"]["events"].insert_one({})
        with pytest.raises(BackupFailed, match="replica set"):
            write_backup(server.url, tmp_path / "file", "1", ignore)
    assert not (tmp_path / "file").exists()
