"""The hours of the week in which a series can take place, so that a short window need not look at every series.

The week begins on Monday at 00:00 UTC, which is hour 0. Two intervals that overlap have an hour in common.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from planner.domain.recurrence.rrule import Frequency, parse_rule
from planner.domain.recurrence.series import Series
from planner.domain.zones import MIDNIGHT, load_utc_offset

HOURS_OF_WEEK = 168
# In the list of a series that can take place in any hour.
EVERY_HOUR = -1
# A series with more dates and overrides of its own than these can take place in any hour, for simplicity.
MAX_ROWS = 200
_HOUR, _WEEK = 3600, 7 * 24 * 3600
_MONDAY = datetime(1, 1, 1, tzinfo=UTC)
# Offsets are looked at on every second day. The rules of all zones repeat from the last of these years on.
_STEP = timedelta(days=2)
_FIRST_YEAR, _LAST_YEAR = 1840, 2040


def list_hours(series: Series) -> list[int]:
    """Return the hours in which a series takes place, and maybe some in which it never does; or `[EVERY_HOUR]`."""
    if series.ranges or len(series.overrides) + len(series.rdates) > MAX_ROWS:
        return [EVERY_HOUR]
    explicit = map(series.compute_row, series.explicit_ids)
    hours: set[int] = set()
    for start, _, end in (*explicit, *series.overridden_rows):
        hours.update(_iterate_hours(_count_seconds(start), _count_seconds(end)))
        if len(hours) >= HOURS_OF_WEEK:
            return [EVERY_HOUR]
    if series.rrule is not None:
        hours.update(_list_hours_of_rule(series, series.rrule))
    return [EVERY_HOUR] if EVERY_HOUR in hours or len(hours) >= HOURS_OF_WEEK else sorted(hours)


def list_hours_of_window(since: datetime, until: datetime) -> list[int] | None:
    """Return the hours of the week that a window touches, or None if it touches all of them."""
    hours = set(_iterate_hours(_count_seconds(since), _count_seconds(until)))
    return None if len(hours) >= HOURS_OF_WEEK else sorted(hours)


def _list_hours_of_rule(series: Series, text: str) -> Iterable[int]:
    rule = parse_rule(text)
    if not series.all_day and (rule.frequency is Frequency.HOURLY or rule.by_hour or rule.by_minute or rule.by_second):
        return [EVERY_HOUR]
    days = {value.day for value in rule.by_day} if rule.frequency is Frequency.WEEKLY else set(range(7))
    days.add(series.start.weekday())
    at = series.start.time() if isinstance(series.start, datetime) else MIDNIGHT
    offsets = _list_offsets(series.time_zone, series.start.year)
    length = int(series.effective_duration.total_seconds())
    if series.all_day or series.nominal_days:
        # A duration of days by the clock varies as much as the offset does.
        length += max(offsets) - min(offsets)
    if length >= _WEEK:
        return [EVERY_HOUR]
    starts = (day * 24 * _HOUR + _count_seconds_of_day(at) - offset for day in days for offset in offsets)
    return {hour for start in starts for hour in _iterate_hours(start, start + length)}


@lru_cache(maxsize=2048)
def _list_offsets(time_zone: str, year: int) -> frozenset[int]:
    """Return the offsets from UTC that a zone has from a year on, in seconds."""
    find_offset = load_utc_offset(time_zone)
    first, offsets = date(max(year, 2) - 1, 1, 1), set[int]()
    if first.year < _FIRST_YEAR:
        # There were no clock changes before.
        offsets.add(int(find_offset(datetime.combine(first, MIDNIGHT)).total_seconds()))
        first = date(_FIRST_YEAR, 1, 1)
    local = datetime.combine(first, MIDNIGHT)
    last = datetime(min(max(first.year + 3, _LAST_YEAR), 9999), 1, 1)
    while local < last:
        offsets.add(int(find_offset(local).total_seconds()))
        local += _STEP
    return frozenset(offsets)


def _count_seconds(instant: datetime) -> float:
    """Return the seconds since some Monday at 00:00 UTC."""
    return (instant - _MONDAY).total_seconds()


def _count_seconds_of_day(at: time) -> int:
    return at.hour * _HOUR + at.minute * 60 + at.second


def _iterate_hours(start: float, end: float) -> Iterator[int]:
    """Yield the hours of the week that an interval touches; one without a length touches that in which it begins."""
    first, last = int(start // _HOUR), int(-(-end // _HOUR)) - 1
    for hour in range(first, min(max(first, last), first + HOURS_OF_WEEK - 1) + 1):
        yield hour % HOURS_OF_WEEK
