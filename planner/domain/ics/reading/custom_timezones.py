"""Time zones that a file defines itself (VTIMEZONE, RFC 5545 §3.6.5), and their clocks."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from planner.domain.ics.reading.components import Component
from planner.domain.ics.reading.properties import Property, Unreadable, parse_property, parse_times
from planner.domain.recurrence.pattern import compile_pattern
from planner.domain.recurrence.rrule import RecurrenceError, parse_rule
from planner.domain.recurrence.series import Series, validate_series
from planner.domain.zones import add_clamped

MAX_OBSERVANCES = 200
MAX_ONSETS = 2_000
# The transitions are computed for so many years at a time, when they are needed.
_YEARS_AT_A_TIME = 16

_UTC_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)


class Observance(NamedTuple):
    """A STANDARD or DAYLIGHT part of a VTIMEZONE: the local times of its onsets, and the offsets before and after."""

    start: datetime
    rrule: str | None
    onsets: frozenset[datetime]
    before: timedelta
    after: timedelta

    @property
    def last_onset(self) -> datetime | None:
        """The local time of its last onset, or None if its rule has no end."""
        pattern = None if self.rrule is None else compile_pattern(self.rrule, self.start, "UTC")
        if pattern is None:
            return max(self.onsets)
        if pattern.is_endless:
            return None
        return max([*self.onsets, *_as_times(pattern.iterate_backwards(datetime.max), 1)])

    def list_onsets(self, since: datetime, until: datetime) -> list[datetime]:
        """Return the local times of the onsets from `since` up to `until`, and of the last one before."""
        onsets = [onset for onset in self.onsets if since <= onset < until]
        earlier = [onset for onset in self.onsets if onset < since]
        if self.rrule is not None:
            # The local times of onsets are in the offset before them, so they are computed as if that were UTC.
            pattern = compile_pattern(self.rrule, self.start, "UTC")
            onsets += _as_times(iter(pattern.find_between(since, until - timedelta(microseconds=1))), MAX_ONSETS)
            if since > self.start:
                earlier += _as_times(pattern.iterate_backwards(since - timedelta(microseconds=1)), 1)
        return sorted({*onsets, *([max(earlier)] if earlier else [])})


class OffsetTransition(NamedTuple):
    """A change of the offset: its instant, and the offsets before and after."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def local(self) -> datetime:
        """The first local time that has the new offset; of one that occurs twice, the first is meant (§3.3.5)."""
        return add_clamped(self.at, max(self.before, self.after)).replace(tzinfo=None)


class _Transitions(NamedTuple):
    """Some transitions in order, with the last one before them; their instants, and their local times."""

    transitions: list[OffsetTransition]
    instants: list[datetime]
    locals: list[datetime]


class CustomTimezone:
    """A time zone that a file defines. `location` is the name by which the program that wrote the file knows it.

    Before the first onset it has the offset that this onset changes, and after the last one that of the last one.
    """

    def __init__(self, location: str | None, observances: tuple[Observance, ...]) -> None:
        self.location = location
        self._observances = observances
        self._transitions: dict[int, _Transitions] = {}

    @cached_property
    def first_transition(self) -> OffsetTransition:
        """The transition of the first onset."""
        return min(_build_transition(observance, min(observance.onsets)) for observance in self._observances)

    @cached_property
    def last_transition(self) -> OffsetTransition | None:
        """The transition of the last onset; None if there are onsets in every year, or none changes the offset."""
        last = [(observance, observance.last_onset) for observance in self._observances]
        ends = [_build_transition(observance, onset) for observance, onset in last if onset is not None]
        changes_offset = len({*self._list_offsets()}) > 1
        return max(ends) if changes_offset and len(ends) == len(last) else None

    def _list_offsets(self) -> Iterator[timedelta]:
        for observance in self._observances:
            yield from (observance.before, observance.after)

    def list_transitions(self, since: datetime, until: datetime) -> list[OffsetTransition]:
        """Return the transitions after an instant up to another."""
        found: list[OffsetTransition] = []
        for year in range(_first_year(since.year), until.year + 1, _YEARS_AT_A_TIME):
            found += [each for each in self._load(year).transitions if since < each.at <= until]
        return list(dict.fromkeys(found))

    def get_offset(self, instant: datetime) -> timedelta:
        """Return the offset at an instant."""
        years = self._load(instant.year)
        return self._get_offset(years, bisect_right(years.instants, instant))

    def to_utc(self, local: datetime) -> datetime:
        """Return the instant of a local time, as `zones.to_utc` does."""
        years = self._load(local.year)
        offset = self._get_offset(years, bisect_right(years.locals, local))
        return add_clamped(local.replace(tzinfo=UTC), -offset)

    def to_local(self, instant: datetime) -> datetime:
        """Return the local time at an instant."""
        return add_clamped(instant, self.get_offset(instant)).replace(tzinfo=None)

    def _get_offset(self, years: _Transitions, index: int) -> timedelta:
        if index:
            return years.transitions[index - 1].after
        return years.transitions[0].before if years.transitions else self.first_transition.before

    def _load(self, year: int) -> _Transitions:
        """Return the transitions of some years, of which this is one, and of a day before and after."""
        first = _first_year(year)
        if first not in self._transitions:
            since = datetime(first, 1, 1) - timedelta(days=2) if first > 1 else datetime.min
            last = first + _YEARS_AT_A_TIME
            until = datetime(last, 1, 3) if last < datetime.max.year else datetime.max
            transitions = sorted(
                _build_transition(observance, onset)
                for observance in self._observances
                for onset in observance.list_onsets(since, until)
            )
            instants = [transition.at for transition in transitions]
            self._transitions[first] = _Transitions(
                transitions, instants, [transition.local for transition in transitions]
            )
        return self._transitions[first]


def _first_year(year: int) -> int:
    return max(year - year % _YEARS_AT_A_TIME, 1)


def _build_transition(observance: Observance, onset: datetime) -> OffsetTransition:
    at = add_clamped(onset.replace(tzinfo=UTC), -observance.before)
    return OffsetTransition(at, observance.before, observance.after)


def parse_vtimezone(component: Component) -> tuple[str, CustomTimezone] | None:
    """Return the TZID and the time zone of a VTIMEZONE, or None if it cannot be read."""
    tzid = None
    for line in component.lines:
        try:
            prop = parse_property(line)
        except Unreadable:
            continue
        if prop.name == "TZID":
            tzid = prop.value.strip().strip('"')
    parts = [part for part in component.components if part.name in ("STANDARD", "DAYLIGHT")]
    if not tzid or not parts or len(parts) > MAX_OBSERVANCES:
        return None
    try:
        observances = tuple(map(_parse_observance, parts))
    except (Unreadable, RecurrenceError, OverflowError):
        return None
    return tzid, CustomTimezone(component.find_value("X-LIC-LOCATION"), observances)


def _parse_observance(component: Component) -> Observance:
    start: datetime | None = None
    rrule: str | None = None
    onsets: set[datetime] = set()
    offsets: dict[str, timedelta] = {}
    for prop in map(parse_property, component.lines):
        match prop.name:
            case "DTSTART" | "RDATE":
                times = [time.value for time in parse_times(prop) if isinstance(time.value, datetime)]
                onsets.update(times)
                if prop.name == "DTSTART" and times:
                    start = times[0]
            case "RRULE":
                rrule = prop.value
            case "TZOFFSETFROM" | "TZOFFSETTO":
                offsets[prop.name] = _parse_offset(prop)
    if start is None or len(offsets) < 2 or len(onsets) > MAX_ONSETS:
        raise Unreadable("its time zone lacks a DTSTART, TZOFFSETFROM or TZOFFSETTO, or has too many dates")
    before = offsets["TZOFFSETFROM"]
    if rrule is not None:
        rule = parse_rule(rrule)
        if isinstance(rule.until, datetime) and rule.until.tzinfo is not None:
            rule = replace(rule, until=add_clamped(rule.until, before))
        rrule = validate_series(Series(start, rrule=str(rule))).rrule
    return Observance(start, rrule, frozenset(onsets), before, offsets["TZOFFSETTO"])


def _parse_offset(prop: Property) -> timedelta:
    found = _UTC_OFFSET.fullmatch(prop.value.strip())
    if found is not None:
        size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
        if size < timedelta(days=1):
            return -size if found[1] == "-" else size
    raise Unreadable(f"the {prop.name} of its time zone is not an offset, such as +0100")


def _as_times(values: Iterator[date], limit: int) -> list[datetime]:
    return [value for value in islice(values, limit) if isinstance(value, datetime)]
