"""The instances of one rule in any range of time, computed without iterating from its start.

Everything here is in local time. An instance is a date for an all-day start, and a naive local time
otherwise.

The meaning of a rule follows RFC 5545 §3.3.10. Where that standard does not decide, it follows RFC 8984
§4.3.3.1: a yearly rule takes the month of BYMONTHDAY, and the weekday of BYWEEKNO, from its start. Dateutil
differs there, and in three more cases: here BYSETPOS counts from the beginning of the first week even if
the rule starts in the middle of that week; `MO,1TU` means all Mondays and the first Tuesday; and days in a
week that belongs to the year before or after are found for every week number. The hours of an hourly rule
are hours of local time, as for all other rules.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from itertools import chain, islice, takewhile
from math import gcd
from typing import TypeVar

from planner.domain.recurrence.periods import LAST_DAY, STEP_INTERVAL, RuleDays, cut
from planner.domain.recurrence.rrule import (
    Frequency,
    RecurrenceError,
    RecurrenceRule,
    Skip,
    count_times_per_day,
    parse_rule,
    remove_times_of_day,
    resolve_until,
)
from planner.domain.recurrence.yeardays import (
    CYCLE_DAYS,
    CYCLE_YEARS,
    add_parts_of_start,
    count_days_in_month,
    get_new_year_ordinal,
)
from planner.domain.zones import MAX_CLOCK_CHANGE, add_clamped, to_local, to_utc

_T = TypeVar("_T")

# The number of periods of each frequency in one cycle of the calendar.
_PERIODS_IN_CYCLE = {
    Frequency.YEARLY: CYCLE_YEARS,
    Frequency.MONTHLY: CYCLE_YEARS * 12,
    Frequency.WEEKLY: CYCLE_DAYS // 7,
    Frequency.DAILY: CYCLE_DAYS,
    Frequency.HOURLY: CYCLE_DAYS * 24,
}

_combine = datetime.combine
_date = date.fromordinal


@lru_cache(maxsize=1024)
def compile_pattern(rrule: str, start: date, time_zone: str) -> "Pattern":
    """Return the pattern of a rule in its text form. Raises `RecurrenceError`."""
    return Pattern(parse_rule(rrule), start, time_zone)


class Pattern:
    """The instances of a rule from a start on, in the time zone in which its UNTIL is read.

    The start is an instance only if it matches the rule; see `start_matches_rule`.
    """

    def __init__(self, rule: RecurrenceRule, start: date, time_zone: str) -> None:
        """Raise `RecurrenceError` for an hourly rule with a date as start."""
        if rule.frequency is Frequency.HOURLY and not isinstance(start, datetime):
            raise RecurrenceError("rrule", "must not have FREQ=HOURLY for an all-day event")
        self.rule = rule = rule if isinstance(start, datetime) else remove_times_of_day(rule)
        self._start = start
        self._time_zone = time_zone
        self._start_day = start.toordinal()
        self._days = RuleDays(rule, start)
        # An hourly rule has pairs of a minute and a second in each hour; any other rule has times of day.
        # The time of day of an all-day rule is midnight.
        self._minutes: tuple[tuple[int, int], ...] = ()
        self._times: tuple[time, ...] = ()
        # The times of day of an hourly rule, by the first hour of the rule on that day.
        self._times_by_first_hour: dict[int, tuple[time, ...]] = {}
        self._init_times(start if isinstance(start, datetime) else _combine(start, time.min))
        # Positions that no period can have are ignored.
        max_position = self._days.max_per_period * len(self._times)
        self._set_pos = tuple(position for position in rule.by_set_pos if abs(position) <= max_position)

    def _init_times(self, start: datetime) -> None:
        rule = self.rule
        minutes = [
            (minute, second)
            for minute in rule.by_minute or (start.minute,)
            for second in rule.by_second or (start.second,)
        ]
        if rule.frequency is Frequency.HOURLY:
            self._minutes = tuple(_select_positions(minutes, rule.by_set_pos) if rule.by_set_pos else minutes)
        else:
            times = [
                time(hour, minute, second, start.microsecond)
                for hour in rule.by_hour or (start.hour,)
                for minute, second in minutes
            ]
            selects_times = rule.frequency is Frequency.DAILY and rule.by_set_pos
            self._times = tuple(_select_positions(times, rule.by_set_pos) if selects_times else times)

    @cached_property
    def start_matches_rule(self) -> bool:
        """Whether the start matches the rule."""
        return bool(self._search_range(self._start, self._start))

    @cached_property
    def last(self) -> date | None:
        """A local value up to which instances belong to the rule, or None if the rule has no end.

        It is computed once. For a COUNT the instances are counted, of which there are at most MAX_COUNT.
        """
        if self.rule.count is not None:
            # The start always counts as the first occurrence (RFC 5545 §3.3.10).
            return self._find_nth(self.rule.count - (not self.start_matches_rule))
        until = self.rule.until
        if until is None:
            return None
        if not isinstance(self._start, datetime):
            return until.date() if isinstance(until, datetime) else until
        end = resolve_until(until, self._time_zone)
        # Near a clock change the order of local times is not that of instants, so each instant is compared.
        local_end = to_local(end, self._time_zone)
        low, high = add_clamped(local_end, -MAX_CLOCK_CHANGE), add_clamped(local_end, MAX_CLOCK_CHANGE)
        near = self._search_range(max(low, self._start), high)
        included = list(takewhile(lambda local: to_utc(local, self._time_zone) <= end, near))
        return included[-1] if included else low

    @cached_property
    def is_empty(self) -> bool:
        """Whether the rule matches no day at all, such as 30 February. The cost is bounded."""
        return next(self._search_chunks(self._start), None) is None

    @property
    def is_endless(self) -> bool:
        """Whether the rule has neither COUNT nor UNTIL."""
        return self.rule.count is None and self.rule.until is None

    def find_between(self, low: date, high: date) -> list[date]:
        """Return the instances from `low` to `high`, both included, in order."""
        low = max(low, self._start)
        if self.last is not None:
            high = min(high, self.last)
        return self._search_range(low, high)

    def contains(self, local: date) -> bool:
        """Return whether this local value is an instance."""
        return bool(self.find_between(local, local))

    def find_in_period(self, year: int, month: int) -> list[date]:
        """Return the instances in the month of a monthly rule, or in the year of a yearly one."""
        if not 1 <= year <= date.max.year:
            return []
        months = (1, 12) if self.rule.frequency is Frequency.YEARLY else (month, month)
        first = get_new_year_ordinal(year) + sum(count_days_in_month(year, before) for before in range(1, months[0]))
        last = first + sum(count_days_in_month(year, each) for each in range(months[0], months[1] + 1)) - 1
        return self.find_between(self._start_of_day(first), self._end_of_day(last))

    def iterate_from(self, low: date) -> Iterator[date]:
        """Yield the instances from `low` on, the earliest first."""
        if self.last is not None and low > self.last:
            return
        for chunk in self._search_chunks(max(low, self._start)):
            for local in chunk:
                if self.last is not None and local > self.last:
                    return
                yield local

    def find_new_start(self, low: date) -> date | None:
        """Return the first instance from `low` on from which the rest of the rule can be counted; None if none is left.

        It is not a day that SKIP has put in place of a missing one, because that is in another month, or later in
        its month, than what the rule says; unless there are only such days.
        """
        instances = self.iterate_from(low)
        first = next(instances, None)
        if first is None or self.rule.skip is Skip.OMIT:
            return first
        present = Pattern(replace(self.rule, skip=Skip.OMIT, count=None, until=None), self._start, self._time_zone)
        return next((local for local in chain([first], islice(instances, 100)) if present.contains(local)), first)

    @property
    def explicit_rule(self) -> RecurrenceRule:
        """The rule with what SKIP needs to know of the start, so that it means the same with another start."""
        return self.rule if self.rule.skip is Skip.OMIT else add_parts_of_start(self.rule, self._start)

    def iterate_backwards(self, high: date) -> Iterator[date]:
        """Yield the instances up to `high`, the latest first."""
        if self.last is not None:
            high = min(high, self.last)
        last_day, size = high.toordinal(), 8
        while last_day >= self._start_day:
            first_day = max(self._start_day, last_day - size + 1)
            chunk = self.find_between(self._start_of_day(first_day), min(high, self._end_of_day(last_day)))
            yield from reversed(chunk)
            last_day, size = first_day - 1, size * 2

    def split_range(self, low: date, high: date, limit: int) -> Iterator[tuple[date, date]]:
        """Split a range of time so that the first part has room for twice as many instances as `limit`.

        Each part has twice as many days as the one before, so even the rarest rule needs few parts.
        """
        first, last = low.toordinal(), high.toordinal()
        size = max(8, 2 * limit // count_times_per_day(self.rule))
        while first <= last:
            end = min(last, first + size - 1)
            yield max(low, self._start_of_day(first)), min(high, self._end_of_day(end))
            first, size = end + 1, size * 2

    def _find_nth(self, nth: int) -> date:
        """Return the instance with this number, counted from 1, or the last one if there are fewer."""
        found: list[date] = [self._start_of_day(1)]
        if nth >= 1:
            for chunk in self._search_chunks(self._start):
                found += chunk
                if len(found) > nth:
                    break
        return found[: nth + 1][-1]

    def _search_chunks(self, low: date) -> Iterator[list[date]]:
        """Yield the instances from `low` on in non-empty lists, ignoring the end of the rule."""
        # The selected days repeat after one cycle of the calendar, and the periods of the interval
        # after this number of cycles. What was not found by then does not exist.
        interval = self.rule.interval
        cycles = interval // gcd(interval, _PERIODS_IN_CYCLE[self.rule.frequency])
        last_possible_day = low.toordinal() + cycles * CYCLE_DAYS
        any_found = False
        for first, last in self.split_range(low, self._end_of_day(LAST_DAY), 16):
            found = self._search_range(first, last)
            if found:
                any_found = True
                yield found
            elif not any_found and last.toordinal() > last_possible_day:
                return

    def _search_range(self, low: date, high: date) -> list[date]:
        """Return the instances from `low`, which is not before the start, to `high`, ignoring the end of the rule."""
        if low > high:
            return []
        first, last = low.toordinal(), high.toordinal()
        frequency = self.rule.frequency
        if frequency is Frequency.HOURLY:
            found = self._find_hourly(first, last)
        elif frequency is Frequency.DAILY:
            found = self._add_times(self._days.find_daily(first, last))
        elif self.rule.by_set_pos and not self._set_pos:
            return []
        elif self._set_pos:
            periods = self._days.find_by_period(first, last)
            found = [local for days in periods for local in self._select_in_period(days)]
        else:
            days = list(chain.from_iterable(self._days.find_by_period(first, last)))
            found = self._add_times(cut(days, first, last))
        if self.rule.skip is not Skip.OMIT:
            found = list(dict.fromkeys(found))
        return cut(found, low, high)

    def _add_times(self, days: Iterable[int]) -> list[date]:
        """Return the instances on these days."""
        times = self._times
        if not isinstance(self._start, datetime):
            return [_date(day) for day in days] if times else []
        if len(times) == 1:
            (only,) = times
            return [_combine(_date(day), only) for day in days]
        return [_combine(_date(day), each) for day in days for each in times]

    def _select_in_period(self, days: list[int]) -> list[date]:
        """Return the instances on the days of one period that BYSETPOS selects."""
        times = self._times
        selected = _select_positions(range(len(days) * len(times)), self._set_pos)
        pairs = [divmod(index, len(times)) for index in selected]
        if not isinstance(self._start, datetime):
            return [_date(days[day]) for day, _ in pairs]
        return [_combine(_date(days[day]), times[each]) for day, each in pairs]

    def _find_hourly(self, first: int, last: int) -> list[date]:
        interval = self.rule.interval
        assert isinstance(self._start, datetime)
        # Hours are counted like days, from the ordinal 0.
        start_hour = 24 * self._start_day + self._start.hour
        step = gcd(interval, 24)
        if not self._minutes or all((hour - start_hour) % step for hour in self.rule.by_hour or range(24)):
            return []
        found: list[date] = []
        if interval < 24 * STEP_INTERVAL:
            for day in self._days.find_selected(first, last):
                first_hour = (start_hour - 24 * day) % interval
                if first_hour < 24:
                    today = _date(day)
                    found += [_combine(today, each) for each in self._get_hourly_times(first_hour)]
        else:
            begin = 24 * first + (start_hour - 24 * first) % interval
            for hour in range(begin, 24 * (last + 1), interval):
                day = hour // 24
                if self._days.is_selected(day):
                    found += [_combine(_date(day), each) for each in self._get_hourly_times(hour % 24)]
        return found

    def _get_hourly_times(self, first_hour: int) -> tuple[time, ...]:
        """Return the times of an hourly rule on a day of which this is its first hour."""
        times = self._times_by_first_hour.get(first_hour)
        if times is None:
            assert isinstance(self._start, datetime)
            hours = self.rule.by_hour or range(24)
            times = self._times_by_first_hour[first_hour] = tuple(
                time(hour, minute, second, self._start.microsecond)
                for hour in range(first_hour, 24, self.rule.interval)
                if hour in hours
                for minute, second in self._minutes
            )
        return times

    def _start_of_day(self, day: int) -> date:
        """Return the first moment of a day, as a date or a local time like the start."""
        return _combine(_date(day), time.min) if isinstance(self._start, datetime) else _date(day)

    def _end_of_day(self, day: int) -> date:
        """Return the last moment of a day, as a date or a local time like the start."""
        return _combine(_date(day), time.max) if isinstance(self._start, datetime) else _date(day)


def _select_positions(values: Sequence[_T], positions: tuple[int, ...]) -> list[_T]:
    """Return the values that BYSETPOS selects, in their order."""
    size = len(values)
    selected = sorted({position - 1 if position > 0 else size + position for position in positions})
    return [values[index] for index in selected if 0 <= index < size]
