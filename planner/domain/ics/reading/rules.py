"""The rules of an entry (RFC 5545 §3.8.5.3): what a series cannot have becomes dates that mean the same.

A series has one rule. The occurrences of further RRULEs become additional dates, and those of EXRULEs
(RFC 2445 §4.8.5.2) excluded ones. Where a rule has no end, only its first occurrences do, and a warning says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from heapq import merge
from typing import Any

from planner.domain.ics.reading.properties import Unreadable
from planner.domain.recurrence.pattern import Pattern, compile_pattern
from planner.domain.recurrence.rrule import MAX_COUNT, RecurrenceError, RecurrenceRule, resolve_until
from planner.domain.zones import to_utc

MAX_RULES = 10
# The number of dates that a rule becomes. A series may have more, so that its occurrences can still be edited.
MAX_EXPANDED = 4_000
# The number of occurrences that are compared with an EXRULE.
_MAX_COMPARED = 20_000
# Of several rules without an end, the series gets the one with the most occurrences in so much time.
_COMPARED_TIME = timedelta(days=1461)
_LISTS = ("by_month", "by_week_no", "by_year_day", "by_month_day", "by_day", "by_hour", "by_minute", "by_second")


@dataclass
class EntryRules:
    """The recurrence set of an entry with a local start in a time zone: its rules and dates as they are written."""

    start: date
    time_zone: str
    rrules: list[str]
    exrules: list[str]
    rdates: set[date]
    exdates: set[date]
    warnings: list[str] = field(default_factory=list)

    def combine(self) -> str | None:
        """Return the rule of the series. The others have become `rdates` and `exdates`. Raises `Unreadable`."""
        if len(self.rrules) + len(self.exrules) > MAX_RULES:
            raise Unreadable(f"it has more than {MAX_RULES} RRULEs and EXRULEs")
        texts = [text for rule in self.rrules if (text := self._resolve_end("RRULE", rule)) is not None]
        if not self.exrules and len(texts) < 2:
            # A rule that is not valid is refused like that of a request.
            return texts[0] if texts else None
        others = sorted(self._compile_all("RRULE", texts), key=self._rank)
        if len(others) > 1:
            others = [self._count_alone(pattern) for pattern in others]
        main = others.pop() if others else None
        for done, pattern in enumerate(others):
            assert main is not None
            self._add_occurrences(main, pattern, (MAX_EXPANDED - len(self.rdates)) // (len(others) - done))
        excluded = [text for rule in self.exrules if (text := self._resolve_end("EXRULE", rule)) is not None]
        exrules = sorted(self._compile_all("EXRULE", excluded), key=self._rank)
        for done, exrule in enumerate(exrules):
            self._exclude(main, exrule, (MAX_EXPANDED - len(self.exdates)) // (len(exrules) - done))
        return str(main.rule) if main else None

    def _compile_all(self, name: str, texts: list[str]) -> list[Pattern]:
        rules = merge_rules([self._compile(name, text).rule for text in texts])
        return [Pattern(rule, self.start, self.time_zone) for rule in rules]

    def _rank(self, pattern: Pattern) -> tuple[bool, int]:
        """Return what makes a rule the one of the series: the one that is hardest to write as dates."""
        return pattern.is_endless, self._count_soon(pattern)

    def _compile(self, name: str, rule: str) -> Pattern:
        try:
            return compile_pattern(rule, self.start, self.time_zone)
        except RecurrenceError as error:
            raise Unreadable(f"its {name} {error}") from None

    def _resolve_end(self, name: str, rule: str) -> str | None:
        """Return a rule without the later of its two ends; None for one that ends before its start."""
        parts = rule.removesuffix(";").split(";")
        until = next((part for part in parts if part.upper().startswith("UNTIL=")), None)
        count = next((part for part in parts if part.upper().startswith("COUNT=")), None)
        if until is None:
            return rule
        by_until = self._compile(name, ";".join(part for part in parts if part is not count))
        if self._ends_before_start(by_until):
            self.warnings.append(f"its {name} has an {until}, which is before its DTSTART; the rule was left out")
            return None
        if count is None:
            return rule
        by_count = self._compile(name, ";".join(part for part in parts if part is not until))
        is_count_earlier = by_until.last is None or by_count.last is None or by_count.last <= by_until.last
        earlier, end = (by_count, count) if is_count_earlier else (by_until, until)
        self.warnings.append(f"its {name} has both COUNT and UNTIL; it ends with {end}, which is earlier")
        return str(earlier.rule)

    def _ends_before_start(self, pattern: Pattern) -> bool:
        until = pattern.rule.until
        assert until is not None
        if not isinstance(self.start, datetime):
            return (until.date() if isinstance(until, datetime) else until) < self.start
        return resolve_until(until, self.time_zone) < to_utc(self.start, self.time_zone)

    def _count_soon(self, pattern: Pattern) -> int:
        """Return the number of occurrences in the first years, by which rules are compared."""
        return len(pattern.find_between(self.start, _add_clamped(self.start, _COMPARED_TIME)))

    def _add_occurrences(self, main: Pattern, pattern: Pattern, room: int) -> None:
        """Add the occurrences of a rule that another one does not have, as far as there is room."""
        candidates = pattern.iterate_from(self.start)
        found, end = _select(candidates, lambda local: not main.contains(local), room)
        if end is not None and (found or room <= 0):
            self.warnings.append(
                f"it has several RRULEs that cannot be one rule; only the occurrences of {pattern.rule} before"
                f" {end.isoformat()} are imported"
            )
        self.rdates.update(found)

    def _exclude(self, main: Pattern | None, exrule: Pattern, room: int) -> None:
        """Exclude the occurrences that are also those of an EXRULE, as far as there is room."""
        exrule = self._count_alone(exrule)
        dates = sorted({self.start, *self.rdates})
        if main is not None and self._count_soon(exrule) < self._count_soon(main):
            candidates = exrule.iterate_from(self.start)
            found, end = _select(candidates, lambda local: local in dates or main.contains(local), room)
        else:
            candidates = merge(dates, main.iterate_from(self.start)) if main else iter(dates)
            found, end = _select(candidates, exrule.contains, room)
        until = "" if end is None else f" before {end.isoformat()}"
        self.warnings.append(
            f"it has an EXRULE, which the standard does not have any more; the occurrences that {exrule.rule} excludes"
            f"{until} are excluded by their dates"
        )
        self.exdates.update(found)

    def _count_alone(self, pattern: Pattern) -> Pattern:
        """Return the pattern of a rule beside another one: its COUNT counts its own instances, and not the start."""
        rule = pattern.rule
        if rule.count is None or pattern.start_matches_rule:
            return pattern
        return Pattern(replace(rule, count=min(rule.count + 1, MAX_COUNT)), self.start, self.time_zone)


def _select(
    candidates: Iterator[date], is_selected: Callable[[date], bool], limit: int
) -> tuple[set[date], date | None]:
    """Return the selected ones of ordered candidates, and the first that was not looked at; None if there is none."""
    found: set[date] = set()
    for number, local in enumerate(candidates):
        if number >= _MAX_COMPARED or len(found) >= limit:
            return found, local
        if is_selected(local):
            found.add(local)
    return found, None


def _add_clamped(local: date, delta: timedelta) -> date:
    try:
        return local + delta
    except OverflowError:
        return local


def merge_rules(rules: list[RecurrenceRule]) -> list[RecurrenceRule]:
    """Return fewer rules with the same instances: those that differ in one list of values, as in BYDAY, become one."""
    merged: list[RecurrenceRule] = []
    for rule in rules:
        for index, other in enumerate(merged):
            if (both := _merge_two(other, rule)) is not None:
                merged[index] = both
                break
        else:
            merged.append(rule)
    return merged


def _merge_two(one: RecurrenceRule, other: RecurrenceRule) -> RecurrenceRule | None:
    if one == other:
        return one
    if one.count or one.by_set_pos:
        return None
    differing = [name for name in _LISTS if getattr(one, name) != getattr(other, name)]
    if len(differing) != 1:
        return None
    (name,) = differing
    values, others = getattr(one, name), getattr(other, name)
    own: dict[str, Any] = {name: values}
    both: dict[str, Any] = {name: tuple(sorted({*values, *others}))}
    is_only_difference = replace(other, **own) == one
    return replace(one, **both) if values and others and is_only_difference else None
