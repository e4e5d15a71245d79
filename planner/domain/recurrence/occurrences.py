"""Lists the occurrences of a series that touch a window of time.

The cost depends on what is listed, not on how long ago the series began.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import takewhile
from typing import NamedTuple, cast

from planner.domain.recurrence.series import Row, Series, days_later
from planner.domain.zones import (
    EARLIEST_INSTANT,
    LATEST_INSTANT,
    MAX_CLOCK_CHANGE,
    MIDNIGHT,
    add_clamped,
    load_utc_offset,
    to_local,
    to_utc,
)

_combine = datetime.combine


class Occurrence(NamedTuple):
    """One occurrence: instants in UTC, or dates of an all-day series; the end is exclusive.

    `recurrence_id` is its original start, a local time or a date.
    """

    recurrence_id: date
    start: date
    end: date


class Cursor(NamedTuple):
    """A place in the list: the instant of an occurrence's start, then its recurrence id.

    Without an id it is the place before all that begin at that instant. Who merges several series
    goes on with the others by this: those that come later in his order by the same instant, those
    that come earlier by the next microsecond.
    """

    start: datetime
    recurrence_id: date | None = None


class Page(NamedTuple):
    """Occurrences in order; `next` is the place of the last one if there are more behind it."""

    items: list[Occurrence]
    next: Cursor | None


def occurrences(
    series: Series, window_start: datetime, window_end: datetime, limit: int, after: Cursor | None = None
) -> Page:
    """The occurrences that overlap the window, from its start up to but without its end.

    They are in order of start, then recurrence id. An occurrence of no length is in the window if
    its start is. At most `limit` are returned, those behind the cursor `after`; handing in a page's
    `next` continues it. Both ends of the window are aware.
    """
    if window_start.tzinfo is None or window_end.tzinfo is None or limit < 1:
        raise ValueError("the window has to be aware and the limit positive")
    if after and after.recurrence_id and isinstance(after.recurrence_id, datetime) is series.all_day:
        raise ValueError("the cursor belongs to another series")
    rows = _window(series, window_start.astimezone(UTC), window_end.astimezone(UTC), limit, after)
    if series.all_day:
        items = [_days(series, recurrence_id) for _, recurrence_id, _ in rows[:limit]]
    else:
        items = [Occurrence(recurrence_id, start, end) for start, recurrence_id, end in rows[:limit]]
    return Page(items, Cursor(*rows[limit - 1][:2]) if len(rows) > limit else None)


def occurrence(series: Series, recurrence_id: date) -> Occurrence | None:
    """The occurrence with this id, or None if there is none."""
    if not series.has(recurrence_id):
        return None
    if series.all_day:
        return _days(series, recurrence_id)
    start, _, end = series.row(recurrence_id, series.overrides.get(recurrence_id))
    return Occurrence(recurrence_id, start, end)


def position(series: Series, item: Occurrence) -> Cursor:
    """The place of an occurrence, by which those of several series can be merged."""
    start = series.row(item.recurrence_id, series.overrides.get(item.recurrence_id))[0]
    return Cursor(start, item.recurrence_id)


def is_empty(series: Series) -> bool:
    """Whether no occurrence is left."""
    return not _window(series, EARLIEST_INSTANT, LATEST_INSTANT, 1, None)


def first_start(series: Series) -> datetime:
    """When the first occurrence begins; of a series with none, when it would begin."""
    rows = _window(series, EARLIEST_INSTANT, LATEST_INSTANT, 1, None)
    return rows[0][0] if rows else series.row(series.start)[0]


def last_end(series: Series) -> datetime | None:
    """When the last occurrence ends, or None if the rule has no end.

    Of a series with no occurrence left it is the start, so that its span is a single point.
    """
    if series.pattern is not None and series.pattern.endless:
        return None
    ends = [row[2] for row in series.changed]
    ends += [series.row(local)[2] for local in series.fixed[-1:]]
    if series.pattern is not None:
        end = date.max if series.all_day else datetime.max
        left = (local for local in series.pattern.down_from(end) if local not in series.gone)
        latest = next(left, None)
        if latest is not None:
            # Where the clocks change, an earlier local time may be the later instant.
            near = takewhile(lambda local: latest - local < MAX_CLOCK_CHANGE, left)
            ends += [series.row(local)[2] for local in (latest, *near)]
    return max(ends, default=series.row(series.start)[0])


def _days(series: Series, recurrence_id: date) -> Occurrence:
    """An occurrence of an all-day series."""
    day, length = recurrence_id, series.length
    override = series.overrides.get(recurrence_id)
    if override is not None:
        day = day if override.start is None else override.start
        length = length if override.duration is None else override.duration
    return Occurrence(recurrence_id, day, days_later(day, length))


def _window(series: Series, low: datetime, high: datetime, limit: int, after: Cursor | None) -> list[Row]:
    """The first rows in the window, in order: all of them, or more than `limit`."""

    def behind(rows: list[Row]) -> list[Row]:
        if after is None:
            return rows
        if after.recurrence_id is None:
            return [row for row in rows if row[0] >= after.start]
        return [row for row in rows if row[:2] > after]

    found = behind(_changed_rows(series, low, high))
    since = add_clamped(low, -series.length)
    if after is not None:
        since = max(since, after.start)
    for locals_, end in _pieces(series, since, high, limit):
        found += behind(_rows(series, locals_, low, high))
        if len(found) > limit:
            found.sort()
            # Nothing that is still to come begins before this.
            if found[limit][0] <= add_clamped(to_utc(end, series.zone), -MAX_CLOCK_CHANGE):
                return found
    found.sort()
    return found


def _changed_rows(series: Series, low: datetime, high: datetime) -> list[Row]:
    """The occurrences with an override that are in the window."""
    if not series.overrides:
        return []
    return [row for row in series.changed if row[0] < high and (row[2] > low or row[0] >= low)]


def _pieces(series: Series, since: datetime, until: datetime, limit: int) -> Iterator[tuple[list[date], date]]:
    """The recurrence ids without an override, some at a time, and the local time up to which they go.

    They include all that begin at or after the one instant and before the other, and some more.
    """
    first: date = add_clamped(to_local(since, series.zone), -MAX_CLOCK_CHANGE)
    last: date = add_clamped(to_local(until, series.zone), MAX_CLOCK_CHANGE)
    if series.all_day:
        first, last = date(first.year, first.month, first.day), date(last.year, last.month, last.day)
    fixed, pattern = series.fixed, series.pattern
    first = max(first, min(series.start, fixed[0]) if fixed else series.start)
    if pattern is None:
        yield fixed[bisect_left(fixed, first) : bisect_right(fixed, last)], last
        return
    if pattern.last is not None:
        last = min(last, max(pattern.last, fixed[-1]) if fixed else pattern.last)
    for low, high in pattern.spans(first, last, limit):
        found = pattern.between(low, high)
        if series.gone:
            found = [local for local in found if local not in series.gone]
        begin, end = bisect_left(fixed, low), bisect_right(fixed, high)
        if begin < end:
            found = sorted({*found, *fixed[begin:end]})
        yield found, high


def _rows(series: Series, locals_: list[date], low: datetime, high: datetime) -> list[Row]:
    """When the occurrences with these ids are, of those in the window."""
    # This is Series.row written out, for the calls would cost more than the work.
    offset, length, all_day = load_utc_offset(series.zone), series.length, series.all_day
    found: list[Row] = []
    try:
        for local in locals_:
            if all_day:
                start = _combine(local, MIDNIGHT, UTC) - offset(_combine(local, MIDNIGHT))
                after = local + length
                end = _combine(after, MIDNIGHT, UTC) - offset(_combine(after, MIDNIGHT))
            else:
                timed = cast("datetime", local)
                start = _combine(timed, timed.time(), UTC) - offset(timed)
                end = start + length
            if start < high and (end > low or start >= low):
                found.append((start, local, end))
    except OverflowError:
        rows = map(series.row, locals_)
        return [row for row in rows if row[0] < high and (row[2] > low or row[0] >= low)]
    return found
