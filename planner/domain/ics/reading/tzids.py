"""The time zone that a TZID stands for: an IANA or Windows name, a name with a prefix, or a custom time zone.

In RFC 5545 §3.2.19 a TZID has no meaning beyond the VTIMEZONE of that name in the same file. In practice
it is a well-known name, and the definition beside it is often simplified, or older than what `tzdata` knows of
that zone. So the name is taken if its clocks agree with the definition at the times of the event.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from planner.domain.ics.reading.custom_timezones import CustomTimezone
from planner.domain.ics.reading.zone_matching import (
    NearestZone,
    Span,
    find_differences,
    find_equal_zone,
    find_nearest_zone,
)
from planner.domain.zones import LATEST_INSTANT, find_fixed_offset_zone, list_zone_names, to_local, to_utc

# Comparing a custom zone with all others takes some milliseconds, and a file may use very many years of it.
MAX_MATCHES = 500
# A zone is equal to a custom one if it has the same offsets in this number of years, from that of an event on. A file
# cannot know how the rules of later years will change.
COMPARED_YEARS = 3
# So many years of a series are placed as the clocks of the file say, where no zone agrees with them.
COMPUTED_YEARS = 10

_OFFSET_NAME = re.compile(r"(?:UTC|GMT|Z)? ?([+-])(\d{1,2})(?::?(\d\d))?", re.ASCII | re.IGNORECASE)


@cache
def _list_folded_names() -> Mapping[str, str]:
    """Return the IANA names by their folded form, and those for the names of Windows that IANA does not have."""
    windows = {_fold(name): iana for name, iana in WINDOWS_TO_OLSON.items() if iana in list_zone_names()}
    return windows | {_fold(name): name for name in sorted(list_zone_names())}


def _fold(name: str) -> str:
    return name.casefold().replace(" ", "_")


def resolve_tzid_name(tzid: str) -> str | None:
    """Return the IANA name that a TZID is, ends with, or means as a name of Windows; None for any other TZID."""
    if tzid in list_zone_names():
        return tzid
    name = tzid.strip().strip('"')
    folded_names = _list_folded_names()
    if found := folded_names.get(_fold(name)):
        return found
    # In /mozilla.org/20050126_1/America/Argentina/Buenos_Aires the longest end that is a name is the zone.
    parts = name.split("/")
    for count in (3, 2, 1):
        if len(parts) > count and (found := folded_names.get(_fold("/".join(parts[-count:])))):
            return found
    return _resolve_offset_name(name)


def _resolve_offset_name(name: str) -> str | None:
    """Return the zone of a name such as UTC+2 or GMT-03:00, if it has whole hours."""
    found = _OFFSET_NAME.fullmatch(name)
    if found is None or int(found[3] or 0):
        return None
    return find_fixed_offset_zone(timedelta(hours=int(found[1] + found[2])))


class FileZone(NamedTuple):
    """The time zone of a TZID: the IANA zone that its name means, and its clocks as the file describes them.

    Without a description its clocks are those of the name.
    """

    tzid: str
    name: str | None
    custom: CustomTimezone | None

    def to_utc(self, local: datetime) -> datetime:
        """Return the instant of a local time."""
        if self.name is not None and self.agrees_at(local):
            return to_utc(local, self.name)
        assert self.custom is not None
        return self.custom.to_utc(local)

    def to_local(self, instant: datetime) -> datetime:
        """Return the local time at an instant."""
        if self.custom is None:
            assert self.name is not None
            return to_local(instant, self.name)
        local = self.custom.to_local(instant)
        return local if self.name is None or not self.agrees_at(local) else to_local(instant, self.name)

    def agrees_at(self, local: datetime) -> bool:
        """Return whether the clocks of the name are those of the description at a local time."""
        if self.custom is None or self.name is None:
            return self.name is not None
        instant = self.custom.to_utc(local)
        described = self.clip(Span(instant, instant))
        if described.since == instant:
            return to_utc(local, self.name) == instant
        return not find_differences(self.custom, self.name, described)

    def clip(self, span: Span) -> Span:
        """Return the part of a span that the file describes; if it describes none, the nearest onset.

        It says nothing about the time before its first onset, and after its last one if these are listed. In that
        time the clocks of the name are trusted, if they were right until then.
        """
        assert self.custom is not None
        first, last = self.custom.first_transition.at, self.custom.last_transition
        until = LATEST_INSTANT if last is None else last.at
        return Span(min(max(span.since, first), until), max(min(span.until, until), first))


UTC_ZONE = FileZone("UTC", "UTC", None)


class TzidResolver:
    """The TZIDs of one VCALENDAR. What is found out about a zone is kept for the next event that uses it.

    `floating` is the zone of times without a time zone, and of those whose zone nobody knows.
    """

    def __init__(self, custom_timezones: Mapping[str, CustomTimezone], floating: str | None, default: str) -> None:
        """Take the name of the zone of floating times, and the IANA zone that is used if that is not known."""
        self._custom_timezones = custom_timezones
        self._zones: dict[str, FileZone | None] = {"UTC": UTC_ZONE}
        self._equal_zones: dict[tuple[str, Span], str | None] = {}
        self._nearest_zones: dict[tuple[str, Span], NearestZone] = {}
        self._differences: dict[tuple[str, int], list[Span]] = {}
        found = None if floating is None else self.find(floating)
        self.floating = found or FileZone(default, default, None)

    def find(self, tzid: str) -> FileZone | None:
        """Return the zone of a TZID, or None if the file does not describe it, and its name is not known."""
        if tzid not in self._zones:
            name, bare = resolve_tzid_name(tzid), tzid.strip().strip('"')
            custom = self._custom_timezones.get(tzid) or self._custom_timezones.get(bare)
            if name is None and custom is not None and custom.location:
                name = resolve_tzid_name(custom.location)
            self._zones[tzid] = FileZone(tzid, name, custom) if name or custom else None
        return self._zones[tzid]

    def list_differences(self, zone: FileZone, since: datetime) -> list[Span]:
        """Return when, in the years from an instant on, a zone differs from the zone of its name."""
        assert zone.custom is not None and zone.name is not None
        key = (zone.tzid, since.year)
        if key not in self._differences:
            described = zone.clip(_list_years(since.year, since.year + COMPUTED_YEARS))
            self._differences[key] = find_differences(zone.custom, zone.name, described)
        return self._differences[key]

    def find_equal(self, zone: FileZone, needed: Span) -> str | None:
        """Return the IANA zone that is equal to a zone in a span and, as far as described, in the years after it."""
        assert zone.custom is not None
        years = _list_years(needed.since.year, max(needed.since.year + COMPARED_YEARS, needed.until.year))
        described = zone.clip(years)
        span = Span(min(described.since, needed.since), max(described.until, needed.until))
        if (zone.tzid, span) not in self._equal_zones:
            if len(self._equal_zones) >= MAX_MATCHES:
                return None
            self._equal_zones[zone.tzid, span] = find_equal_zone(zone.custom, span)
        return self._equal_zones[zone.tzid, span]

    def find_nearest(self, zone: FileZone, needed: Span) -> NearestZone | None:
        """Return the IANA zone whose clocks differ least from those of a zone in the years of a span."""
        assert zone.custom is not None
        span = _list_years(needed.since.year, needed.until.year)
        if (zone.tzid, span) not in self._nearest_zones:
            if len(self._nearest_zones) >= MAX_MATCHES:
                return None
            self._nearest_zones[zone.tzid, span] = find_nearest_zone(zone.custom, span, zone.name)
        return self._nearest_zones[zone.tzid, span]


def _list_years(first: int, last: int) -> Span:
    """Return the span of some years. Near the first and last one of the calendar, there is nothing to compare."""
    first, last = (min(max(year, 10), 9_990) for year in (first, last))
    return Span(datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC))
