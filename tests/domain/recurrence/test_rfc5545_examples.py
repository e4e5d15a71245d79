"""Every example of RFC 5545 §3.8.5.3, with the dates that the standard prints."""

from datetime import UTC, datetime, timedelta

import pytest

from planner.domain.recurrence.occurrences import occurrences
from planner.domain.recurrence.rrule import RecurrenceError, parse
from planner.domain.recurrence.series import Series, validate

# The examples are in the Eastern United States; what the standard calls EDT and EST is this far from UTC.
EDT, EST = timedelta(hours=4), timedelta(hours=5)

BEFORE = datetime(1990, 1, 1, tzinfo=UTC)
AFTER = datetime(2100, 1, 1, tzinfo=UTC)

SEPTEMBER_2 = datetime(1997, 9, 2, 9)


def at(offset: timedelta, year: int, month: int, *days: int) -> list[datetime]:
    """Nine o'clock on these days, as instants."""
    return [datetime(year, month, day, 9, tzinfo=UTC) + offset for day in days]


def to(first: int, last: int, step: int = 1) -> range:
    return range(first, last + 1, step)


def clock(day: int, *times: str) -> list[datetime]:
    """Times on a day of September 1997, as instants."""
    return [datetime.fromisoformat(f"1997-09-{day:02}T{time}").replace(tzinfo=UTC) + EDT for time in times]


JANUARIES = [
    *at(EST, 1998, 1, *to(1, 31)),
    *at(EST, 1999, 1, *to(1, 31)),
    *at(EST, 2000, 1, *to(1, 31)),
]
FIVE_WEEKS = [*at(EDT, 1997, 9, 2, 4, 9, 11, 16, 18, 23, 25, 30), *at(EDT, 1997, 10, 2)]
TWENTIES = [f"{hour:02}:{minute:02}" for hour in to(9, 16) for minute in (0, 20, 40)]

# Name, start, rule, instants, and whether there are no others.
EXAMPLES: list[tuple[str, datetime, str, list[datetime], bool]] = [
    ("daily for 10 occurrences", SEPTEMBER_2, "FREQ=DAILY;COUNT=10", at(EDT, 1997, 9, *to(2, 11)), True),
    (
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
    (
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
    (
        "every 10 days, 5 occurrences",
        SEPTEMBER_2,
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        [*at(EDT, 1997, 9, 2, 12, 22), *at(EDT, 1997, 10, 2, 12)],
        True,
    ),
    (
        "every day in January, for 3 years, yearly",
        datetime(1998, 1, 1, 9),
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        JANUARIES,
        True,
    ),
    (
        "every day in January, for 3 years, daily",
        datetime(1998, 1, 1, 9),
        "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
        JANUARIES,
        True,
    ),
    (
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
    (
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
    (
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
    (
        "weekly on Tuesday and Thursday for five weeks, until",
        SEPTEMBER_2,
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        FIVE_WEEKS,
        True,
    ),
    (
        "weekly on Tuesday and Thursday for five weeks, counted",
        SEPTEMBER_2,
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        FIVE_WEEKS,
        True,
    ),
    (
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
    (
        "every other week on Tuesday and Thursday, for 8 occurrences",
        SEPTEMBER_2,
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        [*at(EDT, 1997, 9, 2, 4, 16, 18, 30), *at(EDT, 1997, 10, 2, 14, 16)],
        True,
    ),
    (
        "monthly on the first Friday for 10 occurrences",
        datetime(1997, 9, 5, 9),
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        [
            *at(EDT, 1997, 9, 5),
            *at(EDT, 1997, 10, 3),
            *at(EST, 1997, 11, 7),
            *at(EST, 1997, 12, 5),
            *at(EST, 1998, 1, 2),
            *at(EST, 1998, 2, 6),
            *at(EST, 1998, 3, 6),
            *at(EST, 1998, 4, 3),
            *at(EDT, 1998, 5, 1),
            *at(EDT, 1998, 6, 5),
        ],
        True,
    ),
    (
        "monthly on the first Friday until December 24, 1997",
        datetime(1997, 9, 5, 9),
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        [*at(EDT, 1997, 9, 5), *at(EDT, 1997, 10, 3), *at(EST, 1997, 11, 7), *at(EST, 1997, 12, 5)],
        True,
    ),
    (
        "every other month on the first and last Sunday for 10 occurrences",
        datetime(1997, 9, 7, 9),
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        [
            *at(EDT, 1997, 9, 7, 28),
            *at(EST, 1997, 11, 2, 30),
            *at(EST, 1998, 1, 4, 25),
            *at(EST, 1998, 3, 1, 29),
            *at(EDT, 1998, 5, 3, 31),
        ],
        True,
    ),
    (
        "monthly on the second-to-last Monday for 6 months",
        datetime(1997, 9, 22, 9),
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        [
            *at(EDT, 1997, 9, 22),
            *at(EDT, 1997, 10, 20),
            *at(EST, 1997, 11, 17),
            *at(EST, 1997, 12, 22),
            *at(EST, 1998, 1, 19),
            *at(EST, 1998, 2, 16),
        ],
        True,
    ),
    (
        "monthly on the third-to-the-last day, forever",
        datetime(1997, 9, 28, 9),
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        [
            *at(EDT, 1997, 9, 28),
            *at(EST, 1997, 10, 29),
            *at(EST, 1997, 11, 28),
            *at(EST, 1997, 12, 29),
            *at(EST, 1998, 1, 29),
            *at(EST, 1998, 2, 26),
        ],
        False,
    ),
    (
        "monthly on the 2nd and 15th for 10 occurrences",
        SEPTEMBER_2,
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        [
            *at(EDT, 1997, 9, 2, 15),
            *at(EDT, 1997, 10, 2, 15),
            *at(EST, 1997, 11, 2, 15),
            *at(EST, 1997, 12, 2, 15),
            *at(EST, 1998, 1, 2, 15),
        ],
        True,
    ),
    (
        "monthly on the first and last day for 10 occurrences",
        datetime(1997, 9, 30, 9),
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        [
            *at(EDT, 1997, 9, 30),
            *at(EDT, 1997, 10, 1),
            *at(EST, 1997, 10, 31),
            *at(EST, 1997, 11, 1, 30),
            *at(EST, 1997, 12, 1, 31),
            *at(EST, 1998, 1, 1, 31),
            *at(EST, 1998, 2, 1),
        ],
        True,
    ),
    (
        "every 18 months on the 10th thru 15th for 10 occurrences",
        datetime(1997, 9, 10, 9),
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        [*at(EDT, 1997, 9, *to(10, 15)), *at(EST, 1999, 3, *to(10, 13))],
        True,
    ),
    (
        "every Tuesday, every other month",
        SEPTEMBER_2,
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        [
            *at(EDT, 1997, 9, 2, 9, 16, 23, 30),
            *at(EST, 1997, 11, 4, 11, 18, 25),
            *at(EST, 1998, 1, 6, 13, 20, 27),
            *at(EST, 1998, 3, 3, 10, 17, 24, 31),
        ],
        False,
    ),
    (
        "yearly in June and July for 10 occurrences",
        datetime(1997, 6, 10, 9),
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        [moment for year in to(1997, 2001) for month in (6, 7) for moment in at(EDT, year, month, 10)],
        True,
    ),
    (
        "every other year on January, February and March for 10 occurrences",
        datetime(1997, 3, 10, 9),
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        [
            *at(EST, 1997, 3, 10),
            *(moment for year in (1999, 2001, 2003) for month in (1, 2, 3) for moment in at(EST, year, month, 10)),
        ],
        True,
    ),
    (
        "every third year on the 1st, 100th and 200th day for 10 occurrences",
        datetime(1997, 1, 1, 9),
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        [
            *at(EST, 1997, 1, 1),
            *at(EDT, 1997, 4, 10),
            *at(EDT, 1997, 7, 19),
            *at(EST, 2000, 1, 1),
            *at(EDT, 2000, 4, 9),
            *at(EDT, 2000, 7, 18),
            *at(EST, 2003, 1, 1),
            *at(EDT, 2003, 4, 10),
            *at(EDT, 2003, 7, 19),
            *at(EST, 2006, 1, 1),
        ],
        True,
    ),
    (
        "every 20th Monday of the year, forever",
        datetime(1997, 5, 19, 9),
        "FREQ=YEARLY;BYDAY=20MO",
        [*at(EDT, 1997, 5, 19), *at(EDT, 1998, 5, 18), *at(EDT, 1999, 5, 17)],
        False,
    ),
    (
        "Monday of week number 20, forever",
        datetime(1997, 5, 12, 9),
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        [*at(EDT, 1997, 5, 12), *at(EDT, 1998, 5, 11), *at(EDT, 1999, 5, 17)],
        False,
    ),
    (
        "every Thursday in March, forever",
        datetime(1997, 3, 13, 9),
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        [
            *at(EST, 1997, 3, 13, 20, 27),
            *at(EST, 1998, 3, 5, 12, 19, 26),
            *at(EST, 1999, 3, 4, 11, 18, 25),
        ],
        False,
    ),
    (
        "every Thursday, but only during June, July and August, forever",
        datetime(1997, 6, 5, 9),
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        [
            *at(EDT, 1997, 6, 5, 12, 19, 26),
            *at(EDT, 1997, 7, 3, 10, 17, 24, 31),
            *at(EDT, 1997, 8, 7, 14, 21, 28),
            *at(EDT, 1998, 6, 4, 11, 18, 25),
            *at(EDT, 1998, 7, 2, 9, 16, 23, 30),
            *at(EDT, 1998, 8, 6, 13, 20, 27),
            *at(EDT, 1999, 6, 3, 10, 17, 24),
            *at(EDT, 1999, 7, 1, 8, 15, 22, 29),
            *at(EDT, 1999, 8, 5, 12, 19, 26),
        ],
        False,
    ),
    (
        "the first Saturday that follows the first Sunday of the month, forever",
        datetime(1997, 9, 13, 9),
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        [
            *at(EDT, 1997, 9, 13),
            *at(EDT, 1997, 10, 11),
            *at(EST, 1997, 11, 8),
            *at(EST, 1997, 12, 13),
            *at(EST, 1998, 1, 10),
            *at(EST, 1998, 2, 7),
            *at(EST, 1998, 3, 7),
            *at(EDT, 1998, 4, 11),
            *at(EDT, 1998, 5, 9),
            *at(EDT, 1998, 6, 13),
        ],
        False,
    ),
    (
        "every 4 years, the first Tuesday after a Monday in November, forever",
        datetime(1996, 11, 5, 9),
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        [*at(EST, 1996, 11, 5), *at(EST, 2000, 11, 7), *at(EST, 2004, 11, 2)],
        False,
    ),
    (
        "the third instance into the month of Tuesday, Wednesday or Thursday, for 3 months",
        datetime(1997, 9, 4, 9),
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        [*at(EDT, 1997, 9, 4), *at(EDT, 1997, 10, 7), *at(EST, 1997, 11, 6)],
        True,
    ),
    (
        "the second-to-last weekday of the month",
        datetime(1997, 9, 29, 9),
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        [
            *at(EDT, 1997, 9, 29),
            *at(EST, 1997, 10, 30),
            *at(EST, 1997, 11, 27),
            *at(EST, 1997, 12, 30),
            *at(EST, 1998, 1, 29),
            *at(EST, 1998, 2, 26),
            *at(EST, 1998, 3, 30),
        ],
        False,
    ),
    (
        # The standard's 17:00 is meant in local time and written in UTC, as its erratum 3883 says;
        # 21:00 UTC is what the printed times ask for.
        "every 3 hours from 9:00 AM to 5:00 PM on a specific day",
        SEPTEMBER_2,
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
        clock(2, "09:00", "12:00", "15:00"),
        True,
    ),
    (
        "every 20 minutes from 9:00 AM to 4:40 PM every day",
        SEPTEMBER_2,
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
        [*clock(2, *TWENTIES), *clock(3, *TWENTIES)],
        False,
    ),
    (
        "an example where WKST makes a difference, Monday",
        datetime(1997, 8, 5, 9),
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        at(EDT, 1997, 8, 5, 10, 19, 24),
        True,
    ),
    (
        "an example where WKST makes a difference, Sunday",
        datetime(1997, 8, 5, 9),
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        at(EDT, 1997, 8, 5, 17, 19, 31),
        True,
    ),
    (
        "an invalid date is ignored",
        datetime(2007, 1, 15, 9),
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        [*at(EST, 2007, 1, 15, 30), *at(EST, 2007, 2, 15), *at(EDT, 2007, 3, 15, 30)],
        True,
    ),
]


@pytest.mark.parametrize(
    ("start", "rule", "expected", "ends"),
    [example[1:] for example in EXAMPLES],
    ids=[example[0] for example in EXAMPLES],
)
def test_the_standard_says_so(start: datetime, rule: str, expected: list[datetime], ends: bool) -> None:
    series = validate(Series(start, zone="America/New_York", rrule=rule))
    page = occurrences(series, BEFORE, AFTER, len(expected))
    assert [item.start for item in page.items] == expected
    assert (page.next is None) is ends


def test_every_friday_the_13th_without_the_start_that_is_none() -> None:
    series = Series(
        SEPTEMBER_2,
        zone="America/New_York",
        rrule="FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        exdates=frozenset({SEPTEMBER_2}),
    )
    expected = [
        *at(EST, 1998, 2, 13),
        *at(EST, 1998, 3, 13),
        *at(EST, 1998, 11, 13),
        *at(EDT, 1999, 8, 13),
        *at(EDT, 2000, 10, 13),
    ]
    assert [item.start for item in occurrences(validate(series), BEFORE, AFTER, 5).items] == expected


def test_the_printed_until_of_the_hourly_example_ends_it_at_one_o_clock() -> None:
    series = Series(SEPTEMBER_2, zone="America/New_York", rrule="FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z")
    assert [item.start for item in occurrences(series, BEFORE, AFTER, 9).items] == clock(2, "09:00", "12:00")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
        "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
    ],
)
def test_what_the_standard_repeats_by_the_minute_is_refused(rule: str) -> None:
    with pytest.raises(RecurrenceError, match="HOURLY is the shortest"):
        parse(rule)
