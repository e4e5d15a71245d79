"""The examples of RFC 5545 §3.8.5.3 that repeat by the hour, the day and the week, with the dates it prints."""

from datetime import datetime

import pytest

from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.rrule import RecurrenceError, parse_rule
from planner.domain.recurrence.series import Series
from tests.domain.recurrence.rfc5545 import (
    AFTER,
    BEFORE,
    EDT,
    EST,
    JANUARIES,
    SEPTEMBER_2,
    Example,
    assert_as_printed,
    at,
    clock,
    parametrize_examples,
    to,
)

FIVE_WEEKS = [*at(EDT, 1997, 9, 2, 4, 9, 11, 16, 18, 23, 25, 30), *at(EDT, 1997, 10, 2)]
TWENTIES = [f"{hour:02}:{minute:02}" for hour in to(9, 16) for minute in (0, 20, 40)]

EXAMPLES = [
    Example("daily for 10 occurrences", SEPTEMBER_2, "FREQ=DAILY;COUNT=10", at(EDT, 1997, 9, *to(2, 11)), True),
    Example(
        "daily until December 24, 1997",
        SEPTEMBER_2,
        "FREQ=DAILY;UNTIL=19971224T000000Z",
        [
            *at(EDT, 1997, 9, *to(2, 30)),
            *at(EDT, 1997, 10, *to(1, 25)),
            *at(EST, 1997, 10, *to(26, 31)),
            *at(EST, 1997, 11, *to(1, 30)),
            *at(EST, 1997, 12, *to(1, 23)),
        ],
        True,
    ),
    Example(
        "every other day, forever",
        SEPTEMBER_2,
        "FREQ=DAILY;INTERVAL=2",
        [
            *at(EDT, 1997, 9, *to(2, 30, 2)),
            *at(EDT, 1997, 10, *to(2, 24, 2)),
            *at(EST, 1997, 10, 26, 28, 30),
            *at(EST, 1997, 11, *to(1, 29, 2)),
            *at(EST, 1997, 12, 1, 3),
        ],
        False,
    ),
    Example(
        "every 10 days, 5 occurrences",
        SEPTEMBER_2,
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        [*at(EDT, 1997, 9, 2, 12, 22), *at(EDT, 1997, 10, 2, 12)],
        True,
    ),
    Example(
        "every day in January, for 3 years, daily",
        datetime(1998, 1, 1, 9),
        "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
        JANUARIES,
        True,
    ),
    Example(
        "weekly for 10 occurrences",
        SEPTEMBER_2,
        "FREQ=WEEKLY;COUNT=10",
        [
            *at(EDT, 1997, 9, 2, 9, 16, 23, 30),
            *at(EDT, 1997, 10, 7, 14, 21),
            *at(EST, 1997, 10, 28),
            *at(EST, 1997, 11, 4),
        ],
        True,
    ),
    Example(
        "weekly until December 24, 1997",
        SEPTEMBER_2,
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        [
            *at(EDT, 1997, 9, 2, 9, 16, 23, 30),
            *at(EDT, 1997, 10, 7, 14, 21),
            *at(EST, 1997, 10, 28),
            *at(EST, 1997, 11, 4, 11, 18, 25),
            *at(EST, 1997, 12, 2, 9, 16, 23),
        ],
        True,
    ),
    Example(
        "every other week, forever",
        SEPTEMBER_2,
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        [
            *at(EDT, 1997, 9, 2, 16, 30),
            *at(EDT, 1997, 10, 14),
            *at(EST, 1997, 10, 28),
            *at(EST, 1997, 11, 11, 25),
            *at(EST, 1997, 12, 9, 23),
            *at(EST, 1998, 1, 6, 20),
            *at(EST, 1998, 2, 3, 17),
        ],
        False,
    ),
    Example(
        "weekly on Tuesday and Thursday for five weeks, until",
        SEPTEMBER_2,
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        FIVE_WEEKS,
        True,
    ),
    Example(
        "weekly on Tuesday and Thursday for five weeks, counted",
        SEPTEMBER_2,
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        FIVE_WEEKS,
        True,
    ),
    Example(
        "every other week on Monday, Wednesday and Friday until December 24, 1997",
        datetime(1997, 9, 1, 9),
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        [
            *at(EDT, 1997, 9, 1, 3, 5, 15, 17, 19, 29),
            *at(EDT, 1997, 10, 1, 3, 13, 15, 17),
            *at(EST, 1997, 10, 27, 29, 31),
            *at(EST, 1997, 11, 10, 12, 14, 24, 26, 28),
            *at(EST, 1997, 12, 8, 10, 12, 22),
        ],
        True,
    ),
    Example(
        "every other week on Tuesday and Thursday, for 8 occurrences",
        SEPTEMBER_2,
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        [*at(EDT, 1997, 9, 2, 4, 16, 18, 30), *at(EDT, 1997, 10, 2, 14, 16)],
        True,
    ),
    Example(
        # The standard's 17:00 is meant in local time and written in UTC, as its erratum 3883 says;
        # 21:00 UTC is what the printed times ask for.
        "every 3 hours from 9:00 AM to 5:00 PM on a specific day",
        SEPTEMBER_2,
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
        clock(2, "09:00", "12:00", "15:00"),
        True,
    ),
    Example(
        "every 20 minutes from 9:00 AM to 4:40 PM every day",
        SEPTEMBER_2,
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
        [*clock(2, *TWENTIES), *clock(3, *TWENTIES)],
        False,
    ),
    Example(
        "an example where WKST makes a difference, Monday",
        datetime(1997, 8, 5, 9),
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        at(EDT, 1997, 8, 5, 10, 19, 24),
        True,
    ),
    Example(
        "an example where WKST makes a difference, Sunday",
        datetime(1997, 8, 5, 9),
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        at(EDT, 1997, 8, 5, 17, 19, 31),
        True,
    ),
]


@parametrize_examples(EXAMPLES)
def test_a_daily_or_weekly_example_has_the_printed_dates(example: Example) -> None:
    assert_as_printed(example)


def test_the_printed_until_of_the_hourly_example_ends_it_at_one_oclock() -> None:
    series = Series(SEPTEMBER_2, time_zone="America/New_York", rrule="FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z")
    assert [item.start for item in list_occurrences(series, BEFORE, AFTER, 9).items] == clock(2, "09:00", "12:00")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
        "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
    ],
)
def test_the_minutely_examples_of_the_standard_are_refused(rule: str) -> None:
    with pytest.raises(RecurrenceError, match="HOURLY is the shortest"):
        parse_rule(rule)
