"""Editing an occurrence and all that follow it, by which the series becomes two."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planner.domain.recurrence.edits import SeriesChanges, delete_following, split_series
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Override, Series, validate_series
from planner.domain.recurrence.shift import Shift
from tests.domain import strategies
from tests.domain.oracle import recurrence_ids
from tests.domain.recurrence.edits.edit_strategies import (
    DAY,
    HOUR,
    MINUTE,
    NINE,
    cuts,
    horizon,
    ids_and_starts,
    in_order,
    listed,
    moves,
    shifted,
    start_matches_rule,
)


@given(cuts())
def test_a_series_that_is_split_has_the_same_occurrences(cut: tuple[Series, date]) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    head, tail = split_series(series, recurrence_id)
    assert listed(head, high) == [item for item in listed(series, high) if item[2] < recurrence_id]
    assert listed(tail, high) == [item for item in listed(series, high) if item[2] >= recurrence_id]
    assert head is None or validate_series(head) == head
    assert validate_series(tail) == tail
    assert delete_following(series, recurrence_id) == head


@given(cuts(), st.data())
def test_a_series_that_is_split_twice_has_the_same_occurrences(cut: tuple[Series, date], data: st.DataObject) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    _, tail = split_series(series, recurrence_id)
    second = data.draw(st.sampled_from(recurrence_ids(tail, high)[:40]))
    middle, end = split_series(tail, second)
    both = in_order([*listed(middle, high), *listed(end, high)])
    assert both == [item for item in listed(series, high) if item[2] >= recurrence_id]


@given(moves())
def test_moving_one_and_the_following_moves_all_that_follow(move: tuple[Series, date, date]) -> None:
    series, recurrence_id, start = move
    shift, high = Shift(recurrence_id, start), horizon(series)
    assume(start_matches_rule(series))
    head, tail = split_series(series, recurrence_id, SeriesChanges(start=start))
    assert listed(head, high) == [item for item in listed(series, high) if item[2] < recurrence_id]
    following = [item for item in listed(series, high) if item[2] >= recurrence_id]
    assert ids_and_starts(tail, shift.apply(high)) == shifted(series, following, shift, own=recurrence_id)
    assert all(
        not tail.has_occurrence(shift.apply(excluded)) for excluded in series.exdates if excluded >= recurrence_id
    )


@given(cuts(), st.data())
def test_any_move_is_either_done_or_refused(cut: tuple[Series, date], data: st.DataObject) -> None:
    series, recurrence_id = cut
    start = data.draw(strategies.days | strategies.locals_)
    parts = attempted(lambda: split_series(series, recurrence_id, SeriesChanges(start=start)))
    if parts is None:
        return
    head, tail = parts
    assert head == delete_following(series, recurrence_id)
    assert validate_series(tail) == tail
    assert tail.has_occurrence(start)
    assert all(not tail.has_occurrence(excluded) for excluded in tail.exdates)


def attempted(edit: Callable[[], tuple[Series | None, Series]]) -> tuple[Series | None, Series] | None:
    """Return the result of the edit, or None if it is refused because of the rule."""
    try:
        return edit()
    except RecurrenceError as error:
        if error.field != "rrule":
            raise
        return None


def test_a_split_at_the_first_occurrence_has_no_head() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY")
    assert delete_following(series, NINE) is None
    assert split_series(series, NINE, SeriesChanges(duration=2 * HOUR)) == (None, replace(series, duration=2 * HOUR))


def test_a_count_is_divided_between_head_and_tail() -> None:
    series = Series(NINE, rrule="FREQ=DAILY;COUNT=10", exdates=frozenset({NINE + DAY}))
    head, tail = split_series(series, NINE + 4 * DAY)
    assert head == Series(NINE, rrule="FREQ=DAILY;COUNT=4", exdates=frozenset({NINE + DAY}))
    assert tail == Series(NINE + 4 * DAY, rrule="FREQ=DAILY;COUNT=6")


def test_the_head_of_an_endless_rule_ends_with_its_last_occurrence() -> None:
    series = Series(NINE, time_zone="Europe/Berlin", rrule="FREQ=WEEKLY")
    head, tail = split_series(series, NINE + 14 * DAY)
    assert head == replace(series, rrule="FREQ=WEEKLY;UNTIL=20240308T080000Z")
    assert tail == replace(series, start=NINE + 14 * DAY)


def test_the_head_of_an_all_day_series_ends_with_a_date() -> None:
    head, _ = split_series(Series(date(2024, 3, 1), rrule="FREQ=WEEKLY"), date(2024, 3, 15))
    assert head == Series(date(2024, 3, 1), rrule="FREQ=WEEKLY;UNTIL=20240308")


def test_a_split_near_a_skipped_hour_gives_each_part_its_own_occurrences() -> None:
    series = Series(datetime(2024, 3, 31, 0), time_zone="Europe/Berlin", rrule="FREQ=HOURLY;BYMINUTE=0,30")
    head, tail = split_series(series, datetime(2024, 3, 31, 3))
    high = datetime(2024, 3, 31, 5)
    assert sorted(item[2] for item in listed(head, high)) == [series.start + 30 * MINUTE * nth for nth in range(6)]
    assert in_order([*listed(head, high), *listed(tail, high)]) == listed(series, high)
    assert head is not None
    assert head.exdates == {datetime(2024, 3, 31, 3), datetime(2024, 3, 31, 3, 30)}


@pytest.mark.parametrize("place", range(1, 12))
def test_a_split_in_a_night_with_a_skipped_hour_loses_no_occurrence(place: int) -> None:
    series = Series(datetime(2024, 3, 31, 0), time_zone="Europe/Berlin", rrule="FREQ=HOURLY;BYMINUTE=0,30")
    head, tail = split_series(series, series.start + 30 * MINUTE * place)
    high = datetime(2024, 3, 31, 12)
    assert [item[2] for item in listed(head, high)] == [
        item[2] for item in listed(series, high) if item[2] < tail.start
    ]
    assert in_order([*listed(head, high), *listed(tail, high)]) == listed(series, high)


def test_a_start_that_does_not_match_the_rule_counts_in_the_part_that_has_it() -> None:
    wednesday = date(2024, 5, 1)
    series = Series(wednesday, rrule="FREQ=WEEKLY;COUNT=5;BYDAY=MO")
    head, tail = split_series(series, date(2024, 5, 20))
    assert head == Series(wednesday, rrule="FREQ=WEEKLY;COUNT=3;BYDAY=MO")
    assert tail == Series(date(2024, 5, 20), rrule="FREQ=WEEKLY;COUNT=2;BYDAY=MO")


def test_a_split_at_an_rdate_does_not_shift_the_interval_of_the_rule() -> None:
    extra = NINE + 4 * DAY
    series = Series(NINE, rrule="FREQ=DAILY;INTERVAL=3", rdates=frozenset({extra}))
    head, tail = split_series(series, extra)
    assert head == Series(NINE, rrule="FREQ=DAILY;INTERVAL=3;UNTIL=20240304T090000Z")
    assert tail == Series(NINE + 6 * DAY, rrule="FREQ=DAILY;INTERVAL=3", rdates=frozenset({extra}))


def test_the_tail_of_a_series_may_have_rdates_only() -> None:
    days = frozenset({NINE + 40 * DAY, NINE + 50 * DAY})
    series = Series(NINE, rrule="FREQ=DAILY;COUNT=2", rdates=days)
    _, tail = split_series(series, NINE + 40 * DAY)
    assert tail == Series(NINE + 40 * DAY, rdates=frozenset({NINE + 50 * DAY}))


def test_the_head_may_consist_of_an_rdate_before_the_start() -> None:
    series = Series(NINE, rrule="FREQ=DAILY", rdates=frozenset({NINE - 9 * DAY, NINE - 5 * DAY}))
    head, tail = split_series(series, NINE)
    assert head == Series(NINE - 9 * DAY, rdates=frozenset({NINE - 5 * DAY}))
    assert tail == Series(NINE, rrule="FREQ=DAILY")


def test_the_changes_replace_the_override_of_the_occurrence_at_the_split() -> None:
    overrides: dict[date, Override] = {
        NINE + DAY: Override(start=NINE + DAY + 2 * HOUR, duration=3 * HOUR, fields={"title": "Long"}),
        NINE + 2 * DAY: Override(start=NINE + 2 * DAY + 2 * HOUR, duration=3 * HOUR),
    }
    series = Series(NINE, HOUR, rrule="FREQ=DAILY", overrides=overrides)
    _, tail = split_series(series, NINE + DAY, SeriesChanges(start=NINE + DAY + HOUR))
    assert tail.overrides == {
        NINE + DAY + HOUR: Override(duration=3 * HOUR, fields={"title": "Long"}),
        NINE + 2 * DAY + HOUR: Override(start=NINE + 2 * DAY + 2 * HOUR, duration=3 * HOUR),
    }
