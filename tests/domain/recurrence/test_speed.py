"""The work for a window depends on what is in it, and not on how long ago its series began."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr

from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.pattern import compile_pattern
from planner.domain.recurrence.rrule import parse_rule
from planner.domain.recurrence.series import Series
from planner.domain.recurrence.yeardays import get_selector
from tests.support.work import count_lines

START = datetime(2004, 3, 1, 9, 30)
SOON, TWENTY_YEARS_LATER = datetime(2004, 4, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
MONTH = timedelta(days=31)


def list_month(start: datetime, rule: str, low: datetime) -> None:
    list_occurrences(Series(start, timedelta(hours=1), "Europe/Berlin", rule), low, low + MONTH, 1000)


def count_first_lines(work: Callable[[], object]) -> int:
    """Count the lines of work for which nothing can be used that was computed before, by whatever ran before."""
    for cached in (parse_rule, compile_pattern, get_selector):
        cached.cache_clear()
    return count_lines(work)


@pytest.fixture(autouse=True)
def _load_time_zone() -> None:
    """Load the rules of the time zone, which would count as work of the first window alone."""
    for low in (SOON, TWENTY_YEARS_LATER):
        list_month(START, "FREQ=DAILY", low)


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
def test_a_window_after_twenty_years_takes_as_much_work_as_one_at_the_start(rule: str) -> None:
    near = count_first_lines(lambda: list_month(START, rule, SOON))
    far = count_first_lines(lambda: list_month(START, rule, TWENTY_YEARS_LATER))
    assert far < 1.2 * near + 300


def test_a_month_of_a_daily_rule_takes_far_less_work_than_iterating_from_the_start() -> None:
    low = TWENTY_YEARS_LATER.replace(tzinfo=None)
    iterated = count_lines(lambda: rrulestr("FREQ=DAILY", dtstart=START).between(low, low + MONTH))
    found = count_first_lines(lambda: list_month(START, "FREQ=DAILY", TWENTY_YEARS_LATER))
    assert found < iterated / 100
