"""`python -m planner admin create`: the operator makes an admin, by a password that no argument shows."""

import asyncio
import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import pytest

from tests.support.clients import Planner, ok, sign_in, sign_up
from tests.support.servers import ROOT, RunningServer, running

GOOD_PASSWORD = "nine quiet otters"


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def started(data: Path, *arguments: str, stdin: int) -> subprocess.Popen[str]:
    """One of the operator's commands, on the embedded database in this folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "planner", *arguments],
        env=kept | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(data), "PASSWORD_ROUNDS": "10"},
        cwd=data.parent,
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Without a terminal of its own, a command asks on its standard input.
        start_new_session=True,
    )


def command(data: Path, *arguments: str, stdin: str = "") -> Done:
    """What became of a command."""
    with started(data, *arguments, stdin=subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(stdin, timeout=60)
        finally:
            process.kill()
    return Done(process.returncode, output, errors)


def typed(data: Path, *arguments: str, answers: dict[str, str]) -> Done:
    """What became of a command at a terminal, where somebody answers each prompt as it comes."""
    keyboard, terminal = pty.openpty()
    try:
        with started(data, *arguments, stdin=terminal) as process:
            watchdog = threading.Timer(60, process.kill)
            watchdog.start()
            assert process.stdout is not None and process.stderr is not None
            said = ""
            for prompt, answer in answers.items():
                while not said.endswith(prompt) and (character := process.stderr.read(1)):
                    said += character
                os.write(keyboard, f"{answer}\n".encode())
            said += process.stderr.read()
            output = process.stdout.read()
            watchdog.cancel()
            shown = os.read(keyboard, 10_000).decode() if select.select([keyboard], [], [], 0)[0] else ""
    finally:
        os.close(terminal)
        os.close(keyboard)
    return Done(process.returncode, output + shown, said)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A planner that runs with its embedded database."""
    with running(tmp_path_factory.mktemp("planner") / "data") as server:
        yield server


@pytest.fixture
async def beside(embedded: RunningServer) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=embedded.url, timeout=60) as api:
        yield api


@pytest.mark.real_server("the planner is a process of its own")
async def test_the_operator_makes_a_new_admin_beside_a_running_planner_by_a_password_from_stdin(
    embedded: RunningServer, beside: Planner
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    done = await asyncio.to_thread(command, embedded.data_dir, "admin", "create", email, stdin=f"{GOOD_PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    assert "is an admin" in done.stdout
    assert GOOD_PASSWORD not in done.stdout + done.stderr
    user = ok(await sign_in(beside, email, GOOD_PASSWORD))["user"]
    assert (user["role"], user["email_verified"]) == ("admin", True)


@pytest.mark.real_server("the planner is a process of its own")
async def test_the_operator_makes_an_existing_account_an_admin_and_its_password_stays(
    embedded: RunningServer, beside: Planner
) -> None:
    ada = await sign_up(beside, f"{uuid4().hex[:12]}@example.com")
    done = await asyncio.to_thread(command, embedded.data_dir, "admin", "create", ada.email, stdin="")
    assert done.returncode == 0, done.stderr
    assert ok(await sign_in(beside, ada.email))["user"]["role"] == "admin"


@pytest.mark.real_server("the planner is a process of its own")
@pytest.mark.parametrize("weak", ["", "short", "password", "abcdefgh"])
async def test_the_operator_cannot_make_an_admin_with_a_weak_password(
    embedded: RunningServer, beside: Planner, weak: str
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    done = await asyncio.to_thread(command, embedded.data_dir, "admin", "create", email, stdin=f"{weak}\n")
    assert done.returncode == 1
    assert "password" in done.stderr
    assert "Traceback" not in done.stderr
    ok(await sign_in(beside, email, weak), 401)


def test_the_operators_command_takes_no_password_as_an_argument(tmp_path: Path) -> None:
    for arguments in ((GOOD_PASSWORD,), ("--password", GOOD_PASSWORD), (f"--password={GOOD_PASSWORD}",)):
        done = command(tmp_path / "data", "admin", "create", "ada@example.com", *arguments)
        assert done.returncode == 2
        assert "unrecognized arguments" in done.stderr
    assert not (tmp_path / "data").exists()
    assert "password" not in command(tmp_path / "data", "admin", "create", "--help").stdout.partition("options:")[2]


@pytest.mark.real_server("the planner is a process of its own")
async def test_the_operator_is_asked_twice_for_the_password_at_a_terminal_which_does_not_show_it(
    embedded: RunningServer, beside: Planner
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    for second, status in (("nine quite otters", 1), (GOOD_PASSWORD, 0)):
        answers = {"Password: ": GOOD_PASSWORD, "Once more: ": second}
        done = await asyncio.to_thread(typed, embedded.data_dir, "admin", "create", email, answers=answers)
        assert done.returncode == status, done.stderr
        assert done.stderr.count("Password: ") == done.stderr.count("Once more: ") == 1
        assert "otters" not in done.stdout + done.stderr
    assert ok(await sign_in(beside, email, GOOD_PASSWORD))["user"]["role"] == "admin"
