"""Which mongod is run, and what an operator reads when there is none that runs."""

import os
import sys
from pathlib import Path

import pytest

from database.embedded.server import EmbeddedMongo, EmbeddedUnavailable, find_mongod
from tests.database.embedded.planner_process import needs_mongod

pytestmark = needs_mongod


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
def test_without_a_mongod_that_runs_the_error_names_two_alternatives(
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
