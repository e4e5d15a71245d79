"""Which items stand in which line of the days of a week.

An item of several days stands in the same line of each of its days, so that it looks like one bar.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import count
from typing import NamedTuple

from routes.pages.calendar_views.calendar_items import CalendarItem

# A day of a month shows so many items at most; the others are on its own page.
MAX_LINES = 6


class Line(NamedTuple):
    """An item on one of its days. `lane` is its line, from 1, if it must be the same on all days; else 0."""

    item: CalendarItem
    lane: int
    day: date

    @property
    def number(self) -> int:
        """Which of its days this is, from 1."""
        return (self.day - self.item.first).days + 1

    @property
    def total(self) -> int:
        """On how many days it is."""
        return (self.item.last - self.item.first).days + 1

    @property
    def joins(self) -> str:
        """The classes that say on which sides it goes on."""
        return f"{' from' if self.day > self.item.first else ''}{' on' if self.day < self.item.last else ''}"


class DayLines(NamedTuple):
    """The lines of a day, and how many items there are besides."""

    day: date
    lines: list[Line]
    hidden: int


def lay_out_week(
    days: Sequence[date], items: Iterable[CalendarItem], max_lines: int | None = MAX_LINES
) -> list[DayLines]:
    """Return the lines of the days of one week; `max_lines` is how many a day shows, None for all of them."""
    by_day: dict[date, list[Line]] = {day: [] for day in days}
    taken: dict[date, set[int]] = {day: set() for day in days}
    for item in sorted(items, key=_by_length):
        shown = [day for day in days if item.first <= day <= item.last]
        lane = 0
        if item.last > item.first and shown:
            lane = next(n for n in count(1) if all(n not in taken[day] for day in shown))
            for day in shown:
                taken[day].add(lane)
        for day in shown:
            by_day[day].append(Line(item, lane, day))
    return [_cut(day, by_day[day], max_lines) for day in days]


def _by_length(item: CalendarItem) -> tuple[bool, date, int, tuple[bool, datetime, datetime, str]]:
    """Return the order in which lines are given: bars first, those that begin earlier, the longer ones."""
    is_bar = item.last > item.first
    return (not is_bar, item.first if is_bar else date.min, -(item.last - item.first).days, item.order)


def _cut(day: date, lines: list[Line], max_lines: int | None) -> DayLines:
    lines.sort(key=lambda line: (line.lane == 0, line.lane))
    if max_lines is None or (len(lines) <= max_lines and all(line.lane <= max_lines for line in lines)):
        return DayLines(day, lines, 0)
    # The last line says how many more there are.
    shown = [line for line in lines if line.lane < max_lines][: max_lines - 1]
    return DayLines(day, shown, len(lines) - len(shown))
