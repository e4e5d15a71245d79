"""The VTIMEZONE of a zone (RFC 5545 §3.6.5), from the `tzdata` package alone.

The transitions of the past are written one by one, and those of all later years as a rule. So the
VTIMEZONE is correct for any event, at any time.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from planner.domain.ics.content import encode_lines, format_parameter
from planner.domain.ics.tzif import LocalTimeType, YearlyRule, YearlyTransition, ZoneHistory, read_zone_history

_EPOCH = datetime(1970, 1, 1)
# No zone had a transition before this. Programs that count from 1601 can read it as well.
_FIRST_ONSET = datetime(1601, 1, 1)
# The year up to which yearly transitions are listed if no RRULE can express them.
_LAST_LISTED_YEAR = 2200
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_DAY = timedelta(days=1)
_DAY_SECONDS = 86400


class MonthDays(NamedTuple):
    """A weekday (0 is Sunday) among some days of a month; negative days are counted from its end.

    Without `days` it is the `nth` one of the month, also counted from its end if negative.
    """

    month: int
    days: tuple[int, ...]
    weekday: int
    nth: int = 0

    def format_rrule(self) -> str:
        """Return the RRULE line for this day in every year."""
        weekday = _WEEKDAYS[self.weekday]
        if not self.days:
            return f"RRULE:FREQ=YEARLY;BYMONTH={self.month};BYDAY={self.nth}{weekday}"
        days = ",".join(map(str, self.days))
        return f"RRULE:FREQ=YEARLY;BYMONTH={self.month};BYMONTHDAY={days};BYDAY={weekday}"

    def contains(self, onset: datetime) -> bool:
        """Return whether an onset of the rule is on one of the days."""
        if onset.month != self.month:
            return False
        if not self.days:
            return True
        month_length = ((onset.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY).day
        return onset.day in self.days or onset.day - month_length - 1 in self.days


@cache
def render_vtimezone(time_zone: str) -> bytes:
    """Return the VTIMEZONE of a zone, whose name must be in `zones.list_zone_names`; it is rendered once."""
    history = read_zone_history(time_zone)
    ruled_count = _count_ruled_transitions(history)
    past = history.transitions[: len(history.transitions) - ruled_count]
    observances = [_format_observance(history.first, history.first, [_FIRST_ONSET])]
    onsets_by_types: dict[tuple[LocalTimeType, LocalTimeType], list[datetime]] = {}
    for transition in past:
        if transition.before != transition.after:
            onsets_by_types.setdefault((transition.before, transition.after), []).append(transition.local)
    observances += [_format_observance(*types, onsets) for types, onsets in onsets_by_types.items()]
    if ruled_count:
        since = history.transitions[-ruled_count].at - 1
    else:
        since = past[-1].at if past else (_FIRST_ONSET - _EPOCH) // timedelta(seconds=1)
    for yearly in history.yearly:
        observances += _format_yearly(yearly, since)
    lines = [line for observance in observances for line in observance]
    return encode_lines(["BEGIN:VTIMEZONE", f"TZID:{time_zone}", *lines, "END:VTIMEZONE"])


def format_tzid(time_zone: str) -> str:
    """Return the TZID parameter of a zone, with the semicolon before it."""
    return format_parameter("TZID", time_zone)


def _count_ruled_transitions(history: ZoneHistory) -> int:
    """Return how many of the latest transitions are the same as those of the rule for later years."""
    if not history.transitions or not history.yearly:
        return 0
    last = history.transitions[-1]
    years = range(history.transitions[0].local.year, last.local.year + 2)
    by_rule = (yearly.compute_transition(year) for yearly in history.yearly for year in years)
    expected = sorted(transition for transition in by_rule if transition.at <= last.at)
    pairs = zip(reversed(history.transitions), reversed(expected), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _format_yearly(yearly: YearlyTransition, since: int) -> Iterator[list[str]]:
    """Yield the observances of a yearly transition after an instant, which is in seconds since 1970."""
    first_year = (_EPOCH + timedelta(seconds=since)).year - 1
    transitions = map(yearly.compute_transition, range(first_year, _LAST_LISTED_YEAR))
    onsets = [transition.local for transition in transitions if transition.at > since]
    found = find_month_days(yearly.rule)
    if found is None:
        yield _format_observance(yearly.before, yearly.after, onsets)
        return
    # A rule whose days are in two months becomes one observance for each of them.
    for month_days in found:
        first_onset = next((onset for onset in onsets if month_days.contains(onset)), None)
        if first_onset is not None:
            yield _format_observance(yearly.before, yearly.after, [first_onset], month_days.format_rrule())


def find_month_days(rule: YearlyRule) -> list[MonthDays] | None:
    """Return the days of a yearly transition, in one month or two, or None if an RRULE cannot express them.

    POSIX allows times before 0:00 and after 24:00. The transition is then on an earlier or later day.
    """
    if not rule.month:
        return None
    days_later = rule.seconds // _DAY_SECONDS
    weekday = (rule.weekday + days_later) % 7
    if not days_later:
        return [MonthDays(rule.month, (), weekday, -1 if rule.nth == 5 else rule.nth)]
    if rule.nth == 5:
        # The last seven days of the month, moved, as indexes from the end of the month.
        moved = range(-7 + days_later, days_later)
        inside = tuple(day for day in moved if day < 0)
        outside = tuple(day + 1 for day in moved if day >= 0)
        next_month = rule.month % 12 + 1
        return _remove_empty(MonthDays(rule.month, inside, weekday), MonthDays(next_month, outside, weekday))
    moved = range(7 * rule.nth - 6 + days_later, 7 * rule.nth + 1 + days_later)
    if moved[-1] > 28:
        if rule.month == 2 or moved[-1] > 30:
            return None
        return [MonthDays(rule.month, tuple(moved), weekday)]
    inside = tuple(day for day in moved if day > 0)
    outside = tuple(day - 1 for day in moved if day <= 0)
    previous_month = (rule.month - 2) % 12 + 1
    return _remove_empty(MonthDays(previous_month, outside, weekday), MonthDays(rule.month, inside, weekday))


def _remove_empty(*parts: MonthDays) -> list[MonthDays]:
    return [part for part in parts if part.days]


def _format_observance(
    before: LocalTimeType, after: LocalTimeType, onsets: list[datetime], rrule: str | None = None
) -> list[str]:
    """Return the lines of a STANDARD or DAYLIGHT part; its onsets are local times by the offset before them."""
    name = "DAYLIGHT" if _is_daylight(before, after) else "STANDARD"
    lines = [
        f"BEGIN:{name}",
        f"DTSTART:{_format_local(onsets[0])}",
        f"TZOFFSETFROM:{_format_offset(before.offset)}",
        f"TZOFFSETTO:{_format_offset(after.offset)}",
        f"TZNAME:{after.name}",
    ]
    if rrule is not None:
        lines.append(rrule)
    if len(onsets) > 1:
        lines.append("RDATE:" + ",".join(map(_format_local, onsets[1:])))
    return [*lines, f"END:{name}"]


def _is_daylight(before: LocalTimeType, after: LocalTimeType) -> bool:
    """Return whether daylight saving time begins.

    In the database the winter time of Ireland and Morocco is a negative daylight saving time, which other
    programs do not expect.
    """
    if before.is_daylight == after.is_daylight or before.offset == after.offset:
        return after.is_daylight
    return after.offset > before.offset


def _format_local(local: datetime) -> str:
    return local.isoformat().replace("-", "").replace(":", "")


def _format_offset(seconds: int) -> str:
    """Return an offset from UTC (RFC 5545 §3.3.14). Offsets from before time zones have seconds."""
    sign, (minutes, rest) = "-" if seconds < 0 else "+", divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{rest:02}" if rest else "")
