"""The fields of a form that describe a recurrence: a rule put together from choices, or written out.

The choices are the usual ones. A rule that they cannot express is shown as it is written (RFC 5545 §3.3.10).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from planner.domain.recurrence.documents import to_invalid
from planner.domain.recurrence.rrule import WEEKDAYS, Frequency, RecurrenceError, RecurrenceRule, parse_rule
from planner.errors import Invalid
from routes.pages.dates import to_local_text
from routes.pages.events.rule_sentence import find_last_day

Values = Mapping[str, str]
CUSTOM = "custom"
FREQUENCIES = ("daily", "weekly", "monthly", "yearly")
# On which day of its month an occurrence is: the same date, the same weekday counted from the beginning of the month
# or its last one, or the last day.
DAYS_OF_MONTH = ("date", "weekday", "last_weekday", "last_day")
WEEKDAY_FIELDS = tuple(f"weekday_{weekday}" for weekday in WEEKDAYS)
DATES = ("rdates", "exdates")
FIELDS = ("repeats", "interval", *WEEKDAY_FIELDS, "day_of_month", "until", "count", "rrule", "rdates", "exdates")


def fill_repeats(recurrence: Mapping[str, Any] | None, start: date | None, time_zone: str) -> dict[str, str]:
    """Return the values of the fields for a recurrence as it is sent; `start` is the local start of the series."""
    values = dict.fromkeys(FIELDS, "") | {"interval": "1", "day_of_month": "date"}
    if recurrence is None or start is None:
        return values
    for name in DATES:
        values[name] = "\n".join(to_local_text(text, time_zone) for text in recurrence[name])
    text = recurrence["rrule"] or ""
    values |= {"repeats": CUSTOM, "rrule": text}
    return values | _find_choices(text, start, time_zone) if text else values


def _find_choices(text: str, start: date, time_zone: str) -> dict[str, str]:
    """Return the choices that express a rule, or nothing if there are none."""
    rule = parse_rule(text)
    choices = {
        "repeats": rule.frequency.name.lower(),
        "interval": str(rule.interval),
        "count": "" if rule.count is None else str(rule.count),
        "until": "" if rule.until is None else find_last_day(rule.until, time_zone).isoformat(),
    }
    if rule.frequency is Frequency.WEEKLY:
        choices |= {f"weekday_{WEEKDAYS[weekday.day]}": "on" for weekday in rule.by_day}
    for day_of_month in DAYS_OF_MONTH:
        candidate = choices | {"day_of_month": day_of_month}
        if choices["repeats"] in FREQUENCIES and _is_expressed_by(candidate, rule, start):
            return candidate
    return {}


def _is_expressed_by(choices: Values, rule: RecurrenceRule, start: date) -> bool:
    return _simplify(parse_rule(build_rule(choices, start)), start) == _simplify(rule, start)


def _simplify(rule: RecurrenceRule, start: date) -> RecurrenceRule:
    """Return a rule without its end, and without what says nothing if the event has this start."""
    if rule.interval == 1 or len(rule.by_day) < 2:
        # Where a week begins matters only if several weekdays of some weeks are chosen.
        rule = replace(rule, wkst=0)
    is_of_start = rule.by_month_day == (start.day,) and rule.by_month in ((), (start.month,))
    if rule.by_day or not (is_of_start or rule.by_month_day == ()):
        return replace(rule, until=None)
    if rule.frequency is Frequency.MONTHLY and not rule.by_month:
        rule = replace(rule, by_month_day=())
    if rule.frequency is Frequency.YEARLY and rule.by_month == (start.month,):
        rule = replace(rule, by_month=(), by_month_day=())
    return replace(rule, until=None)


def build_rule(values: Values, start: date) -> str:
    """Return the rule that the choices say, or the one that was written. Raises `Invalid` at `/recurrence`."""
    repeats = values.get("repeats", "")
    if repeats == CUSTOM:
        return values.get("rrule", "").strip()
    parts = [f"FREQ={repeats.upper()}", *_build_parts(values, repeats, start)]
    if until := values.get("until", "").strip():
        parts.append(f"UNTIL={until.replace('-', '')}")
    if count := values.get("count", "").strip():
        parts.append(f"COUNT={count}")
    if any(";" in part for part in parts):
        raise Invalid.field("/recurrence", "must have whole numbers and dates in its fields")
    return ";".join(parts)


def _build_parts(values: Values, repeats: str, start: date) -> Iterator[str]:
    interval = values.get("interval", "").strip()
    if interval not in ("", "1"):
        yield f"INTERVAL={interval}"
    if repeats == "weekly":
        chosen = [weekday for weekday in WEEKDAYS if values.get(f"weekday_{weekday}")]
        if chosen:
            yield f"BYDAY={','.join(chosen)}"
    day_of_month = values.get("day_of_month", "date")
    if repeats in ("monthly", "yearly") and day_of_month != "date":
        if repeats == "yearly":
            yield f"BYMONTH={start.month}"
        yield _build_day_of_month(day_of_month, start)


def _build_day_of_month(day_of_month: str, start: date) -> str:
    weekday = WEEKDAYS[start.weekday()]
    if day_of_month == "last_day":
        return "BYMONTHDAY=-1"
    return f"BYDAY={-1 if day_of_month == 'last_weekday' else (start.day - 1) // 7 + 1}{weekday}"


def parse_repeats(values: Values, start: date | None, kept: Mapping[str, list[str]]) -> dict[str, Any] | None:
    """Return the recurrence that the fields say, as it is sent to the planner; None for none.

    Dates that are `kept` are sent as they were. Raises `Invalid` at `/recurrence`.
    """
    repeats = values.get("repeats", "")
    if repeats == "":
        return None
    if repeats not in (*FREQUENCIES, CUSTOM):
        raise Invalid.field("/recurrence", "must be one of the choices")
    if start is None:
        raise Invalid.field("/recurrence", "cannot be set without a start")
    rule = build_rule(values, start)
    dates = {name: kept.get(name) or _split_lines(values.get(name, "")) for name in DATES}
    if not rule and not dates["rdates"]:
        raise Invalid.field("/recurrence", "must have a rule, or additional dates")
    if rule:
        try:
            parse_rule(rule)
        except RecurrenceError as error:
            raise to_invalid(error) from None
    return {"rrule": rule or None, **dates}


def _split_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
