"""The hours of the week in which a series can take place contain every one of its occurrences."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.recurrence.hours import EVERY_HOUR, list_hours, list_hours_of_window
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.series import Series
from tests.domain import strategies
from tests.domain.recurrence.test_occurrences import windows

MONDAY = datetime(2026, 12, 7, tzinfo=UTC)


@given(st.data())
def test_whatever_is_in_a_window_has_an_hour_in_common_with_it(data: st.DataObject) -> None:
    series = data.draw(strategies.series())
    low, high = data.draw(windows(series))
    hours, of_window = list_hours(series), list_hours_of_window(low, high)
    if of_window is not None and EVERY_HOUR not in hours and not set(hours) & set(of_window):
        assert list_occurrences(series, low, high, 10).items == []


@pytest.mark.parametrize(
    ("series", "hours"),
    [
        (Series(datetime(2026, 12, 7, 9), timedelta(hours=1), "UTC", "FREQ=WEEKLY"), [9]),
        (Series(datetime(2026, 12, 7, 9, 30), timedelta(hours=1), "UTC", "FREQ=WEEKLY"), [9, 10]),
        (Series(datetime(2026, 12, 7, 9), None, "UTC", "FREQ=WEEKLY;BYDAY=MO,TU"), [9, 33]),
        # At nine in winter time and in summer time.
        (Series(datetime(2026, 12, 7, 9), timedelta(hours=1), "Europe/Berlin", "FREQ=WEEKLY"), [7, 8]),
        (Series(datetime(2026, 12, 7, 0), timedelta(hours=1), "Asia/Tokyo", "FREQ=WEEKLY"), [159]),
        (Series(date(2026, 12, 8), None, "UTC", "FREQ=WEEKLY"), list(range(24, 48))),
        (
            Series(datetime(2026, 12, 7, 9), timedelta(hours=1), "UTC", "FREQ=MONTHLY"),
            [9 + 24 * day for day in range(7)],
        ),
        (Series(datetime(2026, 12, 7, 9), timedelta(hours=1), "UTC", "FREQ=HOURLY;INTERVAL=24"), [EVERY_HOUR]),
        (Series(datetime(2026, 12, 7, 9), timedelta(days=7), "UTC", "FREQ=YEARLY"), [EVERY_HOUR]),
    ],
)
def test_the_hours_of_a_series_are_those_of_its_occurrences_and_few_others(series: Series, hours: list[int]) -> None:
    assert list_hours(series) == hours


def test_a_window_of_a_week_touches_all_hours_and_a_short_one_few() -> None:
    assert list_hours_of_window(MONDAY, MONDAY + timedelta(days=7)) is None
    assert list_hours_of_window(MONDAY, MONDAY + timedelta(hours=2)) == [0, 1]
    assert list_hours_of_window(MONDAY - timedelta(seconds=1), MONDAY + timedelta(seconds=1)) == [0, 167]
    assert list_hours_of_window(MONDAY, MONDAY) == [0]


def test_every_zone_has_its_hours_in_any_year() -> None:
    for zone in strategies.ZONES:
        for year in (1, 1800, 1970, 2026, 2200, 9990):
            series = Series(datetime(year, 3, 1, 9), timedelta(hours=1), zone, "FREQ=WEEKLY")
            assert list_hours(series)
