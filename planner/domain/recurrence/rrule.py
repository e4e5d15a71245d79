"""Parsing, validation and formatting of recurrence rules (RRULE, RFC 5545 §3.3.10).

Rules are parsed strictly, with one exception: UNTIL may have any of its three forms, because
calendar programs mix them up (see `RecurrenceRule.until`). Frequencies of less than an hour are
not supported.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from planner.domain.zones import to_utc

MAX_RULE_LENGTH = 1_000
MAX_COUNT = 10_000
MAX_INTERVAL = 100_000
MAX_VALUES = 100
MAX_TIMES_PER_DAY = 96

PART_NAMES = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"}
    | {"BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS", "RSCALE", "SKIP"}
)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_NUMBER = re.compile(r"[+-]?[0-9]{1,6}", re.ASCII)
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.ASCII)

_T = TypeVar("_T")


class RecurrenceError(ValueError):
    """A recurrence that is not valid.

    `field` is the name of the wrong field of a `Series`, or `recurrence_id`. The message says what is
    wrong and what would be right.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Frequency(IntEnum):
    """The frequency of a rule; a greater value means a shorter period."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4


class Skip(StrEnum):
    """What becomes of days that a month or year does not have, such as 30 February (RFC 7529 §4.1)."""

    OMIT = "OMIT"
    BACKWARD = "BACKWARD"
    FORWARD = "FORWARD"


class Weekday(NamedTuple):
    """A value of BYDAY: a weekday (0 is Monday), and which one in its period; `nth` is 0 for all of them."""

    day: int
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.nth or ''}{WEEKDAYS[self.day]}"


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """A recurrence rule (RFC 5545 §3.3.10). A part that is not given is an empty tuple or None.

    `until` is a date, a local time, or an instant in UTC. For an all-day series its date counts, as
    written. For a timed series an instant is compared as an instant, a local time is in the time zone
    of the series, and a date includes that whole day. `canonicalize_rule` converts it to the form
    that the standard requires.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | None = None
    by_month: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[Weekday, ...] = ()
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    wkst: int = 0
    skip: Skip = Skip.OMIT

    def __str__(self) -> str:
        """Return the rule as RFC 5545 writes it, with parts and values in a fixed order."""
        parts = [f"FREQ={self.frequency.name}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={_format_until(self.until)}")
        for name, values in (
            ("BYMONTH", self.by_month),
            ("BYWEEKNO", self.by_week_no),
            ("BYYEARDAY", self.by_year_day),
            ("BYMONTHDAY", self.by_month_day),
            ("BYDAY", self.by_day),
            ("BYHOUR", self.by_hour),
            ("BYMINUTE", self.by_minute),
            ("BYSECOND", self.by_second),
            ("BYSETPOS", self.by_set_pos),
        ):
            if values:
                parts.append(f"{name}={','.join(map(str, values))}")
        if self.wkst:
            parts.append(f"WKST={WEEKDAYS[self.wkst]}")
        if self.skip is not Skip.OMIT:
            # SKIP must not be without RSCALE (RFC 7529 §4.1).
            parts.append(f"RSCALE=GREGORIAN;SKIP={self.skip}")
        return ";".join(parts)


@lru_cache(maxsize=1024)
def parse_rule(text: str) -> RecurrenceRule:
    """Parse a rule such as `FREQ=WEEKLY;BYDAY=MO,FR`. Raises `RecurrenceError`.

    Letter case does not matter; a leading `RRULE:` and a trailing semicolon are ignored.
    """
    if len(text) > MAX_RULE_LENGTH:
        raise _error(f"must have at most {MAX_RULE_LENGTH} characters, but has {len(text)}")
    if not text.isascii():
        raise _error("must contain ASCII characters only")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _error(f"must consist of parts of the form NAME=VALUE, but has {part[:40]!r}")
        if name in parts:
            raise _error(f"must have {name} only once")
        if name not in PART_NAMES:
            raise _error(f"must have only parts of RFC 5545 and RFC 7529, and {name[:40]!r} is not one")
        parts[name] = value
    rule = _build_rule(parts)
    _check_combinations(rule, parts)
    return rule


def _build_rule(parts: dict[str, str]) -> RecurrenceRule:
    """Return the rule with these parts, each of which is checked by itself."""

    def parse_one(part: str, minimum: int, maximum: int) -> int | None:
        return _parse_number(part, parts[part], minimum, maximum) if part in parts else None

    def parse_many(part: str, minimum: int, maximum: int, *, negative: bool = False) -> tuple[int, ...]:
        def parse_value(text: str) -> int:
            number = _parse_number(part, text, -maximum if negative else minimum, maximum)
            if number == 0 and minimum > 0:
                raise _error(f"must not have 0 in {part}")
            return number

        return tuple(sorted(_parse_list(part, parts[part], parse_value))) if part in parts else ()

    frequency = _parse_frequency(parts)
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise _error(f"must have no RSCALE other than GREGORIAN, not {parts['RSCALE'][:40]!r}")
    interval = parse_one("INTERVAL", 1, MAX_INTERVAL)
    return RecurrenceRule(
        frequency=frequency,
        interval=1 if interval is None else interval,
        count=parse_one("COUNT", 1, MAX_COUNT),
        until=_parse_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        by_month=parse_many("BYMONTH", 1, 12),
        by_week_no=parse_many("BYWEEKNO", 1, 53, negative=True),
        by_year_day=parse_many("BYYEARDAY", 1, 366, negative=True),
        by_month_day=parse_many("BYMONTHDAY", 1, 31, negative=True),
        by_day=tuple(sorted(_parse_list("BYDAY", parts["BYDAY"], _parse_weekday))) if "BYDAY" in parts else (),
        by_hour=parse_many("BYHOUR", 0, 23),
        by_minute=parse_many("BYMINUTE", 0, 59),
        # Python has no leap seconds, so second 60 is read as second 59 (RFC 5545 §3.3.12).
        by_second=tuple(sorted({min(second, 59) for second in parse_many("BYSECOND", 0, 60)})),
        by_set_pos=parse_many("BYSETPOS", 1, 366, negative=True),
        wkst=_parse_week_start(parts.get("WKST", "MO")),
        skip=_parse_skip(parts.get("SKIP", "OMIT"), frequency),
    )


def _parse_frequency(parts: dict[str, str]) -> Frequency:
    if "FREQ" not in parts:
        raise _error("must have a FREQ")
    name = parts["FREQ"]
    if name in ("SECONDLY", "MINUTELY"):
        raise _error(f"must have a longer period than FREQ={name}; HOURLY is the shortest")
    if name not in Frequency.__members__:
        raise _error(f"must have a FREQ of {', '.join(Frequency.__members__)}, but has {name[:40]!r}")
    return Frequency[name]


def _parse_skip(text: str, frequency: Frequency) -> Skip:
    if text not in Skip.__members__:
        raise _error(f"must have one of {', '.join(Skip)} in SKIP, not {text[:40]!r}")
    # Only the days of months and years can be missing.
    return Skip(text) if frequency <= Frequency.MONTHLY else Skip.OMIT


def _check_combinations(rule: RecurrenceRule, parts: dict[str, str]) -> None:
    """Raise `RecurrenceError` for combinations that RFC 5545 §3.3.10 forbids, and for too many times a day."""
    if rule.count is not None and rule.until is not None:
        raise _error("must have COUNT or UNTIL, not both")
    _check_days(rule)
    if rule.by_set_pos and not any(part.startswith("BY") for part in parts.keys() - {"BYSETPOS"}):
        raise _error("must have another BY part beside BYSETPOS, from which it chooses")
    times = count_times_per_day(rule)
    if times > MAX_TIMES_PER_DAY:
        raise _error(f"must have at most {MAX_TIMES_PER_DAY} occurrences a day, but has {times}")


def _check_days(rule: RecurrenceRule) -> None:
    frequency = rule.frequency
    if rule.by_week_no and frequency is not Frequency.YEARLY:
        raise _error(f"must not have BYWEEKNO with FREQ={frequency.name}; it needs FREQ=YEARLY")
    if rule.by_year_day and frequency in (Frequency.MONTHLY, Frequency.WEEKLY, Frequency.DAILY):
        raise _error(f"must not have BYYEARDAY with FREQ={frequency.name}")
    if rule.by_month_day and frequency is Frequency.WEEKLY:
        raise _error("must not have BYMONTHDAY with FREQ=WEEKLY")
    if any(weekday.nth for weekday in rule.by_day):
        if frequency > Frequency.MONTHLY:
            raise _error(f"must not have numbers in BYDAY with FREQ={frequency.name}")
        if rule.by_week_no:
            raise _error("must not have numbers in BYDAY beside BYWEEKNO")
        if frequency is Frequency.MONTHLY and any(abs(weekday.nth) > 5 for weekday in rule.by_day):
            raise _error("must have numbers from -5 to 5 in BYDAY with FREQ=MONTHLY")


def count_times_per_day(rule: RecurrenceRule) -> int:
    """Return the largest number of occurrences that one day can have."""
    hours = len(rule.by_hour) or 1
    if rule.frequency is Frequency.HOURLY:
        hours = min(len(rule.by_hour) or 24, -(-24 // rule.interval))
    return hours * (len(rule.by_minute) or 1) * (len(rule.by_second) or 1)


def remove_times_of_day(rule: RecurrenceRule) -> RecurrenceRule:
    """Return the rule for an all-day series: BYHOUR, BYMINUTE and BYSECOND are ignored (RFC 5545 §3.3.10)."""
    if not (rule.by_hour or rule.by_minute or rule.by_second):
        return rule
    chooses_days = rule.by_month or rule.by_week_no or rule.by_year_day or rule.by_month_day or rule.by_day
    positions = rule.by_set_pos if chooses_days else ()
    return replace(rule, by_hour=(), by_minute=(), by_second=(), by_set_pos=positions)


def _error(message: str) -> RecurrenceError:
    return RecurrenceError("rrule", message)


def _parse_list(part: str, text: str, parse_value: Callable[[str], _T]) -> set[_T]:
    values = text.split(",")
    if len(values) > MAX_VALUES:
        raise _error(f"must have at most {MAX_VALUES} values in {part}, but has {len(values)}")
    return {parse_value(value) for value in values}


def _parse_number(part: str, text: str, minimum: int, maximum: int) -> int:
    # int() alone would also accept underscores and the digits of other scripts.
    number = int(text) if _NUMBER.fullmatch(text) else None
    if number is None or not minimum <= number <= maximum:
        raise _error(f"must have whole numbers from {minimum} to {maximum} in {part}, not {text[:40]!r}")
    return number


def _parse_weekday(text: str) -> Weekday:
    match = _WEEKDAY.fullmatch(text)
    nth = int(match[1] or 0) if match else 0
    if match is None or abs(nth) > 53 or (match[1] and nth == 0):
        raise _error(f"must have weekdays such as MO, 1MO or -1FR in BYDAY, not {text[:40]!r}")
    return Weekday(WEEKDAYS.index(match[2]), nth)


def _parse_week_start(text: str) -> int:
    if text not in WEEKDAYS:
        raise _error(f"must have one of {', '.join(WEEKDAYS)} in WKST, not {text[:40]!r}")
    return WEEKDAYS.index(text)


def _parse_until(text: str) -> date:
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        year, month, day = int(match[1][:4]), int(match[1][4:6]), int(match[1][6:])
        if match[2] is None:
            return date(year, month, day)
        hour, minute, second = int(match[2][:2]), int(match[2][2:4]), int(match[2][4:])
        second = 59 if second == 60 else second
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC if match[3] else None)
    except ValueError:
        raise _error(
            f"must have a date or time such as 20301231 or 20301231T235959Z in UNTIL, not {text[:40]!r}"
        ) from None


def _format_until(until: date) -> str:
    text = f"{until.year:04}{until.month:02}{until.day:02}"
    if isinstance(until, datetime):
        text += f"T{until.hour:02}{until.minute:02}{until.second:02}{'Z' if until.tzinfo else ''}"
    return text


def resolve_until(until: date, time_zone: str) -> datetime:
    """Return the last instant that the UNTIL of a timed series includes; see `RecurrenceRule.until`."""
    if not isinstance(until, datetime):
        until = datetime.combine(until, time(23, 59, 59))
    last = until if until.tzinfo else to_utc(until, time_zone)
    # UNTIL has whole seconds, but the start of a series may have microseconds.
    return last.replace(microsecond=999_999)
