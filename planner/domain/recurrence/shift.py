"""Moving a rule along when the start of its series is moved.

Someone who moves a weekly meeting from Monday to Tuesday means every Tuesday. So the parts of the rule
that name the old day or time are rewritten for the new one, as far as there is one clear way to do it:
the weekdays of a weekly rule all move by the same number of days, `-1FR` becomes `-1TH`,
`BYMONTHDAY=15` becomes 17. Where there is no clear way, the error asks for a new rule.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from planner.domain.recurrence.rrule import Frequency, RecurrenceError, RecurrenceRule, Weekday, remove_times_of_day
from planner.domain.recurrence.yeardays import (
    count_days_in_month,
    get_new_year_ordinal,
    get_week_one_ordinal,
    is_leap,
)

_HOUR_SECONDS, _DAY_SECONDS = 3600, 86400


class Shift(NamedTuple):
    """A move in local time, defined by one value before and after it; each may be a date or a local time."""

    old: date
    new: date

    def apply(self, value: date) -> date:
        """Return where another value of the kind of `old` moves to.

        Raises `RecurrenceError` if that is outside the calendar.
        """
        old, new = self
        try:
            if isinstance(value, datetime) and isinstance(old, datetime):
                if isinstance(new, datetime):
                    return value + (new - old)
                return value.date() + (new - old.date())
            if isinstance(new, datetime):
                day = value + (new.date() - old)
                return datetime.combine(day, new.time())
            return value + (new - old)
        except OverflowError:
            raise RecurrenceError("start", "must keep all occurrences within the years 1 to 9999") from None

    @property
    def days(self) -> int:
        """The number of days by which the date moves."""
        return self.new.toordinal() - self.old.toordinal()


def move_rule(rule: RecurrenceRule, shift: Shift) -> RecurrenceRule:
    """Return the rule for the moved start, without its UNTIL.

    Raises `RecurrenceError` if there is no clear way to move it.
    """
    rule = _move_times(replace(rule, until=None), shift)
    return _move_days(rule, shift) if shift.days else rule


def _move_times(rule: RecurrenceRule, shift: Shift) -> RecurrenceRule:
    """Move BYHOUR, BYMINUTE and BYSECOND, if all times stay within their day."""
    old, new = shift
    if not isinstance(new, datetime):
        if rule.frequency is Frequency.HOURLY:
            raise RecurrenceError("rrule", "must not have FREQ=HOURLY for an all-day event")
        return remove_times_of_day(rule)
    if not isinstance(old, datetime) or not (rule.by_hour or rule.by_minute or rule.by_second):
        return rule
    # The hours of an hourly rule without BYHOUR follow from its start, which is moved anyway.
    is_every_hour = rule.frequency is Frequency.HOURLY and not rule.by_hour
    period = _HOUR_SECONDS if is_every_hour else _DAY_SECONDS
    delta = _seconds_of_day(new) % period - _seconds_of_day(old) % period
    times = {
        (hour * 3600 + minute * 60 + second) % period + delta
        for hour in rule.by_hour or (old.hour,)
        for minute in rule.by_minute or (old.minute,)
        for second in rule.by_second or (old.second,)
    }
    hours = {seconds // 3600 for seconds in times}
    minutes = {seconds // 60 % 60 for seconds in times}
    seconds = {seconds % 60 for seconds in times}
    if min(times) < 0 or max(times) >= period or len(hours) * len(minutes) * len(seconds) != len(times):
        raise _build_ambiguity_error("BYHOUR, BYMINUTE and BYSECOND", shift)
    return replace(
        rule,
        by_hour=() if is_every_hour else _moved_values(rule.by_hour, hours),
        by_minute=_moved_values(rule.by_minute, minutes),
        by_second=_moved_values(rule.by_second, seconds),
    )


def _moved_values(old_values: tuple[int, ...], values: set[int]) -> tuple[int, ...]:
    """Return the moved values of a part; a part that was not given stays so if the new start implies its value."""
    return tuple(sorted(values)) if old_values or len(values) > 1 else ()


def _move_days(rule: RecurrenceRule, shift: Shift) -> RecurrenceRule:
    """Move the parts that name days to those of the new start."""
    old, new = shift
    weekday_shift = shift.days % 7
    month_shift = (new.month - old.month) % 12
    by_month = tuple(sorted((month - 1 + month_shift) % 12 + 1 for month in rule.by_month))
    wkst = rule.wkst
    if rule.frequency is Frequency.WEEKLY and rule.by_day and (rule.interval > 1 or rule.by_set_pos):
        # When the start of the week moves along with the weekdays, each week keeps the same occurrences.
        wkst = (wkst + weekday_shift) % 7
    return replace(
        rule,
        by_month=by_month,
        by_week_no=_move_numbers(
            "BYWEEKNO", rule.by_week_no, _week_place(old, wkst), _week_place(new, wkst), 53, shift
        ),
        by_year_day=_move_numbers("BYYEARDAY", rule.by_year_day, _year_place(old), _year_place(new), 366, shift),
        by_month_day=_move_numbers("BYMONTHDAY", rule.by_month_day, _month_place(old), _month_place(new), 31, shift),
        by_day=_move_weekdays(rule, shift, weekday_shift),
        wkst=wkst,
    )


def _move_weekdays(rule: RecurrenceRule, shift: Shift, weekday_shift: int) -> tuple[Weekday, ...]:
    in_month = rule.frequency is Frequency.MONTHLY or rule.by_month
    places = [_month_place(day) if in_month else _year_place(day) for day in shift]
    # The place of each day among the same weekdays of its month or year.
    old, new = [((forward - 1) // 7 + 1, -((-backward - 1) // 7 + 1)) for forward, backward in places]
    maximum = 5 if in_month else 53
    moved = set()
    for day, nth in rule.by_day:
        (number,) = _move_numbers("BYDAY", (nth,), old, new, maximum, shift) if nth else (0,)
        moved.add(Weekday((day + weekday_shift) % 7, number))
    return tuple(sorted(moved))


# The number of a day or week in its month or year, counted from the beginning (the first is 1) and from the
# end (the last is -1), as BY parts count.
_Place = tuple[int, int]


def _month_place(day: date) -> _Place:
    return day.day, day.day - count_days_in_month(day.year, day.month) - 1


def _year_place(day: date) -> _Place:
    number = day.toordinal() - get_new_year_ordinal(day.year) + 1
    return number, number - (366 if is_leap(day.year) else 365) - 1


def _week_place(day: date, wkst: int) -> _Place:
    ordinal = day.toordinal()
    years = (day.year + 1, day.year, day.year - 1)
    year = next(year for year in years if get_week_one_ordinal(year, wkst) <= ordinal)
    start, end = get_week_one_ordinal(year, wkst), get_week_one_ordinal(year + 1, wkst)
    number = (ordinal - start) // 7 + 1
    return number, number - (end - start) // 7 - 1


def _move_numbers(
    part: str, numbers: Iterable[int], old: _Place, new: _Place, maximum: int, shift: Shift
) -> tuple[int, ...]:
    """Return the numbers moved as far as the start moved, each counted from the same end."""
    moved = set()
    for old_number in numbers:
        end = 0 if old_number > 0 else 1
        number = old_number + new[end] - old[end]
        if not 1 <= abs(number) <= maximum or (number > 0) is not (old_number > 0):
            raise _build_ambiguity_error(part, shift)
        moved.add(number)
    return tuple(sorted(moved))


def _seconds_of_day(local: datetime) -> int:
    return local.hour * 3600 + local.minute * 60 + local.second


def _build_ambiguity_error(part: str, shift: Shift) -> RecurrenceError:
    return RecurrenceError(
        "rrule",
        f"must be sent together with the new start, because {part} cannot be moved"
        f" from {shift.old.isoformat()} to {shift.new.isoformat()} in one clear way",
    )


def build_start_mismatch_error(shift: Shift) -> RecurrenceError:
    """Return the error for a moved start that the moved rule does not match."""
    return _build_ambiguity_error("the rule", shift)
