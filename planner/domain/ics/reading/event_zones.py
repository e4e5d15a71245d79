"""The IANA time zone in which an event is stored, and its occurrences that are at another local time there.

The clocks that a file describes decide. If they agree with those of the zone of that name, or of another one, at
the times of the event, its times stay as they are written. Else a single event keeps its instants, in a
zone with a fixed offset; and a series is stored in the nearest zone, with the occurrences at which the
clocks differ moved to their instants. See docs/decisions/0023-time-zones-of-files.md.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from typing import NamedTuple

from planner.domain.ics.reading.tzids import COMPARED_YEARS, COMPUTED_YEARS, FileZone, TzidResolver
from planner.domain.ics.reading.zone_matching import NearestZone, Span, find_differences
from planner.domain.recurrence.pattern import Pattern, compile_pattern
from planner.domain.recurrence.rrule import RecurrenceError, RecurrenceRule, parse_rule
from planner.domain.recurrence.shift import Shift, move_rule
from planner.domain.zones import MAX_CLOCK_CHANGE, add_clamped, find_fixed_offset_zone, to_local, to_utc

# A zone is the described one if they differ for less time than this.
MAX_DIFFERENCE = timedelta(days=1)
# So many occurrences of a series are moved to the instants at which the file has them.
MAX_MOVED = 400
# So many occurrences are compared with those of a rule that has been moved to another local time.
MAX_COMPARED = 200
_YEAR, _HOUR = timedelta(days=366), timedelta(hours=1)


class SeriesStart(NamedTuple):
    """When the occurrences of a series begin, in the clocks of the file: its first one, its rule and its rdates.

    `nominal` is the length of an occurrence as far as it is in days.
    """

    start: datetime
    rrule: str | None = None
    rdates: Collection[datetime] = ()
    nominal: timedelta = timedelta(0)

    def compile(self, zone: FileZone) -> Pattern | None:
        """Return the instances of the rule; None without one, or if it is not valid, which is found out later."""
        if self.rrule is None:
            return None
        try:
            # An UNTIL in local time ends the rule at the same occurrence, whatever the offset of the zone.
            return compile_pattern(_convert_until(zone, self.rrule), self.start, "UTC")
        except RecurrenceError:
            return None


class EventZone(NamedTuple):
    """The zone in which an event is stored.

    If its times do not stay as they are written (`keeps_local_times`), they are at their instants in this zone.
    `moved` has the local times of occurrences that begin at another instant than they would in this zone,
    and `warning` says what was done, or is None. `rrule` replaces the rule of the series, if it has to change.
    """

    name: str
    keeps_local_times: bool = True
    warning: str | None = None
    rrule: str | None = None
    moved: tuple[datetime, ...] = ()


def choose_single_zone(zone: FileZone, local: datetime, tzids: TzidResolver) -> EventZone:
    """Return the zone of one local time."""
    if zone.name is not None and zone.agrees_at(local):
        return EventZone(zone.name)
    assert zone.custom is not None
    instant = zone.custom.to_utc(local)
    span = Span(instant, instant)
    if name := tzids.find_equal(zone, span):
        return EventZone(name)
    nearest = tzids.find_nearest(zone, span)
    if nearest is not None and to_utc(local, nearest.name) == instant:
        return EventZone(nearest.name, warning=_warn_of_nearest(zone, nearest))
    name = find_fixed_offset_zone(zone.custom.get_offset(instant)) or "UTC"
    return EventZone(name, False, f"{_describe(zone)}; it is stored at the same instants in the time zone {name}")


def choose_series_zone(zone: FileZone, series: SeriesStart, tzids: TzidResolver) -> EventZone:
    """Return the zone of a series."""
    if zone.custom is None or (zone.name is not None and not _find_conflicting(zone, zone.name, series, tzids)):
        assert zone.name is not None
        return EventZone(zone.name)
    start, end, pattern = zone.to_utc(series.start), _find_end(zone, series), series.compile(zone)
    is_endless = pattern is not None and pattern.is_endless
    if name := tzids.find_equal(zone, Span(start, _find_compared_end(zone, series) if is_endless else end)):
        return EventZone(name)
    if moved := _move_to_fixed_offset(zone, series, Span(start, end)):
        return moved
    nearest = tzids.find_nearest(zone, Span(start, end)) or NearestZone(zone.name or "UTC", MAX_DIFFERENCE)
    ids = tuple(islice(_find_moved(zone, nearest.name, series, Span(start, end)), MAX_MOVED + 1))
    if not ids:
        return EventZone(nearest.name, warning=_warn_of_nearest(zone, nearest))
    is_bounded = is_endless or len(ids) > MAX_MOVED
    reached = end if len(ids) <= MAX_MOVED else zone.to_utc(ids[MAX_MOVED - 1])
    until = f" until {reached.date().isoformat()}" if is_bounded else ""
    warning = (
        f"{_describe(zone)}; its occurrences are stored in {nearest.name}, the nearest one, and "
        f"{min(len(ids), MAX_MOVED)} of them{until} are moved to the instants that the file says"
    )
    rrule = None if pattern is None or series.rrule is None else _convert_until(zone, series.rrule)
    return EventZone(nearest.name, True, warning, rrule, ids[:MAX_MOVED])


def _warn_of_nearest(zone: FileZone, nearest: NearestZone) -> str | None:
    """Return the warning for times at which the nearest zone agrees; None if it is different for some hours only.

    Descriptions often differ from a zone in the hour at which its clocks change.
    """
    if nearest.difference < MAX_DIFFERENCE:
        return None
    return f"{_describe(zone)}; it is stored in {nearest.name}, whose clocks agree with it at the times of the event"


def _describe(zone: FileZone) -> str:
    tzid = zone.tzid if len(zone.tzid) <= 60 else f"{zone.tzid[:59]}…"
    return f"its time zone {tzid!r}, as the file describes it, is none that is known"


def _find_end(zone: FileZone, series: SeriesStart) -> datetime:
    """Return the instant up to which the occurrences of a series matter: its last one, or that of some years."""
    pattern, limit = series.compile(zone), add_clamped(zone.to_utc(series.start), COMPUTED_YEARS * _YEAR)
    if pattern is not None and pattern.is_endless:
        return limit
    last = max([series.start, *series.rdates])
    if pattern is not None and isinstance(pattern.last, datetime):
        last = max(last, pattern.last)
    return min(add_clamped(zone.to_utc(last), MAX_CLOCK_CHANGE), limit)


def _find_compared_end(zone: FileZone, series: SeriesStart) -> datetime:
    return add_clamped(zone.to_utc(series.start), COMPARED_YEARS * _YEAR)


def _find_conflicting(zone: FileZone, name: str, series: SeriesStart, tzids: TzidResolver) -> bool:
    """Return whether an occurrence begins at another instant by the clocks of the name than by those of the file.

    Of a series without an end, some years are compared.
    """
    assert zone.custom is not None
    if not zone.agrees_at(series.start):
        return True
    differences = tzids.list_differences(zone, zone.to_utc(series.start))
    if not differences:
        return False
    pattern = series.compile(zone)
    end = _find_compared_end(zone, series) if pattern is not None and pattern.is_endless else _find_end(zone, series)
    return any(_select_moved(zone, name, series, differences, end))


def _find_moved(zone: FileZone, name: str, series: SeriesStart, span: Span) -> Iterator[datetime]:
    assert zone.custom is not None
    return _select_moved(zone, name, series, find_differences(zone.custom, name, span), span.until)


def _select_moved(
    zone: FileZone, name: str, series: SeriesStart, differences: list[Span], end: datetime
) -> Iterator[datetime]:
    """Yield the starts of the occurrences that begin or end at another instant than they would in a zone.

    They are in or near the given spans, and not after the end.
    """
    assert zone.custom is not None
    pattern, explicit = series.compile(zone), sorted({series.start, *series.rdates})
    latest = zone.custom.to_local(end)
    done = datetime.min
    for since, until in differences:
        low = max(add_clamped(zone.custom.to_local(since), -MAX_CLOCK_CHANGE - series.nominal), done)
        high = min(add_clamped(zone.custom.to_local(until), MAX_CLOCK_CHANGE), latest)
        if low > high:
            continue
        done = add_clamped(high, timedelta(microseconds=1))
        found = {local for local in explicit if low <= local <= high}
        if pattern is not None:
            found.update(local for local in pattern.find_between(low, high) if isinstance(local, datetime))
        for local in sorted(found):
            times = {local, add_clamped(local, series.nominal)}
            if any(zone.custom.to_utc(time) != to_utc(time, name) for time in times):
                yield local


def _move_to_fixed_offset(zone: FileZone, series: SeriesStart, span: Span) -> EventZone | None:
    """Return a zone with a fixed offset for a series whose clocks never change, such as that of -03:30.

    The rule is moved along with the start; None if it cannot be.
    """
    assert zone.custom is not None
    if zone.custom.list_transitions(*span):
        return None
    whole_hours = zone.custom.get_offset(span.since) // _HOUR
    for hours in (whole_hours, whole_hours + 1):
        name = find_fixed_offset_zone(hours * _HOUR)
        if name is None:
            continue
        try:
            rrule = series.rrule and str(_move_rule(zone, parse_rule(series.rrule), series.start, name))
        except RecurrenceError:
            continue
        if rrule and not _has_same_occurrences(zone, series, rrule, name):
            continue
        warning = f"{_describe(zone)}; its occurrences are stored at the same instants in the time zone {name}"
        return EventZone(name, False, warning, rrule)
    return None


def _has_same_occurrences(zone: FileZone, series: SeriesStart, rrule: str, name: str) -> bool:
    """Return whether the first occurrences of a moved rule are those of the series.

    A last Friday is not always the day after a last Thursday.
    """
    pattern, moved = series.compile(zone), compile_pattern(rrule, to_local(zone.to_utc(series.start), name), name)
    if pattern is None:
        return False
    pairs = zip_longest(pattern.iterate_from(series.start), moved.iterate_from(datetime.min))
    return all(
        isinstance(one, datetime) and isinstance(other, datetime) and zone.to_utc(one) == to_utc(other, name)
        for one, other in islice(pairs, MAX_COMPARED)
    )


def _move_rule(zone: FileZone, rule: RecurrenceRule, start: datetime, name: str) -> RecurrenceRule:
    moved = move_rule(rule, Shift(start, to_local(zone.to_utc(start), name)))
    until = rule.until
    if until is None:
        return moved
    if not isinstance(until, datetime):
        until = datetime.combine(until, datetime.max.time().replace(microsecond=0))
    return replace(moved, until=until if until.tzinfo else zone.to_utc(until))


def _convert_until(zone: FileZone, rrule: str) -> str:
    """Return a rule with its UNTIL in local time. Raises `RecurrenceError`."""
    rule = parse_rule(rrule)
    if not isinstance(rule.until, datetime) or rule.until.tzinfo is None:
        return rrule
    assert zone.custom is not None
    return str(replace(rule, until=zone.custom.to_local(rule.until)))
