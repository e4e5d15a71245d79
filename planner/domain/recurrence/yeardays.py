"""The days of a year that the BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY and BYDAY of a rule select.

There are few kinds of years: a year begins on one of seven weekdays, has a leap day or not, and so do
the years before and after it. The days are computed once for each kind and then remembered, so that
finding the days of any year costs one look-up. Rules that differ only in their start share them.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from planner.domain.recurrence.rrule import Frequency, RecurrenceRule, Weekday

# 400 years of the Gregorian calendar are a whole number of weeks, so the calendar repeats after them.
CYCLE_YEARS = 400
CYCLE_DAYS = 146_097

# The index in the year of the first day of each month, then the length of the year; for common and leap years.
_MONTH_STARTS = (
    (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365),
    (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366),
)


def is_leap(year: int) -> bool:
    """Return whether the year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def get_new_year_ordinal(year: int) -> int:
    """Return the ordinal of 1 January, as `date.toordinal` counts, also for years outside of its range."""
    before = year - 1
    return 365 * before + before // 4 - before // 100 + before // 400 + 1


def count_days_in_month(year: int, month: int) -> int:
    """Return the number of days in a month, which is counted from 1."""
    starts = _MONTH_STARTS[is_leap(year)]
    return starts[month] - starts[month - 1]


def get_week_one_ordinal(year: int, wkst: int) -> int:
    """Return the ordinal of the first day of week 1, the first week with at least four days in the year."""
    new_year = get_new_year_ordinal(year)
    days_since_wkst = ((new_year + 6) % 7 - wkst) % 7
    return new_year - days_since_wkst if days_since_wkst <= 3 else new_year + 7 - days_since_wkst


class SelectedDays(NamedTuple):
    """The selected days of a year as indexes from 0: in order, as a set, and in order for each month."""

    days: tuple[int, ...]
    day_set: frozenset[int]
    months: tuple[tuple[int, ...], ...]


class YearDaySelector:
    """The days that a combination of BY parts selects, in any year."""

    def __init__(
        self,
        by_month: tuple[int, ...],
        by_week_no: tuple[int, ...],
        by_year_day: tuple[int, ...],
        by_month_day: tuple[int, ...],
        by_day: tuple[Weekday, ...],
        nth_in_month: bool,
        wkst: int,
    ) -> None:
        self._by_month = by_month
        self._by_week_no = by_week_no
        self._by_year_day = by_year_day
        self._by_month_day = by_month_day
        self._by_day = by_day
        self._nth_in_month = nth_in_month
        self._wkst = wkst
        self._selected_by_kind: dict[tuple[int, bool, bool, bool], SelectedDays] = {}

    def select(self, year: int) -> SelectedDays:
        """Return the selected days of this year."""
        kind = (get_new_year_ordinal(year) % 7, is_leap(year - 1), is_leap(year), is_leap(year + 1))
        selected = self._selected_by_kind.get(kind)
        if selected is None:
            selected = self._selected_by_kind[kind] = self._compute(year)
        return selected

    def _compute(self, year: int) -> SelectedDays:
        starts = _MONTH_STARTS[is_leap(year)]
        day_set = set(range(starts[-1]))
        months = self._by_month or tuple(range(1, 13))
        # Each part that is given limits the selection further (see the table in RFC 5545 §3.3.10).
        if self._by_month:
            day_set &= {day for month in months for day in range(starts[month - 1], starts[month])}
        if self._by_week_no:
            day_set &= set(self._find_days_in_weeks(year))
        if self._by_year_day:
            day_set &= {nth - 1 if nth > 0 else starts[-1] + nth for nth in self._by_year_day}
        if self._by_month_day:
            day_set &= {
                (starts[month - 1] if nth > 0 else starts[month] + 1) + nth - 1
                for month in months
                for nth in self._by_month_day
                if abs(nth) <= starts[month] - starts[month - 1]
            }
        if self._by_day:
            month_ranges = [(starts[month - 1], starts[month]) for month in months]
            ranges = month_ranges if self._nth_in_month else [(0, starts[-1])]
            first_weekday = (get_new_year_ordinal(year) + 6) % 7
            day_set &= {
                day
                for start, end in ranges
                for weekday in self._by_day
                for day in _find_weekdays(weekday, first_weekday, start, end)
            }
        days = tuple(sorted(day_set))
        cuts = [bisect_left(days, start) for start in starts]
        days_by_month = tuple(days[cut:end] for cut, end in pairwise(cuts))
        return SelectedDays(days, frozenset(day_set), days_by_month)

    def _find_days_in_weeks(self, year: int) -> Iterator[int]:
        """Yield the days in the weeks of BYWEEKNO, which may be weeks of the year before or after."""
        new_year = get_new_year_ordinal(year)
        for week_year in (year - 1, year, year + 1):
            start = get_week_one_ordinal(week_year, self._wkst)
            weeks = (get_week_one_ordinal(week_year + 1, self._wkst) - start) // 7
            for number in self._by_week_no:
                week = number - 1 if number > 0 else weeks + number
                if 0 <= week < weeks:
                    yield from range(start + 7 * week - new_year, start + 7 * week - new_year + 7)


def _find_weekdays(weekday: Weekday, first_weekday: int, start: int, end: int) -> range:
    """Return the days from `start` up to `end` that are this weekday, in a year that begins on `first_weekday`."""
    first = start + (weekday.day - first_weekday - start) % 7
    if weekday.nth == 0:
        return range(first, end, 7)
    if weekday.nth > 0:
        day = first + 7 * (weekday.nth - 1)
    else:
        last = end - 1 - (first_weekday + end - 1 - weekday.day) % 7
        day = last + 7 * (weekday.nth + 1)
    return range(day, day + 1) if start <= day < end else range(0)


@lru_cache(maxsize=1024)
def get_selector(
    by_month: tuple[int, ...],
    by_week_no: tuple[int, ...],
    by_year_day: tuple[int, ...],
    by_month_day: tuple[int, ...],
    by_day: tuple[Weekday, ...],
    nth_in_month: bool,
    wkst: int,
) -> YearDaySelector:
    """Return the selector for these parts; the same parts give the same object, so that its results are shared."""
    return YearDaySelector(by_month, by_week_no, by_year_day, by_month_day, by_day, nth_in_month, wkst)


def build_selector(rule: RecurrenceRule, start: date) -> YearDaySelector | None:
    """Return the selector for the BY parts of a rule, or None if they select all days.

    What the rule does not say is taken from its start (RFC 5545 §3.3.10, "Information, not contained
    in the rule").
    """
    by_month, by_month_day = rule.by_month, rule.by_month_day
    if rule.frequency is Frequency.WEEKLY:
        # The weekdays of a weekly rule are counted from the first day of each week, not selected in the year.
        return get_selector(by_month, (), (), (), (), False, 0) if by_month else None
    if rule.frequency <= Frequency.MONTHLY and not (rule.by_week_no or rule.by_year_day or by_month_day or rule.by_day):
        by_month_day = (start.day,)
        if rule.frequency is Frequency.YEARLY and not by_month:
            by_month = (start.month,)
    if not (by_month or rule.by_week_no or rule.by_year_day or by_month_day or rule.by_day):
        return None
    has_numbers = any(weekday.nth for weekday in rule.by_day)
    nth_in_month = has_numbers and (rule.frequency is Frequency.MONTHLY or bool(by_month))
    wkst = rule.wkst if rule.by_week_no else 0
    return get_selector(by_month, rule.by_week_no, rule.by_year_day, by_month_day, rule.by_day, nth_in_month, wkst)
