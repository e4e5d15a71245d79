"""The days that a view of the calendar shows, and the addresses of those before and after."""

import re
from datetime import date, timedelta
from typing import Literal, NamedTuple

from planner.errors import NotFound
from routes.pages.dates import write_day, write_days_between, write_month

View = Literal["month", "week", "day", "agenda"]
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
# So many days are in a list of days.
AGENDA = 4 * WEEK
# A month page shows whole weeks, and every view leads to the one before and after.
_FIRST_YEAR, _LAST_YEAR = 2, 9998
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Period(NamedTuple):
    """The days that a view shows, from `first` until before `after`.

    `anchor` is the date of its address, `begin` and `end` (exclusive) the days that it is about: a month page also
    shows some days before and after its month.
    """

    view: View
    anchor: date
    first: date
    after: date
    begin: date
    end: date

    @property
    def days(self) -> list[date]:
        """The days that are shown."""
        return [self.first + n * DAY for n in range((self.after - self.first).days)]

    @property
    def title(self) -> str:
        """The period in words."""
        if self.view == "month":
            return write_month(self.begin)
        return write_day(self.begin) if self.view == "day" else write_days_between(self.begin, self.end - DAY)

    @property
    def address(self) -> str:
        """The address of the period itself, within the calendar."""
        return format_address(self.view, self.anchor)

    @property
    def previous(self) -> str:
        """The address of the period before, within the calendar."""
        return format_address(self.view, self.begin - (DAY if self.view == "month" else self.end - self.begin))

    @property
    def next(self) -> str:
        """The address of the period after, within the calendar."""
        return format_address(self.view, self.end)


def format_address(view: View, day: date) -> str:
    """Return the address of the view that shows a day, within the calendar."""
    text = day.isoformat()
    return f"/calendar/{view}/{text[:7] if view == 'month' else text}"


def parse_period(view: View, text: str, first_weekday: int) -> Period:
    """Return what a view shows at an address that ends with this text. Raises `NotFound` for what is no date."""
    anchor = _parse_anchor(view, text)
    if view == "month":
        end = (anchor + timedelta(days=31)).replace(day=1)
        first = find_week_start(anchor, first_weekday)
        after = find_week_start(end - DAY, first_weekday) + WEEK
        return Period(view, anchor, first, after, anchor, end)
    begin = find_week_start(anchor, first_weekday) if view == "week" else anchor
    end = begin + {"week": WEEK, "day": DAY, "agenda": AGENDA}[view]
    return Period(view, anchor, begin, end, begin, end)


def _parse_anchor(view: View, text: str) -> date:
    pattern = _MONTH if view == "month" else _DATE
    try:
        anchor = date.fromisoformat(f"{text}-01" if view == "month" else text) if pattern.fullmatch(text) else None
    except ValueError:
        anchor = None
    if anchor is None or not _FIRST_YEAR <= anchor.year <= _LAST_YEAR:
        raise NotFound("There is no such date in the calendar.")
    return anchor


def find_week_start(day: date, first_weekday: int) -> date:
    """Return the first day of the week of a day."""
    return day - (day.weekday() - first_weekday) % 7 * DAY
