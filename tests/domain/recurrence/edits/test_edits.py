"""Editing one occurrence of a series, or all of them at once."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planner.domain.recurrence.edits import (
    SeriesChanges,
    delete_following,
    delete_occurrence,
    edit_occurrence,
    edit_series,
    split_series,
)
from planner.domain.recurrence.rrule import RecurrenceError, parse_rule
from planner.domain.recurrence.series import NO_DURATION, Override, Series, validate_series
from tests.domain import strategies
from tests.domain.oracle import recurrence_ids
from tests.domain.recurrence.edits.edit_strategies import DAY, HOUR, NINE, cuts, horizon, ids_and_starts, listed


@given(cuts(), st.data())
def test_changing_one_occurrence_changes_that_one_only(cut: tuple[Series, date], data: st.DataObject) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    patch = data.draw(strategies.patches(st.sampled_from([recurrence_id, series.start + 3 * DAY]), series.all_day))
    own = series.overrides.get(recurrence_id, Override())
    # What takes days has a duration of days, and may have become such an occurrence by an earlier change.
    takes_days = not isinstance(patch.start or own.start or recurrence_id, datetime)
    assume(not takes_days or (patch.duration or own.duration or DAY) % DAY == NO_DURATION)
    edited = edit_occurrence(series, recurrence_id, replace(patch, excluded=False))
    before = {item[2]: item for item in listed(series, high)}
    after = {item[2]: item for item in listed(edited, high)}
    assert before.keys() == after.keys()
    assert all(after[key] == before[key] for key in before if key != recurrence_id)
    assert patch.start is None or after[recurrence_id][3] == patch.start
    assert edited.overrides[recurrence_id].fields.items() >= patch.fields.items()


@given(cuts())
def test_deleting_one_occurrence_deletes_that_one_only(cut: tuple[Series, date]) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    left = delete_occurrence(series, recurrence_id)
    assert listed(left, high) == [item for item in listed(series, high) if item[2] != recurrence_id]
    assert validate_series(left) == left
    with pytest.raises(RecurrenceError, match="there is none at"):
        delete_occurrence(left, recurrence_id)


def test_an_override_adds_to_an_earlier_one() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY")
    once = edit_occurrence(series, NINE, Override(start=NINE + HOUR, fields={"title": "Late", "location": "Here"}))
    twice = edit_occurrence(once, NINE, Override(duration=2 * HOUR, fields={"title": "Later"}))
    assert twice.overrides == {
        NINE: Override(NINE + HOUR, 2 * HOUR, fields={"title": "Later", "location": "Here"}),
    }


def test_a_patch_that_excludes_an_occurrence_deletes_it() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY")
    assert edit_occurrence(series, NINE, Override(excluded=True)) == delete_occurrence(series, NINE)


def test_deleting_an_rdate_adds_no_exdate() -> None:
    series = Series(NINE, rrule="FREQ=DAILY", rdates=frozenset({NINE + HOUR}))
    assert delete_occurrence(series, NINE + HOUR) == Series(NINE, rrule="FREQ=DAILY")


@given(cuts(), strategies.zones)
def test_changing_the_zone_keeps_the_local_times(cut: tuple[Series, date], zone: str) -> None:
    series, _ = cut
    high = horizon(series)
    assert ids_and_starts(edit_series(series, SeriesChanges(time_zone=zone)), high) == ids_and_starts(series, high)


@given(cuts(), st.data())
def test_a_new_rule_keeps_the_overrides_that_still_have_an_occurrence(
    cut: tuple[Series, date], data: st.DataObject
) -> None:
    series, _ = cut
    text = data.draw(strategies.simple_rules)
    assume(not (series.all_day and "HOURLY" in text))
    high = horizon(series)
    assume(all(key <= high for key in series.overrides))
    edited = edit_series(series, SeriesChanges(rrule=text))
    ids = set(recurrence_ids(replace(edited, overrides={}, exdates=frozenset()), high))
    old = set(recurrence_ids(replace(series, overrides={}, exdates=frozenset()), high))
    assert edited.overrides == {key: patch for key, patch in series.overrides.items() if key in ids or key not in old}
    assert edited.exdates == series.exdates


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (SeriesChanges(time_zone="Nowhere"), "time_zone"),
        (SeriesChanges(duration=-HOUR), "duration"),
        (SeriesChanges(rrule="FREQ=SECONDLY"), "rrule"),
        (SeriesChanges(rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "rrule"),
        (SeriesChanges(rdates=frozenset({date(2024, 1, 1)})), "rdates"),
        (SeriesChanges(exdates=frozenset({date(2024, 1, 1)})), "exdates"),
        (SeriesChanges(start=NINE.replace(tzinfo=UTC)), "start"),
        (SeriesChanges(start=datetime(9999, 12, 31)), "start"),
    ],
)
def test_invalid_changes_are_refused_by_their_field(changes: SeriesChanges, field: str) -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY", exdates=frozenset({NINE + DAY}))
    with pytest.raises(RecurrenceError) as caught:
        edit_series(series, changes)
    assert caught.value.field == field


@pytest.mark.parametrize("recurrence_id", [NINE + HOUR, NINE - DAY, NINE + DAY, NINE.date()])
def test_an_id_without_an_occurrence_cannot_be_edited(recurrence_id: date) -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY", exdates=frozenset({NINE + DAY}))
    for edit in (
        lambda: edit_occurrence(series, recurrence_id, Override()),
        lambda: delete_occurrence(series, recurrence_id),
        lambda: delete_following(series, recurrence_id),
        lambda: split_series(series, recurrence_id),
    ):
        with pytest.raises(RecurrenceError, match="there is none at") as caught:
            edit()
        assert caught.value.field == "recurrence_id"


def test_a_rule_stays_the_same_unless_it_has_to_change() -> None:
    assert parse_rule("FREQ=DAILY").count is None
    series = Series(NINE, HOUR, rrule="FREQ=DAILY;COUNT=3")
    assert edit_series(series, SeriesChanges(duration=2 * HOUR)).rrule == "FREQ=DAILY;COUNT=3"
