"""Conversion between local time and instants, by the rules of RFC 5545 §3.3.5.

An event stores its local time and the name of its time zone, and instants are computed from them.
So a meeting at nine o'clock stays at nine when the rules of its time zone change.
"""

import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

# Only the `tzdata` package is read, and not the zone files of the machine, so that every machine
# computes the same instants.
zoneinfo.reset_tzpath(to=())

MIDNIGHT = time()
EARLIEST_INSTANT = datetime.min.replace(tzinfo=UTC)
LATEST_INSTANT = datetime.max.replace(tzinfo=UTC)
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# No clock change was ever larger than a day (in Samoa and the Philippines it was exactly one day).
# So two local times that are further apart than this are in the same order as their instants.
MAX_CLOCK_CHANGE = timedelta(hours=26)

# These names exist on some machines only, and name no place.
_EXCLUDED_NAMES = frozenset({"localtime", "posixrules"})

UtcOffset = Callable[[datetime], timedelta]


class UnknownZone(ValueError):
    """A name that is not in the IANA time zone database."""

    def __init__(self) -> None:
        super().__init__("must be an IANA time zone name, such as Europe/Berlin")


@cache
def list_zone_names() -> frozenset[str]:
    """Return the names of all time zones that an event may use."""
    return frozenset(available_timezones()) - _EXCLUDED_NAMES


@lru_cache(maxsize=1024)
def load_zone(time_zone: str) -> ZoneInfo:
    """Return the time zone with this IANA name. Raises `UnknownZone`."""
    # The name is checked first because ZoneInfo() opens the file of that name, and some of the
    # files in the package are not time zones.
    if time_zone not in list_zone_names():
        raise UnknownZone
    return ZoneInfo(time_zone)


def find_fixed_offset_zone(offset: timedelta) -> str | None:
    """Return the zone that always has this offset from UTC, or None if there is none."""
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest:
        return None
    # The names of these zones count hours west of Greenwich.
    name = f"Etc/GMT{-hours:+d}" if hours else "UTC"
    return name if name in list_zone_names() else None


@lru_cache(maxsize=1024)
def load_utc_offset(time_zone: str) -> UtcOffset:
    """Return the function that maps a local time to its offset from UTC. Raises `UnknownZone`.

    For a local time with `fold=0` the offset is the one that RFC 5545 §3.3.5 asks for: a local time
    that a clock change skips has the offset from before the change, and one that occurs twice has
    the offset of its first occurrence.
    """
    return cast("UtcOffset", load_zone(time_zone).utcoffset)


def to_utc(local: date, time_zone: str, *, clamp: bool = True) -> datetime:
    """Return the instant of a local time, or of the midnight at which a date begins.

    A local time that a clock change skips is read with the offset from before the change, so 02:30
    becomes 03:30. One that occurs twice means its first occurrence, whatever its `fold` is
    (RFC 5545 §3.3.5).

    An instant outside the years 1 to 9999 is replaced by the nearest one inside; with
    `clamp=False`, `OverflowError` is raised instead.
    """
    if not isinstance(local, datetime):
        local = datetime.combine(local, MIDNIGHT)
    elif local.fold:
        local = local.replace(fold=0)
    try:
        return datetime.combine(local, local.time(), UTC) - load_utc_offset(time_zone)(local)
    except OverflowError:
        if not clamp:
            raise
        return EARLIEST_INSTANT if local.year == 1 else LATEST_INSTANT


def resolve_local(local: date, time_zone: str) -> datetime:
    """Return the instant of a local time as `to_utc` does, but of the second of two equal ones if its `fold` is 1."""
    if not isinstance(local, datetime) or not local.fold:
        return to_utc(local, time_zone)
    return datetime.combine(local, local.time(), UTC) - load_utc_offset(time_zone)(local)


def to_local_with_fold(instant: datetime, time_zone: str) -> datetime:
    """Return the local time at an instant as `to_local` does, but with `fold=1` for the second of two equal ones."""
    local = to_local(instant, time_zone)
    second = local.replace(fold=1)
    return second if to_utc(local, time_zone) < instant == resolve_local(second, time_zone) else local


def to_local(instant: datetime, time_zone: str) -> datetime:
    """Return the local time at an aware instant, as a naive datetime with `fold=0`.

    A local time outside the years 1 to 9999 is replaced by the nearest one inside.
    """
    try:
        return instant.astimezone(load_zone(time_zone)).replace(tzinfo=None, fold=0)
    except OverflowError:
        return datetime.min if instant.year == 1 else datetime.max


def measure_duration(start: date, end: date, time_zone: str) -> timedelta:
    """Return the time from a start to an end: exact for local times, whole days for dates (RFC 5545 §3.8.5.3).

    Both must be dates or both local times. The result is negative when the end is before the start.
    """
    if isinstance(start, datetime) and isinstance(end, datetime):
        return resolve_local(end, time_zone) - resolve_local(start, time_zone)
    return timedelta(days=end.toordinal() - start.toordinal())


def add_clamped(moment: datetime, delta: timedelta) -> datetime:
    """Return the moment plus the delta, or the first or last moment of the calendar if that is outside of it."""
    try:
        return moment + delta
    except OverflowError:
        limit = datetime.max if delta > timedelta(0) else datetime.min
        return limit.replace(tzinfo=moment.tzinfo)
