from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given

from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import MAX_DATES, Override, Series, validate_series
from tests.domain import strategies
from tests.domain.oracle import recurrence_ids
from tests.support.work import count_lines

from .test_pattern import NEVER

START = datetime(2024, 1, 1, 9)
HOUR = timedelta(hours=1)


@given(strategies.series())
def test_validation_changes_no_occurrence(series: Series) -> None:
    valid = validate_series(series)
    assert validate_series(valid) == valid
    high = series.start + timedelta(days=400)
    assert recurrence_ids(valid, high) == recurrence_ids(series, high)


@pytest.mark.parametrize(
    ("start", "zone", "given", "canonical"),
    [
        (START, "Europe/Berlin", "freq=daily;until=20240110T090000", "FREQ=DAILY;UNTIL=20240110T080000Z"),
        (START, "Europe/Berlin", "FREQ=DAILY;UNTIL=20240110", "FREQ=DAILY;UNTIL=20240110T225959Z"),
        (START, "Europe/Berlin", "FREQ=DAILY;UNTIL=20240110T090000Z", "FREQ=DAILY;UNTIL=20240110T090000Z"),
        (START.date(), "Europe/Berlin", "FREQ=DAILY;UNTIL=20240110T235959Z", "FREQ=DAILY;UNTIL=20240110"),
        (START.date(), "Europe/Berlin", "FREQ=DAILY;BYHOUR=9;UNTIL=20240110", "FREQ=DAILY;UNTIL=20240110"),
        (START, "UTC", "BYDAY=WE,MO;FREQ=WEEKLY;INTERVAL=1", "FREQ=WEEKLY;BYDAY=MO,WE"),
    ],
)
def test_a_valid_rule_is_returned_in_canonical_form(start: date, zone: str, given: str, canonical: str) -> None:
    assert validate_series(Series(start, time_zone=zone, rrule=given)).rrule == canonical


@pytest.mark.parametrize(
    ("field", "series"),
    [
        ("time_zone", Series(START, time_zone="Berlin")),
        ("start", Series(START.replace(tzinfo=UTC))),
        ("rdates", Series(START, rdates=frozenset({START.date()}))),
        ("rdates", Series(START.date(), rdates=frozenset({START}))),
        ("exdates", Series(START, exdates=frozenset({START.date()}))),
        ("exdates", Series(START, exdates=frozenset({START.replace(tzinfo=UTC)}))),
        ("overrides", Series(START, overrides={START.date(): Override()})),
        ("overrides", Series(START, overrides={START: Override(start=START.replace(tzinfo=UTC))})),
        ("overrides", Series(START, overrides={START: Override(start=START.date(), duration=HOUR)})),
        ("time_zone", Series(START.date(), overrides={START.date(): Override(start=START, time_zone="Nowhere")})),
        ("overrides", Series(START, overrides={START: Override(duration=-HOUR)})),
        ("duration", Series(START, -HOUR)),
        ("duration", Series(START.date(), HOUR)),
        ("duration", Series(START.date(), timedelta(0))),
        ("exdates", Series(START, exdates=frozenset(START + HOUR * nth for nth in range(MAX_DATES + 1)))),
        ("rrule", Series(START, rrule="FREQ=SECONDLY")),
        ("rrule", Series(START.date(), rrule="FREQ=HOURLY")),
        ("rrule", Series(START, rrule="FREQ=DAILY;UNTIL=20231231T000000Z")),
        ("rrule", Series(START.date(), rrule="FREQ=DAILY;UNTIL=20231231")),
    ],
)
def test_an_invalid_series_is_refused_by_the_name_of_its_field(field: str, series: Series) -> None:
    with pytest.raises(RecurrenceError) as caught:
        validate_series(series)
    assert caught.value.field == field


@pytest.mark.parametrize(("text", "start"), NEVER, ids=[text for text, _ in NEVER])
def test_a_rule_that_never_matches_is_refused_with_bounded_work(text: str, start: date) -> None:
    def validate() -> None:
        if text.endswith("100000"):
            # The start is an instance of its rule, even if there is no other.
            assert validate_series(Series(start, rrule=text)).rrule == text
        else:
            with pytest.raises(RecurrenceError, match="matches none"):
                validate_series(Series(start, rrule=text))

    # The dearest takes a ninth of that. Looking at each hour or day up to the year 9999 would take tens of millions.
    assert count_lines(validate) < 8_000_000


def test_the_start_is_an_occurrence_even_if_it_does_not_match() -> None:
    series = Series(date(2024, 5, 1), rrule="FREQ=WEEKLY;BYDAY=MO;COUNT=2")
    assert series.has_occurrence(date(2024, 5, 1))
    assert series.has_occurrence(date(2024, 5, 6))
    assert not series.has_occurrence(date(2024, 5, 13))


def test_an_exdate_takes_precedence_over_everything_else() -> None:
    day = date(2024, 5, 1)
    series = Series(
        day, rdates=frozenset({day}), exdates=frozenset({day}), overrides={day: Override(start=date(2024, 5, 2))}
    )
    assert not series.has_occurrence(day)


def test_a_date_is_no_id_of_a_timed_series_and_a_time_none_of_an_all_day_one() -> None:
    assert not Series(START, rrule="FREQ=DAILY").has_occurrence(START.date())
    assert not Series(START.date(), rrule="FREQ=DAILY").has_occurrence(datetime(2024, 1, 1))
