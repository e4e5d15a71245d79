"""The IANA time zone that a TZID stands for: an IANA or Windows name, a name with a prefix, or a custom time zone.

In RFC 5545 §3.2.19 a TZID has no meaning beyond the VTIMEZONE of that name in the same file. In practice
it is a well-known name, and the definition beside it is older than what `tzdata` knows of that zone. So
a well-known name takes precedence over the definition.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from planner.domain.ics.reading.custom_timezones import CustomTimezone, find_matching_zone
from planner.domain.zones import list_zone_names

# Matching a custom zone takes some milliseconds and is done for each year, of which a file may have very many.
MAX_MATCHES = 1_000

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


def find_fixed_offset_zone(offset: timedelta) -> str | None:
    """Return the zone that always has this offset from UTC, or None if there is none."""
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest:
        return None
    # The names of these zones count hours west of Greenwich.
    name = f"Etc/GMT{-hours:+d}" if hours else "UTC"
    return name if name in list_zone_names() else None


class TzidResolver:
    """The TZIDs of one VCALENDAR. A custom zone is matched once for each year in which it is used."""

    def __init__(self, custom_timezones: Mapping[str, CustomTimezone]) -> None:
        self._custom_timezones = custom_timezones
        self._matches: dict[tuple[str, int], str | None] = {}

    def resolve(self, tzid: str, local: datetime) -> str | None:
        """Return the IANA name of the zone for a local time, or None if no zone is known or equal to it."""
        if name := resolve_tzid_name(tzid):
            return name
        custom = self._custom_timezones.get(tzid) or self._custom_timezones.get(tzid.strip().strip('"'))
        if custom is None:
            return None
        # Near the first and last year of the calendar there are not enough years to compare.
        year = min(max(local.year, 10), 9_990)
        if (tzid, year) not in self._matches:
            if len(self._matches) >= MAX_MATCHES:
                return None
            self._matches[tzid, year] = self._match(custom, year)
        return self._matches[tzid, year]

    def _match(self, custom: CustomTimezone, year: int) -> str | None:
        if custom.location and (name := resolve_tzid_name(custom.location)):
            return name
        offset = custom.find_constant_offset(year)
        if offset is not None and (name := find_fixed_offset_zone(offset)):
            return name
        return find_matching_zone(custom, year)
