"""Zones that a file describes itself (VTIMEZONE, RFC 5545 §3.6.5), and which zone of `tzdata` agrees with one."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from planner.domain.ics.reading.components import Component
from planner.domain.ics.reading.properties import Unreadable, parse_property, parse_times
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Series, validate_series
from planner.domain.zones import list_zone_names, load_zone

# So many years from the one in question on, the offsets have to agree: a rule that comes later is not known.
COMPARED_YEARS = 3
MAX_OBSERVANCES = 200
MAX_ONSETS = 2_000

_UTC_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)
_SECOND = timedelta(seconds=1)
# Where several zones agree, one of these is meant, in this order.
_WELL_KNOWN = (
    *("Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Helsinki", "Europe/Istanbul", "Europe/Moscow"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "Pacific/Honolulu", "America/Halifax", "America/Sao_Paulo", "Asia/Dubai"),
    *("Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland"),
)


class Observance(NamedTuple):
    """A part of a VTIMEZONE: from which local times on it holds, and the offsets before and after."""

    start: datetime
    rrule: str | None
    onsets: frozenset[datetime]
    before: timedelta
    after: timedelta


class OffsetTransition(NamedTuple):
    """When the clocks are changed, in UTC without a zone, and the offsets before and after."""

    at: datetime
    before: timedelta
    after: timedelta


class CustomTimezone(NamedTuple):
    """A zone as a file describes it; `location` is the name that its program knows it by."""

    location: str | None
    observances: tuple[Observance, ...]

    def changes(self, year: int) -> list[OffsetTransition]:
        """The changes of the years from this one on, in order, and the last one before them."""
        since, until = datetime(max(year, 1), 1, 1), datetime(min(year + COMPARED_YEARS, 9999), 1, 1)
        found = [
            OffsetTransition(onset - observance.before, observance.before, observance.after)
            for observance in self.observances
            for onset in _onsets(observance, since, until)
        ]
        found.sort()
        before = sum(change.at <= since for change in found)
        return found[max(before - 1, 0) :]

    def constant(self, year: int) -> timedelta | None:
        """The one offset that it has in these years; None when there are several."""
        offsets = {change.after for change in self.changes(year)}
        return next(iter(offsets)) if len(offsets) == 1 else None


def parse_vtimezone(block: Component) -> tuple[str, CustomTimezone] | None:
    """The TZID and the zone of a VTIMEZONE; None for one that cannot be read."""
    tzid = None
    for line in block.lines:
        try:
            told = parse_property(line)
        except Unreadable:
            continue
        if told.name == "TZID":
            tzid = told.value.strip().strip('"')
    parts = [part for part in block.blocks if part.name in ("STANDARD", "DAYLIGHT")]
    if not tzid or not parts or len(parts) > MAX_OBSERVANCES:
        return None
    try:
        observances = tuple(map(_observance, parts))
    except (Unreadable, RecurrenceError, OverflowError):
        return None
    return tzid, CustomTimezone(block.first("X-LIC-LOCATION"), observances)


def _observance(block: Component) -> Observance:
    start: datetime | None = None
    rrule: str | None = None
    onsets: set[datetime] = set()
    offsets: dict[str, timedelta] = {}
    for told in map(parse_property, block.lines):
        match told.name:
            case "DTSTART" | "RDATE":
                times = [moment.value for moment in parse_times(told) if isinstance(moment.value, datetime)]
                onsets.update(times)
                if told.name == "DTSTART" and times:
                    start = times[0]
            case "RRULE":
                rrule = told.value
            case "TZOFFSETFROM" | "TZOFFSETTO":
                offsets[told.name] = _offset(told.value)
    if start is None or len(offsets) < 2 or len(onsets) > MAX_ONSETS:
        raise Unreadable("one of its time zones is not complete")
    if rrule is not None:
        rrule = validate_series(Series(start, rrule=rrule)).rrule
    return Observance(start, rrule, frozenset(onsets), offsets["TZOFFSETFROM"], offsets["TZOFFSETTO"])


def _offset(text: str) -> timedelta:
    found = _UTC_OFFSET.fullmatch(text.strip())
    if found is None:
        raise Unreadable("one of its time zones has an offset that is none")
    size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    if size >= timedelta(days=1):
        raise Unreadable("one of its time zones has an offset that is none")
    return -size if found[1] == "-" else size


def _onsets(observance: Observance, since: datetime, until: datetime) -> list[datetime]:
    """When an observance begins in a stretch of time, and the last time before; in local time."""
    found = {onset for onset in observance.onsets if since <= onset < until}
    earlier = [onset for onset in observance.onsets if onset < since]
    if observance.rrule is not None:
        # As though local time were UTC: an onset is told by the clocks from before it.
        series = Series(observance.start, rrule=observance.rrule)
        window = (_aware(max(since - timedelta(days=800), datetime.min)), _aware(until))
        for item in list_occurrences(series, *window, limit=100).items:
            assert isinstance(item.recurrence_id, datetime)
            if item.recurrence_id >= since:
                found.add(item.recurrence_id)
            else:
                earlier.append(item.recurrence_id)
    return sorted(found | ({max(earlier)} if earlier else set()))


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


@cache
def _candidates() -> tuple[str, ...]:
    """Every zone, those first that are most likely meant; without what is no place."""
    known = (*_WELL_KNOWN, *dict.fromkeys(WINDOWS_TO_OLSON.values()))
    places = sorted(name for name in list_zone_names() if "/" in name and not name.startswith("Etc/"))
    return tuple(dict.fromkeys(name for name in (*known, *places) if name in list_zone_names()))


def find_matching_zone(zone_: CustomTimezone, year: int) -> str | None:
    """The zone whose clocks show the same as the described one's in the years from this one on; None for none."""
    changes = zone_.changes(year)
    since, until = datetime(year, 1, 1), datetime(min(year + COMPARED_YEARS, 9999), 1, 1)
    samples: list[tuple[datetime, timedelta]] = []
    for n, change in enumerate(changes):
        over = changes[n + 1].at if n + 1 < len(changes) else until
        first, last = max(change.at, since), over - _SECOND
        if first <= last:
            samples += [(first, change.after), (first + (last - first) / 2, change.after), (last, change.after)]
    if not samples:
        return None
    probes = [(_aware(moment), offset) for moment, offset in samples]
    for name in _candidates():
        known = load_zone(name)
        if all(moment.astimezone(known).utcoffset() == offset for moment, offset in probes):
            return name
    return None
