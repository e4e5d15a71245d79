"""Which of two entries of a file is newer.

A VEVENT has the identity of its UID and its RECURRENCE-ID together, so a series and each of its instances have
versions of their own (RFC 5546 §2.1.5).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple, Protocol, TypeVar

from planner.domain.zones import to_utc


class Version(NamedTuple):
    """The SEQUENCE and the DTSTAMP of a VEVENT; `stamp` is None if it has no DTSTAMP that can be read."""

    sequence: int
    stamp: datetime | None = None

    def is_older_than(self, other: "Version") -> bool:
        """Return whether a VEVENT with this version is outdated by one with the other (RFC 5546 §2.1.5)."""
        if self.sequence != other.sequence:
            return self.sequence < other.sequence
        return self.stamp is not None and other.stamp is not None and self.stamp < other.stamp


class RecordTimes(NamedTuple):
    """The values of CREATED and LAST-MODIFIED of a VEVENT, as they are written.

    By them our own exports are recognised: SEQUENCE and DTSTAMP of an imported event belong to its organizer.
    """

    created: str
    modified: str


NO_RECORD_TIMES = RecordTimes("", "")


class Versioned(Protocol):
    """Something that has a version, such as a VEVENT."""

    @property
    def version(self) -> Version: ...  # noqa: D102


VersionedT = TypeVar("VersionedT", bound=Versioned)


def find_newest(items: Iterable[VersionedT]) -> VersionedT:
    """Return the item with the newest version, the last one of several that are equally new."""
    newest = None
    for item in items:
        if newest is None or not item.version.is_older_than(newest.version):
            newest = item
    assert newest is not None
    return newest


def build_instance_key(recurrence_id: date, time_zone: str, *, following: bool = False) -> str:
    """Return the recurrence id of an instance as an instant, which has one spelling only; or as a date.

    With `following`, it is that of an instance and all that follow (RANGE=THISANDFUTURE), which ends in a plus sign.
    """
    suffix = "+" if following else ""
    if not isinstance(recurrence_id, datetime):
        return recurrence_id.isoformat() + suffix
    instant = to_utc(recurrence_id, time_zone).astimezone(UTC)
    return f"{instant.replace(tzinfo=None).isoformat()}Z{suffix}"
