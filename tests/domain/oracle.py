"""Slow and simple implementations with which the recurrence modules are compared.

Rules are expanded twice, by dateutil and by going through the days one by one and asking of each
what RFC 5545 says about it. Local times become instants by trying out the offsets of the zone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby, product, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, rrule, rrulestr, weekday

from planner.domain.recurrence.rrule import Frequency, RecurrenceRule, Skip, Weekday, parse_rule
from planner.domain.recurrence.series import Series

FREQUENCIES = {
    Frequency.YEARLY: YEARLY,
    Frequency.MONTHLY: MONTHLY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.DAILY: DAILY,
    Frequency.HOURLY: HOURLY,
}


# Local times to instants.


@lru_cache(maxsize=200_000)
def compute_instant(local: datetime, name: str) -> datetime:
    """Return the first instant at which clocks show this; a skipped time has the offset from before the change."""
    zone = ZoneInfo(name)
    as_utc = local.replace(tzinfo=UTC)
    around = [as_utc + timedelta(hours=hours) for hours in range(-27, 28)]
    offsets = {moment.astimezone(zone).utcoffset() or timedelta(0) for moment in around}
    shown = [as_utc - offset for offset in offsets if (as_utc - offset).astimezone(zone).utcoffset() == offset]
    if shown:
        return min(shown)
    # The clocks change from one offset to a greater one, and each of them is wrong for this time.
    pairs = [
        (before, after)
        for before, after in product(offsets, repeat=2)
        if before < after
        and (as_utc - before).astimezone(zone).utcoffset() == after
        and (as_utc - after).astimezone(zone).utcoffset() == before
    ]
    ((before, _),) = pairs
    return as_utc - before


def compute_instant_of_any(local: date, name: str) -> datetime:
    return compute_instant(naive(local), name)


def naive(value: date) -> datetime:
    """Return a local time, or that of the midnight at which a date begins."""
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


# One rule, expanded by dateutil.


def dateutil_agrees(text: str, start: date) -> bool:
    """Return whether dateutil interprets this rule in the same way; see planner.domain.recurrence.pattern."""
    rule = parse_rule(text)
    numbered = {bool(nth) for _, nth in rule.by_day}
    return (
        len(numbered) < 2
        and not any(abs(week) >= 52 for week in rule.by_week_no)
        # Week -51 may be the first one of the next year, which dateutil does not find, as its comments say.
        and not any(week < -50 for week in rule.by_week_no)
        # What dateutil takes from the start is less than what RFC 8984 does.
        and not (rule.frequency is Frequency.YEARLY and rule.by_month_day and not rule.by_month)
        and not (rule.by_week_no and not rule.by_day)
        and rule.skip is Skip.OMIT
    )


def expand_by_dateutil(text: str, start: date, high: date) -> list[date]:
    """Return the instances up to `high` of a rule without COUNT and UNTIL that has others after `high`."""
    rule = parse_rule(text)
    begin = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)
    until = high if isinstance(high, datetime) else datetime(high.year, high.month, high.day)
    expanded: Iterable[datetime]
    if rule.frequency is Frequency.WEEKLY and rule.by_set_pos:
        # dateutil counts positions from the start, so it is given the beginning of the first week.
        monday = begin - timedelta(days=(begin.weekday() - rule.wkst) % 7)
        expanded = rrule(
            WEEKLY,
            dtstart=monday,
            interval=rule.interval,
            wkst=rule.wkst,
            bysetpos=rule.by_set_pos,
            bymonth=rule.by_month or None,
            byweekday=[weekday(day) for day, _ in rule.by_day] or [weekday(begin.weekday())],
            byhour=rule.by_hour or None,
            byminute=rule.by_minute or None,
            bysecond=rule.by_second or None,
        )
    else:
        expanded = rrulestr(str(rule), dtstart=begin)
    found = [local for local in takewhile(lambda local: local <= until, expanded) if local >= begin]
    return list(found) if isinstance(start, datetime) else [local.date() for local in found]


# One rule, expanded by its definition.


@lru_cache(maxsize=32)
def expand_by_definition(rule: RecurrenceRule, start: date, high: date) -> list[date]:
    """Return the instances up to `high` of a rule, ignoring its COUNT and UNTIL."""
    begin = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)
    if not isinstance(start, datetime):
        # An all-day rule ignores times of day.
        rule = replace(rule, by_hour=(), by_minute=(), by_second=())
    rule = add_parts_of_start(rule, begin)
    # Whole periods are needed for BYSETPOS.
    around = {Frequency.YEARLY: 366, Frequency.MONTHLY: 31, Frequency.WEEKLY: 7}.get(rule.frequency, 0)
    days = [date.fromordinal(n) for n in range(begin.toordinal() - around, high.toordinal() + around + 1)]
    if not days:
        return []
    # Each day with one day of its period: a day that takes the place of a missing one may be in another period.
    pairs = [(day, day) for day in days if _day_matches(rule, day)]
    if rule.skip is not Skip.OMIT and rule.frequency <= Frequency.MONTHLY:
        pairs += _replace_missing_days(rule, days[0].year, days[-1].year)
    candidates = []
    for of_period, day in sorted(set(pairs)):
        for hour, minute, second in _times(rule, begin):
            local = datetime(day.year, day.month, day.day, hour, minute, second, begin.microsecond)
            period = _period(rule, datetime(of_period.year, of_period.month, of_period.day, hour))
            if (period - _period(rule, begin)) % rule.interval == 0:
                candidates.append((period, local))
    found = []
    for _, group in groupby(sorted(set(candidates)), key=lambda pair: pair[0]):
        in_period = [local for _, local in group]
        if rule.by_set_pos:
            positions = {position - 1 if position > 0 else len(in_period) + position for position in rule.by_set_pos}
            in_period = [local for index, local in enumerate(in_period) if index in positions]
        found += in_period
    found = sorted(set(found))
    if isinstance(start, datetime):
        return [local for local in found if start <= local <= high]
    return [local.date() for local in found if start <= local.date() <= high]


def _times(rule: RecurrenceRule, begin: datetime) -> list[tuple[int, int, int]]:
    hours: Iterable[int] = rule.by_hour or (range(24) if rule.frequency is Frequency.HOURLY else [begin.hour])
    return sorted(product(hours, rule.by_minute or [begin.minute], rule.by_second or [begin.second]))


def _period(rule: RecurrenceRule, local: datetime) -> int:
    match rule.frequency:
        case Frequency.YEARLY:
            return local.year
        case Frequency.MONTHLY:
            return local.year * 12 + local.month
        case Frequency.WEEKLY:
            return (local.toordinal() - 1 - rule.wkst) // 7
        case Frequency.DAILY:
            return local.toordinal()
        case Frequency.HOURLY:
            return local.toordinal() * 24 + local.hour


def _week_of(day: date, wkst: int) -> tuple[int, int]:
    """Return the number of the day's week, and the number of weeks in its year."""
    # The year of a week is that of its fourth day.
    fourth = day - timedelta(days=(day.weekday() - wkst) % 7) + timedelta(days=3)
    return (fourth.timetuple().tm_yday - 1) // 7 + 1, _count_weeks(fourth.year, wkst)


@lru_cache(maxsize=50_000)
def _count_weeks(year: int, wkst: int) -> int:
    """Return how many weeks have their fourth day in a year."""
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    return sum(day.year == year and (day.weekday() - wkst) % 7 == 3 for day in days)


def _month_length(day: date) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def add_parts_of_start(rule: RecurrenceRule, begin: date) -> RecurrenceRule:
    """Return the rule with the parts that RFC 8984 §4.3.3.1 adds to one that says too little about days."""
    match rule.frequency:
        case Frequency.WEEKLY if not rule.by_day:
            rule = replace(rule, by_day=(Weekday(begin.weekday()),))
        case Frequency.MONTHLY if not rule.by_day and not rule.by_month_day:
            rule = replace(rule, by_month_day=(begin.day,))
        case Frequency.YEARLY if not rule.by_year_day:
            given = rule
            if not given.by_month and not given.by_week_no and (given.by_month_day or not given.by_day):
                rule = replace(rule, by_month=(begin.month,))
            if not given.by_month_day and not given.by_week_no and not given.by_day:
                rule = replace(rule, by_month_day=(begin.day,))
            if given.by_week_no and not given.by_month_day and not given.by_day:
                rule = replace(rule, by_day=(Weekday(begin.weekday()),))
    return rule


def _replace_missing_days(rule: RecurrenceRule, first: int, last: int) -> list[tuple[date, date]]:
    """Return what SKIP gives for the days that a month or year does not have: a day of the month, and the other day."""
    pairs = []
    for year, month in product(range(first, last + 1), rule.by_month or range(1, 13)):
        start = date(year, month, 1)
        if not rule.by_year_day:
            end = start + timedelta(days=_month_length(start))
            pairs += [(start, _replace_missing_day(rule, nth, start, end)) for nth in rule.by_month_day]
    for year in range(first, last + 1) if not rule.by_month_day else ():
        start, end = date(year, 1, 1), date(year + 1, 1, 1)
        for nth in rule.by_year_day:
            of_year = date(year, 12, 1) if nth > 0 else start
            if not rule.by_month or of_year.month in rule.by_month:
                pairs.append((of_year, _replace_missing_day(rule, nth, start, end)))
    return [
        (of_period, day)
        for of_period, day in pairs
        if day is not None
        and (not rule.by_day or any(weekday_ == day.weekday() and nth == 0 for weekday_, nth in rule.by_day))
        and (not rule.by_week_no or _is_among(rule.by_week_no, *_week_numbers(day, rule.wkst)))
    ]


def _replace_missing_day(rule: RecurrenceRule, nth: int, start: date, end: date) -> date | None:
    """Return the day for the nth day of a period from `start` up to `end`; None if the period has it."""
    if abs(nth) <= (end - start).days:
        return None
    if rule.skip is Skip.BACKWARD:
        return (end if nth > 0 else start) - timedelta(days=1)
    return end if nth > 0 else start


def _week_numbers(day: date, wkst: int) -> tuple[int, int]:
    number, weeks = _week_of(day, wkst)
    return number, number - weeks - 1


def _day_matches(rule: RecurrenceRule, day: date) -> bool:
    """Whether a rule that says enough about days allows a day."""
    year_day, year_length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
    in_month = rule.frequency is Frequency.MONTHLY or bool(rule.by_month)
    return (
        _is_among(rule.by_month, day.month)
        and (not rule.by_week_no or _is_among(rule.by_week_no, *_week_numbers(day, rule.wkst)))
        and _is_among(rule.by_year_day, year_day, year_day - year_length - 1)
        and _is_among(rule.by_month_day, day.day, day.day - _month_length(day) - 1)
        and (not rule.by_day or _is_weekday_among(rule.by_day, day, in_month=in_month))
    )


def _is_among(allowed: Sequence[int], *numbers: int) -> bool:
    """Whether a part of a rule allows a day that has these numbers, from the front and from the back."""
    return not allowed or any(number in allowed for number in numbers)


def _is_weekday_among(allowed: Sequence[Weekday], day: date, *, in_month: bool) -> bool:
    """Whether BYDAY allows a day, which is so and so many of its month or of its year."""
    year_day, year_length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
    place, size = (day.day, _month_length(day)) if in_month else (year_day, year_length)
    nths = {0, (place - 1) // 7 + 1, -((size - place) // 7 + 1)}
    return any(weekday_ == day.weekday() and nth in nths for weekday_, nth in allowed)


# A whole series.


def recurrence_ids(series: Series, high: date) -> list[date]:
    """Return the ids of all occurrences up to `high`, with an override or without."""
    found: list[date] = []
    if series.rrule is not None:
        rule = parse_rule(series.rrule)
        found = expand_by_definition(rule, series.start, high)
        if rule.count is not None:
            found = found[: max(0, rule.count - (series.start not in found))]
        if rule.until is not None:
            found = list(takewhile(lambda local: _in_time(rule, local, series.time_zone), found))
    ids = {local for local in {series.start, *found, *series.rdates, *series.overrides} if local <= high}
    ids -= series.exdates
    return sorted(local for local in ids if local not in series.overrides or not series.overrides[local].excluded)


def _in_time(rule: RecurrenceRule, local: date, zone: str) -> bool:
    until = rule.until
    assert until is not None
    if not isinstance(local, datetime):
        return local <= (until.date() if isinstance(until, datetime) else until)
    if not isinstance(until, datetime):
        until = datetime(until.year, until.month, until.day, 23, 59, 59)
    end = until if until.tzinfo else compute_instant(until, zone)
    return compute_instant(local, zone).replace(microsecond=0) <= end


def compute_local_times(series: Series, recurrence_id: date) -> tuple[date, timedelta | None, str]:
    """Return the local start of an occurrence, its duration (None: the default of its kind), and its time zone."""
    start, length, zone = recurrence_id, series.duration, series.time_zone
    ranges = [key for key in series.ranges if key <= recurrence_id]
    own = series.overrides.get(recurrence_id)
    for key, override in [*((key, series.ranges[key]) for key in ranges if key == max(ranges)), (recurrence_id, own)]:
        if override is None:
            continue
        if override.start is not None:
            moved = _move_as_far(recurrence_id, key, override.start)
            if isinstance(moved, datetime) is not isinstance(start, datetime):
                # A length in days says nothing of an occurrence with times.
                length = series.duration if isinstance(moved, datetime) is isinstance(series.start, datetime) else None
            start, zone = moved, override.time_zone or series.time_zone
        length = length if override.duration is None else override.duration
    return start, length, zone


def _move_as_far(recurrence_id: date, old: date, new: date) -> date:
    """Return where an occurrence moves to, as far as another one that began at `old` and now begins at `new`."""
    days = timedelta(days=new.toordinal() - old.toordinal())
    if isinstance(old, datetime) and isinstance(new, datetime):
        return recurrence_id + (new - old)
    if isinstance(new, datetime):
        return datetime.combine(recurrence_id + days, new.time())
    return date.fromordinal(recurrence_id.toordinal()) + days


def list_expected_rows(series: Series, high: date) -> list[tuple[datetime, datetime, date, date]]:
    """Return the instants of start and end, the recurrence id and the local start of all occurrences, in order."""
    found = []
    for recurrence_id in recurrence_ids(series, high):
        local, length, zone = compute_local_times(series, recurrence_id)
        start = compute_instant_of_any(local, zone)
        if isinstance(local, datetime):
            end = start + (length or timedelta(0))
        else:
            end = compute_instant_of_any(local + (length or timedelta(days=1)), zone)
        found.append((start, recurrence_id, end, local))
    return [(start, end, recurrence_id, local) for start, recurrence_id, end, local in sorted(found)]


def list_expected_rows_before(series: Series, end: datetime) -> list[tuple[datetime, datetime, date, date]]:
    """Return the rows of all occurrences that begin before an instant, and of some that begin later.

    An occurrence may be moved there from a day that is centuries later, up to which expanding the rule would take
    minutes. Such a move has an override, and those are listed without the rule.
    """
    near = end.replace(tzinfo=None) + timedelta(days=6)
    far = max([near, *map(naive, series.overrides)])
    parts = ((series, near), (replace(series, rrule=None), far))
    rows = {row for part, last in parts for row in list_expected_rows(part, last.date() if series.all_day else last)}
    return sorted(rows, key=lambda row: (row[0], row[2]))
