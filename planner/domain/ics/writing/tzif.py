"""Reads what the `tzdata` package says of a zone: its changes so far (RFC 8536), and the rule for the rest.

`zoneinfo` tells the offset at a moment, but not when it changes; a VTIMEZONE needs that.
"""

import re
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1)
_HEADER = struct.Struct(">4s1s15x6I")
_KIND = struct.Struct(">iBB")
_NAME = r"(<[^>]+>|[A-Za-z]{3,})"
_OFFSET = r"([+-]?\d{1,3}(?::\d\d){0,2})"
_FOOTER = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}{_OFFSET}?,([^,]+),([^,]+))?", re.ASCII)
_DAY = re.compile(rf"(?:M(\d+)\.(\d)\.(\d)|J(\d+)|(\d+))(?:/{_OFFSET})?", re.ASCII)


class LocalTimeType(NamedTuple):
    """What clocks show for a time: seconds east of UTC, whether that is summer time, and its short name."""

    offset: int
    summer: bool
    name: str


class Transition(NamedTuple):
    """When the clocks are changed, in seconds since 1970 in UTC, and between which kinds of time."""

    at: int
    before: LocalTimeType
    after: LocalTimeType

    @property
    def local(self) -> datetime:
        """What the clocks show at that moment, before they are changed."""
        return _EPOCH + timedelta(seconds=self.at + self.before.offset)


class YearlyRule(NamedTuple):
    """On which day of every year the clocks are changed, and how long after its midnight.

    Either the `nth` (5 is the last) `weekday` (0 is Sunday) of a `month`, or the `day` of
    the year, counted from 0; without leap days unless `leap`.
    """

    seconds: int
    month: int = 0
    nth: int = 0
    weekday: int = 0
    day: int = 0
    leap: bool = False

    def local(self, year: int) -> datetime:
        """What the clocks show in that year at the moment when they are changed."""
        return self._midnight(year) + timedelta(seconds=self.seconds)

    def _midnight(self, year: int) -> datetime:
        if not self.month:
            # 1971 stands for a year without a leap day.
            return (datetime(year if self.leap else 1971, 1, 1) + timedelta(days=self.day)).replace(year=year)
        first = datetime(year, self.month, 1)
        days = (self.weekday - first.isoweekday()) % 7 + 7 * (self.nth - 1)
        found = first + timedelta(days=days)
        return found if found.month == self.month else found - timedelta(days=7)


class YearlyTransition(NamedTuple):
    """A change that comes every year."""

    rule: YearlyRule
    before: LocalTimeType
    after: LocalTimeType

    def change(self, year: int) -> Transition:
        """The change of this year."""
        at = self.rule.local(year) - _EPOCH
        return Transition(at // timedelta(seconds=1) - self.before.offset, self.before, self.after)


class ZoneHistory(NamedTuple):
    """Everything about a zone: what its clocks showed first, the changes since, and those of every later year.

    A change may be one between equal kinds: it tells that those of every year begin only after it.
    """

    first: LocalTimeType
    changes: list[Transition]
    yearly: list[YearlyTransition]


def read_zone_history(name: str) -> ZoneHistory:
    """The history of a zone, of which `zones.zone_names` has the name."""
    content = files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    # A block with times of 32 bits comes first, for readers of the first version.
    content = content[_length(content, 4) :]
    _, _, _, _, _, times, kinds, characters = _HEADER.unpack_from(content)
    start = _HEADER.size
    moments = struct.unpack_from(f">{times}q", content, start)
    indexes = content[start + 8 * times : start + 9 * times]
    start += 9 * times
    names = content[start + 6 * kinds : start + 6 * kinds + characters]
    found = []
    for n in range(kinds):
        offset, summer, at = _KIND.unpack_from(content, start + 6 * n)
        found.append(LocalTimeType(offset, bool(summer), names[at : names.index(b"\0", at)].decode("ascii")))
    footer = content[_length(content, 8) :].strip(b"\n").decode("ascii")
    return ZoneHistory(found[0], list(_changes(found, moments, indexes)), _yearly(footer))


def _length(content: bytes, width: int) -> int:
    """How long a block is, of which the times have this width."""
    universal, standard, leaps, times, kinds, characters = map(int, _HEADER.unpack_from(content)[2:])
    return _HEADER.size + times * (width + 1) + kinds * 6 + characters + leaps * (width + 4) + standard + universal


def _changes(kinds: list[LocalTimeType], moments: tuple[int, ...], indexes: bytes) -> Iterator[Transition]:
    before = kinds[0]
    for at, index in zip(moments, indexes, strict=True):
        after = kinds[index]
        yield Transition(at, before, after)
        before = after


def _yearly(footer: str) -> list[YearlyTransition]:
    """What a TZ string of POSIX says about every year; nothing for a zone that changes its clocks no more."""
    parts = _FOOTER.fullmatch(footer)
    if parts is None or parts[3] is None:
        return []
    # POSIX counts west of Greenwich.
    west = -_seconds(parts[2])
    standard = LocalTimeType(west, False, parts[1].strip("<>"))
    summer = LocalTimeType(-_seconds(parts[4]) if parts[4] else west + 3600, True, parts[3].strip("<>"))
    return [YearlyTransition(_rule(parts[5]), standard, summer), YearlyTransition(_rule(parts[6]), summer, standard)]


def _rule(text: str) -> YearlyRule:
    parts = _DAY.fullmatch(text)
    assert parts is not None, text
    seconds = 7200 if parts[6] is None else _seconds(parts[6])
    if parts[1]:
        return YearlyRule(seconds, int(parts[1]), int(parts[2]), int(parts[3]))
    if parts[4]:
        return YearlyRule(seconds, day=int(parts[4]) - 1)
    return YearlyRule(seconds, day=int(parts[5]), leap=True)


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*map(int, text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)
