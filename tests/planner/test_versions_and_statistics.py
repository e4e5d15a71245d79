"""Which version runs, and how much is stored."""

import re

import pytest

from planner.cli import main
from planner.services.operation.statistics import Statistics
from planner.version import VERSION, find_commit
from tests.support.clients import Person, Planner, ok


def test_the_command_line_prints_the_version_and_the_commit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert re.fullmatch(rf"planner {re.escape(VERSION)} \(([0-9a-f]{{40}}|unknown commit)\)\n", capsys.readouterr().out)


async def test_the_api_returns_the_version_and_the_commit(api: Planner) -> None:
    assert ok(await api.get("http://planner.test/version")) == {"version": VERSION, "commit": find_commit()}


def test_a_container_knows_its_commit_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_COMMIT", "0a1b2c3")
    assert find_commit.__wrapped__() == "0a1b2c3"


def test_without_a_repository_the_commit_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_commit.__wrapped__() is None


# Otherwise the changes may have their numbers before they are counted.
@pytest.mark.usefixtures("without_background_work")
async def test_statistics_count_what_is_stored(ada: Person, ben: Person) -> None:
    await ada.event(visibility="public")
    await ben.event()
    counted = await Statistics().count_stored()
    assert (counted["accounts"], counted["events"], counted["events, public"]) == (2, 2, 1)
    assert (await Statistics().count_waiting())["changes"] == 2
