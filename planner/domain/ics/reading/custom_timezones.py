"""Time zones that a file defines itself (VTIMEZONE, RFC 5545 §3.6.5), and the IANA zones that are equal to them."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from planner.domain.ics.reading.components import Component
from planner.domain.ics.reading.properties import Property, Unreadable, parse_property, parse_times
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Series, validate_series
from planner.domain.zones import list_zone_names, load_zone

# Two zones are equal if their offsets are equal in this number of years, from the year of an event on. A file
# cannot know how the rules of later years will change.
COMPARED_YEARS = 3
MAX_OBSERVANCES = 200
MAX_ONSETS = 2_000

_UTC_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)
_SECOND = timedelta(seconds=1)
# If several zones are equal to a custom one, the first of these is preferred.
_PREFERRED_ZONES = (
    *("Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Helsinki", "Europe/Istanbul", "Europe/Moscow"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "Pacific/Honolulu", "America/Halifax", "America/Sao_Paulo", "Asia/Dubai"),
    *("Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland"),
)


class Observance(NamedTuple):
    """A STANDARD or DAYLIGHT part of a VTIMEZONE: the local times of its onsets, and the offsets before and after."""

    start: datetime
    rrule: str | None
    onsets: frozenset[datetime]
    before: timedelta
    after: timedelta


class OffsetTransition(NamedTuple):
    """A change of the offset: its instant as a naive datetime in UTC, and the offsets before and after."""

    at: datetime
    before: timedelta
    after: timedelta


class CustomTimezone(NamedTuple):
    """A time zone that a file defines. `location` is the name by which the program that wrote the file knows it."""

    location: str | None
    observances: tuple[Observance, ...]

    def list_transitions(self, year: int) -> list[OffsetTransition]:
        """Return the transitions of the compared years from this one on, in order, and the last one before them."""
        since, until = datetime(max(year, 1), 1, 1), datetime(min(year + COMPARED_YEARS, 9999), 1, 1)
        transitions = [
            OffsetTransition(onset - observance.before, observance.before, observance.after)
            for observance in self.observances
            for onset in _list_onsets(observance, since, until)
        ]
        transitions.sort()
        earlier = sum(transition.at <= since for transition in transitions)
        return transitions[max(earlier - 1, 0) :]

    def find_constant_offset(self, year: int) -> timedelta | None:
        """Return the offset of the compared years from this one on, or None if it changes."""
        offsets = {transition.after for transition in self.list_transitions(year)}
        return next(iter(offsets)) if len(offsets) == 1 else None


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
    if rrule is not None:
        rrule = validate_series(Series(start, rrule=rrule)).rrule
    return Observance(start, rrule, frozenset(onsets), offsets["TZOFFSETFROM"], offsets["TZOFFSETTO"])


def _parse_offset(prop: Property) -> timedelta:
    found = _UTC_OFFSET.fullmatch(prop.value.strip())
    if found is not None:
        size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
        if size < timedelta(days=1):
            return -size if found[1] == "-" else size
    raise Unreadable(f"the {prop.name} of its time zone is not an offset, such as +0100")


def _list_onsets(observance: Observance, since: datetime, until: datetime) -> list[datetime]:
    """Return the onsets of an observance from `since` up to `until`, and the last one before; in local time."""
    onsets = {onset for onset in observance.onsets if since <= onset < until}
    earlier = [onset for onset in observance.onsets if onset < since]
    if observance.rrule is not None:
        # The local times of onsets are in the offset before them, so they are computed as if that were UTC.
        series = Series(observance.start, rrule=observance.rrule)
        window_start = max(since - timedelta(days=800), datetime.min)
        for occurrence in list_occurrences(series, _in_utc(window_start), _in_utc(until), limit=100).items:
            onset = occurrence.recurrence_id
            assert isinstance(onset, datetime)
            if onset >= since:
                onsets.add(onset)
            else:
                earlier.append(onset)
    return sorted(onsets | ({max(earlier)} if earlier else set()))


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


@cache
def _list_candidates() -> tuple[str, ...]:
    """Return the names of all zones of places, the most likely ones first."""
    likely = (*_PREFERRED_ZONES, *dict.fromkeys(WINDOWS_TO_OLSON.values()))
    places = sorted(name for name in list_zone_names() if "/" in name and not name.startswith("Etc/"))
    return tuple(dict.fromkeys(name for name in (*likely, *places) if name in list_zone_names()))


def find_matching_zone(custom: CustomTimezone, year: int) -> str | None:
    """Return the IANA zone that has the same offsets as a custom one in the compared years, or None.

    Comparing all zones takes some milliseconds.
    """
    transitions = custom.list_transitions(year)
    since, until = datetime(year, 1, 1), datetime(min(year + COMPARED_YEARS, 9999), 1, 1)
    # The offset is compared at the first, the middle and the last second of the time between two transitions.
    samples: list[tuple[datetime, timedelta]] = []
    for index, transition in enumerate(transitions):
        end = transitions[index + 1].at if index + 1 < len(transitions) else until
        first, last = max(transition.at, since), end - _SECOND
        if first <= last:
            moments = (first, first + (last - first) / 2, last)
            samples += [(_in_utc(moment), transition.after) for moment in moments]
    if not samples:
        return None
    for name in _list_candidates():
        candidate = load_zone(name)
        if all(moment.astimezone(candidate).utcoffset() == offset for moment, offset in samples):
            return name
    return None
