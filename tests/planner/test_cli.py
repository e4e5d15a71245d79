"""The operator's commands: what they print, how they end, and that nothing of them is a traceback."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bson import ObjectId
from pydantic import SecretStr
from pymongo import MongoClient

from database.connection import Database, open_database
from database.migrate import names
from database.queries import new_id
from models.accounts.closed_account import LEASE, ClosedAccount
from planner.cli import main
from planner.settings import Settings
from planner.startup import recover
from tests.conftest import SECRET, url_of
from tests.planner.operators import Operator
from tests.support.documents import build_event
from tests.support.servers import ROOT, RunningServer, free_port

OTHER = "known to the tests of commands alone: 71ac0e5d"
COMMANDS = ("serve", "check", "admin", "send-due", "delete-due", "stats", "backup", "restore", "migrate")
# Beanie's own, from noting which migration was run.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Accessing the 'model_fields' attribute on the instance:DeprecationWarning"
)


@pytest.fixture
def database(mongo_url: str) -> Iterator[Any]:
    """A real database of this test's own, with nothing in it."""
    with MongoClient[Any](mongo_url) as client:
        name = f"test_{uuid4().hex[:12]}"
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def operator_of_database(operator: Operator, mongo_url: str, database: Any) -> Operator:
    operator.settings |= {"DATABASE_URL": url_of(mongo_url, database.name), "SECRET_KEY": SECRET}
    return operator


def fill(database: Any) -> None:
    """As the books' planner leaves it."""
    database.users.insert_one({"email": "ada@example.com", "password": "!", "events": []})


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert re.findall(r"^    ([a-z-]+)(?: |$)", out, re.MULTILINE) == list(COMMANDS)
    assert ".env.example" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_usage_text(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"usage: python -m planner {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "--port", "many"], ["migrate", "--sideways"]])
def test_an_unknown_command_prints_the_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m planner" in capsys.readouterr().err


def test_check_without_any_setting_names_the_data_directory_and_creates_nothing(operator: Operator) -> None:
    ended = operator.runs("check")
    assert ended.status == 0
    assert "The settings are valid." in ended.out
    assert str(operator.folder / ".planner") in ended.out
    assert list(operator.folder.iterdir()) == []


def test_check_names_misspelt_settings_and_takes_empty_ones_for_none(operator: Operator) -> None:
    ended = operator.runs("check", TRUSTED_PROXY="10.0.0.1", PORT="", PUBLIC_URL="", PASSWORD_ROUNDS="")
    assert ended.status == 0
    assert "TRUSTED_PROXY is no setting; do you mean TRUSTED_PROXIES?" in ended.out


def test_check_fails_when_mails_cannot_be_written_and_changes_nothing(operator: Operator) -> None:
    (operator.folder / "occupied").touch()
    for data_dir in ("occupied", "occupied/deeper"):
        ended = operator.runs("check", DATA_DIR=data_dir)
        assert ended.status == 1
        assert f"Mails cannot be written to {data_dir}/outbox" in ended.err
        assert "Set SMTP_URL to a mail server, or DATA_DIR" in ended.err
    assert operator.runs("check", DATA_DIR="occupied/deeper", SMTP_URL="smtp://mail.example.com").status == 0
    assert [path.name for path in operator.folder.iterdir()] == ["occupied"]


@pytest.mark.parametrize("obstacle", ["", "outbox"])
def test_serve_does_not_start_when_mails_cannot_be_written(operator_of_database: Operator, obstacle: str) -> None:
    data = operator_of_database.folder / "data"
    (data if obstacle else data.parent).mkdir(exist_ok=True)
    (data / obstacle).touch()
    ended = operator_of_database.runs("serve", DATA_DIR="data", PORT=str(free_port()))
    assert ended.status == 1
    assert "planner: Mails cannot be written to data/outbox" in ended.err
    assert "is at" not in ended.out


def test_check_names_every_invalid_setting_in_one_line(operator: Operator) -> None:
    ended = operator.runs("check", PORT="none", SECRET_KEY="short")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("planner: The settings are not valid.")
    assert ended.err.count("\n") == 1
    assert "PORT:" in ended.err and "SECRET_KEY:" in ended.err


def test_check_requires_a_secret_with_a_database_url(operator: Operator) -> None:
    ended = operator.runs("check", DATABASE_URL="mongodb://ada:whisper@127.0.0.1/planner")
    assert ended.status == 1
    assert "SECRET_KEY is required with DATABASE_URL" in ended.err
    assert "whisper" not in ended.err


def test_check_refuses_a_previous_secret_that_is_weak_or_the_same(operator: Operator) -> None:
    for previous in ("short", "the same"):
        ended = operator.runs("check", SECRET_KEY=OTHER, SECRET_KEY_PREVIOUS=previous.replace("the same", OTHER))
        assert (ended.status, ended.out) == (1, "")
        assert "SECRET_KEY_PREVIOUS" in ended.err and OTHER not in ended.err
    assert operator.runs("check", SECRET_KEY=OTHER, SECRET_KEY_PREVIOUS=OTHER[::-1]).status == 0


@pytest.mark.real_server("a process of its own uses it")
def test_check_reports_that_the_database_is_reachable_and_changes_nothing(
    operator_of_database: Operator, database: Any
) -> None:
    ended = operator_of_database.runs("check")
    assert (ended.status, ended.out) == (0, "The settings are valid.\nThe database is reachable.\n")
    assert database.list_collection_names() == []


@pytest.mark.real_server("Beanie's migrations need a session, which the mock has not")
def test_check_fails_until_pending_migrations_have_run(operator_of_database: Operator, database: Any) -> None:
    fill(database)
    checked = operator_of_database.runs("check")
    assert checked.status == 1
    assert "run `python -m planner migrate`" in checked.out
    done = "".join(f"done: {name}\n" for name in names())
    assert operator_of_database.runs("migrate")[:2] == (0, done)
    assert operator_of_database.runs("check").status == 0
    assert operator_of_database.runs("migrate")[:2] == (0, "Nothing to do.\n")
    assert operator_of_database.runs("migrate", "--back", "1")[:2] == (0, f"undone: {names()[-1]}\n")
    assert operator_of_database.runs("check").status == 1


@pytest.mark.real_server("a process of its own uses it")
def test_serve_refuses_data_with_pending_migrations_and_names_the_command(
    operator_of_database: Operator, database: Any
) -> None:
    fill(database)
    ended = operator_of_database.runs("serve", "--port", str(free_port()))
    assert ended.status == 1
    assert "run `python -m planner migrate` first" in ended.err
    assert "The planner is at" not in ended.out


def test_a_port_in_use_is_reported_before_anything_is_started(operator: Operator) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = operator.runs("serve", "--port", str(port))
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == (f"planner: 127.0.0.1:{port} is not available: Address already in use. Set HOST or PORT.\n")
    assert list(operator.folder.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--workers", "0"], ["--port", "0"], ["--port", "65536"], ["--host", ""]])
def test_serve_refuses_invalid_arguments(operator: Operator, arguments: list[str]) -> None:
    ended = operator.runs("serve", *arguments)
    assert ended.status == 1
    assert ended.err.startswith("planner: ")
    assert list(operator.folder.iterdir()) == []


@pytest.mark.real_server("a process of its own uses it")
@pytest.mark.parametrize("workers", [1, 2])
def test_serve_prints_its_addresses_and_ends_with_status_0(
    tmp_path: Path, mongo_url: str, database: Any, workers: int
) -> None:
    settings = {"DATABASE_URL": url_of(mongo_url, database.name), "SECRET_KEY": SECRET}
    server = RunningServer(tmp_path / "data", ["--workers", str(workers)], **settings)
    server.start()
    assert server.stop() == 0
    for said in (f"The planner is at  {server.root}\n", f"{server.root}/docs\n", "Ctrl-C stops it."):
        assert said in server.output
    assert SECRET not in server.output
    assert "Traceback" not in server.output


def test_every_command_reports_an_invalid_database_url(operator: Operator) -> None:
    for command in ("check", "migrate", "send-due"):
        ended = operator.runs(command, DATABASE_URL="mongodb://ada:whisper@:x", SECRET_KEY=SECRET)
        assert ended.status == 1
        assert "DATABASE_URL cannot be used" in ended.err
        assert "whisper" not in ended.err


@pytest.mark.real_server("a process of its own uses it")
def test_an_admin_is_created_with_a_password_from_standard_input(operator_of_database: Operator, database: Any) -> None:
    for password, status in (("short", 1), ("seven lazy herons", 0), ("", 0)):
        ended = operator_of_database.runs("admin", "create", "Ada@example.com", typing=password + "\n")
        assert ended.status == status, ended.err
        assert not password or password not in ended.out + ended.err
    (user,) = database.users.find()
    assert (user["email"], user["role"], user["email_verified"]) == ("Ada@example.com", "admin", True)


@pytest.mark.real_server("a command connects to it")
def test_an_operator_has_the_deletion_of_accounts_finished(operator_of_database: Operator, database: Any) -> None:
    account, now = new_id(), datetime.now(UTC)
    database.closed_accounts.insert_one(ClosedAccount.new(account, 3, new_id(), now - LEASE).to_stored())
    database.events.insert_many([build_event(account) for _ in range(3)])
    ended = operator_of_database.runs("delete-due")
    assert ended.status == 0, ended.err
    assert ended.out.endswith("0 accounts are left.\n")
    for name in ("closed_accounts", "events"):
        assert database[name].count_documents({}) == 0


@pytest.mark.real_server("a command connects to it")
def test_a_command_that_may_run_beside_a_planner_repairs_nothing(
    operator_of_database: Operator, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without_transactions(url: str, *arguments: Any, **options: Any) -> Database:
        return replace(await open_database(url, *arguments, **options), transactions=False)

    monkeypatch.setattr("planner.startup.open_database", without_transactions)
    assert operator_of_database.runs("admin", "create", "ada@example.com", typing="seven lazy herons\n").status == 0
    database.users.update_one({}, {"$set": {"events": {"01": [ObjectId("692000000000000000000001")]}}})
    assert operator_of_database.runs("send-due")[:2] == (0, "0 sent.\n")
    assert database.users.find_one()["events"] != {}
    url = SecretStr(operator_of_database.settings["DATABASE_URL"])
    settings = Settings(_env_file=None, secret_key=SecretStr(SECRET), database_url=url)
    asyncio.run(recover(settings, exclusive=True))
    assert database.users.find_one()["events"] == {}


def test_a_command_that_fails_shows_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": "file/deeper"}
    ended = subprocess.run(
        [sys.executable, "-m", "planner", "serve", "--port", str(free_port())],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("planner: ")
    assert "file/deeper" in ended.stderr
    assert "Traceback" not in ended.stderr
