"""Carries a rule along when the start of its series moves.

Someone who drags a weekly Monday meeting to Tuesday means every Tuesday. So the parts that name the
old day or time are rewritten to name the new one, wherever it is plain what that is: the weekdays
of a weekly rule all move by as many days, `-1FR` becomes `-1TH`, `BYMONTHDAY=15` becomes 17. Where
it is not plain, a new rule has to come with the move, and the error says so.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from planner.domain.recurrence.rrule import Frequency, RecurrenceError, Rule, Weekday, without_times
from planner.domain.recurrence.yeardays import days_in_month, first_day, is_leap, week_one

_HOUR, _DAY = 3600, 86400


class Shift(NamedTuple):
    """A move in wall time, given by what becomes of one value; either may be a date or a local time."""

    old: date
    new: date

    def __call__(self, value: date) -> date:
        """Where another value of the old kind goes; raises RecurrenceError beyond the calendar's ends."""
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
            raise RecurrenceError("start", "the move leads out of the calendar") from None

    @property
    def days(self) -> int:
        """By how many days the date changes."""
        return self.new.toordinal() - self.old.toordinal()


def carried(rule: Rule, shift: Shift) -> Rule:
    """The rule for the moved start, without its UNTIL; raises RecurrenceError if that is not plain."""
    rule = _carry_times(replace(rule, until=None), shift)
    return _carry_days(rule, shift) if shift.days else rule


def _carry_times(rule: Rule, shift: Shift) -> Rule:
    """Moves BYHOUR, BYMINUTE and BYSECOND, if all times stay within their day."""
    old, new = shift
    if not isinstance(new, datetime):
        if rule.frequency is Frequency.HOURLY:
            raise RecurrenceError("rrule", "what lasts whole days cannot repeat hourly")
        return without_times(rule)
    if not isinstance(old, datetime) or not (rule.by_hour or rule.by_minute or rule.by_second):
        return rule
    # An hourly rule without BYHOUR takes its hours from the start, which moves by itself.
    any_hour = rule.frequency is Frequency.HOURLY and not rule.by_hour
    span = _HOUR if any_hour else _DAY
    delta = _seconds(new) % span - _seconds(old) % span
    times = {
        (hour * 3600 + minute * 60 + second) % span + delta
        for hour in rule.by_hour or (old.hour,)
        for minute in rule.by_minute or (old.minute,)
        for second in rule.by_second or (old.second,)
    }
    hours = {seconds // 3600 for seconds in times}
    minutes = {seconds // 60 % 60 for seconds in times}
    seconds = {seconds % 60 for seconds in times}
    if min(times) < 0 or max(times) >= span or len(hours) * len(minutes) * len(seconds) != len(times):
        raise _unclear("BYHOUR, BYMINUTE and BYSECOND", shift)
    return replace(
        rule,
        by_hour=() if any_hour else _kept(rule.by_hour, hours),
        by_minute=_kept(rule.by_minute, minutes),
        by_second=_kept(rule.by_second, seconds),
    )


def _kept(given: tuple[int, ...], values: set[int]) -> tuple[int, ...]:
    """The values of a part, which stays away if it was and the start still says the same."""
    return tuple(sorted(values)) if given or len(values) > 1 else ()


def _carry_days(rule: Rule, shift: Shift) -> Rule:
    """Moves the parts that name days to those of the new start."""
    old, new = shift
    turn = shift.days % 7
    months = (new.month - old.month) % 12
    by_month = tuple(sorted((month - 1 + months) % 12 + 1 for month in rule.by_month))
    wkst = rule.wkst
    if rule.frequency is Frequency.WEEKLY and rule.by_day and (rule.interval > 1 or rule.by_set_pos):
        # Turned together with the weekdays, the weeks keep holding the same ones.
        wkst = (wkst + turn) % 7
    return replace(
        rule,
        by_month=by_month,
        by_week_no=_moved("BYWEEKNO", rule.by_week_no, _weeks(old, wkst), _weeks(new, wkst), 53, shift),
        by_year_day=_moved("BYYEARDAY", rule.by_year_day, _year_days(old), _year_days(new), 366, shift),
        by_month_day=_moved("BYMONTHDAY", rule.by_month_day, _month_days(old), _month_days(new), 31, shift),
        by_day=_weekdays(rule, shift, turn),
        wkst=wkst,
    )


def _weekdays(rule: Rule, shift: Shift, turn: int) -> tuple[Weekday, ...]:
    in_month = rule.frequency is Frequency.MONTHLY or rule.by_month
    places = [_month_days(day) if in_month else _year_days(day) for day in shift]
    old, new = [((forward - 1) // 7 + 1, -((-backward - 1) // 7 + 1)) for forward, backward in places]
    most = 5 if in_month else 53
    moved = set()
    for day, nth in rule.by_day:
        (number,) = _moved("BYDAY", (nth,), old, new, most, shift) if nth else (0,)
        moved.add(Weekday((day + turn) % 7, number))
    return tuple(sorted(moved))


# Places are numbered from both ends, as the BY parts do it: the first is 1, the last is -1.
_Place = tuple[int, int]


def _month_days(day: date) -> _Place:
    return day.day, day.day - days_in_month(day.year, day.month) - 1


def _year_days(day: date) -> _Place:
    number = day.toordinal() - first_day(day.year) + 1
    return number, number - (366 if is_leap(day.year) else 365) - 1


def _weeks(day: date, wkst: int) -> _Place:
    ordinal = day.toordinal()
    year = next(year for year in (day.year + 1, day.year, day.year - 1) if week_one(year, wkst) <= ordinal)
    start, end = week_one(year, wkst), week_one(year + 1, wkst)
    number = (ordinal - start) // 7 + 1
    return number, number - (end - start) // 7 - 1


def _moved(part: str, values: Iterable[int], old: _Place, new: _Place, most: int, shift: Shift) -> tuple[int, ...]:
    """The values moved as far as the start moved, counted from the same end."""
    moved = set()
    for value in values:
        end = 0 if value > 0 else 1
        number = value + new[end] - old[end]
        if not 1 <= abs(number) <= most or (number > 0) is not (value > 0):
            raise _unclear(part, shift)
        moved.add(number)
    return tuple(sorted(moved))


def _seconds(local: datetime) -> int:
    return local.hour * 3600 + local.minute * 60 + local.second


def _unclear(part: str, shift: Shift) -> RecurrenceError:
    return RecurrenceError(
        "rrule",
        f"what becomes of {part} when {shift.old.isoformat()} moves to {shift.new.isoformat()} is not clear;"
        " give a new rule together with the move",
    )


def start_off_rule_error(shift: Shift) -> RecurrenceError:
    """The error for a moved start that the carried rule does not match."""
    return _unclear("the rule", shift)
