"""RSCALE and SKIP (RFC 7529 §4.1): what becomes of days that a month or year does not have."""

from datetime import UTC, date, datetime
from itertools import islice

import pytest

from planner.domain.recurrence.edits import split_series
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.pattern import compile_pattern
from planner.domain.recurrence.rrule import parse_rule
from planner.domain.recurrence.series import Series, validate_series


def first(text: str, start: date, count: int) -> list[date]:
    return list(islice(compile_pattern(text, start, "UTC").iterate_from(start), count))


CASES = [
    ("MONTHLY;SKIP=OMIT", date(2026, 1, 31), "01-31 03-31 05-31"),
    ("MONTHLY;SKIP=BACKWARD", date(2026, 1, 31), "01-31 02-28 03-31 04-30"),
    ("MONTHLY;SKIP=FORWARD", date(2026, 1, 31), "01-31 03-01 03-31 05-01 05-31 07-01 07-31 08-31 10-01"),
    ("MONTHLY;SKIP=BACKWARD", date(2028, 1, 30), "01-30 02-29 03-30"),
    # Two days of one month may become the same day, which counts once.
    ("MONTHLY;BYMONTHDAY=28,29,30,31;SKIP=BACKWARD", date(2026, 2, 1), "02-28 03-28 03-29 03-30 03-31 04-28"),
    ("MONTHLY;BYMONTHDAY=1,30,31;SKIP=FORWARD", date(2026, 2, 1), "02-01 03-01 03-30 03-31 04-01 04-30 05-01"),
    # A month that the interval leaves out has the day of the month before it.
    ("MONTHLY;INTERVAL=3;SKIP=FORWARD", date(2026, 1, 31), "01-31 05-01 07-31 10-31"),
    # The days of a shorter month that are counted from its end.
    ("MONTHLY;BYMONTHDAY=-31;SKIP=FORWARD", date(2026, 1, 1), "01-01 02-01 03-01 04-01"),
    ("MONTHLY;BYMONTHDAY=-31;SKIP=BACKWARD", date(2026, 1, 1), "01-01 01-31 03-01 03-31 05-01"),
    # BYDAY and BYSETPOS choose among the days that SKIP gives, in the month that lacks them.
    ("MONTHLY;BYMONTHDAY=30,31;BYDAY=SU;SKIP=FORWARD", date(2026, 1, 1), "03-01 05-31 08-30"),
    ("MONTHLY;BYMONTHDAY=1,31;BYSETPOS=-1;SKIP=FORWARD", date(2026, 2, 1), "03-01 03-31 05-01 05-31"),
    ("YEARLY;SKIP=FORWARD", date(2028, 2, 29), "02-29 03-01 03-01 03-01 02-29"),
    ("YEARLY;SKIP=BACKWARD", date(2028, 2, 29), "02-29 02-28 02-28 02-28 02-29"),
    ("YEARLY;BYMONTH=2;BYMONTHDAY=28,29;SKIP=FORWARD", date(2026, 2, 1), "02-28 03-01 02-28 03-01 02-28 02-29"),
    ("YEARLY;BYYEARDAY=366;SKIP=FORWARD", date(2027, 1, 2), "01-01 12-31 01-01"),
    ("YEARLY;BYYEARDAY=366;SKIP=BACKWARD", date(2027, 1, 2), "12-31 12-31 12-31"),
    ("YEARLY;BYYEARDAY=-366;SKIP=FORWARD", date(2027, 1, 1), "01-01 01-01 01-01"),
    ("YEARLY;BYYEARDAY=-366;SKIP=BACKWARD", date(2026, 1, 2), "12-31 01-01 12-31"),
    # No day, week or hour is missing in a calendar, so SKIP means nothing here.
    ("DAILY;BYMONTHDAY=31;SKIP=BACKWARD", date(2026, 1, 31), "01-31 03-31"),
    ("WEEKLY;SKIP=FORWARD", date(2026, 1, 31), "01-31 02-07"),
]


@pytest.mark.parametrize(("text", "start", "expected"), CASES)
def test_skip_says_what_becomes_of_a_missing_day(text: str, start: date, expected: str) -> None:
    days = expected.split()
    assert [f"{day:%m-%d}" for day in first(f"FREQ={text};RSCALE=GREGORIAN", start, len(days))] == days


def test_count_counts_a_day_once() -> None:
    start = date(2026, 2, 1)
    pattern = compile_pattern("FREQ=MONTHLY;BYMONTHDAY=1,31;SKIP=FORWARD;RSCALE=GREGORIAN;COUNT=4", start, "UTC")
    found = pattern.find_between(start, date(2027, 1, 1))
    assert [f"{day:%m-%d}" for day in found] == ["02-01", "03-01", "03-31", "04-01"]


@pytest.mark.parametrize("low", [date(2026, 2, 28), date(2026, 3, 1)])
def test_a_window_that_begins_at_a_replaced_day_has_it(low: date) -> None:
    pattern = compile_pattern("FREQ=MONTHLY;SKIP=FORWARD;RSCALE=GREGORIAN", date(2026, 1, 31), "UTC")
    assert pattern.find_between(low, date(2026, 3, 2)) == [date(2026, 3, 1)]


def test_a_rule_is_written_with_rscale_and_skip_only_if_they_mean_something() -> None:
    assert str(parse_rule("RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=FORWARD")) == "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD"
    assert str(parse_rule("rscale=gregorian;freq=monthly;skip=omit")) == "FREQ=MONTHLY"
    assert str(parse_rule("FREQ=DAILY;RSCALE=GREGORIAN;SKIP=FORWARD")) == "FREQ=DAILY"
    series = validate_series(Series(date(2026, 1, 31), rrule="FREQ=MONTHLY;SKIP=BACKWARD;RSCALE=GREGORIAN;COUNT=3"))
    assert series.rrule == "FREQ=MONTHLY;COUNT=3;RSCALE=GREGORIAN;SKIP=BACKWARD"


@pytest.mark.parametrize("interval", [1, 2, 3])
@pytest.mark.parametrize("end", ["", ";COUNT=9", ";UNTIL=20280401"])
@pytest.mark.parametrize(
    "text",
    [
        *("MONTHLY;SKIP=BACKWARD", "MONTHLY;SKIP=FORWARD", "MONTHLY;BYMONTHDAY=1,31,-31;SKIP=FORWARD"),
        *("YEARLY;BYMONTH=2;BYMONTHDAY=29;SKIP=FORWARD", "YEARLY;BYMONTH=2;BYMONTHDAY=30;SKIP=FORWARD"),
    ],
)
def test_the_parts_of_a_divided_series_have_its_occurrences(text: str, end: str, interval: int) -> None:
    rrule = f"FREQ={text};RSCALE=GREGORIAN;INTERVAL={interval}{end}"
    series = validate_series(Series(date(2026, 1, 31), rrule=rrule))
    window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))

    def list_days(part: Series | None) -> list[date]:
        return [] if part is None else [item.start for item in list_occurrences(part, *window, limit=100).items]

    days = list_days(series)
    for day in days:
        head, tail = split_series(series, day)
        assert list_days(head) == [other for other in days if other < day]
        assert list_days(tail) == [other for other in days if other >= day]
