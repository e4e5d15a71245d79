"""A full disk: each command says so in one line, and its exit status is 1."""

import contextlib
import shutil
import subprocess
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SECRET, url_of
from tests.planner.operators import Operator
from tests.support.servers import free_port

Usage = namedtuple("Usage", "total used free")
STARTS = (["serve", "--port", "PORT"], ["serve", "--port", "PORT", "--workers", "2"], ["check"])


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk that is full: a small one if disks may be mounted here, or one that says that it is."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1, 1, 0))
        yield folder
        return
    try:
        (folder / "data").mkdir()
        fill(folder / "ballast")
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(file: Path) -> None:
    """Write to a file until its disk is full."""
    with file.open("wb", buffering=0) as written, contextlib.suppress(OSError):
        while written.write(bytes(4096)):
            pass


@pytest.fixture(params=STARTS, ids=["serve", "workers", "check"])
def arguments(request: pytest.FixtureRequest) -> list[str]:
    return [part.replace("PORT", str(free_port())) for part in request.param]


def line_of(operator: Operator, arguments: list[str], **settings: str) -> str:
    """Return the one line of a command that fails."""
    ended = operator.runs(*arguments, **settings)
    assert (ended.status, ended.out.count("is at")) == (1, 0)
    assert ended.err.startswith("planner: ") and ended.err.count("\n") == 1, ended.err
    return ended.err


def test_an_embedded_database_on_a_full_disk(operator: Operator, full_disk: Path, arguments: list[str]) -> None:
    line = line_of(operator, arguments, DATA_DIR=str(full_disk / "data"), SECRET_KEY=SECRET[::-1])
    assert f"The disk of {full_disk}/data is full: the database needs 400 MB, and 0 MB are free; free some" in line


@pytest.mark.real_server("it connects to it")
def test_mails_on_a_full_disk(operator: Operator, full_disk: Path, arguments: list[str], mongo_url: str) -> None:
    settings = {"DATABASE_URL": url_of(mongo_url, "unused"), "SECRET_KEY": SECRET[::-1]}
    line = line_of(operator, arguments, DATA_DIR=str(full_disk / "data"), **settings)
    assert f"Mails cannot be written to {full_disk}/data/outbox: " in line
    assert "Set SMTP_URL to a mail server, or DATA_DIR to a folder" in line


def test_a_secret_on_a_full_disk(operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Any, *_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("os.link", write)
    line = line_of(operator, ["serve", "--port", str(free_port())])
    assert "The secret cannot be stored in .planner/secret: No space left on device. Set DATA_DIR" in line
    assert list((tmp_path / ".planner").iterdir()) == []


@pytest.mark.real_server("it connects to it")
def test_a_database_whose_disk_is_full(
    operator: Operator, arguments: list[str], mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("database.opening.checks.LEAST_FREE_BYTES", 2**62)
    line = line_of(operator, arguments, DATABASE_URL=url_of(mongo_url, "unused"), SECRET_KEY=SECRET[::-1])
    assert line.endswith("cannot be used: its disk is full; free some space on it.\n")
