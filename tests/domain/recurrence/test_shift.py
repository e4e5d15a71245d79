"""Moving the start of a series, and with it its rule, its exclusions and its overrides."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import assume, given

from planner.domain.recurrence.edits import SeriesChanges, edit_series
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Override, Series
from planner.domain.recurrence.shift import Shift
from tests.domain.recurrence.edits.edit_strategies import (
    DAY,
    HOUR,
    MINUTE,
    NINE,
    horizon,
    ids_and_starts,
    listed,
    moves,
    shifted,
    start_matches_rule,
)


@given(moves())
def test_moving_a_series_moves_all_occurrences(move: tuple[Series, date, date]) -> None:
    series, recurrence_id, start = move
    delta, high = Shift(recurrence_id, start), horizon(series)
    assume(start_matches_rule(series))
    # The move must stay within the day for all occurrences, as it does for this one.
    moved = edit_series(series, SeriesChanges(start=delta.apply(series.start)))
    assert ids_and_starts(moved, delta.apply(high)) == shifted(series, listed(series, high), delta)
    assert all(not moved.has_occurrence(delta.apply(excluded)) for excluded in series.exdates)
    assert moved.duration == series.duration


FRIDAY = datetime(2024, 3, 29, 9)
MOVES: list[tuple[str, datetime, timedelta, str]] = [
    ("FREQ=WEEKLY", FRIDAY, DAY, "FREQ=WEEKLY"),
    ("FREQ=WEEKLY;BYDAY=FR", FRIDAY, DAY, "FREQ=WEEKLY;BYDAY=SA"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR", FRIDAY, -DAY, "FREQ=WEEKLY;BYDAY=TU,TH,SU"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR", FRIDAY, 7 * DAY, "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", FRIDAY, 3 * DAY, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=TH"),
    ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", FRIDAY, DAY, "FREQ=DAILY;BYDAY=TU,WE,TH,FR,SA"),
    ("FREQ=MONTHLY", FRIDAY, DAY, "FREQ=MONTHLY"),
    ("FREQ=MONTHLY;BYMONTHDAY=29", FRIDAY, DAY, "FREQ=MONTHLY;BYMONTHDAY=30"),
    ("FREQ=MONTHLY;BYMONTHDAY=29", FRIDAY, 5 * DAY, "FREQ=MONTHLY;BYMONTHDAY=3"),
    ("FREQ=MONTHLY;BYMONTHDAY=-3", FRIDAY, DAY, "FREQ=MONTHLY;BYMONTHDAY=-2"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15,29", FRIDAY, DAY, "FREQ=MONTHLY;BYMONTHDAY=2,16,30"),
    ("FREQ=MONTHLY;BYDAY=-1FR", FRIDAY, -DAY, "FREQ=MONTHLY;BYDAY=-1TH"),
    ("FREQ=MONTHLY;BYDAY=5FR", FRIDAY, -7 * DAY, "FREQ=MONTHLY;BYDAY=4FR"),
    ("FREQ=MONTHLY;BYDAY=5FR", FRIDAY, 7 * DAY, "FREQ=MONTHLY;BYDAY=1FR"),
    ("FREQ=MONTHLY;BYDAY=FR", FRIDAY, DAY, "FREQ=MONTHLY;BYDAY=SA"),
    ("FREQ=MONTHLY;BYDAY=1MO,1WE", datetime(2024, 4, 1, 9), DAY, "FREQ=MONTHLY;BYDAY=1TU,1TH"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", FRIDAY, DAY, "FREQ=MONTHLY;BYDAY=TU,WE,TH,FR,SA;BYSETPOS=-1"),
    ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", datetime(2024, 9, 13, 9), DAY, "FREQ=MONTHLY;BYMONTHDAY=14;BYDAY=SA"),
    ("FREQ=YEARLY", FRIDAY, 40 * DAY, "FREQ=YEARLY"),
    ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=29", FRIDAY, 5 * DAY, "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=3"),
    ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1FR", FRIDAY, 7 * DAY, "FREQ=YEARLY;BYMONTH=4;BYDAY=-4FR"),
    ("FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=29", FRIDAY, 5 * DAY, "FREQ=YEARLY;BYMONTH=4,10;BYMONTHDAY=3"),
    ("FREQ=YEARLY;BYDAY=13FR", FRIDAY, 3 * DAY, "FREQ=YEARLY;BYDAY=14MO"),
    ("FREQ=YEARLY;BYYEARDAY=89", FRIDAY, 3 * DAY, "FREQ=YEARLY;BYYEARDAY=92"),
    ("FREQ=YEARLY;BYWEEKNO=13;BYDAY=FR", FRIDAY, 3 * DAY, "FREQ=YEARLY;BYWEEKNO=14;BYDAY=MO"),
    ("FREQ=DAILY;BYHOUR=9", FRIDAY, HOUR, "FREQ=DAILY;BYHOUR=10"),
    ("FREQ=DAILY;BYHOUR=9,17", FRIDAY, HOUR, "FREQ=DAILY;BYHOUR=10,18"),
    ("FREQ=DAILY;BYHOUR=9,17", FRIDAY, 30 * MINUTE, "FREQ=DAILY;BYHOUR=9,17"),
    ("FREQ=DAILY;BYMINUTE=0,30", FRIDAY, 15 * MINUTE, "FREQ=DAILY;BYMINUTE=15,45"),
    ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0", FRIDAY, DAY + 30 * MINUTE, "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30"),
    ("FREQ=HOURLY;BYMINUTE=0,30", FRIDAY, 5 * HOUR, "FREQ=HOURLY;BYMINUTE=0,30"),
    ("FREQ=HOURLY;BYMINUTE=0,30", FRIDAY, 10 * MINUTE, "FREQ=HOURLY;BYMINUTE=10,40"),
    ("FREQ=WEEKLY;COUNT=5", FRIDAY, DAY, "FREQ=WEEKLY;COUNT=5"),
    ("FREQ=WEEKLY;UNTIL=20240412T085959Z", FRIDAY, DAY, "FREQ=WEEKLY;UNTIL=20240406T090000Z"),
]


@pytest.mark.parametrize(
    ("rule", "start", "delta", "expected"), MOVES, ids=[f"{move[0]} by {move[2]}" for move in MOVES]
)
def test_the_rule_moves_with_its_start(rule: str, start: datetime, delta: timedelta, expected: str) -> None:
    moved = edit_series(Series(start, HOUR, rrule=rule), SeriesChanges(start=start + delta))
    assert moved == Series(start + delta, HOUR, rrule=expected)


@pytest.mark.parametrize(
    ("rule", "delta"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=29,31", DAY),
        ("FREQ=MONTHLY;BYMONTHDAY=1,29", 5 * DAY),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", -DAY),
        ("FREQ=YEARLY;BYYEARDAY=89,366", DAY),
        ("FREQ=DAILY;BYHOUR=9,17", 8 * HOUR),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30", 30 * MINUTE),
        ("FREQ=HOURLY;BYMINUTE=0,30", 40 * MINUTE),
    ],
)
def test_a_rule_that_cannot_be_moved_in_one_clear_way_must_be_sent_anew(rule: str, delta: timedelta) -> None:
    series = Series(FRIDAY, HOUR, rrule=rule)
    with pytest.raises(RecurrenceError, match="together with the new start") as caught:
        edit_series(series, SeriesChanges(start=FRIDAY + delta))
    assert caught.value.field == "rrule"
    assert edit_series(series, SeriesChanges(start=FRIDAY + delta, rrule="FREQ=DAILY")) == Series(
        FRIDAY + delta, HOUR, rrule="FREQ=DAILY"
    )


def test_exceptions_stay_with_their_month_when_the_last_friday_becomes_the_last_thursday() -> None:
    # The last Thursday of October 2024 is six days after the last Friday.
    october, november = datetime(2024, 10, 25, 9), datetime(2024, 11, 29, 9)
    series = Series(
        FRIDAY,
        HOUR,
        rrule="FREQ=MONTHLY;BYDAY=-1FR",
        exdates=frozenset({october}),
        overrides={november: Override(start=november + HOUR)},
    )
    moved = edit_series(series, SeriesChanges(start=FRIDAY - DAY))
    assert moved.exdates == {datetime(2024, 10, 31, 9)}
    # The occurrence that somebody rescheduled stays where it was put.
    assert moved.overrides == {datetime(2024, 11, 28, 9): Override(start=datetime(2024, 11, 29, 10))}


def test_a_timed_series_can_become_an_all_day_one_and_back() -> None:
    series = Series(
        NINE,
        HOUR,
        "Europe/Berlin",
        "FREQ=WEEKLY;BYDAY=FR;BYHOUR=9;UNTIL=20240501T070000Z",
        exdates=frozenset({NINE + 7 * DAY}),
        overrides={
            NINE + 14 * DAY: Override(start=NINE + 15 * DAY, duration=2 * HOUR),
            NINE + 21 * DAY: Override(duration=2 * HOUR, fields={"title": "Long"}),
        },
    )
    days = edit_series(series, SeriesChanges(start=date(2024, 3, 2)))
    assert days == Series(
        date(2024, 3, 2),
        None,
        "Europe/Berlin",
        "FREQ=WEEKLY;UNTIL=20240427;BYDAY=SA",
        exdates=frozenset({date(2024, 3, 9)}),
        overrides={
            date(2024, 3, 16): Override(start=NINE + 15 * DAY, duration=2 * HOUR, time_zone="Europe/Berlin"),
            date(2024, 3, 23): Override(fields={"title": "Long"}),
        },
    )
    timed = edit_series(days, SeriesChanges(start=datetime(2024, 3, 2, 10), duration=HOUR))
    assert timed == Series(
        datetime(2024, 3, 2, 10),
        HOUR,
        "Europe/Berlin",
        "FREQ=WEEKLY;UNTIL=20240427T080000Z;BYDAY=SA",
        exdates=frozenset({datetime(2024, 3, 9, 10)}),
        overrides={
            datetime(2024, 3, 16, 10): Override(start=NINE + 15 * DAY, duration=2 * HOUR),
            datetime(2024, 3, 23, 10): Override(fields={"title": "Long"}),
        },
    )


def test_an_hourly_series_cannot_become_an_all_day_one() -> None:
    with pytest.raises(RecurrenceError, match="must not have FREQ=HOURLY"):
        edit_series(Series(NINE, rrule="FREQ=HOURLY"), SeriesChanges(start=NINE.date()))
