"""Edits of zone, start and rule of a whole series, compared with an oracle: exceptions follow their occurrences."""

from dataclasses import replace
from datetime import date, datetime

from hypothesis import assume, given

from planner.domain.recurrence.edits import SeriesChanges, edit_series
from planner.domain.recurrence.rrule import Frequency, parse_rule
from planner.domain.recurrence.series import Series
from planner.domain.recurrence.shift import Shift
from tests.domain import strategies
from tests.domain.oracle import compute_instant_of_any, list_expected_rows, recurrence_ids
from tests.domain.recurrence.edits.edit_strategies import horizon, listed, moves, start_matches_rule

Times = list[tuple[date, datetime]]


def ids_and_instants(series: Series, high: date) -> Times:
    return sorted((recurrence_id, start) for start, _, recurrence_id, _ in list_expected_rows(series, high))


def expected_instant(series: Series, recurrence_id: date, shift: Shift, zone: str) -> datetime:
    """Return when an occurrence begins after the edit, if it still takes place."""
    override = series.overrides.get(recurrence_id)
    if override is None or override.start is None:
        return compute_instant_of_any(shift.apply(recurrence_id), zone)
    # It was rescheduled by hand: it stays, or keeps its local time where the series does.
    is_same_instant = isinstance(override.start, datetime) and shift.new != shift.old
    own_zone = series.time_zone if is_same_instant else zone
    return compute_instant_of_any(override.start, override.time_zone or own_zone)


@given(moves(), strategies.zones)
def test_all_occurrences_follow_a_new_zone_and_start(move: tuple[Series, date, date], zone: str) -> None:
    series, recurrence_id, start = move
    shift, high = Shift(recurrence_id, start), horizon(series, 200)
    assume(start_matches_rule(series))
    changes = SeriesChanges(start=shift.apply(series.start), time_zone=zone)
    expected = [
        (shift.apply(recurrence_id), expected_instant(series, recurrence_id, shift, zone))
        for _, _, recurrence_id, _ in listed(series, high)
    ]
    assert ids_and_instants(edit_series(series, changes), shift.apply(high)) == sorted(expected)


@given(moves(), strategies.zones, strategies.simple_rules)
def test_exceptions_follow_a_new_zone_start_and_rule(move: tuple[Series, date, date], zone: str, rule: str) -> None:
    series, recurrence_id, start = move
    assert series.rrule is not None
    assume(not (series.all_day and "HOURLY" in rule))
    old, new = parse_rule(series.rrule).frequency, parse_rule(rule).frequency
    # In months and years an exception keeps its position, which another test shows.
    assume(old is not new or new > Frequency.MONTHLY)
    shift = Shift(recurrence_id, start)
    edited = edit_series(series, SeriesChanges(start=shift.apply(series.start), time_zone=zone, rrule=rule))
    high = horizon(edited, 200)
    plain = Series(
        shift.apply(series.start),
        rrule=rule,
        time_zone=zone,
        rdates=frozenset(map(shift.apply, series.rdates)),
        exdates=frozenset(map(shift.apply, series.exdates)),
    )
    generated = {*recurrence_ids(replace(plain, exdates=frozenset()), high)}
    expected = {recurrence_id: compute_instant_of_any(recurrence_id, zone) for recurrence_id in generated}
    for old_id, override in series.overrides.items():
        new_id = shift.apply(old_id)
        # An override stays if its occurrence does, or if it was an occurrence that only the override added.
        if new_id in generated or (not series.generates(old_id) and new_id <= high):
            expected[new_id] = expected_instant(series, old_id, shift, zone)
            if override.excluded:
                del expected[new_id]
    remaining = {key: instant for key, instant in expected.items() if key not in plain.exdates}
    assert ids_and_instants(edited, high) == sorted(remaining.items())
