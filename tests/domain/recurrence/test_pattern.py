from datetime import date, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planner.domain.recurrence.pattern import Pattern, compile_pattern
from planner.domain.recurrence.rrule import RecurrenceError, parse_rule
from tests.domain import strategies
from tests.domain.oracle import dateutil_agrees, expand_by_dateutil, expand_by_definition


@st.composite
def rules_with_starts(draw: st.DrawFn) -> tuple[str, date]:
    all_day = draw(st.booleans())
    return draw(strategies.rules(all_day=all_day)), draw(strategies.days if all_day else strategies.locals_)


@given(rules_with_starts(), st.integers(0, 9000), st.integers(0, 70))
def test_a_window_has_the_instances_of_the_definition(rule: tuple[str, date], distance: int, length: int) -> None:
    text, start = rule
    low = start + timedelta(days=min(distance, strategies.reach(text)))
    high = low + timedelta(days=length)
    expected = expand_by_definition(parse_rule(text), start, high)
    assert compile_pattern(text, start, "UTC").find_between(low, high) == [local for local in expected if local >= low]
    assert compile_pattern(text, start, "UTC").find_between(start, high) == expected


@given(rules_with_starts(), st.integers(0, 9000), st.integers(0, 70))
def test_a_window_has_the_instances_of_dateutil(rule: tuple[str, date], distance: int, length: int) -> None:
    text, start = rule
    assume(dateutil_agrees(text, start))
    low = start + timedelta(days=min(distance, strategies.reach(text)))
    high = low + timedelta(days=length)
    # dateutil would look for an instance after the window until the year 10000.
    assume(
        next(compile_pattern(text, start, "UTC").iterate_from(high + timedelta(days=1)), date.max).year <= high.year + 8
    )
    expected = expand_by_dateutil(text, start, high)
    assert compile_pattern(text, start, "UTC").find_between(low, high) == [local for local in expected if local >= low]


@given(rules_with_starts(), st.integers(0, 3000))
def test_iterating_backwards_finds_the_same_instances(rule: tuple[str, date], distance: int) -> None:
    text, start = rule
    high = start + timedelta(days=distance)
    found = compile_pattern(text, start, "UTC")
    assert list(islice(found.iterate_backwards(high), 200)) == found.find_between(start, high)[:-201:-1]


@given(rules_with_starts(), st.integers(1, 60))
def test_a_count_counts_from_the_start_whether_that_matches_or_not(rule: tuple[str, date], count: int) -> None:
    text, start = rule
    endless = compile_pattern(text, start, "UTC")
    found = compile_pattern(f"{text};COUNT={count}", start, "UTC")
    expected = list(islice(endless.iterate_from(start), count - (not endless.start_matches_rule)))
    assert list(found.iterate_from(start)) == expected
    assert (
        list(found.iterate_backwards(date.max if isinstance(start, datetime) is False else datetime.max))
        == expected[::-1]
    )


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        # The first week counts from its beginning, although the rule starts in the middle of it.
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", date(2024, 5, 1), [date(2024, 5, 6), date(2024, 5, 13)]),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2", date(2024, 5, 1), [date(2024, 5, 1), date(2024, 5, 8)]),
        # Each value of BYDAY adds its own days.
        ("FREQ=MONTHLY;BYDAY=SU,1TU", date(2024, 5, 1), [date(2024, 5, 5), date(2024, 5, 7), date(2024, 5, 12)]),
        # 30 December 2024 is in week 1 of 2025, of which it has 52.
        ("FREQ=YEARLY;BYWEEKNO=-52;BYDAY=MO", date(2024, 2, 1), [date(2024, 12, 30), date(2026, 1, 5)]),
        # 2020, 2026 and 2032 have 53 weeks, and 31 December 2030 is in the first of 52.
        (
            "FREQ=YEARLY;BYWEEKNO=-53;BYDAY=TU",
            date(2019, 1, 1),
            [date(2019, 12, 31), date(2025, 12, 30), date(2031, 12, 30)],
        ),
        # 1 January 2022 is in week 52 of 2021.
        ("FREQ=YEARLY;BYWEEKNO=52;BYDAY=SA", date(2021, 12, 1), [date(2022, 1, 1), date(2022, 12, 31)]),
        # A week number alone chooses the weekday of the start.
        ("FREQ=YEARLY;BYWEEKNO=20", date(2024, 1, 2), [date(2024, 5, 14), date(2025, 5, 13)]),
        ("FREQ=YEARLY;BYWEEKNO=53", date(2024, 1, 4), [date(2026, 12, 31), date(2032, 12, 30)]),
        # A day of the month alone is one of the month of the start.
        ("FREQ=YEARLY;BYMONTHDAY=16", date(2024, 5, 16), [date(2024, 5, 16), date(2025, 5, 16)]),
        ("FREQ=YEARLY;BYMONTHDAY=29", date(2024, 2, 29), [date(2024, 2, 29), date(2028, 2, 29)]),
        ("FREQ=YEARLY;BYMONTHDAY=-29,-1", date(2024, 2, 1), [date(2024, 2, 1), date(2024, 2, 29), date(2025, 2, 28)]),
        ("FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", date(2024, 9, 13), [date(2024, 9, 13), date(2030, 9, 13)]),
        # Other parts say enough.
        ("FREQ=YEARLY;BYMONTHDAY=16;BYWEEKNO=20", date(2024, 1, 1), [date(2024, 5, 16), date(2025, 5, 16)]),
        ("FREQ=YEARLY;BYMONTHDAY=31;BYYEARDAY=-1", date(2024, 1, 1), [date(2024, 12, 31), date(2025, 12, 31)]),
        ("FREQ=YEARLY;BYDAY=FR", date(2024, 5, 1), [date(2024, 5, 3), date(2024, 5, 10)]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYMONTH=5", date(2024, 1, 7), [date(2024, 5, 19), date(2025, 5, 18)]),
        ("FREQ=MONTHLY", date(2024, 1, 31), [date(2024, 1, 31), date(2024, 3, 31), date(2024, 5, 31)]),
        ("FREQ=YEARLY", date(2024, 2, 29), [date(2024, 2, 29), date(2028, 2, 29)]),
        ("FREQ=YEARLY;INTERVAL=100", date(2000, 2, 29), [date(2000, 2, 29), date(2400, 2, 29)]),
        ("FREQ=YEARLY;BYDAY=53MO", date(2024, 1, 1), [date(2024, 12, 30), date(2029, 12, 31)]),
    ],
)
def test_rare_rules_have_the_right_instances(text: str, start: date, expected: list[date]) -> None:
    assert list(islice(compile_pattern(text, start, "UTC").iterate_from(start), len(expected))) == expected


NEVER: list[tuple[str, date]] = [
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", date(2024, 1, 1)),
    ("FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31", date(2024, 1, 1)),
    ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31", date(2024, 1, 1)),
    ("FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=2MO", date(2024, 1, 1)),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", date(2024, 1, 1)),
    ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=5", date(2024, 1, 1)),
    ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", date(2024, 1, 1)),
    ("FREQ=DAILY;INTERVAL=7000;BYDAY=SU,TU,WE,TH,FR,SA", date(2024, 1, 1)),
    ("FREQ=YEARLY;INTERVAL=4;BYYEARDAY=366", date(2023, 1, 1)),
    ("FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", date(2024, 1, 1)),
    ("FREQ=YEARLY;BYYEARDAY=1;BYMONTH=2", date(2024, 1, 1)),
    ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3", date(2024, 1, 1)),
    ("FREQ=HOURLY;INTERVAL=2;BYHOUR=9", datetime(2024, 1, 1, 10)),
    ("FREQ=HOURLY;INTERVAL=48;BYHOUR=9", datetime(2024, 1, 1, 10)),
    ("FREQ=HOURLY;INTERVAL=168;BYDAY=SU,TU,WE,TH,FR,SA", datetime(2024, 1, 1, 10)),
    ("FREQ=HOURLY;INTERVAL=99960;BYDAY=SU,TU,WE,TH,FR,SA", datetime(2024, 1, 1, 10)),
    ("FREQ=HOURLY;BYMINUTE=0,30;BYSETPOS=3", datetime(2024, 1, 1, 10)),
    ("FREQ=YEARLY;INTERVAL=100000", date(9999, 12, 31) - timedelta(days=400)),
]


@pytest.mark.parametrize(("text", "start"), NEVER[:-1], ids=[text for text, _ in NEVER[:-1]])
def test_a_rule_that_never_matches_is_empty(text: str, start: date) -> None:
    assert compile_pattern(text, start, "UTC").is_empty
    assert list(compile_pattern(text, start, "UTC").iterate_from(start)) == []
    assert list(compile_pattern(f"{text};COUNT=3", start, "UTC").iterate_from(start)) == []


@pytest.mark.parametrize(
    ("text", "start", "first"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", date(2024, 3, 1), date(2044, 2, 29)),
        ("FREQ=DAILY;INTERVAL=97;BYMONTH=2;BYMONTHDAY=29", date(2024, 3, 1), None),
        ("FREQ=YEARLY;INTERVAL=400;BYMONTHDAY=29;BYMONTH=2", date(2001, 1, 1), None),
        ("FREQ=HOURLY;INTERVAL=9973;BYMONTH=1;BYMONTHDAY=1;BYHOUR=0", datetime(2024, 1, 1, 10), None),
    ],
)
def test_a_rule_that_matches_rarely_is_not_empty(text: str, start: date, first: date | None) -> None:
    found = next(compile_pattern(text, start, "UTC").iterate_from(start), None)
    assert compile_pattern(text, start, "UTC").is_empty is (found is None)
    if first is not None:
        assert found == first


@pytest.mark.parametrize(
    "text", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=HOURLY"]
)
def test_the_end_of_the_calendar_is_not_an_error(text: str) -> None:
    start = datetime(9999, 12, 1, 10)
    found = list(compile_pattern(text, start, "Asia/Kolkata").iterate_from(start))
    assert found[0].year == found[-1].year == 9999
    assert compile_pattern(text, start, "Asia/Kolkata").find_between(start, datetime.max) == found
    assert next(compile_pattern(text, datetime(1, 1, 1), "UTC").iterate_from(datetime(1, 1, 1))).year == 1


def test_an_all_day_rule_cannot_be_hourly() -> None:
    with pytest.raises(RecurrenceError, match="must not have FREQ=HOURLY"):
        compile_pattern("FREQ=HOURLY", date(2024, 1, 1), "UTC")


def test_until_is_an_instant_in_the_zone_of_the_series() -> None:
    start = datetime(2024, 1, 1, 23)
    until = "FREQ=DAILY;UNTIL=20240105T040000Z"
    assert len(list(compile_pattern(until, start, "America/New_York").iterate_from(start))) == 4
    assert len(list(compile_pattern(until, start, "Europe/Berlin").iterate_from(start))) == 4
    assert len(list(compile_pattern(until, start, "Asia/Kolkata").iterate_from(start))) == 4
    assert len(list(compile_pattern(until, start, "America/Los_Angeles").iterate_from(start))) == 3


def test_until_as_a_date_includes_that_day() -> None:
    start = datetime(2024, 1, 1, 23)
    assert len(list(compile_pattern("FREQ=DAILY;UNTIL=20240105", start, "Asia/Kolkata").iterate_from(start))) == 5


def test_until_includes_the_whole_second() -> None:
    start = datetime(2024, 1, 1, 10, 0, 0, 500_000)
    assert len(list(compile_pattern("FREQ=DAILY;UNTIL=20240102T100000Z", start, "UTC").iterate_from(start))) == 2


def test_the_hours_of_an_hourly_rule_are_in_local_time() -> None:
    start = datetime(2024, 3, 31, 0)
    found = compile_pattern("FREQ=HOURLY;COUNT=5", start, "Europe/Berlin").find_between(start, datetime(2024, 4, 1))
    assert found == [datetime(2024, 3, 31, hour) for hour in range(5)]


def test_the_instances_of_an_all_day_rule_are_dates() -> None:
    found = Pattern(parse_rule("FREQ=DAILY;BYHOUR=9,10;COUNT=2"), date(2024, 1, 1), "UTC")
    assert list(found.iterate_from(date(2024, 1, 1))) == [date(2024, 1, 1), date(2024, 1, 2)]


def test_a_moment_between_the_instances_is_no_instance() -> None:
    found = compile_pattern("FREQ=DAILY", datetime(2024, 1, 1, 9), "UTC")
    assert found.contains(datetime(2024, 2, 1, 9))
    assert not found.contains(datetime(2024, 2, 1, 10))
    assert not found.contains(datetime(2023, 12, 31, 9))
    assert not found.find_between(datetime(2024, 2, 2), datetime(2024, 2, 1))
