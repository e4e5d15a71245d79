"""A database in which a restore was interrupted: every command says so, and none uses what is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from database.backup import BackupFailed, restore_backup, write_backup
from tests.conftest import SECRET, url_of
from tests.planner.operators import Operator

SENTENCE = (
    "The restore of whole into this database has not ended. "
    "If it was interrupted, drop the database, and restore again."
)
pytestmark = pytest.mark.real_server("only a real server has snapshots")


def ignore(*_: Any) -> None:
    pass


def interrupt(*_: Any) -> None:
    """End a restore in its middle, as a signal does."""
    raise KeyboardInterrupt


class Half:
    """A database in which the restore of a file was interrupted."""

    def __init__(self, database: Any, url: str, file: Path) -> None:
        self.database, self.url, self.file = database, url, file


@pytest.fixture
def half(mongo_url: str, tmp_path: Path) -> Iterator[Half]:
    source, target = f"test_{uuid4().hex[:12]}", f"test_{uuid4().hex[:12]}"
    with MongoClient[Any](mongo_url) as client:
        client[source]["events"].insert_many([{"_id": n} for n in range(1000)])
        write_backup(url_of(mongo_url, source), tmp_path / "whole", "1", ignore)
        client.drop_database(source)
        with pytest.raises(KeyboardInterrupt):
            restore_backup(url_of(mongo_url, target), tmp_path / "whole", interrupt)
        yield Half(client[target], url_of(mongo_url, target), tmp_path / "whole")
        client.drop_database(target)


@pytest.mark.parametrize(
    "command",
    [
        ["serve", "--port", "9"],
        ["check"],
        ["stats"],
        ["send-due"],
        ["delete-due"],
        ["admin", "create", "ada@example.com"],
        ["migrate"],
        ["migrate", "--back", "1"],
        ["backup", "made"],
        ["restore", "whole"],
    ],
    ids=" ".join,
)
def test_no_command_uses_a_database_in_which_a_restore_was_interrupted(
    command: list[str], half: Half, operator: Operator
) -> None:
    ended = operator.runs(*command, DATABASE_URL=half.url, SECRET_KEY=SECRET)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == f"planner: {SENTENCE}\n"
    assert not (operator.folder / "made").exists()
    assert sorted(half.database.list_collection_names()) == ["events", "unfinished_restore"]


def test_half_a_restore_is_neither_backed_up_nor_added_to(half: Half, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match=SENTENCE):
        write_backup(half.url, tmp_path / "half", "1", ignore)
    with pytest.raises(BackupFailed, match=SENTENCE):
        restore_backup(half.url, half.file, ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_database_that_was_dropped_can_be_restored_again(half: Half) -> None:
    half.database.client.drop_database(half.database.name)
    assert restore_backup(half.url, half.file, ignore).documents == 1000
    assert half.database.list_collection_names() == ["events"]


def test_a_backup_that_was_made_of_half_a_restore_is_refused_and_nothing_is_written(
    half: Half, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        # An earlier version made such backups.
        patched.setattr("database.backup._refuse_unfinished_restore", ignore)
        write_backup(half.url, tmp_path / "half", "1", ignore)
    half.database.client.drop_database(half.database.name)
    with pytest.raises(BackupFailed, match="half is not whole"):
        restore_backup(half.url, tmp_path / "half", ignore)
    assert half.database.list_collection_names() == []
