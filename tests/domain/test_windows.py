"""The `from` and `to` of a list."""

from datetime import UTC, datetime

import pytest

from planner.domain.times import parse_window
from planner.errors import Invalid


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def refused_pointer(since: str | None, until: str | None = None) -> str:
    with pytest.raises(Invalid) as caught:
        parse_window(since, until)
    (wrong,) = caught.value.errors
    return wrong.pointer


def test_a_window_may_be_open_on_either_side() -> None:
    assert parse_window(None, None) == (None, None)
    assert parse_window("2026-05-01", None) == (utc("2026-05-01T00:00"), None)
    assert parse_window(None, "2026-05-01") == (None, utc("2026-05-01T00:00"))


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-05-01", "2026-05-01T00:00"),
        ("2026-05-01T18:00:00", "2026-05-01T18:00"),
        ("2026-05-01T18:00", "2026-05-01T18:00"),
        ("2026-05-01 18:00", "2026-05-01T18:00"),
        ("2026-05-01 18:00:00", "2026-05-01T18:00"),
        ("2026-05-01T18:00:00Z", "2026-05-01T18:00"),
        ("2026-05-01T18:00:00+02:00", "2026-05-01T16:00"),
        ("2026-05-01T18:00:00-02:00", "2026-05-01T20:00"),
    ],
)
def test_a_bound_is_the_midnight_of_a_date_a_time_in_utc_or_an_instant(written: str, instant: str) -> None:
    assert parse_window(written, None)[0] == utc(instant)
    assert parse_window(None, written)[1] == utc(instant)


@pytest.mark.parametrize(
    "written",
    ["2026-05-01T18:00:00 02:00", "2026-05-01T18:00 02:00", "2026-05-01T18:00:00.5 02:00", "2026-05-01 18:00:00 02:00"],
)
def test_a_plus_sign_that_arrived_as_a_space_is_read_as_a_plus_sign(written: str) -> None:
    assert parse_window(written, None)[0] == utc("2026-05-01T16:00")


def test_an_empty_window_is_refused_at_its_end() -> None:
    assert refused_pointer("2026-05-02", "2026-05-01") == "/to"
    assert refused_pointer("2026-05-01", "2026-05-01") == "/to"
    assert refused_pointer("2026-05-01T02:00:00+02:00", "2026-05-01T00:00:00Z") == "/to"


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "2026-05-01T18:00:00 2:00", "2026-05-01 02:00 02:00 02:00", "2026-02-30"]
)
def test_text_that_is_not_a_time_is_refused_at_its_field(text: str) -> None:
    assert refused_pointer(text) == "/from"
    assert refused_pointer(None, text) == "/to"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_a_bound_outside_the_calendar_is_refused_and_does_not_overflow(text: str) -> None:
    assert refused_pointer(text) == "/from"
    assert refused_pointer(None, text) == "/to"


def test_the_first_and_the_last_day_of_the_calendar_are_bounds() -> None:
    assert parse_window("0001-01-01", "9999-12-31") == (utc("0001-01-01T00:00"), utc("9999-12-31T00:00"))
