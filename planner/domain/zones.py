"""Turns local wall time into instants and back, by the rules of RFC 5545 §3.3.5.

Local time and the name of its zone are what an event keeps; the instant is worked out from them,
so that a nine o'clock meeting stays at nine when the rules of the zone change.
"""

import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

# The machine's own zone files are left aside for those of the `tzdata` package, so that every
# machine answers the same.
zoneinfo.reset_tzpath(to=())

MIDNIGHT = time()
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)

# No place has ever moved its clocks by more than a day at once (Samoa and the Philippines did by
# exactly one), so two local times further apart than this are in the same order as their instants.
WIDEST_CHANGE = timedelta(hours=26)

# These exist on some machines only, or say nothing about a place.
_NOT_A_PLACE = frozenset({"localtime", "posixrules"})

Offset = Callable[[datetime], timedelta]


class UnknownZone(ValueError):
    """The name is not one of the IANA time zone database."""

    def __init__(self) -> None:
        super().__init__("is not an IANA time zone name, such as Europe/Berlin")


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones that may be used."""
    return frozenset(available_timezones()) - _NOT_A_PLACE


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone with this IANA name; raises UnknownZone."""
    # The list is asked first because ZoneInfo() opens files, some of which are not zones.
    if name not in zone_names():
        raise UnknownZone
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def offset_of(name: str) -> Offset:
    """The function that tells the zone's distance from UTC at a local time.

    With `fold=0` it has the two answers of RFC 5545 §3.3.5: a time that the clocks skip takes the
    distance from before the gap, a time that comes twice means the first.
    """
    return cast("Offset", zone(name).utcoffset)


def to_utc(local: datetime, name: str) -> datetime:
    """The instant of a local time, the nearest one there is at the ends of the calendar.

    A time that the clocks skip is read with the distance from UTC before the gap, so 02:30 becomes
    03:30; a time that comes twice means the first (RFC 5545 §3.3.5), whatever its `fold` says.
    """
    if local.fold:
        local = local.replace(fold=0)
    try:
        return datetime.combine(local, local.time(), UTC) - offset_of(name)(local)
    except OverflowError:
        return EARLIEST if local.year == 1 else LATEST


def strict_instant(value: date, name: str) -> datetime:
    """The instant of a local time or of the midnight of a date, as `instant` answers it inside the calendar.

    Raises `OverflowError` where that lies outside the years 1 to 9999.
    """
    local = value if isinstance(value, datetime) else datetime.combine(value, MIDNIGHT)
    return local.replace(tzinfo=zone(name), fold=0).astimezone(UTC)


def to_local(instant: datetime, name: str) -> datetime:
    """The wall time in the zone at an aware instant, without zone and without `fold`."""
    try:
        return instant.astimezone(zone(name)).replace(tzinfo=None, fold=0)
    except OverflowError:
        return datetime.min if instant.year == 1 else datetime.max


def instant(value: date, name: str) -> datetime:
    """The instant of a local time, or of the midnight with which a date begins."""
    if isinstance(value, datetime):
        return to_utc(value, name)
    return to_utc(datetime.combine(value, MIDNIGHT), name)


def lasting(start: date, end: date, name: str) -> timedelta:
    """How long it is from a start to an end: exactly for times, in days for dates (RFC 5545 §3.8.5.3).

    Both are dates or both are local times. It is negative when the end comes first.
    """
    if isinstance(start, datetime) and isinstance(end, datetime):
        return to_utc(end, name) - to_utc(start, name)
    return timedelta(days=end.toordinal() - start.toordinal())


def moved(moment: datetime, delta: timedelta) -> datetime:
    """A moment moved by a delta, which stops at the ends of the calendar."""
    try:
        return moment + delta
    except OverflowError:
        end = datetime.max if delta > timedelta(0) else datetime.min
        return end.replace(tzinfo=moment.tzinfo)
