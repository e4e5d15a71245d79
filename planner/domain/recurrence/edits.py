"""Changes one occurrence, one and all that follow, or all of them.

Every function takes a series and returns what becomes of it. The series handed in has to be valid,
and what comes back is. What an edit cannot do raises RecurrenceError.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import Enum, auto
from itertools import takewhile
from typing import Final, Literal

from planner.domain.recurrence.occurrences import is_empty
from planner.domain.recurrence.pattern import Pattern, pattern
from planner.domain.recurrence.rrule import Frequency, RecurrenceError
from planner.domain.recurrence.series import Override, Series, validate
from planner.domain.recurrence.shift import Shift, carried, start_off_rule_error
from planner.domain.zones import MAX_CLOCK_CHANGE, add_clamped, to_utc


class _Unset(Enum):
    UNSET = auto()


UNSET: Final = _Unset.UNSET
Unset = Literal[_Unset.UNSET]


@dataclass(frozen=True, slots=True)
class Changes:
    """New values for fields of a series; UNSET leaves a field as it is.

    A new start moves everything by the same wall time: the rule, `rdates`, `exdates` and overrides.
    What is given beside it is taken as it stands, in terms of the new start. When the start changes
    between a date and a time and no duration is given, the default takes its place.
    """

    start: date | Unset = UNSET
    duration: timedelta | Unset | None = UNSET
    zone: str | Unset = UNSET
    rrule: str | Unset | None = UNSET
    rdates: frozenset[date] | Unset = UNSET
    exdates: frozenset[date] | Unset = UNSET


NOTHING: Final = Changes()


def edit_this(series: Series, recurrence_id: date, patch: Override) -> Series:
    """Changes one occurrence; what the patch leaves out stays as an earlier override had it."""
    _require(series, recurrence_id)
    if patch.excluded:
        return delete_this(series, recurrence_id)
    before = series.overrides.get(recurrence_id, Override())
    override = Override(
        start=before.start if patch.start is None else patch.start,
        duration=before.duration if patch.duration is None else patch.duration,
        fields={**before.fields, **patch.fields},
    )
    return validate(replace(series, overrides={**series.overrides, recurrence_id: override}))


def delete_this(series: Series, recurrence_id: date) -> Series:
    """Takes one occurrence out, by an EXDATE where the rule or the start would bring it back."""
    _require(series, recurrence_id)
    left = replace(
        series,
        rdates=series.rdates - {recurrence_id},
        overrides={key: override for key, override in series.overrides.items() if key != recurrence_id},
    )
    return replace(left, exdates=left.exdates | {recurrence_id}) if left.includes(recurrence_id) else left


def delete_following(series: Series, recurrence_id: date) -> Series | None:
    """Ends the series before an occurrence; None if nothing is before it."""
    _require(series, recurrence_id)
    return _head(series, recurrence_id)


def split_following(series: Series, recurrence_id: date, changes: Changes = NOTHING) -> tuple[Series | None, Series]:
    """Ends the series before an occurrence and lets another begin there, with the changes.

    Without changes the two have the occurrences of the one, each with the same id. The head is None
    if nothing is before the occurrence. Of a COUNT each gets its share; an UNTIL moves along with
    the start. `changes.start` is the new start of this occurrence. Its own override loses the start
    and duration that the changes replace, for they are meant for it above all.

    When the occurrence comes from `rdates` the tail's start is the next instance of the rule, which
    is what its phase hangs on, and the occurrence stays a date of `rdates`.
    """
    _require(series, recurrence_id)
    tail = _tail(series, recurrence_id)
    own = tail.overrides.get(recurrence_id)
    if own is not None:
        start = own.start if changes.start is UNSET else None
        duration = own.duration if changes.duration is UNSET else None
        own = replace(own, start=start, duration=duration)
        tail = replace(tail, overrides={**tail.overrides, recurrence_id: own})
    if changes.start is not UNSET:
        changes = replace(changes, start=Shift(recurrence_id, changes.start)(tail.start))
    return _head(series, recurrence_id), tail if changes == NOTHING else edit_all(tail, changes)


def edit_all(series: Series, changes: Changes) -> Series:
    """Changes the whole series.

    Exceptions stay with their occurrences: an override or an exclusion goes where its occurrence
    goes. Overrides whose occurrence is no more are dropped, except those that never had one in the
    set and were occurrences of their own.
    """
    start = series.start if changes.start is UNSET else changes.start
    shift = Shift(series.start, start)
    duration = series.duration
    if changes.duration is not UNSET:
        duration = changes.duration
    elif isinstance(start, datetime) is series.all_day:
        duration = None
    # Whether the plain values are sensible is asked before anything is computed with them.
    plain = validate(Series(start, duration, series.zone if changes.zone is UNSET else changes.zone))
    result = _carried(series, plain, shift) if changes.rrule is UNSET else replace(plain, rrule=changes.rrule)

    def place(local: date) -> date:
        if changes.rrule is not UNSET:
            return shift(local)
        return _counterpart(series.pattern, result.pattern, shift, local)

    # When times become days, an exclusion has to go if its day has another occurrence.
    used = _days_used(series) if plain.all_day and not series.all_day else frozenset()

    def hidden(local: date) -> bool:
        return (local.year, local.month, local.day) in used

    rdates = {shift(local) for local in series.rdates} if changes.rdates is UNSET else changes.rdates
    exdates = {place(local) for local in series.exdates if not hidden(local)}
    if changes.exdates is not UNSET:
        exdates = set(changes.exdates)
    result = replace(result, rdates=frozenset(rdates), exdates=result.exdates.union(exdates))
    overrides = {
        place(recurrence_id): _carried_override(override, recurrence_id, place(recurrence_id), shift)
        for recurrence_id, override in series.overrides.items()
        if (result.includes(place(recurrence_id)) or not series.includes(recurrence_id))
        and not (override.excluded and hidden(recurrence_id))
    }
    return validate(replace(result, overrides=overrides))


def _days_used(series: Series) -> frozenset[tuple[int, int, int]]:
    """The days with an exclusion on which a timed series has an occurrence nevertheless."""
    ids = {*series.fixed, *series.overrides}
    if series.pattern is not None:
        for local in series.gone:
            ids.update(series.pattern.between(datetime.combine(local, time.min), datetime.combine(local, time.max)))
    left = (recurrence_id for recurrence_id in ids if series.has(recurrence_id))
    return frozenset((local.year, local.month, local.day) for local in left)


def _require(series: Series, recurrence_id: date) -> None:
    if not series.has(recurrence_id):
        raise RecurrenceError("recurrence_id", f"there is no occurrence {recurrence_id.isoformat()}")


def _head(series: Series, cut: date) -> Series | None:
    """The series as far as it is before the cut, or None if no occurrence is."""
    head = _ended_before(series, cut)
    return None if head is None or is_empty(head) else head


def _ended_before(series: Series, cut: date) -> Series | None:
    head = replace(
        series,
        rdates=_before(series.rdates, cut),
        exdates=_before(series.exdates, cut),
        overrides={key: override for key, override in series.overrides.items() if key < cut},
    )
    if cut <= series.start:
        # Only dates beside the rule can be before the start.
        early = head.rdates.union(head.overrides)
        first = min(early, default=None)
        return None if first is None else replace(head, start=first, rrule=None, rdates=head.rdates - {first})
    if series.pattern is None:
        return head
    last = next((local for local in series.pattern.down_from(cut) if local < cut), None)
    if last is None:
        return replace(head, rrule=None)
    if series.pattern.rule.count is None:
        return _ended(head, last)
    count = len(series.pattern.between(series.start, last)) + (not series.pattern.start_matches_rule)
    return replace(head, rrule=str(replace(series.pattern.rule, count=count)))


def _tail(series: Series, cut: date) -> Series:
    """The series from the cut on, which is one of its occurrences."""
    tail = replace(
        series,
        rdates=series.rdates - _before(series.rdates, cut),
        exdates=series.exdates - _before(series.exdates, cut),
        overrides={key: override for key, override in series.overrides.items() if key >= cut},
    )
    if cut <= series.start:
        return tail
    start = None if series.pattern is None else next(series.pattern.up_from(cut), None)
    if series.pattern is None or start is None:
        return replace(tail, start=cut, rrule=None, rdates=tail.rdates - {cut})
    rule = series.pattern.rule
    if rule.count is not None:
        gone = len([local for local in series.pattern.between(series.start, start) if local < start])
        rule = replace(rule, count=rule.count - gone - (not series.pattern.start_matches_rule))
    return replace(tail, start=start, rrule=str(rule))


def _ended(series: Series, last: date) -> Series:
    """The series with an UNTIL after which `last`, an instance of its rule, is the last one."""
    assert series.rrule is not None
    endless = replace(pattern(series.rrule, series.start, series.zone).rule, count=None, until=None)
    if not isinstance(last, datetime):
        return replace(series, rrule=str(replace(endless, until=last)))
    # Close to a change of the clocks the order of instants is not that of local times: one before
    # `last` may be later than it, and one after it in time for UNTIL all the same.
    found = Pattern(endless, series.start, series.zone)
    near = [*found.between(add_clamped(last, -MAX_CLOCK_CHANGE), last), last]
    until = max(to_utc(local, series.zone) for local in near).replace(microsecond=0)
    limit = until.replace(microsecond=999_999)
    behind = [local for local in found.between(last, add_clamped(last, MAX_CLOCK_CHANGE)) if local > last]
    extra = takewhile(lambda local: to_utc(local, series.zone) <= limit, behind)
    return replace(series, rrule=str(replace(endless, until=until)), exdates=series.exdates.union(extra))


def _carried(series: Series, plain: Series, shift: Shift) -> Series:
    """The moved series with the rule of the old one, and with exdates where its end needs them."""
    if series.rrule is None or series.pattern is None:
        return plain
    if shift.new == shift.old and plain.zone == series.zone:
        return replace(plain, rrule=series.rrule)
    old = series.pattern
    result = replace(plain, rrule=str(carried(old.rule, shift)))
    if result.pattern is not None and old.start_matches_rule and not result.pattern.start_matches_rule:
        raise start_off_rule_error(shift)
    if old.rule.until is None:
        return result
    last = next(old.down_from(date.max if series.all_day else datetime.max), None)
    return replace(plain, rrule=None) if last is None else _ended(result, shift(last))


def _counterpart(old: Pattern | None, new: Pattern | None, shift: Shift, local: date) -> date:
    """The id that an occurrence of the old rule has under the new one.

    Mostly that is the old one moved like the start. But the last Thursday is not always the day
    before the last Friday; then it is the one with the same place in its month or year.
    """
    target = shift(local)
    if old is None or new is None or old.rule.frequency > Frequency.MONTHLY or new.has(target) or not old.has(local):
        return target
    before = old.period(local.year, local.month)
    month = local.year * 12 + local.month + (shift.new.year - shift.old.year) * 12 + shift.new.month - shift.old.month
    after = new.period((month - 1) // 12, (month - 1) % 12 + 1)
    place = before.index(local)
    return after[place] if place < len(after) else target


def _carried_override(override: Override, old_id: date, new_id: date, shift: Shift) -> Override:
    start, duration = override.start, override.duration
    if isinstance(old_id, datetime) is not isinstance(new_id, datetime):
        duration = None
    if start is not None:
        same_kind = isinstance(old_id, datetime) is isinstance(new_id, datetime)
        start = Shift(old_id, new_id)(start) if same_kind else shift(start)
    return replace(override, start=start, duration=duration)


def _before(values: Iterable[date], cut: date) -> frozenset[date]:
    return frozenset(value for value in values if value < cut)
