"""Tells other programs a zone's rules: a VTIMEZONE (RFC 5545 §3.6.5), from the `tzdata` package alone.

The changes of the past are written one by one, those of every later year as a rule. So it is right for
any event, however long ago or far ahead.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from planner.domain.ics.content import encode_lines, format_parameter
from planner.domain.ics.writing.tzif import LocalTimeType, YearlyRule, YearlyTransition, ZoneHistory, read_zone_history

# Before this no zone has changed its clocks; programs that count from 1601 can read it as well.
FIRST_ONSET = datetime(1601, 1, 1)
# How far a yearly change is written out that no RRULE can tell.
_LAST_YEAR = 2200
_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_DAY = timedelta(days=1)


class MonthDays(NamedTuple):
    """Days of a month, counted from its end where they are negative; `nth` weekdays where there are none."""

    month: int
    days: tuple[int, ...]
    weekday: int
    nth: int = 0

    def rrule(self) -> str:
        """The RRULE of these days in every year."""
        day = _DAYS[self.weekday]
        if not self.days:
            return f"RRULE:FREQ=YEARLY;BYMONTH={self.month};BYDAY={self.nth}{day}"
        days = ",".join(map(str, self.days))
        return f"RRULE:FREQ=YEARLY;BYMONTH={self.month};BYMONTHDAY={days};BYDAY={day}"

    def has(self, moment: datetime) -> bool:
        """Whether a change at this moment is one of them."""
        if moment.month != self.month:
            return False
        if not self.days:
            return True
        length = ((moment.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY).day
        return moment.day in self.days or moment.day - length - 1 in self.days


@cache
def render_vtimezone(name: str) -> bytes:
    """The VTIMEZONE of a zone, of which `zones.zone_names` has the name; remembered."""
    zone = read_zone_history(name)
    ruled = _ruled_changes(zone)
    past = zone.changes[: len(zone.changes) - ruled]
    blocks = [_observance(zone.first, zone.first, [FIRST_ONSET])]
    groups: dict[tuple[LocalTimeType, LocalTimeType], list[datetime]] = {}
    for change in past:
        if change.before != change.after:
            groups.setdefault((change.before, change.after), []).append(change.local)
    blocks += [_observance(*kinds, onsets) for kinds, onsets in groups.items()]
    since = zone.changes[-ruled].at - 1 if ruled else past[-1].at if past else _seconds(FIRST_ONSET)
    for yearly in zone.yearly:
        blocks += _ruled(yearly, since)
    lines = [line for block in blocks for line in block]
    return encode_lines(["BEGIN:VTIMEZONE", f"TZID:{name}", *lines, "END:VTIMEZONE"])


def format_tzid(name: str) -> str:
    """The parameter that names a zone."""
    return format_parameter("TZID", name)


def _ruled_changes(zone: ZoneHistory) -> int:
    """How many of the latest changes are just those of the rule of the years to come."""
    if not zone.changes or not zone.yearly:
        return 0
    last = zone.changes[-1]
    years = range(zone.changes[0].local.year, last.local.year + 2)
    meant = sorted(change for yearly in zone.yearly for change in map(yearly.change, years) if change.at <= last.at)
    pairs = zip(reversed(zone.changes), reversed(meant), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _ruled(yearly: YearlyTransition, since: int) -> Iterator[list[str]]:
    """The observances of a yearly change that comes after a moment."""
    year = datetime(1970, 1, 1) + timedelta(seconds=since)
    onsets = [change.local for change in map(yearly.change, range(year.year - 1, _LAST_YEAR)) if change.at > since]
    found = _find_month_days(yearly.rule)
    if found is None:
        yield _observance(yearly.before, yearly.after, onsets)
        return
    for days in found:
        # A rule that reaches into another month is one for each of them.
        first = next((onset for onset in onsets if days.has(onset)), None)
        if first is not None:
            yield _observance(yearly.before, yearly.after, [first], days.rrule())


def _find_month_days(rule: YearlyRule) -> list[MonthDays] | None:
    """The days of a yearly change; None when a RRULE cannot tell them.

    A change at minus one or at 24 o'clock, as POSIX allows, is one on the day before or after.
    """
    if not rule.month:
        return None
    late = rule.seconds // 86400
    weekday = (rule.weekday + late) % 7
    if not late:
        return [MonthDays(rule.month, (), weekday, -1 if rule.nth == 5 else rule.nth)]
    if rule.nth == 5:
        # The last seven days of a month, moved.
        found = range(-7 + late, late)
        inside = tuple(day for day in found if day < 0)
        outside = tuple(day + 1 for day in found if day >= 0)
        following = rule.month % 12 + 1
        return _present(MonthDays(rule.month, inside, weekday), MonthDays(following, outside, weekday))
    found = range(7 * rule.nth - 6 + late, 7 * rule.nth + 1 + late)
    if found[-1] > 28:
        if rule.month == 2 or found[-1] > 30:
            return None
        return [MonthDays(rule.month, tuple(found), weekday)]
    inside = tuple(day for day in found if day > 0)
    outside = tuple(day - 1 for day in found if day <= 0)
    return _present(MonthDays((rule.month - 2) % 12 + 1, outside, weekday), MonthDays(rule.month, inside, weekday))


def _present(*pieces: MonthDays) -> list[MonthDays]:
    return [piece for piece in pieces if piece.days]


def _observance(
    before: LocalTimeType, after: LocalTimeType, onsets: list[datetime], rrule: str | None = None
) -> list[str]:
    """The lines of one kind of change: local times, as clocks showed them before it."""
    name = "DAYLIGHT" if _is_summer(before, after) else "STANDARD"
    lines = [
        f"BEGIN:{name}",
        f"DTSTART:{_local(onsets[0])}",
        f"TZOFFSETFROM:{_offset(before.offset)}",
        f"TZOFFSETTO:{_offset(after.offset)}",
        f"TZNAME:{after.name}",
    ]
    if rrule is not None:
        lines.append(rrule)
    if len(onsets) > 1:
        lines.append("RDATE:" + ",".join(map(_local, onsets[1:])))
    return [*lines, f"END:{name}"]


def _is_summer(before: LocalTimeType, after: LocalTimeType) -> bool:
    """Whether clocks go forward to summer time.

    Ireland and Morocco say that their winter time is the odd one; other programs know it only the
    other way round.
    """
    if before.summer == after.summer or before.offset == after.offset:
        return after.summer
    return after.offset > before.offset


def _local(moment: datetime) -> str:
    return moment.isoformat().replace("-", "").replace(":", "")


def _offset(seconds: int) -> str:
    """A distance from UTC (RFC 5545 §3.3.14); before time zones it had seconds."""
    sign, (minutes, rest) = "-" if seconds < 0 else "+", divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{rest:02}" if rest else "")


def _seconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1)) // timedelta(seconds=1)
