"""Recurrence rules as sentences, and as the choices of a form."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.recurrence.rrule import WEEKDAYS, RecurrenceError, parse_rule
from planner.errors import Invalid
from routes.pages.events.repeats import build_rule, fill_repeats, parse_repeats
from routes.pages.events.rule_sentence import write_recurrence, write_rule

START = datetime(2026, 12, 1, 18)  # noqa: DTZ001 - a local time; it is a Tuesday
ZONE = "Europe/Berlin"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=2;COUNT=10", "every second day, 10 times"),
        ("FREQ=DAILY;INTERVAL=21;COUNT=1", "every 21st day, once"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20270501T215959Z", "every second Tuesday until 1 May 2027"),
        ("FREQ=WEEKLY;UNTIL=20270501", "every Tuesday until 1 May 2027"),
        ("FREQ=WEEKLY;UNTIL=20270501T230000Z", "every Tuesday until 2 May 2027"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every day"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "every Monday and Thursday"),
        ("FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TH", "every third week on Monday and Thursday"),
        ("FREQ=WEEKLY;BYMONTH=1,2", "every Tuesday in January and February"),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=-1", "every week on the last Monday or Tuesday"),
        ("FREQ=MONTHLY", "every month on the 1st"),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=22", "every 12th month on the 22nd"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "every month on the last day, the 1st and the 15th"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", "every month on the second last day"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=TU", "every month on every Tuesday"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday"),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1", "every month on the first Saturday or Sunday"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "every month on the 13th if it is a Friday"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=31;RSCALE=GREGORIAN;SKIP=BACKWARD",
            "every month on the 31st or the last day before, where there is no such day",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=2",
            "every month on the 1st and the 2nd (of these only the second in each month)",
        ),
        ("FREQ=YEARLY", "every year on 1 December"),
        ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=11", "every year on 11 May"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "every year in November on the fourth Thursday"),
        ("FREQ=YEARLY;BYMONTH=1,6", "every year in January and June on the 1st"),
        ("FREQ=YEARLY;BYMONTHDAY=13", "every year on the 13th of every month"),
        ("FREQ=YEARLY;BYDAY=20MO", "every year on the 20th Monday of the year"),
        ("FREQ=YEARLY;BYWEEKNO=20,-1", "every year in the last week and week 20 on Tuesday"),
        ("FREQ=YEARLY;BYYEARDAY=100,-2", "every year on the second last day of the year and day 100 of the year"),
        ("FREQ=HOURLY;INTERVAL=2;BYDAY=MO", "every second hour on Monday"),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30", "every day at 09:00, 09:30, 17:00 and 17:30"),
        ("FREQ=DAILY;BYHOUR=9", "every day at hour 9"),
    ],
)
def test_a_rule_is_said_as_a_sentence(rule: str, sentence: str) -> None:
    assert write_rule(parse_rule(rule), START, ZONE) == sentence


def test_additional_dates_and_dates_left_out_are_counted() -> None:
    recurrence = {"rrule": "FREQ=WEEKLY", "rdates": ["a", "b"], "exdates": ["c"]}
    assert write_recurrence(recurrence, START, ZONE) == "every Tuesday, and on 2 dates more, except on 1 date"
    assert write_recurrence({"rrule": None, "rdates": ["a"], "exdates": []}, START, ZONE) == "once, and on 1 date more"


def _numbers(low: int, high: int, *, negative: bool = True) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high) | (st.integers(-high, -low) if negative and low else st.nothing())
    return st.lists(numbers, min_size=1, max_size=3).map(lambda values: ",".join(map(str, values)))


PARTS = {
    "INTERVAL": st.integers(1, 30).map(str),
    "COUNT": st.integers(1, 99).map(str),
    "UNTIL": st.sampled_from(["20300101", "20300101T000000", "20300101T000000Z"]),
    "BYMONTH": _numbers(1, 12, negative=False),
    "BYWEEKNO": _numbers(1, 53),
    "BYYEARDAY": _numbers(1, 366),
    "BYMONTHDAY": _numbers(1, 31),
    "BYDAY": st.lists(
        st.sampled_from([f"{nth}{day}" for nth in ("", "1", "-1", "5") for day in WEEKDAYS]), min_size=1, max_size=7
    ).map(",".join),
    "BYHOUR": _numbers(0, 23),
    "BYMINUTE": _numbers(0, 59),
    "BYSETPOS": _numbers(1, 20),
    "SKIP": st.sampled_from(["OMIT", "BACKWARD", "FORWARD"]),
    "WKST": st.sampled_from(WEEKDAYS),
}
RULES = st.builds(
    lambda frequency, parts: ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in parts.items())]),
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]),
    st.fixed_dictionaries({}, optional=PARTS),
)


@given(RULES, st.dates(date(1990, 1, 1), date(2029, 12, 31)))
def test_every_rule_has_a_sentence_and_comes_back_from_the_form_as_it_was(text: str, start: date) -> None:
    try:
        rule = parse_rule(text)
    except RecurrenceError:
        return
    sentence = write_rule(rule, start, ZONE)
    assert sentence.startswith("every ")
    assert "  " not in sentence
    values = fill_repeats({"rrule": str(rule), "rdates": [], "exdates": []}, start, ZONE)
    built = parse_rule(build_rule(values, start))
    # What is said is the same, though the rule may be shorter.
    assert write_rule(built, start, ZONE) == sentence


@pytest.mark.parametrize(
    ("rule", "choices"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", {"repeats": "weekly", "interval": "2", "weekday_TU": "on"}),
        ("FREQ=MONTHLY;BYDAY=1TU", {"repeats": "monthly", "day_of_month": "weekday"}),
        ("FREQ=MONTHLY;BYDAY=-1TU", {"repeats": "monthly", "day_of_month": "last_weekday"}),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", {"repeats": "monthly", "day_of_month": "last_day"}),
        ("FREQ=MONTHLY;BYMONTHDAY=1", {"repeats": "monthly", "day_of_month": "date"}),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1", {"repeats": "yearly", "day_of_month": "date"}),
        ("FREQ=YEARLY;BYMONTH=12;BYDAY=1TU", {"repeats": "yearly", "day_of_month": "weekday"}),
        ("FREQ=DAILY;UNTIL=20270501T215959Z", {"repeats": "daily", "until": "2027-05-01"}),
        ("FREQ=DAILY;COUNT=3", {"repeats": "daily", "count": "3"}),
        ("FREQ=MONTHLY;BYDAY=2TU", {"repeats": "custom", "rrule": "FREQ=MONTHLY;BYDAY=2TU"}),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,SU", {"repeats": "custom"}),
        ("FREQ=YEARLY;BYMONTHDAY=1", {"repeats": "custom"}),
        ("FREQ=HOURLY", {"repeats": "custom"}),
    ],
)
def test_a_usual_rule_is_shown_as_choices_and_another_as_it_is_written(rule: str, choices: dict[str, str]) -> None:
    values = fill_repeats({"rrule": rule, "rdates": [], "exdates": []}, START, ZONE)
    assert {name: values[name] for name in choices} == choices


@pytest.mark.parametrize("interval", ["0", "x", "1;COUNT=2", "-1", "٣", "1\n"])
def test_a_choice_that_is_none_is_refused(interval: str) -> None:
    with pytest.raises(Invalid):
        parse_repeats({"repeats": "daily", "interval": interval + ";"}, START, {})
