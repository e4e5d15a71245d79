"""Time zones by their IANA names, from the `tzdata` package and nowhere else."""

import zoneinfo
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

# The machine's own zone files are left aside, so that every machine answers the same.
zoneinfo.reset_tzpath(to=())


class UnknownZone(ValueError):
    """The name is not in the IANA time zone database."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone with this name; raises `UnknownZone`."""
    # Paths such as "../x" and the odd directory name are refused by these errors.
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone("is not an IANA time zone name, such as Europe/Berlin") from error


def to_utc(local: datetime, name: str) -> datetime:
    """The instant at which clocks in the zone show `local`.

    RFC 5545 §3.3.5: a time that a change of offset skips counts with the offset before
    the change; a time that comes twice is the first of the two. `fold=0` says both.
    """
    return local.replace(tzinfo=zone(name), fold=0).astimezone(UTC)


def midnight_utc(day: date, name: str) -> datetime:
    """The instant at which `day` begins in the zone."""
    return to_utc(datetime.combine(day, time()), name)
