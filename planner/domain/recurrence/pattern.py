"""Finds the instances of one rule in any stretch of time, without replaying it from its start.

Everything here is local time: days are counted as `date.toordinal` counts them and every question
is answered from the numbers of the periods it touches. An instance is a date for an all-day start
and a naive local time otherwise.

What a rule means follows RFC 5545 §3.3.10. Where that is silent it follows dateutil, so BYWEEKNO
alone means all seven days of the week. There are three exceptions, in which dateutil is mistaken:
BYSETPOS counts from the beginning of the first week even when the rule starts within it; `MO,1TU`
means Mondays and the first Tuesday; and days in a week that belongs to the next or the last year
are found for every number. An hourly rule goes by the clock on the wall, like all others.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from itertools import chain, groupby, takewhile
from math import gcd
from typing import TypeVar

from planner.domain.recurrence.rrule import (
    Frequency,
    RecurrenceError,
    Rule,
    Weekday,
    parse,
    times_per_day,
    until_instant,
    without_times,
)
from planner.domain.recurrence.yeardays import CYCLE_DAYS, CYCLE_YEARS, chosen_days, days_in_month, first_day
from planner.domain.zones import MAX_CLOCK_CHANGE, add_clamped, to_local, to_utc

_T = TypeVar("_T")
_Ordered = TypeVar("_Ordered", int, date)

_LAST_DAY = date.max.toordinal()

# From this interval on it is cheaper to step from day to day than to look at every chosen day.
_STEPPING = 8

# How many periods of each frequency are in the cycle of the calendar.
_PERIODS_IN_CYCLE = {
    Frequency.YEARLY: CYCLE_YEARS,
    Frequency.MONTHLY: CYCLE_YEARS * 12,
    Frequency.WEEKLY: CYCLE_DAYS // 7,
    Frequency.DAILY: CYCLE_DAYS,
    Frequency.HOURLY: CYCLE_DAYS * 24,
}

_combine = datetime.combine
_date = date.fromordinal


@lru_cache(maxsize=4096)
def pattern(text: str, start: date, zone: str) -> "Pattern":
    """The Pattern of the rule that is written so; raises RecurrenceError."""
    return Pattern(parse(text), start, zone)


class Pattern:
    """The instances of a rule that begins at a start, in the zone where its UNTIL is read.

    The start itself is an instance only if it matches the rule; see `start_matches_rule`.
    """

    def __init__(self, rule: Rule, start: date, zone: str) -> None:
        if rule.frequency is Frequency.HOURLY and not isinstance(start, datetime):
            raise RecurrenceError("rrule", "what lasts whole days cannot repeat hourly")
        self.rule = rule = rule if isinstance(start, datetime) else without_times(rule)
        self._start = start
        self._zone = zone
        self._anchor = start.toordinal()
        self._chosen = chosen_days(rule, start)
        week_days = rule.by_day or (Weekday(start.weekday()),)
        self._week_days = sorted({(weekday.day - rule.wkst) % 7 for weekday in week_days})
        # An hourly rule has the minutes and seconds at which it strikes, any other its times of day.
        # Of an all-day rule there is one time, midnight.
        self._minutes: tuple[tuple[int, int], ...] = ()
        self._times: tuple[time, ...] = ()
        # By the first hour of the day that an hourly rule reaches: at what times it strikes.
        self._clocks: dict[int, tuple[time, ...]] = {}
        self._read_times(start if isinstance(start, datetime) else _combine(start, time.min))
        # Positions that no period can have are not looked for.
        days = len(self._week_days) if rule.frequency is Frequency.WEEKLY else 366
        most = days * len(self._times)
        self._set_pos = tuple(position for position in rule.by_set_pos if abs(position) <= most)

    def _read_times(self, start: datetime) -> None:
        rule = self.rule
        minutes = [
            (minute, second)
            for minute in rule.by_minute or (start.minute,)
            for second in rule.by_second or (start.second,)
        ]
        if rule.frequency is Frequency.HOURLY:
            self._minutes = tuple(_at(minutes, rule.by_set_pos) if rule.by_set_pos else minutes)
        else:
            times = [
                time(hour, minute, second, start.microsecond)
                for hour in rule.by_hour or (start.hour,)
                for minute, second in minutes
            ]
            daily_choice = rule.frequency is Frequency.DAILY and rule.by_set_pos
            self._times = tuple(_at(times, rule.by_set_pos) if daily_choice else times)

    @cached_property
    def start_matches_rule(self) -> bool:
        """Whether the start matches the rule."""
        return bool(self._search(self._start, self._start))

    @cached_property
    def last(self) -> date | None:
        """A moment up to which instances belong to the rule, or None if it has no end.

        It is found once. For a COUNT that means counting, which MAX_COUNT bounds.
        """
        if self.rule.count is not None:
            # DTSTART always counts as the first occurrence (RFC 5545 §3.3.10).
            return self._nth(self.rule.count - (not self.start_matches_rule))
        until = self.rule.until
        if until is None:
            return None
        if not isinstance(self._start, datetime):
            return until.date() if isinstance(until, datetime) else until
        end = until_instant(until, self._zone)
        # Close to a change of the clocks only the instants themselves tell what is still in time.
        edge = to_local(end, self._zone)
        low, high = add_clamped(edge, -MAX_CLOCK_CHANGE), add_clamped(edge, MAX_CLOCK_CHANGE)
        near = self._search(max(low, self._start), high)
        kept = list(takewhile(lambda local: to_utc(local, self._zone) <= end, near))
        return kept[-1] if kept else low

    @cached_property
    def never(self) -> bool:
        """Whether the rule matches no day at all, as 30 February does; what it costs is bounded."""
        return next(self._searches(self._start), None) is None

    @property
    def endless(self) -> bool:
        """Whether the rule has neither COUNT nor UNTIL."""
        return self.rule.count is None and self.rule.until is None

    def between(self, low: date, high: date) -> list[date]:
        """The instances from `low` to `high`, both included, in order."""
        low = max(low, self._start)
        if self.last is not None:
            high = min(high, self.last)
        return self._search(low, high)

    def has(self, local: date) -> bool:
        """Whether this is an instance."""
        return bool(self.between(local, local))

    def period(self, year: int, month: int) -> list[date]:
        """The instances of a month of a monthly rule, or of a year of a yearly one."""
        if not 1 <= year <= date.max.year:
            return []
        months = (1, 12) if self.rule.frequency is Frequency.YEARLY else (month, month)
        first = first_day(year) + sum(days_in_month(year, before) for before in range(1, months[0]))
        last = first + sum(days_in_month(year, each) for each in range(months[0], months[1] + 1)) - 1
        return self.between(self._begin(first), self._end(last))

    def up_from(self, low: date) -> Iterator[date]:
        """The instances from `low` on, the earliest first."""
        if self.last is not None and low > self.last:
            return
        for found in self._searches(max(low, self._start)):
            for local in found:
                if self.last is not None and local > self.last:
                    return
                yield local

    def down_from(self, high: date) -> Iterator[date]:
        """The instances up to `high`, the latest first."""
        if self.last is not None:
            high = min(high, self.last)
        edge, span = high.toordinal(), 8
        while edge >= self._anchor:
            first = max(self._anchor, edge - span + 1)
            yield from reversed(self.between(self._begin(first), min(high, self._end(edge))))
            edge, span = first - 1, span * 2

    def spans(self, low: date, high: date, wanted: int) -> Iterator[tuple[date, date]]:
        """Cuts a stretch of time so that the first piece may hold twice as many as are wanted.

        The pieces double in length, so that even the rarest rule needs few of them.
        """
        first, last = low.toordinal(), high.toordinal()
        span = max(8, 2 * wanted // times_per_day(self.rule))
        while first <= last:
            end = min(last, first + span - 1)
            yield max(low, self._begin(first)), min(high, self._end(end))
            first, span = end + 1, span * 2

    def _nth(self, nth: int) -> date:
        """The instance with this number, counted from 1; the last one if there are fewer."""
        found: list[date] = [self._begin(1)]
        if nth >= 1:
            for some in self._searches(self._start):
                found += some
                if len(found) > nth:
                    break
        return found[: nth + 1][-1]

    def _searches(self, low: date) -> Iterator[list[date]]:
        """The instances from `low` on as if the rule had no end, some at a time."""
        # The days that the BY parts choose repeat after one cycle of the calendar, those that the
        # interval reaches after so many cycles: what was not found by then is never found.
        interval = self.rule.interval
        cycles = interval // gcd(interval, _PERIODS_IN_CYCLE[self.rule.frequency])
        hopeless = low.toordinal() + cycles * CYCLE_DAYS
        any_found = False
        for first, last in self.spans(low, self._end(_LAST_DAY), 16):
            found = self._search(first, last)
            if found:
                any_found = True
                yield found
            elif not any_found and last.toordinal() > hopeless:
                return

    def _search(self, low: date, high: date) -> list[date]:
        """The instances from `low`, not before the start, to `high`, as if the rule had no end."""
        if low > high:
            return []
        first, last = low.toordinal(), high.toordinal()
        frequency = self.rule.frequency
        if frequency is Frequency.HOURLY:
            found = self._hours(first, last)
        elif frequency is Frequency.DAILY:
            found = self._strikes(self._daily(first, last))
        elif self.rule.by_set_pos and not self._set_pos:
            return []
        elif self._set_pos:
            found = [local for period in self._periods(first, last) for local in self._positions(period)]
        else:
            found = self._strikes(_cut(list(chain.from_iterable(self._periods(first, last))), first, last))
        return _cut(found, low, high)

    def _strikes(self, days: Iterable[int]) -> list[date]:
        """The instances on these days."""
        times = self._times
        if not isinstance(self._start, datetime):
            return [_date(day) for day in days] if times else []
        if len(times) == 1:
            (only,) = times
            return [_combine(_date(day), only) for day in days]
        return [_combine(_date(day), one) for day in days for one in times]

    def _positions(self, days: list[int]) -> list[date]:
        """Those of the instances on the days of a period that BYSETPOS chooses."""
        times = self._times
        chosen = _at(range(len(days) * len(times)), self._set_pos)
        places = [divmod(index, len(times)) for index in chosen]
        if not isinstance(self._start, datetime):
            return [_date(days[day]) for day, _ in places]
        return [_combine(_date(days[day]), times[one]) for day, one in places]

    def _periods(self, first: int, last: int) -> Iterator[list[int]]:
        """The chosen days of each whole year, month or week of the rule that touches these days."""
        match self.rule.frequency:
            case Frequency.YEARLY:
                return self._years(first, last)
            case Frequency.MONTHLY:
                return self._months(first, last)
            case _:
                return self._weeks(first, last)

    def _years(self, first: int, last: int) -> Iterator[list[int]]:
        assert self._chosen is not None
        start, interval = _date(first).year, self.rule.interval
        start += (self._start.year - start) % interval
        for year in range(start, _date(last).year + 1, interval):
            new_year = first_day(year)
            yield [new_year + day for day in self._chosen.of(year).days]

    def _months(self, first: int, last: int) -> Iterator[list[int]]:
        assert self._chosen is not None
        start, interval = _months_since_zero(_date(first)), self.rule.interval
        start += (_months_since_zero(self._start) - start) % interval
        for month in range(start, _months_since_zero(_date(last)) + 1, interval):
            year = month // 12
            days = self._chosen.of(year).months[month % 12]
            if days:
                new_year = first_day(year)
                yield [new_year + day for day in days]

    def _weeks(self, first: int, last: int) -> Iterator[list[int]]:
        start = self._anchor - (self._start.weekday() - self.rule.wkst) % 7
        step = 7 * self.rule.interval
        # The first week of the rule whose last day is not before the first day asked for.
        begin = start - (start + 6 - first) // step * step
        if self._chosen is not None and self.rule.interval < _STEPPING and begin <= last:
            chosen = self._chosen_from(max(begin, 1), min(last + 6, _LAST_DAY))
            days = [day for day in chosen if (day - start) % step in self._week_days]
            for _, found in groupby(days, lambda day: (day - start) // step):
                yield list(found)
        else:
            for week in range(begin, last + 1, step):
                days = [week + day for day in self._week_days if week + day <= _LAST_DAY]
                yield days if self._chosen is None else [day for day in days if self._is_chosen(day)]

    def _daily(self, first: int, last: int) -> Sequence[int]:
        interval = self.rule.interval
        start = first + (self._anchor - first) % interval
        if self._chosen is None:
            return range(start, last + 1, interval)
        found: list[int] = []
        for year in range(_date(first).year, _date(last).year + 1):
            new_year, chosen = first_day(year), self._chosen.of(year)
            if interval == 1:
                found += [new_year + day for day in chosen.days]
            elif interval < _STEPPING:
                found += [new_year + day for day in chosen.days if (new_year + day - start) % interval == 0]
            else:
                begin = new_year + (start - new_year) % interval
                found += [day for day in range(begin, first_day(year + 1), interval) if day - new_year in chosen.known]
        return _cut(found, first, last)

    def _hours(self, first: int, last: int) -> list[date]:
        interval = self.rule.interval
        assert isinstance(self._start, datetime)
        anchor = 24 * self._anchor + self._start.hour
        reachable = gcd(interval, 24)
        if not self._minutes or all((hour - anchor) % reachable for hour in self.rule.by_hour or range(24)):
            return []
        found: list[date] = []
        if interval < 24 * _STEPPING:
            for day in self._chosen_from(first, last):
                first_hour = (anchor - 24 * day) % interval
                if first_hour < 24:
                    today = _date(day)
                    found += [_combine(today, one) for one in self._clock(first_hour)]
        else:
            begin = 24 * first + (anchor - 24 * first) % interval
            for hour in range(begin, 24 * (last + 1), interval):
                day = hour // 24
                if self._chosen is None or self._is_chosen(day):
                    found += [_combine(_date(day), one) for one in self._clock(hour % 24)]
        return found

    def _clock(self, first_hour: int) -> tuple[time, ...]:
        """The times of a day on which an hourly rule reaches this hour first."""
        clock = self._clocks.get(first_hour)
        if clock is None:
            assert isinstance(self._start, datetime)
            wanted = self.rule.by_hour or range(24)
            clock = self._clocks[first_hour] = tuple(
                time(hour, minute, second, self._start.microsecond)
                for hour in range(first_hour, 24, self.rule.interval)
                if hour in wanted
                for minute, second in self._minutes
            )
        return clock

    def _chosen_from(self, first: int, last: int) -> Sequence[int]:
        """All chosen days, whatever the interval."""
        if self._chosen is None:
            return range(first, last + 1)
        found: list[int] = []
        for year in range(_date(first).year, _date(last).year + 1):
            new_year = first_day(year)
            found += [new_year + day for day in self._chosen.of(year).days]
        return _cut(found, first, last)

    def _is_chosen(self, day: int) -> bool:
        assert self._chosen is not None
        year = _date(day).year
        return day - first_day(year) in self._chosen.of(year).known

    def _begin(self, day: int) -> date:
        """The first moment of a day, as a date or a local time like the start."""
        return _combine(_date(day), time.min) if isinstance(self._start, datetime) else _date(day)

    def _end(self, day: int) -> date:
        """The last moment of a day."""
        return _combine(_date(day), time.max) if isinstance(self._start, datetime) else _date(day)


def _months_since_zero(day: date) -> int:
    return day.year * 12 + day.month - 1


def _at(values: Sequence[_T], positions: tuple[int, ...]) -> list[_T]:
    """The values that BYSETPOS chooses, in their order."""
    size = len(values)
    chosen = sorted({position - 1 if position > 0 else size + position for position in positions})
    return [values[index] for index in chosen if 0 <= index < size]


def _cut(ordered: list[_Ordered], low: _Ordered, high: _Ordered) -> list[_Ordered]:
    """Those from `low` to `high`, both included, of an ordered list."""
    if ordered and ordered[0] < low:
        ordered = ordered[bisect_left(ordered, low) :]
    if ordered and ordered[-1] > high:
        ordered = ordered[: bisect_right(ordered, high)]
    return ordered
