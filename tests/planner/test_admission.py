"""How many requests are answered at the same time."""

from contextvars import copy_context

import pytest

from planner.load.admission import INTERVAL_SECONDS, LEAST, SECONDS, Admission
from planner.telemetry.metrics import Metrics

MOST = 100


class Setting:
    """An admission, and a clock that the test moves."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.admission = Admission(MOST, Metrics(), now=lambda: self.time)

    def answer(self, *seconds: float) -> None:
        """Answer requests that took so long, in an interval of their own."""
        for each in seconds:
            copy_context().run(self.admission.note_answer, each)
        self.time += 2 * INTERVAL_SECONDS

    def answer_intervals(self, number: int, *seconds: float) -> None:
        for _ in range(number):
            self.answer(*seconds)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_as_many_requests_as_the_limit_are_accepted(setting: Setting) -> None:
    assert setting.admission.has_room(MOST - 1)
    assert not setting.admission.has_room(MOST)


def test_fewer_are_accepted_while_even_the_fastest_take_long(setting: Setting) -> None:
    setting.admission.has_room(MOST - 1)
    setting.answer_intervals(3, 3 * SECONDS, 2 * SECONDS)
    assert setting.admission.limit < MOST
    setting.answer_intervals(50, 2 * SECONDS)
    assert setting.admission.limit == LEAST


def test_no_more_are_accepted_than_are_running_when_these_take_long(setting: Setting) -> None:
    setting.admission.has_room(80)
    setting.answer_intervals(2, 2 * SECONDS)
    assert setting.admission.limit == LEAST < 80


def test_slow_requests_beside_a_fast_one_change_nothing(setting: Setting) -> None:
    setting.answer_intervals(20, 10 * SECONDS, SECONDS / 10, 10 * SECONDS)
    assert setting.admission.limit == MOST


def test_more_are_accepted_again_as_soon_as_requests_are_fast(setting: Setting) -> None:
    setting.answer_intervals(50, 2 * SECONDS)
    setting.answer_intervals(20, SECONDS / 10)
    assert setting.admission.limit == MOST


def test_a_limit_below_the_least_stays_as_it_is_set() -> None:
    time = iter(range(1000))
    admission = Admission(5, Metrics(), now=lambda: float(next(time)))
    for _ in range(10):
        admission.note_answer(10 * SECONDS)
    assert admission.limit == 5


def test_what_is_uncounted_or_incomplete_takes_no_place(setting: Setting) -> None:
    with setting.admission.uncounted():
        assert setting.admission.has_room(MOST)
    setting.admission.incomplete += 1
    assert setting.admission.has_room(MOST)
    setting.admission.incomplete -= 1
    assert not setting.admission.has_room(MOST)


def test_how_long_a_request_took_that_was_uncounted_changes_nothing(setting: Setting) -> None:
    def be_uncounted() -> None:
        with setting.admission.uncounted():
            pass
        setting.admission.note_answer(100 * SECONDS)

    for _ in range(20):
        copy_context().run(be_uncounted)
        setting.time += 2 * INTERVAL_SECONDS
    assert setting.admission.limit == MOST


def test_refusals_are_logged_once_a_minute(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    assert not setting.admission.has_room(MOST + 3)
    for _ in range(10):
        setting.admission.note_refusal()
    assert len(caplog.records) == 1
    assert f"{MOST + 3} are being answered" in caplog.text
    setting.time += 61
    setting.admission.note_refusal()
    assert len(caplog.records) == 2
