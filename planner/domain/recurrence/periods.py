"""The days on which a rule recurs: its frequency and interval, and the days that its BY parts select.

Days are ordinals, as `date.toordinal` counts. The days of any range are computed from the numbers of
the periods in that range, at a cost that does not depend on how far the range is from the start.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import TypeVar

from planner.domain.recurrence.rrule import Frequency, RecurrenceRule, Skip, Weekday
from planner.domain.recurrence.yeardays import build_selector, get_new_year_ordinal

_Ordered = TypeVar("_Ordered", int, date)

LAST_DAY = date.max.toordinal()

# From this interval on, stepping from period to period is cheaper than filtering all selected days.
STEP_INTERVAL = 8

_date = date.fromordinal


class RuleDays:
    """The days on which a rule recurs that begins at a start; its times of day are not considered."""

    def __init__(self, rule: RecurrenceRule, start: date) -> None:
        self._rule = rule
        self._start = start
        self._start_day = start.toordinal()
        self._selector = build_selector(rule, start)
        by_day = rule.by_day or (Weekday(start.weekday()),)
        self._week_offsets = sorted({(weekday.day - rule.wkst) % 7 for weekday in by_day})

    @property
    def max_per_period(self) -> int:
        """Return the largest number of days that one year, month or week of the rule can have."""
        return len(self._week_offsets) if self._rule.frequency is Frequency.WEEKLY else 366

    def find_by_period(self, first: int, last: int) -> Iterator[list[int]]:
        """Yield the days of each whole year, month or week of the rule that has a day from `first` to `last`.

        With SKIP, two of them may have the same day, because one of them does not have it itself.
        """
        if self._rule.skip is not Skip.OMIT:
            first, last = max(1, first - 1), min(last + 1, LAST_DAY)
        match self._rule.frequency:
            case Frequency.YEARLY:
                return self._find_by_year(first, last)
            case Frequency.MONTHLY:
                return self._find_by_month(first, last)
            case _:
                return self._find_by_week(first, last)

    def _find_by_year(self, first: int, last: int) -> Iterator[list[int]]:
        assert self._selector is not None
        start, interval = _date(first).year, self._rule.interval
        start += (self._start.year - start) % interval
        for year in range(start, _date(last).year + 1, interval):
            new_year = get_new_year_ordinal(year)
            yield [new_year + day for day in self._selector.select(year).days]

    def _find_by_month(self, first: int, last: int) -> Iterator[list[int]]:
        assert self._selector is not None
        start, interval = _month_number(_date(first)), self._rule.interval
        start += (_month_number(self._start) - start) % interval
        for month in range(start, _month_number(_date(last)) + 1, interval):
            year = month // 12
            days = self._selector.select(year).months[month % 12]
            if days:
                new_year = get_new_year_ordinal(year)
                yield [new_year + day for day in days]

    def _find_by_week(self, first: int, last: int) -> Iterator[list[int]]:
        start = self._start_day - (self._start.weekday() - self._rule.wkst) % 7
        step = 7 * self._rule.interval
        # The first week of the rule that ends on `first` or later.
        begin = start - (start + 6 - first) // step * step
        if self._selector is not None and self._rule.interval < STEP_INTERVAL and begin <= last:
            selected = self.find_selected(max(begin, 1), min(last + 6, LAST_DAY))
            days = [day for day in selected if (day - start) % step in self._week_offsets]
            for _, days_of_week in groupby(days, lambda day: (day - start) // step):
                yield list(days_of_week)
        else:
            for week in range(begin, last + 1, step):
                days = [week + offset for offset in self._week_offsets if week + offset <= LAST_DAY]
                yield days if self._selector is None else [day for day in days if self.is_selected(day)]

    def find_daily(self, first: int, last: int) -> Sequence[int]:
        """Return the days of a daily rule from `first` to `last`, in order."""
        interval = self._rule.interval
        start = first + (self._start_day - first) % interval
        if self._selector is None:
            return range(start, last + 1, interval)
        found: list[int] = []
        for year in range(_date(first).year, _date(last).year + 1):
            new_year, selected = get_new_year_ordinal(year), self._selector.select(year)
            if interval == 1:
                found += [new_year + day for day in selected.days]
            elif interval < STEP_INTERVAL:
                found += [new_year + day for day in selected.days if (new_year + day - start) % interval == 0]
            else:
                begin, end = new_year + (start - new_year) % interval, get_new_year_ordinal(year + 1)
                found += [day for day in range(begin, end, interval) if day - new_year in selected.day_set]
        return cut(found, first, last)

    def find_selected(self, first: int, last: int) -> Sequence[int]:
        """Return all days from `first` to `last` that the BY parts select, whatever the interval, in order."""
        if self._selector is None:
            return range(first, last + 1)
        found: list[int] = []
        for year in range(_date(first).year, _date(last).year + 1):
            new_year = get_new_year_ordinal(year)
            found += [new_year + day for day in self._selector.select(year).days]
        return cut(found, first, last)

    def is_selected(self, day: int) -> bool:
        """Return whether the BY parts select this day, whatever the interval."""
        if self._selector is None:
            return True
        year = _date(day).year
        return day - get_new_year_ordinal(year) in self._selector.select(year).day_set


def _month_number(day: date) -> int:
    """Return the number of the month, counted from January of year 0."""
    return day.year * 12 + day.month - 1


def cut(ordered: list[_Ordered], low: _Ordered, high: _Ordered) -> list[_Ordered]:
    """Return the values from `low` to `high`, both included, of an ordered list."""
    if ordered and ordered[0] < low:
        ordered = ordered[bisect_left(ordered, low) :]
    if ordered and ordered[-1] > high:
        ordered = ordered[: bisect_right(ordered, high)]
    return ordered
