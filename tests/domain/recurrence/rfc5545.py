"""The examples of RFC 5545 §3.8.5.3, and the times in which the standard prints their dates."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.series import Series, validate_series

# The examples are in the Eastern United States; what the standard calls EDT and EST is this far from UTC.
EDT, EST = timedelta(hours=4), timedelta(hours=5)

BEFORE = datetime(1990, 1, 1, tzinfo=UTC)
AFTER = datetime(2100, 1, 1, tzinfo=UTC)

SEPTEMBER_2 = datetime(1997, 9, 2, 9)


class Example(NamedTuple):
    """An example as the standard prints it: `starts` are its first instants, and all of them when it `ends`."""

    name: str
    start: datetime
    rule: str
    starts: list[datetime]
    ends: bool


def at(offset: timedelta, year: int, month: int, *days: int) -> list[datetime]:
    """Return nine o'clock on these days, as instants."""
    return [datetime(year, month, day, 9, tzinfo=UTC) + offset for day in days]


def to(first: int, last: int, step: int = 1) -> range:
    return range(first, last + 1, step)


def clock(day: int, *times: str) -> list[datetime]:
    """Return times on a day of September 1997, as instants."""
    return [datetime.fromisoformat(f"1997-09-{day:02}T{time}").replace(tzinfo=UTC) + EDT for time in times]


JANUARIES = [
    *at(EST, 1998, 1, *to(1, 31)),
    *at(EST, 1999, 1, *to(1, 31)),
    *at(EST, 2000, 1, *to(1, 31)),
]


def parametrize_examples(examples: list[Example]) -> pytest.MarkDecorator:
    """Return the mark that runs a test once for each of the examples, under its name."""
    return pytest.mark.parametrize("example", examples, ids=[example.name for example in examples])


def assert_as_printed(example: Example) -> None:
    series = validate_series(Series(example.start, time_zone="America/New_York", rrule=example.rule))
    page = list_occurrences(series, BEFORE, AFTER, len(example.starts))
    assert [item.start for item in page.items] == example.starts
    assert (page.next is None) is example.ends
