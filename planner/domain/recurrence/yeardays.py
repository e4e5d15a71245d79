"""Tells which days of a year a rule's BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY and BYDAY choose.

The calendar has few kinds of years: seven weekdays to begin with, leap or not, and what their
neighbours are. The days are worked out once for each kind, so that a rule can be asked about any
year at the cost of a look-up, and rules that differ only in their start share the answers.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from planner.domain.recurrence.rrule import Frequency, Rule, Weekday

# 400 years of the Gregorian calendar are whole weeks, after which everything repeats.
CYCLE_YEARS = 400
CYCLE_DAYS = 146_097

# The day of the year with which each month begins, and the end; for common and for leap years.
_MONTHS = (
    (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365),
    (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366),
)


def is_leap(year: int) -> bool:
    """Whether the year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def first_day(year: int) -> int:
    """The ordinal of 1 January, as `date.toordinal` counts, for years out of its range as well."""
    before = year - 1
    return 365 * before + before // 4 - before // 100 + before // 400 + 1


def days_in_month(year: int, month: int) -> int:
    """How many days the month has, which is counted from 1."""
    starts = _MONTHS[is_leap(year)]
    return starts[month] - starts[month - 1]


def week_one(year: int, wkst: int) -> int:
    """The ordinal of the day on which week 1 begins: the first with four days in the year."""
    first = first_day(year)
    days_gone = ((first + 6) % 7 - wkst) % 7
    return first - days_gone if days_gone <= 3 else first + 7 - days_gone


class Chosen(NamedTuple):
    """The chosen days of a kind of year, counted from 0: all in order, as a set, and by month."""

    days: tuple[int, ...]
    known: frozenset[int]
    months: tuple[tuple[int, ...], ...]


class YearDays:
    """The days that a set of BY parts chooses, of any year."""

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
        self._kinds: dict[tuple[int, bool, bool, bool], Chosen] = {}

    def of(self, year: int) -> Chosen:
        """The days chosen of this year."""
        kind = (first_day(year) % 7, is_leap(year - 1), is_leap(year), is_leap(year + 1))
        chosen = self._kinds.get(kind)
        if chosen is None:
            chosen = self._kinds[kind] = self._choose(year)
        return chosen

    def _choose(self, year: int) -> Chosen:
        starts = _MONTHS[is_leap(year)]
        known = set(range(starts[-1]))
        months = self._by_month or tuple(range(1, 13))
        # Every part that is given narrows the choice (the table in RFC 5545 §3.3.10).
        if self._by_month:
            known &= {day for month in months for day in range(starts[month - 1], starts[month])}
        if self._by_week_no:
            known &= set(self._in_weeks(year))
        if self._by_year_day:
            known &= {nth - 1 if nth > 0 else starts[-1] + nth for nth in self._by_year_day}
        if self._by_month_day:
            known &= {
                (starts[month - 1] if nth > 0 else starts[month] + 1) + nth - 1
                for month in months
                for nth in self._by_month_day
                if abs(nth) <= starts[month] - starts[month - 1]
            }
        if self._by_day:
            in_months = [(starts[month - 1], starts[month]) for month in months]
            spans = in_months if self._nth_in_month else [(0, starts[-1])]
            first = (first_day(year) + 6) % 7
            known &= {day for span in spans for weekday in self._by_day for day in _on(weekday, first, *span)}
        days = tuple(sorted(known))
        cuts = [bisect_left(days, start) for start in starts]
        by_month = tuple(days[cut:end] for cut, end in pairwise(cuts))
        return Chosen(days, frozenset(known), by_month)

    def _in_weeks(self, year: int) -> Iterator[int]:
        """The days in the weeks of BYWEEKNO, whose year may be the one before or after."""
        first = first_day(year)
        for owner in (year - 1, year, year + 1):
            start = week_one(owner, self._wkst)
            weeks = (week_one(owner + 1, self._wkst) - start) // 7
            for number in self._by_week_no:
                week = number - 1 if number > 0 else weeks + number
                if 0 <= week < weeks:
                    yield from range(start + 7 * week - first, start + 7 * week - first + 7)


def _on(weekday: Weekday, first_weekday: int, start: int, end: int) -> range:
    """The days from start up to end, of a year beginning on `first_weekday`, that are the weekday."""
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
def year_days(
    by_month: tuple[int, ...],
    by_week_no: tuple[int, ...],
    by_year_day: tuple[int, ...],
    by_month_day: tuple[int, ...],
    by_day: tuple[Weekday, ...],
    nth_in_month: bool,
    wkst: int,
) -> YearDays:
    """The one YearDays for these parts, which keeps what it has worked out."""
    return YearDays(by_month, by_week_no, by_year_day, by_month_day, by_day, nth_in_month, wkst)


def chosen_days(rule: Rule, start: date) -> YearDays | None:
    """The days that the BY parts choose, or None if they choose all.

    What a rule does not say is taken from its start (RFC 5545 §3.3.10, "Information, not contained
    in the rule").
    """
    by_month, by_month_day = rule.by_month, rule.by_month_day
    if rule.frequency is Frequency.WEEKLY:
        # Weekdays are found from the beginning of the week.
        return year_days(by_month, (), (), (), (), False, 0) if by_month else None
    if rule.frequency <= Frequency.MONTHLY and not (rule.by_week_no or rule.by_year_day or by_month_day or rule.by_day):
        by_month_day = (start.day,)
        if rule.frequency is Frequency.YEARLY and not by_month:
            by_month = (start.month,)
    if not (by_month or rule.by_week_no or rule.by_year_day or by_month_day or rule.by_day):
        return None
    numbered = any(weekday.nth for weekday in rule.by_day)
    nth_in_month = numbered and (rule.frequency is Frequency.MONTHLY or bool(by_month))
    wkst = rule.wkst if rule.by_week_no else 0
    return year_days(by_month, rule.by_week_no, rule.by_year_day, by_month_day, rule.by_day, nth_in_month, wkst)
