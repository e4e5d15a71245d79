"""The recurrence of one event as a value: its start, its duration, and the rule and dates on which it recurs.

A series is defined in local time. The local values of an all-day series are dates; those of a timed
series are naive datetimes in the time zone of the series. The original start of an occurrence is its
recurrence id, and stays so when the occurrence is moved (RFC 5545 §3.8.4.4).
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from planner.domain.recurrence.pattern import Pattern, compile_pattern
from planner.domain.recurrence.rrule import (
    RecurrenceError,
    RecurrenceRule,
    parse_rule,
    remove_times_of_day,
    resolve_until,
)
from planner.domain.recurrence.shift import Shift
from planner.domain.zones import (
    LATEST_INSTANT,
    MAX_CLOCK_CHANGE,
    UnknownZone,
    add_clamped,
    load_zone,
    resolve_local,
    to_utc,
)

MAX_DATES = 5_000

DAY = timedelta(days=1)
NO_DURATION = timedelta(0)

# One occurrence while a list is built: the instant of its start, its recurrence id, the instant of its
# end. Rows sort in the order in which occurrences are listed.
OccurrenceRow = tuple[datetime, date, datetime]


@dataclass(frozen=True, slots=True)
class Override:
    """What differs in one occurrence (a "patch" in RFC 8984 §4.3.5).

    `start` and `duration` are those of the occurrence, or None if they are those of the series. `start` may
    be a date in a series with times, and a time in an all-day one: then without a duration the occurrence
    lasts a day, or no time. A time in an all-day series has a `time_zone`, and nothing else has one. A time
    with `fold=1` is the second of two equal local times.
    `excluded` means that the occurrence does not take place. `fields` are the other fields of the event that
    differ; they are stored and returned, but not read here.
    """

    start: date | None = None
    duration: timedelta | None = None
    excluded: bool = False
    fields: Mapping[str, object] = field(default_factory=dict)
    time_zone: str | None = None


@dataclass(frozen=True)
class Series:
    """All occurrences of an event: one, several, or infinitely many.

    The recurrence set is the start, the instances of the rule and `rdates`, without `exdates` (RFC
    5545 §3.8.5). The start is always in the set, and counts in COUNT, even if it does not match the
    rule: RFC 5545 does not decide this, RFC 8984 §4.3.3 says so, and Apple and Google do it. An
    override whose recurrence id is not in the set adds an occurrence (RFC 8984 §4.3.5), unless its id
    is in `exdates`.

    `ranges` say what differs from an occurrence on, up to the next range (RANGE=THISANDFUTURE, RFC 5545
    §3.2.13): all of these move as far as `start` is from the id of the range. An override differs from the
    range that it is in.

    For a timed series `duration` is exact: all occurrences have the same duration, also across a clock
    change (RFC 5545 §3.8.5.3 on DTEND). But `nominal_days` of it are days by the clock (§3.3.6 on DURATION):
    an occurrence ends so many days later at the same local time, plus the rest. For an all-day series it is
    a whole number of days. None means one day for an all-day series, and no duration for a timed one (§3.6.1).

    The time zone of an all-day series matters only for comparing it with instants: its days begin at
    midnight in that time zone.

    A series may be constructed from any values; `validate_series` checks them.
    """

    start: date
    duration: timedelta | None = None
    time_zone: str = "UTC"
    rrule: str | None = None
    rdates: frozenset[date] = frozenset()
    exdates: frozenset[date] = frozenset()
    overrides: Mapping[date, Override] = field(default_factory=dict)
    nominal_days: int = 0
    ranges: Mapping[date, Override] = field(default_factory=dict)

    @cached_property
    def all_day(self) -> bool:
        """Whether occurrences take whole days."""
        return not isinstance(self.start, datetime)

    @cached_property
    def effective_duration(self) -> timedelta:
        """The duration of an occurrence that has no override for it."""
        if self.duration is None:
            return DAY if self.all_day else NO_DURATION
        return self.duration

    @cached_property
    def pattern(self) -> Pattern | None:
        """The instances of the rule, or None without a rule."""
        return None if self.rrule is None else compile_pattern(self.rrule, self.start, self.time_zone)

    @cached_property
    def exception_ids(self) -> frozenset[date]:
        """The recurrence ids that have an exclusion or an override."""
        return self.exdates.union(self.overrides)

    @cached_property
    def explicit_ids(self) -> list[date]:
        """The recurrence ids of the start and of `rdates` that have no exception, in order."""
        return sorted(map(_clear_fold, {self.start, *self.rdates} - self.exception_ids))

    @cached_property
    def overridden_rows(self) -> list[OccurrenceRow]:
        """The occurrences that have an override, in order."""
        return sorted(
            self.compute_row(recurrence_id)
            for recurrence_id, override in self.overrides.items()
            if not override.excluded and recurrence_id not in self.exdates
        )

    @cached_property
    def range_ids(self) -> list[date]:
        """The ids of the ranges, in order."""
        return sorted(self.ranges)

    @cached_property
    def max_duration(self) -> timedelta:
        """At least the duration of the longest occurrence that has no override of its own."""
        longest = max([self.effective_duration, *(self.measure_occurrence(*item) for item in self.ranges.items())])
        return longest + MAX_CLOCK_CHANGE if self.nominal_days else longest

    @cached_property
    def move_bounds(self) -> tuple[timedelta, timedelta]:
        """How far a range may move an occurrence, at most: to an earlier instant, and to a later one."""
        if not self.ranges:
            return NO_DURATION, NO_DURATION
        # A move is in local time, and from or to a time of day it may be up to a day further.
        days = [_count_days(start, key) for key, each in self.ranges.items() if (start := each.start) is not None]
        return (max(0, -min(days, default=0)) + 3) * DAY, (max(0, *days, 0) + 3) * DAY

    def find_range_ids(self, recurrence_id: date) -> list[date]:
        """Return the id of the range in which an occurrence is, in a list; or an empty one."""
        index = bisect_right(self.range_ids, recurrence_id)
        return self.range_ids[index - 1 : index] if index else []

    def find_range(self, recurrence_id: date) -> Override | None:
        """Return what the range says of an occurrence that it is in, or None."""
        if not self.ranges or not (ids := self.find_range_ids(recurrence_id)):
            return None
        (range_id,) = ids
        found = self.ranges[range_id]
        if found.start is None or range_id == recurrence_id:
            return found
        try:
            return replace(found, start=Shift(range_id, found.start).apply(recurrence_id))
        except RecurrenceError:
            # It would be outside the calendar.
            return replace(found, start=None, time_zone=None)

    def find_override(self, recurrence_id: date) -> Override | None:
        """Return all that differs in one occurrence, by an override of its own or by the range that it is in."""
        own = self.overrides.get(recurrence_id)
        if not self.ranges:
            return own
        inherited = self.find_range(recurrence_id)
        if own is None or inherited is None:
            return own or inherited
        return self.layer_override(inherited, own)

    def layer_override(self, inherited: Override, own: Override) -> Override:
        """Return all that differs in an occurrence with an override of its own in a range."""
        start, time_zone, duration = own.start, own.time_zone, own.duration
        if start is None:
            start, time_zone = inherited.start, inherited.time_zone
        if duration is None and _is_time(start, self) is _is_time(inherited.start, self):
            duration = inherited.duration
        return Override(start, duration, own.excluded, {**inherited.fields, **own.fields}, time_zone)

    def measure_occurrence(self, recurrence_id: date, override: Override | None = None) -> timedelta:
        """Return how long the occurrence with this id lasts: exactly, or in whole days if it has dates."""
        local = recurrence_id
        if override is not None:
            if override.duration is not None:
                return override.duration
            local = local if override.start is None else override.start
        if isinstance(local, datetime) is self.all_day:
            return NO_DURATION if isinstance(local, datetime) else DAY
        if not self.nominal_days or not isinstance(local, datetime):
            return self.effective_duration
        nominal = self.nominal_days * DAY
        end = add_clamped(to_utc(add_clamped(local, nominal), self.time_zone), self.effective_duration - nominal)
        return max(end - resolve_local(local, self.time_zone), NO_DURATION)

    def compute_row(self, recurrence_id: date) -> OccurrenceRow:
        """Return the row of the occurrence with this id, whether or not the series has one."""
        return self.compute_row_with(recurrence_id, self.find_override(recurrence_id))

    def compute_row_with(self, recurrence_id: date, override: Override | None) -> OccurrenceRow:
        """Return the row of an occurrence in which just this differs."""
        local, time_zone = recurrence_id, self.time_zone
        if override is not None:
            local = local if override.start is None else override.start
            time_zone = override.time_zone or time_zone
        duration = self.measure_occurrence(recurrence_id, override)
        start = resolve_local(local, time_zone)
        if isinstance(local, datetime):
            return start, recurrence_id, add_clamped(start, duration)
        end = add_days_clamped(local, duration)
        return start, recurrence_id, LATEST_INSTANT if end == date.max else to_utc(end, time_zone)

    def has_occurrence(self, recurrence_id: date) -> bool:
        """Return whether the series has an occurrence with this id."""
        if isinstance(recurrence_id, datetime) is self.all_day or recurrence_id in self.exdates:
            return False
        override = self.overrides.get(recurrence_id)
        return not override.excluded if override else self.generates(recurrence_id)

    def generates(self, recurrence_id: date) -> bool:
        """Return whether the start, the rule or `rdates` give this id, without regard to exceptions."""
        if recurrence_id == self.start or recurrence_id in self.rdates:
            return True
        return self.pattern is not None and self.pattern.contains(recurrence_id)


def find_first_local(series: Series) -> date:
    """Return the local start of a series, with `fold=1` if its first occurrence is the second of two equal times."""
    override = series.overrides.get(series.start)
    own = None if override is None or override.time_zone else override.start
    return own if isinstance(own, datetime) and own.fold and own == series.start else series.start


def set_fold_of_start(series: Series, fold: int) -> Series:
    """Return a series whose first occurrence is the first (0) or second (1) of two equal local times.

    A start is a local time, which means the first one (RFC 5545 §3.3.5). So the second one is an override.
    """
    start, override = series.start, series.overrides.get(series.start, Override())
    if not isinstance(start, datetime):
        return series
    if fold:
        override = replace(override, start=start.replace(fold=1), time_zone=None)
    elif find_first_local(series) is override.start:
        override = replace(override, start=None)
    overrides = {key: value for key, value in series.overrides.items() if key != start}
    return replace(series, overrides=overrides if override == Override() else {**overrides, start: override})


def _is_time(start: date | None, series: Series) -> bool:
    """Return whether the start of an override is a time of day; None is that of the series."""
    return isinstance(series.start if start is None else start, datetime)


def _count_days(start: date, recurrence_id: date) -> int:
    return start.toordinal() - recurrence_id.toordinal()


def _clear_fold(local: date) -> date:
    """Return the value with `fold=0`: a local time that occurs twice means the first (RFC 5545 §3.3.5)."""
    return local.replace(fold=0) if isinstance(local, datetime) and local.fold else local


def add_days_clamped(day: date, duration: timedelta) -> date:
    """Return the date this number of whole days later, but not after the last date of the calendar."""
    try:
        return day + duration
    except OverflowError:
        return date.max


def validate_series(series: Series) -> Series:
    """Return the series with its rule in canonical form. Raises `RecurrenceError` if it is not valid.

    The cost is bounded, whatever the rule.
    """
    _check_time_zone(series.time_zone)
    _check_dates("start", [series.start], series.all_day)
    _check_dates("rdates", series.rdates, series.all_day)
    _check_dates("exdates", series.exdates, series.all_day)
    _check_dates("overrides", series.overrides, series.all_day)
    _check_dates("overrides", series.ranges, series.all_day)
    _check_duration("duration", series.duration, series.all_day)
    for override in (*series.overrides.values(), *series.ranges.values()):
        all_day = series.all_day
        if override.start is not None:
            all_day = not isinstance(override.start, datetime)
            _check_dates("overrides", [override.start], all_day)
        if override.time_zone is not None:
            _check_time_zone(override.time_zone)
        _check_duration("overrides", override.duration, all_day)
    if series.rrule is None:
        return series
    if series.pattern is not None and series.pattern.is_empty:
        raise RecurrenceError("rrule", "must match at least one day, but matches none")
    rule = canonicalize_rule(parse_rule(series.rrule), series)
    if rule.until is not None and to_utc(series.start, series.time_zone) > _get_last_instant(rule.until, series):
        raise RecurrenceError("rrule", "must have an UNTIL that is not before the start")
    return replace(series, rrule=str(rule))


def canonicalize_rule(rule: RecurrenceRule, series: Series) -> RecurrenceRule:
    """Return the rule in the form that RFC 5545 §3.3.10 requires for the start of this series.

    UNTIL becomes a date for an all-day series, and an instant in UTC for a timed one. For an all-day
    series, the parts that select times of day are removed, because they must be ignored.
    """
    until = rule.until
    if series.all_day:
        rule = remove_times_of_day(rule)
        return replace(rule, until=until.date()) if isinstance(until, datetime) else rule
    if until is None:
        return rule
    return replace(rule, until=resolve_until(until, series.time_zone).replace(microsecond=0))


def _get_last_instant(until: date, series: Series) -> datetime:
    return to_utc(until, series.time_zone) if series.all_day else resolve_until(until, series.time_zone)


def _check_time_zone(time_zone: str) -> None:
    try:
        load_zone(time_zone)
    except UnknownZone as error:
        raise RecurrenceError("time_zone", str(error)) from None


def _check_dates(field_name: str, values: Collection[date], all_day: bool) -> None:
    if len(values) > MAX_DATES:
        raise RecurrenceError(field_name, f"must have at most {MAX_DATES} values, but has {len(values)}")
    for value in values:
        if isinstance(value, datetime) is all_day:
            kind = "dates, because the event is an all-day one" if all_day else "local times, because the event has one"
            raise RecurrenceError(field_name, f"must have {kind}, not {value.isoformat()}")
        if isinstance(value, datetime) and value.tzinfo is not None:
            raise RecurrenceError(field_name, f"must have local times without an offset, not {value.isoformat()}")


def _check_duration(field_name: str, duration: timedelta | None, all_day: bool) -> None:
    if duration is None:
        return
    if duration < NO_DURATION:
        raise RecurrenceError(field_name, "must have an end that is not before its start")
    if all_day and (duration < DAY or duration % DAY):
        raise RecurrenceError(field_name, "must have a whole number of days, at least one, for an all-day event")
