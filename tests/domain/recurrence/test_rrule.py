from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.recurrence.rrule import MAX_COUNT, Frequency, RecurrenceError, Rule, Weekday, parse, without_times
from tests.domain import strategies


@given(strategies.rules())
def test_a_rule_that_is_written_and_read_again_is_the_same(text: str) -> None:
    rule = parse(text)
    assert parse(str(rule)) == rule
    assert str(parse(str(rule))) == str(rule)


def test_all_parts_are_read() -> None:
    assert parse(
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=3,1;BYWEEKNO=-1,20;BYYEARDAY=1,-366;BYMONTHDAY=31,-31"
        ";BYDAY=SU,MO;BYHOUR=9,0;BYMINUTE=30;BYSECOND=0;BYSETPOS=1,-1;WKST=SU"
    ) == Rule(
        Frequency.YEARLY,
        interval=2,
        count=10,
        by_month=(1, 3),
        by_week_no=(-1, 20),
        by_year_day=(-366, 1),
        by_month_day=(-31, 31),
        by_day=(Weekday(0), Weekday(6)),
        by_hour=(0, 9),
        by_minute=(30,),
        by_second=(0,),
        by_set_pos=(-1, 1),
        wkst=6,
    )


def test_numbers_stand_before_weekdays() -> None:
    assert parse("FREQ=MONTHLY;BYDAY=-1FR,+2MO,TU").by_day == (Weekday(0, 2), Weekday(1, 0), Weekday(4, -1))


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("20241231", date(2024, 12, 31)),
        ("20241231T235959", datetime(2024, 12, 31, 23, 59, 59)),
        ("20241231T235959Z", datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("20161231T235960Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_until_is_read_in_each_of_its_forms(text: str, until: date) -> None:
    read = parse(f"FREQ=DAILY;UNTIL={text}").until
    assert read == until
    assert type(read) is type(until)


@pytest.mark.parametrize(
    "text", ["freq=weekly;byday=mo", "RRULE:FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;", "BYDAY=MO;FREQ=WEEKLY"]
)
def test_harmless_liberties_are_taken_for_what_they_mean(text: str) -> None:
    assert str(parse(text)) == "FREQ=WEEKLY;BYDAY=MO"


def test_a_leap_second_is_the_second_before_it() -> None:
    assert parse("FREQ=DAILY;BYSECOND=59,60").by_second == (59,)


def test_an_all_day_rule_ignores_times_and_what_chooses_among_them() -> None:
    assert str(without_times(parse("FREQ=DAILY;BYHOUR=9,10;BYSETPOS=2"))) == "FREQ=DAILY"
    assert str(without_times(parse("FREQ=MONTHLY;BYDAY=MO;BYHOUR=9;BYSETPOS=2"))) == "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2"


REFUSED = [
    ("", "NAME=VALUE"),
    ("FREQ", "NAME=VALUE"),
    ("FREQ=", "NAME=VALUE"),
    ("INTERVAL=2", "FREQ is missing"),
    ("FREQ=DAILY;;INTERVAL=2", "NAME=VALUE"),
    ("FREQ=DAILY;FREQ=DAILY", "given twice"),
    ("FREQ=DAILY;X-PART=1", "not a part"),
    ("FREQ=DAILY;BYEASTER=1", "not a part"),
    ("FREQ=DAILY;RSCALE=HEBREW", "not a part"),
    ("DTSTART:20240101T000000\nRRULE:FREQ=DAILY", "not a part"),
    ("FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "not a frequency"),
    ("FREQ=FORTNIGHTLY", "not a frequency"),
    ("FREQ=SECONDLY", "too often"),
    ("FREQ=MINUTELY", "too often"),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL takes"),
    ("FREQ=DAILY;INTERVAL=-1", "INTERVAL takes"),
    ("FREQ=DAILY;INTERVAL=1.5", "INTERVAL takes"),
    ("FREQ=DAILY;INTERVAL=1_0", "INTERVAL takes"),
    ("FREQ=DAILY;INTERVAL= 1", "INTERVAL takes"),
    ("FREQ=DAILY;INTERVAL=١", "ASCII"),
    ("FREQ=DAıLY", "ASCII"),
    ("FREQ=DAILY;INTERVAL=" + "9" * 900, "INTERVAL takes"),
    ("FREQ=DAILY;COUNT=0", "COUNT takes"),
    (f"FREQ=DAILY;COUNT={MAX_COUNT + 1}", "COUNT takes"),
    ("FREQ=DAILY;COUNT=5;UNTIL=20300101", "exclude each other"),
    ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL takes"),
    ("FREQ=DAILY;UNTIL=20240230", "UNTIL takes"),
    ("FREQ=DAILY;UNTIL=00000101", "UNTIL takes"),
    ("FREQ=DAILY;UNTIL=20240101T250000Z", "UNTIL takes"),
    ("FREQ=DAILY;UNTIL=20240101T000099Z", "UNTIL takes"),
    ("FREQ=DAILY;UNTIL=2024-01-01", "UNTIL takes"),
    ("FREQ=DAILY;UNTIL=20240101T000000+0100", "UNTIL takes"),
    ("FREQ=YEARLY;BYMONTH=0", "BYMONTH"),
    ("FREQ=YEARLY;BYMONTH=13", "BYMONTH takes"),
    ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH takes"),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "no meaning"),
    ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY takes"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,,2", "BYMONTHDAY takes"),
    ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY takes"),
    ("FREQ=YEARLY;BYYEARDAY=0", "no meaning"),
    ("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO takes"),
    ("FREQ=YEARLY;BYWEEKNO=0", "no meaning"),
    ("FREQ=DAILY;BYHOUR=24", "BYHOUR takes"),
    ("FREQ=DAILY;BYHOUR=-1", "BYHOUR takes"),
    ("FREQ=DAILY;BYMINUTE=60", "BYMINUTE takes"),
    ("FREQ=DAILY;BYSECOND=61", "BYSECOND takes"),
    ("FREQ=WEEKLY;BYDAY=XX", "not a weekday"),
    ("FREQ=MONTHLY;BYDAY=0MO", "not a weekday"),
    ("FREQ=YEARLY;BYDAY=54MO", "not a weekday"),
    ("FREQ=MONTHLY;BYDAY=6MO", "five times"),
    ("FREQ=WEEKLY;WKST=1MO", "WKST takes"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "no meaning"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "BYSETPOS takes"),
    ("FREQ=MONTHLY;BYSETPOS=1", "needs another"),
    ("FREQ=MONTHLY;BYWEEKNO=20", "YEARLY only"),
    ("FREQ=MONTHLY;BYYEARDAY=20", "cannot be used"),
    ("FREQ=WEEKLY;BYYEARDAY=20", "cannot be used"),
    ("FREQ=DAILY;BYYEARDAY=20", "cannot be used"),
    ("FREQ=WEEKLY;BYMONTHDAY=20", "cannot be used"),
    ("FREQ=WEEKLY;BYDAY=1MO", "no meaning"),
    ("FREQ=DAILY;BYDAY=-1MO", "no meaning"),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "no meaning"),
    ("FREQ=HOURLY;BYMINUTE=0,10,20,30,40", "at most 96 occurrences a day"),
    ("FREQ=DAILY;BYSECOND=" + ",".join(map(str, range(60))) + ";BYMINUTE=0,30", "at most 96 occurrences a day"),
    ("FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 150))), "at most 100 values"),
    ("FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 366))), "at most 1000 characters"),
    ("FREQ=DAILY;" * 100_000, "at most 1000 characters"),
    ("FREQ=DAILY;\0=1", "not a part"),
    ("FREQ=\ud800", "ASCII"),
]


@pytest.mark.parametrize(
    ("text", "why"), REFUSED, ids=[text[:40].encode("ascii", "replace").decode() for text, _ in REFUSED]
)
def test_a_rule_is_refused_and_the_error_says_why(text: str, why: str) -> None:
    with pytest.raises(RecurrenceError, match=why) as caught:
        parse(text)
    assert caught.value.field == "rrule"
    assert len(str(caught.value)) < 250


def test_a_quarter_of_an_hour_is_as_often_as_it_gets() -> None:
    assert parse("FREQ=HOURLY;BYMINUTE=0,15,30,45").by_minute == (0, 15, 30, 45)


@given(st.text(max_size=60) | st.text(alphabet="FREQ=DAILYWKBOUNTXMSHP;,:0123456789-+T", max_size=80))
def test_any_text_is_either_a_rule_or_refused(text: str) -> None:
    try:
        parse(text)
    except RecurrenceError:
        return
    assert text.upper().count("FREQ=") == 1
