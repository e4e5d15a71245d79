"""What the tests of failing starts share."""

from typing import NoReturn

import pytest


@pytest.fixture(autouse=True)
def never_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planner that starts all the same fails its test, instead of serving for ever."""

    def run(*_: object, **__: object) -> NoReturn:
        pytest.fail("the planner has started")

    monkeypatch.setattr("planner.serving.supervisor.Server.run", run)
    monkeypatch.setattr("planner.serving.supervisor.Supervisor.run", run)
