"""The days of a year that the BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY and BYDAY of a rule select.

There are few kinds of years: a year begins on one of seven weekdays, has a leap day or not, and so do
the years before and after it. The days are computed once for each kind and then remembered, so that
finding the days of any year costs one look-up. Rules that differ only in their start share them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from planner.domain.recurrence.rrule import Frequency, RecurrenceRule, Skip, Weekday

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
    """The selected days of a year as indexes from 0: in order, as a set, and in order for each month.

    With SKIP, a month has its missing days as well, which may be the day before or after the month or the year.
    """

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
        skip: Skip,
    ) -> None:
        self._by_month = by_month
        self._by_week_no = by_week_no
        self._by_year_day = by_year_day
        self._by_month_day = by_month_day
        self._by_day = by_day
        self._nth_in_month = nth_in_month
        self._wkst = wkst
        self._skip = skip
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
        # The days of each month of BYMONTH, by the index of the month. A missing day, such as 30 February, belongs
        # to its month also where SKIP makes it the first day of the next one.
        months = {month - 1: set(self._find_days_in_month(month, starts)) for month in self._by_month or range(1, 13)}
        limit = self._find_limit(year, starts, months)
        if limit is not None:
            months = {month: days & limit for month, days in months.items()}
        days_by_month = tuple(tuple(sorted(months.get(month, ()))) for month in range(12))
        day_set = frozenset().union(*months.values())
        return SelectedDays(tuple(sorted(day_set)), day_set, days_by_month)

    def _find_days_in_month(self, month: int, starts: tuple[int, ...]) -> Iterator[int]:
        """Yield the days of a month that BYYEARDAY and BYMONTHDAY select."""
        start, end = starts[month - 1], starts[month]
        selected: Iterable[int] = range(start, end)
        if self._by_month_day:
            selected = _resolve_numbers(self._by_month_day, start, end, self._skip)
        if self._by_year_day:
            # The first and last month also have the days that are missing at the beginning and the end of the year.
            low, high = start - (month == 1), end + (month == 12)
            in_year = set(_resolve_numbers(self._by_year_day, 0, starts[-1], self._skip))
            if not self._by_month_day:
                selected = range(low, high)
            selected = in_year.intersection(selected)
        yield from selected

    def _find_limit(self, year: int, starts: tuple[int, ...], months: Iterable[int]) -> set[int] | None:
        """Return the days that BYWEEKNO and BYDAY select; None if they select all days."""
        limit: set[int] | None = None
        if self._by_week_no:
            limit = set(self._find_days_in_weeks(year))
        if self._by_day:
            # Missing days are the day before or after the year.
            ranges = (
                [(starts[month], starts[month + 1]) for month in months] if self._nth_in_month else [(0, starts[-1])]
            )
            first_weekday = (get_new_year_ordinal(year) + 6) % 7
            weekdays = {
                day
                for weekday in self._by_day
                for start, end in ([(-1, starts[-1] + 1)] if weekday.nth == 0 else ranges)
                for day in _find_weekdays(weekday, first_weekday, start, end)
            }
            limit = weekdays if limit is None else limit & weekdays
        return limit

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


def _resolve_numbers(numbers: Iterable[int], start: int, end: int, skip: Skip) -> Iterator[int]:
    """Yield the days that are counted from the beginning or the end of a period from `start` up to `end`."""
    for number in numbers:
        day = start + number - 1 if number > 0 else end + number
        if start <= day < end:
            yield day
        elif skip is Skip.BACKWARD:
            yield end - 1 if number > 0 else start - 1
        elif skip is Skip.FORWARD:
            yield end if number > 0 else start


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


@lru_cache(maxsize=256)
def get_selector(
    by_month: tuple[int, ...],
    by_week_no: tuple[int, ...],
    by_year_day: tuple[int, ...],
    by_month_day: tuple[int, ...],
    by_day: tuple[Weekday, ...],
    nth_in_month: bool,
    wkst: int,
    skip: Skip,
) -> YearDaySelector:
    """Return the selector for these parts; the same parts give the same object, so that its results are shared."""
    return YearDaySelector(by_month, by_week_no, by_year_day, by_month_day, by_day, nth_in_month, wkst, skip)


def build_selector(rule: RecurrenceRule, start: date) -> YearDaySelector | None:
    """Return the selector for the BY parts of a rule, or None if they select all days.

    What the rule does not say is taken from its start (RFC 5545 §3.3.10, "Information, not contained
    in the rule"), in the way that RFC 8984 §4.3.3.1 describes.
    """
    if rule.frequency is Frequency.WEEKLY:
        # The weekdays of a weekly rule are counted from the first day of each week, not selected in the year.
        return get_selector(rule.by_month, (), (), (), (), False, 0, Skip.OMIT) if rule.by_month else None
    rule = add_parts_of_start(rule, start)
    if not (rule.by_month or rule.by_week_no or rule.by_year_day or rule.by_month_day or rule.by_day):
        return None
    has_numbers = any(weekday.nth for weekday in rule.by_day)
    return get_selector(
        rule.by_month,
        rule.by_week_no,
        rule.by_year_day,
        rule.by_month_day,
        rule.by_day,
        has_numbers and (rule.frequency is Frequency.MONTHLY or bool(rule.by_month)),
        rule.wkst if rule.by_week_no else 0,
        rule.skip,
    )


def add_parts_of_start(rule: RecurrenceRule, start: date) -> RecurrenceRule:
    """Return a rule with the day, weekday or month of its start, if it is monthly or yearly and lacks it."""
    if rule.frequency is Frequency.MONTHLY and not (rule.by_month_day or rule.by_day):
        return replace(rule, by_month_day=(start.day,))
    if rule.frequency is not Frequency.YEARLY or rule.by_year_day:
        return rule
    by_month, by_month_day, by_day = rule.by_month, rule.by_month_day, rule.by_day
    if not (by_month or rule.by_week_no) and (by_month_day or not by_day):
        by_month = (start.month,)
    if not (rule.by_month_day or rule.by_week_no or rule.by_day):
        by_month_day = (start.day,)
    if rule.by_week_no and not (rule.by_month_day or rule.by_day):
        by_day = (Weekday(start.weekday()),)
    return replace(rule, by_month=by_month, by_month_day=by_month_day, by_day=by_day)
