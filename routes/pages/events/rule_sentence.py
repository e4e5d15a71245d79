"""A recurrence rule (RFC 5545 §3.3.10) as an English sentence, such as `every second Tuesday until 1 May 2027`.

Every rule that the planner accepts has a sentence, which names all of its parts.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from planner.domain.recurrence.rrule import Frequency, RecurrenceRule, Skip, Weekday, parse_rule
from planner.domain.zones import to_local
from routes.pages.dates import MONTHS, WEEKDAYS, join_words, write_date

_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_UNITS = {
    Frequency.YEARLY: "year",
    Frequency.MONTHLY: "month",
    Frequency.WEEKLY: "week",
    Frequency.DAILY: "day",
    Frequency.HOURLY: "hour",
}
_WORKDAYS = frozenset(range(5))
_SKIPS = {
    Skip.BACKWARD: "or the last day before, where there is no such day",
    Skip.FORWARD: "or the first day after, where there is no such day",
}


def write_rule(rule: RecurrenceRule, start: date, time_zone: str) -> str:
    """Return a rule as a sentence; what the rule leaves open is taken from the start of the event."""
    parts = [_write_days(rule, start), *_write_times(rule), _write_position(rule)]
    parts.append(_SKIPS.get(rule.skip, ""))
    if rule.until is not None:
        parts.append(f"until {write_date(find_last_day(rule.until, time_zone))}")
    sentence = " ".join(filter(None, parts))
    if rule.count is None:
        return sentence
    return f"{sentence}, {'once' if rule.count == 1 else f'{rule.count} times'}"


def write_recurrence(recurrence: Mapping[str, Any], start: date, time_zone: str) -> str:
    """Return a recurrence as it is sent (a rule, additional and excluded dates) as a sentence."""
    text, added, left_out = recurrence["rrule"], len(recurrence["rdates"]), len(recurrence["exdates"])
    parts = [write_rule(parse_rule(text), start, time_zone) if text else "once"]
    if added:
        parts.append(f"and on {_count_dates(added)} more")
    if left_out:
        parts.append(f"except on {_count_dates(left_out)}")
    return ", ".join(parts)


def _count_dates(number: int) -> str:
    return "1 date" if number == 1 else f"{number} dates"


def find_last_day(until: date, time_zone: str) -> date:
    """Return the last day that an UNTIL includes, in the time zone of the series."""
    if isinstance(until, datetime):
        return (to_local(until, time_zone) if until.tzinfo else until).date()
    return until


def _write_days(rule: RecurrenceRule, start: date) -> str:
    days = rule.by_day
    if rule.frequency is Frequency.WEEKLY:
        days = days or (Weekday(start.weekday()),)
        every = _write_every(rule, days)
        return _add(every, _write_months(rule))
    every = _every(rule.interval, _UNITS[rule.frequency])
    if rule.frequency >= Frequency.DAILY:
        return _add(every, _write_limits(rule))
    if rule.frequency is Frequency.MONTHLY:
        return _add(every, _write_months(rule), _write_days_of_month(rule, start))
    return _add(every, *_write_days_of_year(rule, start))


def _write_every(rule: RecurrenceRule, days: tuple[Weekday, ...]) -> str:
    chosen = [weekday.day for weekday in days]
    if rule.by_set_pos:
        return f"{_every(rule.interval, 'week')} on {_write_choice(rule, days)}"
    if rule.interval > 1 and len(chosen) > 1:
        return f"{_every(rule.interval, 'week')} on {_name_days(chosen)}"
    if frozenset(chosen) == _WORKDAYS:
        return "every weekday"
    if len(chosen) == 7:
        return "every day"
    return _every(rule.interval, _name_days(chosen))


def _write_days_of_year(rule: RecurrenceRule, start: date) -> Iterable[str]:
    """Yield where in the year the days of a yearly rule are."""
    if rule.by_week_no:
        weeks = join_words([_write_number(number, "week") for number in rule.by_week_no])
        yield f"in {weeks}"
    if rule.by_year_day:
        yield f"on {join_words([f'{_write_nth_day(number)} of the year' for number in rule.by_year_day])}"
    if rule.by_week_no or rule.by_year_day:
        yield _write_months(rule)
        yield _write_limits_of_days(rule) or ("" if rule.by_year_day else f"on {WEEKDAYS[start.weekday()]}")
    elif not rule.by_day and len(rule.by_month) <= 1 and len(rule.by_month_day) <= 1 and _is_positive(rule):
        month = MONTHS[(rule.by_month or (start.month,))[0] - 1]
        # Only a day of the month without a month is one of each month.
        in_every_month = bool(rule.by_month_day) and not rule.by_month
        day = (rule.by_month_day or (start.day,))[0]
        yield f"on the {_ordinal(day)} of every month" if in_every_month else f"on {day} {month}"
    elif rule.by_month or rule.by_month_day:
        yield _write_months(rule) or "in every month"
        yield _write_days_of_month(rule, start)
    else:
        yield f"on {_write_choice(rule, rule.by_day)}" + (" of the year" if _has_numbers(rule.by_day) else "")


def _is_positive(rule: RecurrenceRule) -> bool:
    return all(day > 0 for day in rule.by_month_day)


def _write_days_of_month(rule: RecurrenceRule, start: date) -> str:
    if rule.by_month_day:
        days = join_words(
            [
                f"the {_write_nth(number)} day" if number < 0 else f"the {_ordinal(number)}"
                for number in rule.by_month_day
            ]
        )
        return f"on {days}" + (f" if it is a {_name_days([d.day for d in rule.by_day], 'or')}" if rule.by_day else "")
    if rule.by_day:
        return f"on {_write_choice(rule, rule.by_day)}"
    return f"on the {_ordinal(start.day)}"


def _write_choice(rule: RecurrenceRule, days: tuple[Weekday, ...]) -> str:
    """Return weekdays with their numbers, or which of several weekdays BYSETPOS chooses."""
    plain = [weekday.day for weekday in days]
    if rule.by_set_pos and not _has_numbers(days) and not rule.by_month_day:
        which = join_words([_write_nth(position) for position in rule.by_set_pos])
        if frozenset(plain) == _WORKDAYS:
            return f"the {which} weekday"
        return f"the {which} {'day' if len(plain) == 7 else _name_days(plain, 'or')}"
    named = [
        f"the {_write_nth(day.nth)} {WEEKDAYS[day.day]}" if day.nth else f"every {WEEKDAYS[day.day]}" for day in days
    ]
    return join_words(named)


def _has_numbers(days: tuple[Weekday, ...]) -> bool:
    return any(weekday.nth for weekday in days)


def _write_limits(rule: RecurrenceRule) -> str:
    """Return which days of a rule count that has one for each day or hour."""
    return _add(
        _write_months(rule),
        f"on {join_words([_write_nth_day(number) + ' of the year' for number in rule.by_year_day])}"
        if rule.by_year_day
        else "",
        _write_limits_of_days(rule),
    )


def _write_limits_of_days(rule: RecurrenceRule) -> str:
    days = [
        f"the {_write_nth(number)} day" if number < 0 else f"the {_ordinal(number)}" for number in rule.by_month_day
    ]
    weekdays = _name_days([weekday.day for weekday in rule.by_day], "or") if rule.by_day else ""
    if not days:
        return f"on {_name_days([weekday.day for weekday in rule.by_day])}" if weekdays else ""
    return f"on {join_words(days)} of the month" + (f" if it is a {weekdays}" if weekdays else "")


def _write_months(rule: RecurrenceRule) -> str:
    return f"in {join_words([MONTHS[month - 1] for month in rule.by_month])}" if rule.by_month else ""


def _write_times(rule: RecurrenceRule) -> Iterable[str]:
    """Yield at which times of day the occurrences of a rule are."""
    if rule.by_hour and rule.by_minute and not rule.by_second:
        times = [f"{hour:02}:{minute:02}" for hour in rule.by_hour for minute in rule.by_minute]
        yield f"at {join_words(times)}"
        return
    for numbers, unit in ((rule.by_hour, "hour"), (rule.by_minute, "minute"), (rule.by_second, "second")):
        if numbers:
            yield f"at {unit} {join_words(list(map(str, numbers)))}"


def _write_position(rule: RecurrenceRule) -> str:
    """Return which of the occurrences in each period count, if the days do not say it already."""
    weekdays_say_it = rule.by_day and not _has_numbers(rule.by_day) and not rule.by_month_day
    in_choice = rule.frequency in (Frequency.WEEKLY, Frequency.MONTHLY) or (
        rule.frequency is Frequency.YEARLY and not (rule.by_week_no or rule.by_year_day)
    )
    if not rule.by_set_pos or (weekdays_say_it and in_choice):
        return ""
    which = join_words([_write_nth(position) for position in rule.by_set_pos])
    return f"(of these only the {which} in each {_UNITS[rule.frequency]})"


def _every(interval: int, noun: str) -> str:
    if interval == 1:
        return f"every {noun}"
    if interval < len(_ORDINALS):
        return f"every {_ORDINALS[interval]} {noun}"
    return f"every {_ordinal(interval)} {noun}"


def _write_nth(number: int) -> str:
    """Return which one it is, such as `second`, or for negative numbers `last` and `second last`."""
    if number == -1:
        return "last"
    word = _ORDINALS[abs(number)] if abs(number) < len(_ORDINALS) else _ordinal(abs(number))
    return word if number > 0 else f"{word} last"


def _write_nth_day(number: int) -> str:
    return f"day {number}" if number > 0 else f"the {_write_nth(number)} day"


def _write_number(number: int, noun: str) -> str:
    return f"{noun} {number}" if number > 0 else f"the {_write_nth(number)} {noun}"


def _ordinal(number: int) -> str:
    """Return an ordinal number in digits, such as `22nd`."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _name_days(days: list[int], last: str = "and") -> str:
    return join_words([WEEKDAYS[day] for day in days], last)


def _add(*parts: str) -> str:
    return " ".join(filter(None, parts))
