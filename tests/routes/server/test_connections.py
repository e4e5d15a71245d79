"""How many connections a process has, and which of them is closed for a new one."""

import resource

import pytest

from planner.telemetry.metrics import Metrics
from routes.server.connections import REFUSED_AT_A_TIME, Connections, compute_limit


class FakeConnection:
    """Notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def make_room(self) -> None:
        self.done.append("made room")

    def refuse_connection(self) -> None:
        self.done.append("refused")

    def abort(self) -> None:
        self.done.append("aborted")


class Setting:
    """Connections with a limit of three, of which two are open, and a clock that the test moves."""

    def __init__(self) -> None:
        self.time = 100.0
        self.connections = Connections(3, Metrics(), now=lambda: self.time)
        self.first, self.second = self.open(), self.open()

    def open(self) -> FakeConnection:
        connection = FakeConnection()
        self.connections.add(connection)
        return connection


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_up_to_the_limit_every_connection_stays_open(setting: Setting) -> None:
    assert setting.open().done == setting.first.done == setting.second.done == []


def test_above_the_limit_the_connection_that_has_waited_longest_is_closed(setting: Setting) -> None:
    third = setting.open()
    setting.time += 5
    setting.connections.note_request(setting.first)
    setting.connections.note_response(setting.first)
    setting.time += 5
    newest = setting.open()
    assert setting.second.done == ["made room"]
    assert setting.first.done == third.done == newest.done == []


def test_a_connection_whose_request_is_answered_is_never_closed(setting: Setting) -> None:
    third = setting.open()
    setting.time += 5
    for connection in (setting.first, setting.second, third):
        setting.connections.note_request(connection)
    newest = setting.open()
    assert setting.first.done == setting.second.done == third.done == []
    assert newest.done == ["refused"]


def test_a_connection_that_was_opened_just_now_is_not_closed(setting: Setting) -> None:
    third, newest = setting.open(), setting.open()
    assert setting.first.done == setting.second.done == third.done == []
    assert newest.done == ["refused"]


def test_of_many_new_connections_only_some_get_a_response_that_refuses_them(setting: Setting) -> None:
    opened = [setting.open() for _ in range(1 + REFUSED_AT_A_TIME + 10)]
    outcomes = [connection.done for connection in opened]
    assert outcomes.count(["refused"]) == REFUSED_AT_A_TIME
    assert outcomes.count(["aborted"]) == 10


def test_closed_connections_make_room(setting: Setting) -> None:
    third = setting.open()
    setting.connections.remove(setting.first)
    assert setting.open().done == third.done == []
    assert len(setting.connections) == 3


def test_the_limit_is_logged_once_a_minute(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    opened = [setting.open() for _ in range(10)]
    assert len(caplog.records) == 1
    assert "MAX_CONNECTIONS" in caplog.text
    setting.time += 61
    setting.connections.remove(opened[0])
    setting.open()
    assert len(caplog.records) == 2


def test_a_process_reserves_files_for_other_things_than_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def limit_files(soft: int) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))

    limit_files(1024)
    assert compute_limit(4096) == 768
    limit_files(100)
    assert compute_limit(4096) == 50
    limit_files(20_000)
    assert compute_limit(4096) == 4096
    limit_files(resource.RLIM_INFINITY)
    assert compute_limit(4096) == 4096
