"""The examples of RFC 5545 §3.8.5.3 that repeat by the month and the year, with the dates it prints."""

from datetime import datetime

from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.series import Series, validate_series
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
    parametrize_examples,
    to,
)

EXAMPLES = [
    Example(
        "every day in January, for 3 years, yearly",
        datetime(1998, 1, 1, 9),
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        JANUARIES,
        True,
    ),
    Example(
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
    Example(
        "monthly on the first Friday until December 24, 1997",
        datetime(1997, 9, 5, 9),
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        [*at(EDT, 1997, 9, 5), *at(EDT, 1997, 10, 3), *at(EST, 1997, 11, 7), *at(EST, 1997, 12, 5)],
        True,
    ),
    Example(
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
    Example(
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
    Example(
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
    Example(
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
    Example(
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
    Example(
        "every 18 months on the 10th thru 15th for 10 occurrences",
        datetime(1997, 9, 10, 9),
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        [*at(EDT, 1997, 9, *to(10, 15)), *at(EST, 1999, 3, *to(10, 13))],
        True,
    ),
    Example(
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
    Example(
        "yearly in June and July for 10 occurrences",
        datetime(1997, 6, 10, 9),
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        [moment for year in to(1997, 2001) for month in (6, 7) for moment in at(EDT, year, month, 10)],
        True,
    ),
    Example(
        "every other year on January, February and March for 10 occurrences",
        datetime(1997, 3, 10, 9),
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        [
            *at(EST, 1997, 3, 10),
            *(moment for year in (1999, 2001, 2003) for month in (1, 2, 3) for moment in at(EST, year, month, 10)),
        ],
        True,
    ),
    Example(
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
    Example(
        "every 20th Monday of the year, forever",
        datetime(1997, 5, 19, 9),
        "FREQ=YEARLY;BYDAY=20MO",
        [*at(EDT, 1997, 5, 19), *at(EDT, 1998, 5, 18), *at(EDT, 1999, 5, 17)],
        False,
    ),
    Example(
        "Monday of week number 20, forever",
        datetime(1997, 5, 12, 9),
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        [*at(EDT, 1997, 5, 12), *at(EDT, 1998, 5, 11), *at(EDT, 1999, 5, 17)],
        False,
    ),
    Example(
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
    Example(
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
    Example(
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
    Example(
        "every 4 years, the first Tuesday after a Monday in November, forever",
        datetime(1996, 11, 5, 9),
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        [*at(EST, 1996, 11, 5), *at(EST, 2000, 11, 7), *at(EST, 2004, 11, 2)],
        False,
    ),
    Example(
        "the third instance into the month of Tuesday, Wednesday or Thursday, for 3 months",
        datetime(1997, 9, 4, 9),
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        [*at(EDT, 1997, 9, 4), *at(EDT, 1997, 10, 7), *at(EST, 1997, 11, 6)],
        True,
    ),
    Example(
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
    Example(
        "an invalid date is ignored",
        datetime(2007, 1, 15, 9),
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        [*at(EST, 2007, 1, 15, 30), *at(EST, 2007, 2, 15), *at(EDT, 2007, 3, 15, 30)],
        True,
    ),
]


@parametrize_examples(EXAMPLES)
def test_a_monthly_or_yearly_example_has_the_printed_dates(example: Example) -> None:
    assert_as_printed(example)


def test_every_friday_the_13th_with_the_start_as_an_exdate() -> None:
    series = Series(
        SEPTEMBER_2,
        time_zone="America/New_York",
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
    assert [item.start for item in list_occurrences(validate_series(series), BEFORE, AFTER, 5).items] == expected
