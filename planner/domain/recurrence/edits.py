"""Edits of a series: of one occurrence, of one and all that follow, or of all of them.

Each function takes a valid series and returns a new one that is valid as well. It raises
`RecurrenceError` for an edit that is not possible.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import Enum, auto
from itertools import takewhile
from typing import Final, Literal

from planner.domain.recurrence.occurrences import has_no_occurrences
from planner.domain.recurrence.pattern import Pattern
from planner.domain.recurrence.rrule import Frequency, RecurrenceError, parse_rule
from planner.domain.recurrence.series import Override, Series, validate_series
from planner.domain.recurrence.shift import Shift, build_start_mismatch_error, move_rule
from planner.domain.zones import MAX_CLOCK_CHANGE, add_clamped, to_local, to_utc


class _Unset(Enum):
    UNSET = auto()


UNSET: Final = _Unset.UNSET
Unset = Literal[_Unset.UNSET]


@dataclass(frozen=True, slots=True)
class SeriesChanges:
    """New values for fields of a series; UNSET leaves a field as it is.

    A new start moves the rule, `rdates`, `exdates` and the ids of overrides by the same local time. Fields
    that are given together with a new start replace the old ones, and are not moved. When the start changes
    from a date to a time or back, and no duration is given, the duration becomes the default one.

    An occurrence that has a start of its own was rescheduled by hand, and stays at that instant. Only where
    the series keeps its local time in a new time zone, it keeps its local time as well.
    """

    start: date | Unset = UNSET
    duration: timedelta | Unset | None = UNSET
    time_zone: str | Unset = UNSET
    rrule: str | Unset | None = UNSET
    rdates: frozenset[date] | Unset = UNSET
    exdates: frozenset[date] | Unset = UNSET


NO_CHANGES: Final = SeriesChanges()


def edit_occurrence(series: Series, recurrence_id: date, patch: Override) -> Series:
    """Change one occurrence; what the patch does not set stays as in an earlier override."""
    _require_occurrence(series, recurrence_id)
    if patch.excluded:
        return delete_occurrence(series, recurrence_id)
    before = series.overrides.get(recurrence_id, Override())
    start, time_zone = before.start, before.time_zone
    if patch.start is not None:
        # What is back at its original start moves with the series again.
        original = (series.find_range(recurrence_id) or Override()).start or recurrence_id
        is_original = patch.start == original and not (isinstance(patch.start, datetime) and patch.start.fold)
        start = None if is_original else patch.start
        time_zone = patch.time_zone if start is not None else None
    override = Override(
        start=start,
        duration=before.duration if patch.duration is None else patch.duration,
        fields={**before.fields, **patch.fields},
        time_zone=time_zone,
    )
    return validate_series(replace(series, overrides={**series.overrides, recurrence_id: override}))


def delete_occurrence(series: Series, recurrence_id: date) -> Series:
    """Remove one occurrence, with an EXDATE if the rule or the start would still generate it."""
    _require_occurrence(series, recurrence_id)
    result = replace(
        series,
        rdates=series.rdates - {recurrence_id},
        overrides={key: override for key, override in series.overrides.items() if key != recurrence_id},
    )
    if result.generates(recurrence_id):
        return replace(result, exdates=result.exdates | {recurrence_id})
    return result


def delete_following(series: Series, recurrence_id: date) -> Series | None:
    """Remove an occurrence and all that follow it. Returns None if no occurrence is before it."""
    _require_occurrence(series, recurrence_id)
    return _build_head(series, recurrence_id)


def split_series(
    series: Series, recurrence_id: date, changes: SeriesChanges = NO_CHANGES, fields: Collection[object] = ()
) -> tuple[Series | None, Series]:
    """Split the series before an occurrence, and apply the changes to the second part, the tail.

    Without changes the two parts together have the same occurrences as the series, with the same ids.
    The first part, the head, is None if no occurrence is before the split. A COUNT is divided between
    the two; an UNTIL moves along with the start. `changes.start` is the new start of this occurrence.
    If the occurrence has an override, the start and duration in it are replaced by those of the changes.
    If the changes have a new rule and leave the occurrence on its day, and the rule does not match that day,
    the tail starts with the first instance of the new rule: no occurrence remains that only the old rule had.
    What a range says of the occurrence is replaced as well, also the `fields` that the event of the tail gets.

    If the occurrence comes from `rdates`, the tail starts at the next instance of the rule, because the
    interval of the rule is counted from there, and the occurrence stays in `rdates`.
    """
    _require_occurrence(series, recurrence_id)
    tail = _build_tail(series, recurrence_id)
    override, in_range = tail.overrides.get(recurrence_id), tail.ranges.get(recurrence_id)
    if override is not None:
        override = _replace_times(override, series, changes)
        tail = replace(tail, overrides={**tail.overrides, recurrence_id: override})
    if in_range is not None:
        kept = {name: value for name, value in in_range.fields.items() if name not in fields}
        in_range = replace(_replace_times(in_range, series, changes), fields=kept)
        tail = replace(tail, ranges={**tail.ranges, recurrence_id: in_range})
    if changes.start is not UNSET:
        changes = replace(changes, start=Shift(recurrence_id, changes.start).apply(tail.start))
    head = _build_head(series, recurrence_id)
    if changes == NO_CHANGES:
        return head, tail
    return head, edit_series(tail, changes, first=_find_first_instance(tail, changes))


def _replace_times(override: Override, series: Series, changes: SeriesChanges) -> Override:
    """Return the override without the times that the changes replace."""
    if changes.start is not UNSET:
        # A duration of another kind than that of the series means nothing without its start.
        is_other_kind = override.start is not None and isinstance(override.start, datetime) is series.all_day
        duration = None if is_other_kind else override.duration
        override = replace(override, start=None, duration=duration, time_zone=None)
    return override if changes.duration is UNSET else replace(override, duration=None)


def _find_first_instance(tail: Series, changes: SeriesChanges) -> date | None:
    """Return the first instance of a new rule that does not match the day of the start; None if it does.

    A start that the changes move to another day is meant to be there. Raises `RecurrenceError` for a rule without
    an instance.
    """
    start = tail.start if changes.start is UNSET else changes.start
    if changes.rrule is UNSET or changes.rrule is None or start.toordinal() != tail.start.toordinal():
        return None
    time_zone = tail.time_zone if changes.time_zone is UNSET else changes.time_zone
    validate_series(Series(start, time_zone=time_zone, rrule=changes.rrule))
    # A COUNT counts from the first instance.
    pattern = Pattern(replace(parse_rule(changes.rrule), count=None), start, time_zone)
    first = next(pattern.iterate_from(start), None)
    if first is None:
        raise RecurrenceError("rrule", "must match a day before its UNTIL, but matches none")
    return None if first == start else first


def edit_series(series: Series, changes: SeriesChanges, *, first: date | None = None) -> Series:
    """Change the whole series.

    An override or exclusion moves along with its occurrence. An override is dropped if its occurrence
    does not exist any more, unless it added an occurrence to the recurrence set by itself.

    `first` is where the changed series starts, if that is the first instance of a new rule, and not the start in
    the changes. Then an exception moves with it only if the new rule does not have its occurrence anyway.
    """
    shift = Shift(series.start, series.start if changes.start is UNSET else changes.start)
    # The simple values are validated before anything is computed from them.
    plain = validate_series(_change_plain_fields(series, changes, shift))
    rrule = changes.rrule
    result = _move_series_rule(series, plain, shift) if rrule is UNSET else replace(plain, rrule=rrule)
    if first is not None:
        result = replace(result, start=first)
    move_id = _IdMove(series, result, shift)
    # When times become dates, an exclusion has to go if another occurrence is on the same day.
    occupied_days = _find_occupied_days(series) if plain.all_day and not series.all_day else frozenset()

    def is_on_occupied_day(local: date) -> bool:
        return (local.year, local.month, local.day) in occupied_days

    rdates = {shift.apply(local) for local in series.rdates} if changes.rdates is UNSET else changes.rdates
    exdates = {move_id(local) for local in series.exdates if not is_on_occupied_day(local)}
    if changes.exdates is not UNSET:
        exdates = set(changes.exdates)
    result = replace(result, rdates=frozenset(rdates), exdates=result.exdates.union(exdates))
    overrides: dict[date, Override] = {}
    # If two get the same id, the one that has not moved further than the shift remains.
    for recurrence_id in sorted(series.overrides, key=lambda local: move_id(local) == shift.apply(local)):
        override, new_id = series.overrides[recurrence_id], move_id(recurrence_id)
        is_still_used = result.generates(new_id) or not series.generates(recurrence_id)
        if is_still_used and not (override.excluded and is_on_occupied_day(recurrence_id)):
            overrides[new_id] = _keep_own_times(override, series, result, shift)
    ranges = {shift.apply(key): _move_range(each, series, result, shift) for key, each in series.ranges.items()}
    return validate_series(replace(result, overrides=overrides, ranges=ranges))


def _change_plain_fields(series: Series, changes: SeriesChanges, shift: Shift) -> Series:
    """Return a series with the changed start, duration and time zone, and without recurrence."""
    duration, nominal_days = series.duration, series.nominal_days
    if changes.duration is not UNSET:
        duration, nominal_days = changes.duration, 0
    elif isinstance(shift.new, datetime) is series.all_day:
        duration, nominal_days = None, 0
    time_zone = series.time_zone if changes.time_zone is UNSET else changes.time_zone
    return Series(shift.new, duration, time_zone, nominal_days=nominal_days)


def _find_occupied_days(series: Series) -> frozenset[tuple[int, int, int]]:
    """Return the days on which a timed series has both an exclusion and an occurrence."""
    ids = {*series.explicit_ids, *series.overrides}
    if series.pattern is not None:
        for local in series.exception_ids:
            day_start, day_end = datetime.combine(local, time.min), datetime.combine(local, time.max)
            ids.update(series.pattern.find_between(day_start, day_end))
    occurring = (recurrence_id for recurrence_id in ids if series.has_occurrence(recurrence_id))
    return frozenset((local.year, local.month, local.day) for local in occurring)


def _require_occurrence(series: Series, recurrence_id: date) -> None:
    if not series.has_occurrence(recurrence_id):
        raise RecurrenceError(
            "recurrence_id", f"must be the id of an occurrence; there is none at {recurrence_id.isoformat()}"
        )


def _build_head(series: Series, cut: date) -> Series | None:
    """Return the series without all that is at the cut or later, or None if no occurrence is before the cut."""
    head = _end_before(series, cut)
    return None if head is None or has_no_occurrences(head) else head


def _end_before(series: Series, cut: date) -> Series | None:
    head = replace(
        series,
        rdates=_values_before(series.rdates, cut),
        exdates=_values_before(series.exdates, cut),
        overrides={key: override for key, override in series.overrides.items() if key < cut},
        ranges={key: each for key, each in series.ranges.items() if key < cut},
    )
    if cut <= series.start:
        # Before the start there can only be rdates and overrides. The first of them becomes the start.
        first = min(head.rdates.union(head.overrides), default=None)
        return None if first is None else replace(head, start=first, rrule=None, rdates=head.rdates - {first})
    if series.pattern is None:
        return head
    last = next((local for local in series.pattern.iterate_backwards(cut) if local < cut), None)
    if last is None:
        return replace(head, rrule=None)
    if series.pattern.rule.count is None:
        return _end_rule_at(head, last)
    count = len(series.pattern.find_between(series.start, last)) + (not series.pattern.start_matches_rule)
    return replace(head, rrule=str(replace(series.pattern.rule, count=count)))


def _build_tail(series: Series, cut: date) -> Series:
    """Return the series from the cut on, which is one of its occurrences."""
    ranges = {key: each for key, each in series.ranges.items() if key >= cut}
    if (in_range := series.find_range(cut)) is not None:
        ranges[cut] = in_range
    tail = replace(
        series,
        rdates=series.rdates - _values_before(series.rdates, cut),
        exdates=series.exdates - _values_before(series.exdates, cut),
        overrides={key: override for key, override in series.overrides.items() if key >= cut},
        ranges=ranges,
    )
    if cut <= series.start:
        return tail
    start = None if series.pattern is None else series.pattern.find_new_start(cut)
    if series.pattern is None or start is None:
        return replace(tail, start=cut, rrule=None, rdates=tail.rdates - {cut})
    between = [local for local in series.pattern.find_between(cut, start) if local < start]
    rule = series.pattern.explicit_rule
    if rule.count is not None:
        earlier = [local for local in series.pattern.find_between(series.start, start) if local < start]
        rule = replace(rule, count=rule.count - len(earlier) - (not series.pattern.start_matches_rule))
    return replace(tail, start=start, rrule=str(rule), rdates=tail.rdates.union(between))


def _end_rule_at(series: Series, last: date) -> Series:
    """Return the series with an UNTIL that makes `last`, an instance of the rule, its last instance."""
    assert series.pattern is not None
    endless_rule = replace(series.pattern.rule, count=None, until=None)
    if not isinstance(last, datetime):
        return replace(series, rrule=str(replace(endless_rule, until=last)))
    # Near a clock change the order of instants is not that of local times. An instance before `last` may be a
    # later instant, so UNTIL has to include it. An instance after `last` may then be included as well, and
    # becomes an exdate.
    pattern = Pattern(endless_rule, series.start, series.time_zone)
    near = [*pattern.find_between(add_clamped(last, -MAX_CLOCK_CHANGE), last), last]
    until = max(to_utc(local, series.time_zone) for local in near).replace(microsecond=0)
    limit = until.replace(microsecond=999_999)
    later = [local for local in pattern.find_between(last, add_clamped(last, MAX_CLOCK_CHANGE)) if local > last]
    included = takewhile(lambda local: to_utc(local, series.time_zone) <= limit, later)
    rrule = str(replace(endless_rule, until=until))
    return replace(series, rrule=rrule, exdates=series.exdates.union(included))


def _move_series_rule(series: Series, plain: Series, shift: Shift) -> Series:
    """Return the plain series with the moved rule of the old one, and the exdates that its UNTIL needs."""
    if series.rrule is None or series.pattern is None:
        return plain
    if shift.new == shift.old and plain.time_zone == series.time_zone:
        return replace(plain, rrule=series.rrule)
    old = series.pattern
    result = replace(plain, rrule=str(move_rule(old.rule, shift)))
    if result.pattern is not None and old.start_matches_rule and not result.pattern.start_matches_rule:
        raise build_start_mismatch_error(shift)
    if old.rule.until is None:
        return result
    last = next(old.iterate_backwards(date.max if series.all_day else datetime.max), None)
    return replace(plain, rrule=None) if last is None else _end_rule_at(result, shift.apply(last))


class _IdMove:
    """Where the recurrence ids of a series move when it becomes another one."""

    def __init__(self, old: Series, new: Series, shift: Shift) -> None:
        self._old, self._new, self._shift = old, new, shift
        # A start that moved further than by the shift is the first instance of a new rule.
        self._further = None if new.start == shift.new else Shift(old.start, new.start)

    def __call__(self, recurrence_id: date) -> date:
        """Return the new id of an occurrence.

        Usually it is the old id, moved like the start. But the last Thursday of a month is not always the
        day before the last Friday. In such a case it is the instance with the same position in its month
        or year.
        """
        moved_id = self._shift.apply(recurrence_id)
        old, new = self._old.pattern, self._new.pattern
        if old is None or new is None or new.contains(moved_id) or not old.contains(recurrence_id):
            return moved_id
        if self._further is not None:
            return self._further.apply(recurrence_id)
        if not self._shift.days or old.rule.frequency is not new.rule.frequency:
            return moved_id
        if old.rule.frequency > Frequency.MONTHLY:
            return moved_id
        return self._find_counterpart(old, new, recurrence_id) or moved_id

    def _find_counterpart(self, old: Pattern, new: Pattern, recurrence_id: date) -> date | None:
        """Return the instance that has the same position in the month or year to which this one moves, or None."""
        shift = self._shift
        old_instances = old.find_in_period(recurrence_id.year, recurrence_id.month)
        month_shift = (shift.new.year - shift.old.year) * 12 + shift.new.month - shift.old.month
        month = recurrence_id.year * 12 + recurrence_id.month + month_shift
        new_instances = new.find_in_period((month - 1) // 12, (month - 1) % 12 + 1)
        position = old_instances.index(recurrence_id)
        return new_instances[position] if position < len(new_instances) else None


def _keep_own_times(override: Override, old: Series, new: Series, shift: Shift) -> Override:
    """Return the override of an occurrence whose series changes: a start of its own stays at its instant.

    If the series keeps its local time in another time zone, so do its occurrences. A duration of days is none for
    times of day, and the other way round.
    """
    start, duration = override.start, override.duration
    if start is None:
        return override if old.all_day is new.all_day else replace(override, duration=None)
    if duration is None and old.all_day is not new.all_day:
        # Otherwise it would last as long as an occurrence of the other kind.
        duration = old.measure_occurrence(start, override)
    time_zone = override.time_zone or old.time_zone
    if not isinstance(start, datetime):
        return replace(override, duration=duration)
    if new.all_day:
        return replace(override, duration=duration, time_zone=time_zone)
    if time_zone != new.time_zone and (shift.new != shift.old or old.all_day):
        start = to_local(to_utc(start, time_zone), new.time_zone)
    return replace(override, start=start, duration=duration, time_zone=None)


def _move_range(moved: Override, old: Series, new: Series, shift: Shift) -> Override:
    """Return a range that moves its occurrences as far as before; from days to times of day, it moves none."""
    if old.all_day is not new.all_day:
        return replace(moved, start=None, duration=None, time_zone=None)
    start = moved.start
    if start is not None:
        # A day in a series with times moves by whole days.
        days = Shift(date.fromordinal(shift.old.toordinal()), date.fromordinal(shift.new.toordinal()))
        start = (shift if isinstance(start, datetime) or old.all_day else days).apply(start)
    return replace(moved, start=start)


def _values_before(values: Iterable[date], cut: date) -> frozenset[date]:
    return frozenset(value for value in values if value < cut)
