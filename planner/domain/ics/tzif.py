"""Parsing of the TZif files of the `tzdata` package (RFC 8536): the transitions of a zone, and the rule for later ones.

`zoneinfo` has the offset at any moment, but not the moments at which it changes, which a VTIMEZONE needs.
"""

import re
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1)
_HEADER = struct.Struct(">4s1s15x6I")
_LOCAL_TIME_TYPE = struct.Struct(">iBB")
_NAME = r"(<[^>]+>|[A-Za-z]{3,})"
_OFFSET = r"([+-]?\d{1,3}(?::\d\d){0,2})"
_FOOTER = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}{_OFFSET}?,([^,]+),([^,]+))?", re.ASCII)
_YEARLY_RULE = re.compile(rf"(?:M(\d+)\.(\d)\.(\d)|J(\d+)|(\d+))(?:/{_OFFSET})?", re.ASCII)


class LocalTimeType(NamedTuple):
    """A local time type (RFC 8536 §3.2): seconds east of UTC, whether it is daylight saving time, and a short name."""

    offset: int
    is_daylight: bool
    name: str


class Transition(NamedTuple):
    """A clock change: its instant in seconds since 1970 in UTC, and the local time types before and after."""

    at: int
    before: LocalTimeType
    after: LocalTimeType

    @property
    def local(self) -> datetime:
        """The local time of the transition, by the offset before it."""
        return _EPOCH + timedelta(seconds=self.at + self.before.offset)


class YearlyRule(NamedTuple):
    """The day of every year on which the clocks change, and the time as `seconds` after its midnight.

    The day is either the `nth` (5 is the last) `weekday` (0 is Sunday) of a `month`; or, if `month` is 0,
    the `day` of the year, counted from 0. A leap day is counted only if `counts_leap_day`.
    """

    seconds: int
    month: int = 0
    nth: int = 0
    weekday: int = 0
    day: int = 0
    counts_leap_day: bool = False

    def compute_local(self, year: int) -> datetime:
        """Return the local time of the change in this year."""
        return self._compute_midnight(year) + timedelta(seconds=self.seconds)

    def _compute_midnight(self, year: int) -> datetime:
        if not self.month:
            # 1971 is used as a year without a leap day.
            counted_year = year if self.counts_leap_day else 1971
            return (datetime(counted_year, 1, 1) + timedelta(days=self.day)).replace(year=year)
        first = datetime(year, self.month, 1)
        days = (self.weekday - first.isoweekday()) % 7 + 7 * (self.nth - 1)
        found = first + timedelta(days=days)
        return found if found.month == self.month else found - timedelta(days=7)


class YearlyTransition(NamedTuple):
    """A transition that recurs every year."""

    rule: YearlyRule
    before: LocalTimeType
    after: LocalTimeType

    def compute_transition(self, year: int) -> Transition:
        """Return the transition of this year."""
        local = self.rule.compute_local(year) - _EPOCH
        return Transition(local // timedelta(seconds=1) - self.before.offset, self.before, self.after)


class ZoneHistory(NamedTuple):
    """All of a zone: its first local time type, its transitions, and those of every later year.

    A transition may be between equal types. It then means that the yearly ones begin only after it.
    """

    first: LocalTimeType
    transitions: list[Transition]
    yearly: list[YearlyTransition]


def read_zone_history(time_zone: str) -> ZoneHistory:
    """Return the history of a zone, whose name must be in `zones.list_zone_names`."""
    content = files("tzdata.zoneinfo").joinpath(*time_zone.split("/")).read_bytes()
    # The first block has 32-bit times for readers of version 1, so it is skipped.
    content = content[_compute_block_length(content, 4) :]
    _, _, _, _, _, transition_count, type_count, name_length = _HEADER.unpack_from(content)
    start = _HEADER.size
    times = struct.unpack_from(f">{transition_count}q", content, start)
    type_indexes = content[start + 8 * transition_count : start + 9 * transition_count]
    start += 9 * transition_count
    names = content[start + 6 * type_count : start + 6 * type_count + name_length]
    types = []
    for index in range(type_count):
        offset, is_daylight, at = _LOCAL_TIME_TYPE.unpack_from(content, start + 6 * index)
        name = names[at : names.index(b"\0", at)].decode("ascii")
        types.append(LocalTimeType(offset, bool(is_daylight), name))
    footer = content[_compute_block_length(content, 8) :].strip(b"\n").decode("ascii")
    return ZoneHistory(types[0], list(_build_transitions(types, times, type_indexes)), _parse_footer(footer))


def _compute_block_length(content: bytes, time_size: int) -> int:
    """Return the length of a header and its data block, in octets, by the size of its times."""
    ut_count, std_count, leap_count, transition_count, type_count, name_length = map(
        int, _HEADER.unpack_from(content)[2:]
    )
    length = transition_count * (time_size + 1) + type_count * 6 + name_length + leap_count * (time_size + 4)
    return _HEADER.size + length + std_count + ut_count


def _build_transitions(types: list[LocalTimeType], times: tuple[int, ...], type_indexes: bytes) -> Iterator[Transition]:
    before = types[0]
    for at, index in zip(times, type_indexes, strict=True):
        after = types[index]
        yield Transition(at, before, after)
        before = after


def _parse_footer(footer: str) -> list[YearlyTransition]:
    """Parse the yearly transitions of a POSIX TZ string (RFC 8536 §3.3); empty for a zone that has none any more."""
    parts = _FOOTER.fullmatch(footer)
    if parts is None or parts[3] is None:
        return []
    # POSIX counts offsets west of Greenwich.
    standard_offset = -_parse_seconds(parts[2])
    daylight_offset = -_parse_seconds(parts[4]) if parts[4] else standard_offset + 3600
    standard = LocalTimeType(standard_offset, False, parts[1].strip("<>"))
    daylight = LocalTimeType(daylight_offset, True, parts[3].strip("<>"))
    return [
        YearlyTransition(_parse_yearly_rule(parts[5]), standard, daylight),
        YearlyTransition(_parse_yearly_rule(parts[6]), daylight, standard),
    ]


def _parse_yearly_rule(text: str) -> YearlyRule:
    parts = _YEARLY_RULE.fullmatch(text)
    assert parts is not None, text
    seconds = 7200 if parts[6] is None else _parse_seconds(parts[6])
    if parts[1]:
        return YearlyRule(seconds, int(parts[1]), int(parts[2]), int(parts[3]))
    if parts[4]:
        return YearlyRule(seconds, day=int(parts[4]) - 1)
    return YearlyRule(seconds, day=int(parts[5]), counts_leap_day=True)


def _parse_seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*map(int, text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)
