"""The recurrence of one event as a value: a start, how long it lasts, and when it comes again.

Local values are the truth. Those of an all-day series are dates; those of a timed one are naive
datetimes, wall time in the series' zone. A value names its occurrence for ever, also once that has
been moved: it is the occurrence's recurrence id (RFC 5545 §3.8.4.4).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from planner.domain.recurrence.pattern import Pattern, pattern
from planner.domain.recurrence.rrule import RecurrenceError, Rule, parse, until_instant, without_times
from planner.domain.zones import LATEST_INSTANT, UnknownZone, add_clamped, load_zone, to_utc

MAX_DATES = 5_000

DAY = timedelta(days=1)
NO_TIME = timedelta(0)

# An occurrence while it is looked for: the instant of its start, its recurrence id, that of its end.
# In this order rows compare as occurrences are listed.
Row = tuple[datetime, date, datetime]


@dataclass(frozen=True, slots=True)
class Override:
    """What differs about one occurrence (RFC 8984 §4.3.5 calls it a patch).

    `start` and `duration` are those of the occurrence where they differ; `excluded` means that it
    does not take place. `fields` is whatever else the caller changed, which is only carried along.
    """

    start: date | None = None
    duration: timedelta | None = None
    excluded: bool = False
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """All occurrences of an event, of which there may be infinitely many or only one.

    The set is the start, the instances of the rule and `rdates`, without `exdates` (RFC 5545
    §3.8.5). The start is always in it, and counts in COUNT, even if it does not match the rule:
    RFC 5545 leaves that open, RFC 8984 §4.3.3 settles it so, and Apple and Google show it. An
    override whose recurrence id is not in the set adds an occurrence (RFC 8984 §4.3.5); one whose
    id is in `exdates` does not.

    `duration` is exact for timed series, whose occurrences all last equally long even when the
    clocks change meanwhile (RFC 5545 §3.8.5.3 on DTEND), and in whole days for all-day series. None
    means one day for those and no time at all for timed ones (§3.6.1).

    A zone matters to an all-day series only when it is compared with instants: its days begin at
    midnight there.

    A series may be built from anything; `validate` tells whether it makes sense.
    """

    start: date
    duration: timedelta | None = None
    zone: str = "UTC"
    rrule: str | None = None
    rdates: frozenset[date] = frozenset()
    exdates: frozenset[date] = frozenset()
    overrides: Mapping[date, Override] = field(default_factory=dict)

    @cached_property
    def all_day(self) -> bool:
        """Whether occurrences last whole days."""
        return not isinstance(self.start, datetime)

    @cached_property
    def length(self) -> timedelta:
        """How long an occurrence lasts unless an override says otherwise."""
        if self.duration is None:
            return DAY if self.all_day else NO_TIME
        return self.duration

    @cached_property
    def pattern(self) -> Pattern | None:
        """The instances of the rule, or None without a rule."""
        return None if self.rrule is None else pattern(self.rrule, self.start, self.zone)

    @cached_property
    def gone(self) -> frozenset[date]:
        """The recurrence ids that are not simply occurrences of the set."""
        return self.exdates.union(self.overrides)

    @cached_property
    def fixed(self) -> list[date]:
        """The recurrence ids that are in the set whatever the rule says, in order."""
        return sorted(map(_first_time, {self.start, *self.rdates} - self.gone))

    @cached_property
    def changed(self) -> list[Row]:
        """The occurrences with an override, in order."""
        return sorted(
            self.row(recurrence_id, override)
            for recurrence_id, override in self.overrides.items()
            if not override.excluded and recurrence_id not in self.exdates
        )

    def row(self, recurrence_id: date, override: Override | None = None) -> Row:
        """When the occurrence with this id begins and ends."""
        local, length = recurrence_id, self.length
        if override is not None:
            local = local if override.start is None else override.start
            length = length if override.duration is None else override.duration
        start = to_utc(local, self.zone)
        if isinstance(local, datetime):
            return start, recurrence_id, add_clamped(start, length)
        end = days_later(local, length)
        return start, recurrence_id, LATEST_INSTANT if end == date.max else to_utc(end, self.zone)

    def has(self, recurrence_id: date) -> bool:
        """Whether an occurrence has this id."""
        if isinstance(recurrence_id, datetime) is self.all_day or recurrence_id in self.exdates:
            return False
        override = self.overrides.get(recurrence_id)
        return not override.excluded if override else self.includes(recurrence_id)

    def includes(self, local: date) -> bool:
        """Whether the start, the rule or `rdates` give this id, whatever has become of it."""
        return local == self.start or local in self.rdates or (self.pattern is not None and self.pattern.has(local))


def _first_time(local: date) -> date:
    """The value without `fold`: a time that comes twice means the first (RFC 5545 §3.3.5)."""
    return local.replace(fold=0) if isinstance(local, datetime) and local.fold else local


def days_later(day: date, length: timedelta) -> date:
    """The date a whole number of days later, the last of the calendar at most."""
    try:
        return day + length
    except OverflowError:
        return date.max


def validate(series: Series) -> Series:
    """The same series with its rule in canonical form; raises RecurrenceError if it makes no sense.

    The cost is bounded, whatever the rule.
    """
    try:
        load_zone(series.zone)
    except UnknownZone as error:
        raise RecurrenceError("zone", str(error)) from None
    _check_kind("start", [series.start], series.all_day)
    _check_kind("rdates", series.rdates, series.all_day)
    _check_kind("exdates", series.exdates, series.all_day)
    _check_kind("overrides", series.overrides, series.all_day)
    _check_duration("duration", series.duration, series.all_day)
    for override in series.overrides.values():
        if override.start is not None:
            _check_kind("overrides", [override.start], series.all_day)
        _check_duration("overrides", override.duration, series.all_day)
    if series.rrule is None:
        return series
    if series.pattern is not None and series.pattern.never:
        raise RecurrenceError("rrule", "no day ever matches this rule")
    rule = canonical(parse(series.rrule), series)
    if rule.until is not None and to_utc(series.start, series.zone) > _last_instant(rule.until, series):
        raise RecurrenceError("rrule", "UNTIL is before the start")
    return replace(series, rrule=str(rule))


def canonical(rule: Rule, series: Series) -> Rule:
    """The rule as RFC 5545 §3.3.10 wants it for this start.

    UNTIL becomes a date for an all-day series and an instant in UTC for a timed one, and parts that
    choose times of the day, which an all-day series must ignore, are left out.
    """
    until = rule.until
    if series.all_day:
        rule = without_times(rule)
        return replace(rule, until=until.date()) if isinstance(until, datetime) else rule
    if until is None:
        return rule
    return replace(rule, until=until_instant(until, series.zone).replace(microsecond=0))


def _last_instant(until: date, series: Series) -> datetime:
    return to_utc(until, series.zone) if series.all_day else until_instant(until, series.zone)


def _check_kind(name: str, values: Collection[date], all_day: bool) -> None:
    if len(values) > MAX_DATES:
        raise RecurrenceError(name, f"there are at most {MAX_DATES} of them, not {len(values)}")
    for value in values:
        if isinstance(value, datetime) is all_day:
            wanted = (
                "a date, because the event lasts whole days" if all_day else "a local time, because the event has one"
            )
            raise RecurrenceError(name, f"{value.isoformat()} has to be {wanted}")
        if isinstance(value, datetime) and value.tzinfo is not None:
            raise RecurrenceError(name, f"{value.isoformat()} has to be in local time, without an offset")


def _check_duration(name: str, duration: timedelta | None, all_day: bool) -> None:
    if duration is None:
        return
    if duration < NO_TIME:
        raise RecurrenceError(name, "the end comes before the start")
    if all_day and (duration < DAY or duration % DAY):
        raise RecurrenceError(name, "an all-day event lasts one or more whole days")
