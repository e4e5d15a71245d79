"""The IANA time zones whose clocks agree with those of a time zone that a file defines itself."""

from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from planner.domain.ics.reading.custom_timezones import CustomTimezone
from planner.domain.ics.tzif import read_zone_history
from planner.domain.zones import UNIX_EPOCH, find_fixed_offset_zone, list_zone_names, load_zone

_SECOND = timedelta(seconds=1)
# The nearest zone is looked for at so many moments of a span, and then measured among so many zones.
_SAMPLES = 24
_MEASURED_ZONES = 12
# If several zones agree with a custom one, the first of these is preferred.
_PREFERRED_ZONES = (
    *("Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Helsinki", "Europe/Istanbul", "Europe/Moscow"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "Pacific/Honolulu", "America/Halifax", "America/Sao_Paulo", "Asia/Dubai"),
    *("Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland"),
)


class Span(NamedTuple):
    """The time from one instant to another, both included."""

    since: datetime
    until: datetime


@cache
def _list_likely_zones() -> tuple[str, ...]:
    """Return the names of the zones that calendar programs offer, the most likely ones first."""
    names = dict.fromkeys((*_PREFERRED_ZONES, *WINDOWS_TO_OLSON.values()))
    return tuple(name for name in names if name in list_zone_names())


@cache
def _list_places() -> tuple[str, ...]:
    """Return the names of all zones of places, the most likely ones first."""
    places = sorted(name for name in list_zone_names() if "/" in name and not name.startswith("Etc/"))
    return tuple(dict.fromkeys((*_list_likely_zones(), *places)))


@lru_cache(maxsize=1024)
def _list_past_changes(time_zone: str) -> list[datetime]:
    return [UNIX_EPOCH + transition.at * _SECOND for transition in read_zone_history(time_zone).transitions]


@lru_cache(maxsize=4096)
def _list_yearly_changes(time_zone: str, year: int) -> list[datetime]:
    yearly = read_zone_history(time_zone).yearly
    return [UNIX_EPOCH + each.compute_transition(year).at * _SECOND for each in yearly]


def _list_changes(time_zone: str, span: Span) -> list[datetime]:
    """Return the instants in a span at which the offset of a zone may change."""
    past = _list_past_changes(time_zone)
    changes = [at for at in past if span.since < at <= span.until]
    first_year = max(span.since.year, past[-1].year if past else 1)
    for year in range(first_year, span.until.year + 1):
        changes += [at for at in _list_yearly_changes(time_zone, year) if span.since < at <= span.until]
    return changes


def find_differences(custom: CustomTimezone, time_zone: str, span: Span) -> list[Span]:
    """Return the parts of a span in which a custom zone and an IANA one have different offsets; ends are exclusive."""
    zone, end = load_zone(time_zone), span.until + _SECOND
    points = {span.since, *_list_changes(time_zone, span)}
    points.update(transition.at for transition in custom.list_transitions(*span))
    return [
        Span(at, following)
        for at, following in pairwise([*sorted(points), end])
        if at.astimezone(zone).utcoffset() != custom.get_offset(at)
    ]


def find_equal_zone(custom: CustomTimezone, span: Span) -> str | None:
    """Return an IANA zone that has the offsets of a custom one in a whole span, or None if there is none.

    Comparing all zones takes some milliseconds.
    """
    transitions = custom.list_transitions(*span)
    starts = [span.since, *(transition.at for transition in transitions)]
    # The offset is compared at the first, the middle and the last second of the time between two transitions.
    moments = {
        moment
        for first, after in pairwise([*starts, span.until + _SECOND])
        for moment in (first, first + (after - _SECOND - first) / 2, after - _SECOND)
    }
    samples = [(moment, custom.get_offset(moment)) for moment in sorted(moments)]
    offsets = {offset for _, offset in samples}
    if len(offsets) == 1 and (name := find_fixed_offset_zone(*offsets)):
        return name
    for name in _list_places():
        zone = load_zone(name)
        agrees = all(moment.astimezone(zone).utcoffset() == offset for moment, offset in samples)
        if agrees and not find_differences(custom, name, span):
            return name
    return None


class NearestZone(NamedTuple):
    """The IANA zone whose offsets differ from those of a custom one for the shortest time, and that time."""

    name: str
    difference: timedelta


def find_nearest_zone(custom: CustomTimezone, span: Span, preferred: str | None) -> NearestZone:
    """Return the nearest zone in a span, among those that programs offer; comparing them takes some milliseconds."""
    offsets = {custom.get_offset(at) for at in (span.since, *(each.at for each in custom.list_transitions(*span)))}
    fixed = (find_fixed_offset_zone(offset) for offset in sorted(offsets))
    names = dict.fromkeys(name for name in (preferred, *fixed, *_list_likely_zones()) if name is not None)

    step = (span.until - span.since) / _SAMPLES
    samples = [(at, custom.get_offset(at)) for at in (span.since + step / 2 + step * n for n in range(_SAMPLES))]

    def count_differences(name: str) -> int:
        zone = load_zone(name)
        return sum(at.astimezone(zone).utcoffset() != offset for at, offset in samples)

    def measure(name: str) -> timedelta:
        return sum((until - since for since, until in find_differences(custom, name, span)), timedelta())

    likely = sorted(names, key=count_differences)[:_MEASURED_ZONES]
    return min((NearestZone(name, measure(name)) for name in likely), key=lambda nearest: nearest.difference)
