"""Reads, checks and writes the RRULE of RFC 5545 §3.3.10.

A rule that is read here keeps to the letter of the standard, apart from its end: UNTIL is taken in
any of its three forms, because calendars in the wild mix them up (see `Rule.until`). What the
planner does not offer, anything finer than hourly, is refused with a reason.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from planner.domain.zones import to_utc

MAX_LENGTH = 1_000
MAX_COUNT = 10_000
MAX_INTERVAL = 100_000
MAX_VALUES = 100
MAX_TIMES_PER_DAY = 96

PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"}
    | {"BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS"}
)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_NUMBER = re.compile(r"[+-]?[0-9]{1,6}", re.ASCII)
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.ASCII)

_T = TypeVar("_T")


class RecurrenceError(ValueError):
    """Something about a recurrence is wrong; `field` says where and the message why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Frequency(IntEnum):
    """How long one period of a rule is; the greater, the shorter."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4


class Weekday(NamedTuple):
    """A value of BYDAY: a weekday (0 is Monday) and which one of its period, 0 for each."""

    day: int
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.nth or ''}{WEEKDAYS[self.day]}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence rule (RFC 5545 §3.3.10); an empty tuple stands for a part that is not given.

    `until` is a date, a local time, or an instant with UTC. Of an all-day series its date counts as
    it is written. Of a timed one an instant is compared as an instant, a local time is read in the
    zone of the series, and a date includes that whole day. `canonical` brings it into the form that
    the standard asks for.
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

    def __str__(self) -> str:
        """The rule as RFC 5545 writes it, parts and values in a fixed order."""
        parts = [f"FREQ={self.frequency.name}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={_until_text(self.until)}")
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
        return ";".join(parts)


@lru_cache(maxsize=4096)
def parse(text: str) -> Rule:
    """The rule that a text such as `FREQ=WEEKLY;BYDAY=MO,FR` describes; raises RecurrenceError.

    Letter case does not matter; a leading `RRULE:` and a closing semicolon are passed over.
    """
    if len(text) > MAX_LENGTH:
        raise _refused(f"a rule has at most {MAX_LENGTH} characters, this one has {len(text)}")
    if not text.isascii():
        raise _refused("a rule is written in ASCII")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _refused(f"{part[:40]!r} is not of the form NAME=VALUE")
        if name in parts:
            raise _refused(f"{name} is given twice")
        if name not in PARTS:
            raise _refused(f"{name[:40]!r} is not a part of a recurrence rule")
        parts[name] = value
    rule = _read(parts)
    _check(rule, parts)
    return rule


def _read(parts: dict[str, str]) -> Rule:
    if "FREQ" not in parts:
        raise _refused("FREQ is missing")
    name = parts["FREQ"]
    if name in ("SECONDLY", "MINUTELY"):
        raise _refused(f"FREQ={name} is too often; HOURLY is the shortest period there is")
    if name not in Frequency.__members__:
        raise _refused(f"{name[:40]!r} is not a frequency; there are {', '.join(Frequency.__members__)}")

    def one(part: str, least: int, most: int) -> int | None:
        return _number(part, parts[part], least, most) if part in parts else None

    def many(part: str, least: int, most: int, *, negative: bool = False) -> tuple[int, ...]:
        def value(text: str) -> int:
            number = _number(part, text, -most if negative else least, most)
            if number == 0 and least > 0:
                raise _refused(f"{part}=0 has no meaning")
            return number

        return tuple(sorted(_list(part, parts[part], value))) if part in parts else ()

    interval = one("INTERVAL", 1, MAX_INTERVAL)
    return Rule(
        frequency=Frequency[name],
        interval=1 if interval is None else interval,
        count=one("COUNT", 1, MAX_COUNT),
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        by_month=many("BYMONTH", 1, 12),
        by_week_no=many("BYWEEKNO", 1, 53, negative=True),
        by_year_day=many("BYYEARDAY", 1, 366, negative=True),
        by_month_day=many("BYMONTHDAY", 1, 31, negative=True),
        by_day=tuple(sorted(_list("BYDAY", parts["BYDAY"], _weekday))) if "BYDAY" in parts else (),
        by_hour=many("BYHOUR", 0, 23),
        by_minute=many("BYMINUTE", 0, 59),
        # A planner has no leap seconds: the 60th is taken for the one before (RFC 5545 §3.3.12).
        by_second=tuple(sorted({min(second, 59) for second in many("BYSECOND", 0, 60)})),
        by_set_pos=many("BYSETPOS", 1, 366, negative=True),
        wkst=_week_start(parts.get("WKST", "MO")),
    )


def _check(rule: Rule, parts: dict[str, str]) -> None:
    """Refuses combinations that RFC 5545 §3.3.10 forbids, and what would be far too often."""
    frequency = rule.frequency
    if rule.count is not None and rule.until is not None:
        raise _refused("COUNT and UNTIL exclude each other")
    if rule.by_week_no and frequency is not Frequency.YEARLY:
        raise _refused("BYWEEKNO is for FREQ=YEARLY only")
    if rule.by_year_day and frequency in (Frequency.MONTHLY, Frequency.WEEKLY, Frequency.DAILY):
        raise _refused(f"BYYEARDAY cannot be used with FREQ={frequency.name}")
    if rule.by_month_day and frequency is Frequency.WEEKLY:
        raise _refused("BYMONTHDAY cannot be used with FREQ=WEEKLY")
    if any(weekday.nth for weekday in rule.by_day):
        if frequency > Frequency.MONTHLY:
            raise _refused(f"a number in BYDAY has no meaning with FREQ={frequency.name}")
        if rule.by_week_no:
            raise _refused("a number in BYDAY has no meaning beside BYWEEKNO")
        if frequency is Frequency.MONTHLY and any(abs(weekday.nth) > 5 for weekday in rule.by_day):
            raise _refused("a month has no weekday more than five times")
    if rule.by_set_pos and not any(part.startswith("BY") for part in parts.keys() - {"BYSETPOS"}):
        raise _refused("BYSETPOS needs another BY part to choose from")
    if times_per_day(rule) > MAX_TIMES_PER_DAY:
        raise _refused(f"a rule has at most {MAX_TIMES_PER_DAY} occurrences a day, this one has {times_per_day(rule)}")


def times_per_day(rule: Rule) -> int:
    """The most occurrences that one day can have."""
    hours = len(rule.by_hour) or 1
    if rule.frequency is Frequency.HOURLY:
        hours = min(len(rule.by_hour) or 24, -(-24 // rule.interval))
    return hours * (len(rule.by_minute) or 1) * (len(rule.by_second) or 1)


def without_times(rule: Rule) -> Rule:
    """The rule as it applies to dates, which ignores BYHOUR, BYMINUTE and BYSECOND (RFC 5545 §3.3.10)."""
    if not (rule.by_hour or rule.by_minute or rule.by_second):
        return rule
    chooses_days = rule.by_month or rule.by_week_no or rule.by_year_day or rule.by_month_day or rule.by_day
    positions = rule.by_set_pos if chooses_days else ()
    return replace(rule, by_hour=(), by_minute=(), by_second=(), by_set_pos=positions)


def _refused(message: str) -> RecurrenceError:
    return RecurrenceError("rrule", message)


def _list(part: str, text: str, value: Callable[[str], _T]) -> set[_T]:
    texts = text.split(",")
    if len(texts) > MAX_VALUES:
        raise _refused(f"{part} has at most {MAX_VALUES} values, this one has {len(texts)}")
    return {value(item) for item in texts}


def _number(part: str, text: str, least: int, most: int) -> int:
    # The pattern keeps out the digits of other scripts and the underscores that int() would take.
    number = int(text) if _NUMBER.fullmatch(text) else None
    if number is None or not least <= number <= most:
        raise _refused(f"{part} takes whole numbers from {least} to {most}, not {text[:40]!r}")
    return number


def _weekday(text: str) -> Weekday:
    match = _WEEKDAY.fullmatch(text)
    nth = int(match[1] or 0) if match else 0
    if match is None or abs(nth) > 53 or (match[1] and nth == 0):
        raise _refused(f"{text[:40]!r} is not a weekday of BYDAY, such as MO, 1MO or -1FR")
    return Weekday(WEEKDAYS.index(match[2]), nth)


def _week_start(text: str) -> int:
    if text not in WEEKDAYS:
        raise _refused(f"WKST takes one of {', '.join(WEEKDAYS)}, not {text[:40]!r}")
    return WEEKDAYS.index(text)


def _until(text: str) -> date:
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
        raise _refused(f"UNTIL takes 20301231 or 20301231T235959Z, not {text[:40]!r}") from None


def _until_text(until: date) -> str:
    text = f"{until.year:04}{until.month:02}{until.day:02}"
    if isinstance(until, datetime):
        text += f"T{until.hour:02}{until.minute:02}{until.second:02}{'Z' if until.tzinfo else ''}"
    return text


def until_instant(until: date, zone: str) -> datetime:
    """The last instant that an UNTIL of a timed series includes; see `Rule.until`."""
    if not isinstance(until, datetime):
        until = datetime.combine(until, time(23, 59, 59))
    last = until if until.tzinfo else to_utc(until, zone)
    # An RRULE is written in whole seconds, a start may be given more precisely.
    return last.replace(microsecond=999_999)
