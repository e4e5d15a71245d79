from datetime import UTC, date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planner.domain.recurrence.rrule import (
    MAX_COUNT,
    Frequency,
    RecurrenceError,
    RecurrenceRule,
    Weekday,
    parse_rule,
    remove_times_of_day,
)
from tests.domain import strategies


@given(strategies.rules())
def test_a_rule_that_is_formatted_and_parsed_again_is_the_same(text: str) -> None:
    rule = parse_rule(text)
    assert parse_rule(str(rule)) == rule
    assert str(parse_rule(str(rule))) == str(rule)


def test_all_parts_are_parsed() -> None:
    assert parse_rule(
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=3,1;BYWEEKNO=-1,20;BYYEARDAY=1,-366;BYMONTHDAY=31,-31"
        ";BYDAY=SU,MO;BYHOUR=9,0;BYMINUTE=30;BYSECOND=0;BYSETPOS=1,-1;WKST=SU"
    ) == RecurrenceRule(
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


def test_weekdays_may_have_a_number() -> None:
    assert parse_rule("FREQ=MONTHLY;BYDAY=-1FR,+2MO,TU").by_day == (Weekday(0, 2), Weekday(1, 0), Weekday(4, -1))


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("20241231", date(2024, 12, 31)),
        ("20241231T235959", datetime(2024, 12, 31, 23, 59, 59)),
        ("20241231T235959Z", datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("20161231T235960Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_until_is_parsed_in_each_of_its_forms(text: str, until: date) -> None:
    read = parse_rule(f"FREQ=DAILY;UNTIL={text}").until
    assert read == until
    assert type(read) is type(until)


@pytest.mark.parametrize(
    "text", ["freq=weekly;byday=mo", "RRULE:FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;", "BYDAY=MO;FREQ=WEEKLY"]
)
def test_lower_case_a_prefix_and_a_trailing_semicolon_are_accepted(text: str) -> None:
    assert str(parse_rule(text)) == "FREQ=WEEKLY;BYDAY=MO"


def test_a_leap_second_is_the_second_before_it() -> None:
    assert parse_rule("FREQ=DAILY;BYSECOND=59,60").by_second == (59,)


def test_an_all_day_rule_ignores_times_and_positions_among_them() -> None:
    assert str(remove_times_of_day(parse_rule("FREQ=DAILY;BYHOUR=9,10;BYSETPOS=2"))) == "FREQ=DAILY"
    assert (
        str(remove_times_of_day(parse_rule("FREQ=MONTHLY;BYDAY=MO;BYHOUR=9;BYSETPOS=2")))
        == "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2"
    )


REFUSED = [
    ("", "NAME=VALUE"),
    ("FREQ", "NAME=VALUE"),
    ("FREQ=", "NAME=VALUE"),
    ("INTERVAL=2", "must have a FREQ$"),
    ("FREQ=DAILY;;INTERVAL=2", "NAME=VALUE"),
    ("FREQ=DAILY;FREQ=DAILY", "FREQ only once"),
    ("FREQ=DAILY;X-PART=1", "is not one"),
    ("FREQ=DAILY;BYEASTER=1", "is not one"),
    ("FREQ=DAILY;RSCALE=HEBREW", "other than GREGORIAN"),
    ("DTSTART:20240101T000000\nRRULE:FREQ=DAILY", "is not one"),
    ("FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "must have a FREQ of"),
    ("FREQ=FORTNIGHTLY", "must have a FREQ of"),
    ("FREQ=SECONDLY", "longer period"),
    ("FREQ=MINUTELY", "longer period"),
    ("FREQ=DAILY;INTERVAL=0", " in INTERVAL, not"),
    ("FREQ=DAILY;INTERVAL=-1", " in INTERVAL, not"),
    ("FREQ=DAILY;INTERVAL=1.5", " in INTERVAL, not"),
    ("FREQ=DAILY;INTERVAL=1_0", " in INTERVAL, not"),
    ("FREQ=DAILY;INTERVAL= 1", " in INTERVAL, not"),
    ("FREQ=DAILY;INTERVAL=١", "ASCII"),
    ("FREQ=DAıLY", "ASCII"),
    ("FREQ=DAILY;INTERVAL=" + "9" * 900, " in INTERVAL, not"),
    ("FREQ=DAILY;COUNT=0", " in COUNT, not"),
    (f"FREQ=DAILY;COUNT={MAX_COUNT + 1}", " in COUNT, not"),
    ("FREQ=DAILY;COUNT=5;UNTIL=20300101", "not both"),
    ("FREQ=DAILY;UNTIL=tomorrow", " in UNTIL, not"),
    ("FREQ=DAILY;UNTIL=20240230", " in UNTIL, not"),
    ("FREQ=DAILY;UNTIL=00000101", " in UNTIL, not"),
    ("FREQ=DAILY;UNTIL=20240101T250000Z", " in UNTIL, not"),
    ("FREQ=DAILY;UNTIL=20240101T000099Z", " in UNTIL, not"),
    ("FREQ=DAILY;UNTIL=2024-01-01", " in UNTIL, not"),
    ("FREQ=DAILY;UNTIL=20240101T000000+0100", " in UNTIL, not"),
    ("FREQ=YEARLY;BYMONTH=0", " in BYMONTH, not"),
    ("FREQ=YEARLY;BYMONTH=13", " in BYMONTH, not"),
    ("FREQ=YEARLY;BYMONTH=-1", " in BYMONTH, not"),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "0 in BYMONTHDAY"),
    ("FREQ=MONTHLY;BYMONTHDAY=32", " in BYMONTHDAY, not"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,,2", " in BYMONTHDAY, not"),
    ("FREQ=YEARLY;BYYEARDAY=367", " in BYYEARDAY, not"),
    ("FREQ=YEARLY;BYYEARDAY=0", "0 in BYYEARDAY"),
    ("FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=SIDEWARD", "in SKIP"),
    ("FREQ=YEARLY;BYWEEKNO=54", " in BYWEEKNO, not"),
    ("FREQ=YEARLY;BYWEEKNO=0", "0 in BYWEEKNO"),
    ("FREQ=DAILY;BYHOUR=24", " in BYHOUR, not"),
    ("FREQ=DAILY;BYHOUR=-1", " in BYHOUR, not"),
    ("FREQ=DAILY;BYMINUTE=60", " in BYMINUTE, not"),
    ("FREQ=DAILY;BYSECOND=61", " in BYSECOND, not"),
    ("FREQ=WEEKLY;BYDAY=XX", "must have weekdays"),
    ("FREQ=MONTHLY;BYDAY=0MO", "must have weekdays"),
    ("FREQ=YEARLY;BYDAY=54MO", "must have weekdays"),
    ("FREQ=MONTHLY;BYDAY=6MO", "from -5 to 5"),
    ("FREQ=WEEKLY;WKST=1MO", " in WKST, not"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "0 in BYSETPOS"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", " in BYSETPOS, not"),
    ("FREQ=MONTHLY;BYSETPOS=1", "another BY part"),
    ("FREQ=MONTHLY;BYWEEKNO=20", "needs FREQ=YEARLY"),
    ("FREQ=MONTHLY;BYYEARDAY=20", "must not have BY"),
    ("FREQ=WEEKLY;BYYEARDAY=20", "must not have BY"),
    ("FREQ=DAILY;BYYEARDAY=20", "must not have BY"),
    ("FREQ=WEEKLY;BYMONTHDAY=20", "must not have BY"),
    ("FREQ=WEEKLY;BYDAY=1MO", "numbers in BYDAY"),
    ("FREQ=DAILY;BYDAY=-1MO", "numbers in BYDAY"),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "numbers in BYDAY"),
    ("FREQ=HOURLY;BYMINUTE=0,10,20,30,40", "at most 96 occurrences a day"),
    ("FREQ=DAILY;BYSECOND=" + ",".join(map(str, range(60))) + ";BYMINUTE=0,30", "at most 96 occurrences a day"),
    ("FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 150))), "at most 100 values"),
    ("FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 366))), "at most 1000 characters"),
    ("FREQ=DAILY;" * 100_000, "at most 1000 characters"),
    ("FREQ=DAILY;\0=1", "is not one"),
    ("FREQ=\ud800", "ASCII"),
]


@pytest.mark.parametrize(
    ("text", "why"), REFUSED, ids=[text[:40].encode("ascii", "replace").decode() for text, _ in REFUSED]
)
def test_a_rule_is_refused_and_the_error_says_why(text: str, why: str) -> None:
    with pytest.raises(RecurrenceError, match=why) as caught:
        parse_rule(text)
    assert caught.value.field == "rrule"
    assert len(str(caught.value)) < 250


def test_a_rule_may_recur_every_quarter_of_an_hour() -> None:
    assert parse_rule("FREQ=HOURLY;BYMINUTE=0,15,30,45").by_minute == (0, 15, 30, 45)


@given(st.text(max_size=60) | st.text(alphabet="FREQ=DAILYWKBOUNTXMSHP;,:0123456789-+T", max_size=80))
def test_text_that_is_not_a_rule_is_refused(text: str) -> None:
    assume("FREQ=" not in text.upper())
    with pytest.raises(RecurrenceError):
        parse_rule(text)


@given(strategies.rules(), st.data())
def test_a_rule_with_one_character_changed_is_refused_or_formatted_and_parsed_the_same(
    text: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.sampled_from("FREQ=DAILYWKBOUNTXMSHP;,:0123456789-+T")) + text[place + 1 :]
    try:
        rule = parse_rule(changed)
    except RecurrenceError:
        return
    assert parse_rule(str(rule)) == rule
