"""Which zone a TZID means: an IANA name, one of Windows, one with a prefix, or one that the file describes.

RFC 5545 §3.2.19 leaves TZIDs to each file's own VTIMEZONEs. In practice they are names, and the
description beside them is older than what `tzdata` knows of the place: so a name that is known wins.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from planner.domain.ics.reading.custom_timezones import CustomTimezone, find_matching_zone
from planner.domain.zones import list_zone_names

# Comparing a zone with all others takes some milliseconds, and a file may name very many years.
MAX_MATCHES = 1_000

_OFFSET = re.compile(r"(?:UTC|GMT|Z)? ?([+-])(\d{1,2})(?::?(\d\d))?", re.ASCII | re.IGNORECASE)


@cache
def _folded() -> Mapping[str, str]:
    """The known names by how they are compared: IANA's, and those of Windows where no other has that name."""
    windows = {_fold(name): iana for name, iana in WINDOWS_TO_OLSON.items() if iana in list_zone_names()}
    return windows | {_fold(name): name for name in sorted(list_zone_names())}


def _fold(name: str) -> str:
    return name.casefold().replace(" ", "_")


def resolve_tzid_name(tzid: str) -> str | None:
    """The IANA name that a TZID is or ends in, or that Windows means by it; None for any other."""
    if tzid in list_zone_names():
        return tzid
    name = tzid.strip().strip('"')
    if found := _folded().get(_fold(name)):
        return found
    # /mozilla.org/20050126_1/America/Argentina/Buenos_Aires: the longest end that is a name.
    parts = name.split("/")
    for count in (3, 2, 1):
        if len(parts) > count and (found := _folded().get(_fold("/".join(parts[-count:])))):
            return found
    return _fixed(name)


def _fixed(name: str) -> str | None:
    """The zone of names such as UTC+2 and GMT-03:00, for whole hours."""
    found = _OFFSET.fullmatch(name)
    if found is None or int(found[3] or 0):
        return None
    return find_fixed_offset_zone(timedelta(hours=int(found[1] + found[2])))


def find_fixed_offset_zone(offset: timedelta) -> str | None:
    """The zone that is always this far from UTC, if there is one; its name counts west of Greenwich."""
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest:
        return None
    name = f"Etc/GMT{-hours:+d}" if hours else "UTC"
    return name if name in list_zone_names() else None


class TzidResolver:
    """The zones of one VCALENDAR: the TZIDs in it, resolved for the years in which they are used."""

    def __init__(self, described: Mapping[str, CustomTimezone]) -> None:
        self._described = described
        self._found: dict[tuple[str, int], str | None] = {}

    def name(self, tzid: str, around: datetime) -> str | None:
        """The IANA name of a zone for a local time; None when it is not known and not described either."""
        if name := resolve_tzid_name(tzid):
            return name
        described = self._described.get(tzid) or self._described.get(tzid.strip().strip('"'))
        if described is None:
            return None
        # At the ends of the calendar there is no year before or after to compare.
        year = min(max(around.year, 10), 9_990)
        if (tzid, year) not in self._found:
            if len(self._found) >= MAX_MATCHES:
                return None
            self._found[tzid, year] = self._match(described, year)
        return self._found[tzid, year]

    def _match(self, described: CustomTimezone, year: int) -> str | None:
        if described.location and (name := resolve_tzid_name(described.location)):
            return name
        offset = described.constant(year)
        if offset is not None and (name := find_fixed_offset_zone(offset)):
            return name
        return find_matching_zone(described, year)
