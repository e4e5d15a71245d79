"""The cost of a window depends on what is in it, and not on how long ago its series began."""

from datetime import UTC, datetime, timedelta
from timeit import repeat

import pytest
from dateutil.rrule import rrulestr

from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.series import Series

START = datetime(2004, 3, 1, 9, 30)
MONTH = timedelta(days=31)


def seconds(series: Series, low: datetime) -> float:
    return min(repeat(lambda: list_occurrences(series, low, low + MONTH, 1000), number=50, repeat=7)) / 50


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=DAILY;COUNT=9000",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=YEARLY",
        "FREQ=HOURLY;INTERVAL=6",
    ],
)
def test_a_window_after_twenty_years_costs_what_one_at_the_start_costs(rule: str) -> None:
    series = Series(START, timedelta(hours=1), "Europe/Berlin", rule)
    near, far = seconds(series, datetime(2004, 4, 1, tzinfo=UTC)), seconds(series, datetime(2024, 4, 1, tzinfo=UTC))
    # The margin is wide because the machine may be busy. Iterating from the start would cost hundreds of times as much.
    assert far < 5 * near


def test_a_month_of_a_daily_rule_is_found_much_faster_than_by_iterating_from_the_start() -> None:
    series = Series(START, timedelta(hours=1), "Europe/Berlin", "FREQ=DAILY")
    low = datetime(2024, 4, 1)
    replayed = min(repeat(lambda: rrulestr("FREQ=DAILY", dtstart=START).between(low, low + MONTH), number=1, repeat=5))
    assert seconds(series, low.replace(tzinfo=UTC)) < replayed / 20
