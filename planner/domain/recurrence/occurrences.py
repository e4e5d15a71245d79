"""The occurrences of a series that overlap a window of time.

The cost depends on what is listed, not on how long ago the series began.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice, takewhile
from typing import NamedTuple, cast

from planner.domain.recurrence.pattern import Pattern
from planner.domain.recurrence.series import OccurrenceRow, Series, add_days_clamped
from planner.domain.times import TIME_RESOLUTION
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
    """One occurrence. `start` and `end` are instants in UTC, or dates if it takes whole days; `end` is exclusive.

    `recurrence_id` is its original start, a local time or a date.
    """

    recurrence_id: date
    start: date
    end: date


class OccurrenceCursor(NamedTuple):
    """A position in the list: the instant of an occurrence's start, then its recurrence id.

    Without an id it is the position before all occurrences that begin at that instant.

    Whoever merges the lists of several series needs both forms to continue after an occurrence: for
    series that come later in the merged order, the same instant without an id; for series that come
    earlier, the next microsecond without an id.
    """

    start: datetime
    recurrence_id: date | None = None


class OccurrenceSlice(NamedTuple):
    """Occurrences in order. `next` is the position of the last one, or None if there are no more after it."""

    items: list[Occurrence]
    next: OccurrenceCursor | None


def list_occurrences(
    series: Series, window_start: datetime, window_end: datetime, limit: int, after: OccurrenceCursor | None = None
) -> OccurrenceSlice:
    """Return the occurrences that overlap a window, in order of start, then recurrence id.

    The window includes its start and not its end; both are aware. An occurrence without a duration is in
    the window if its start is. At most `limit` occurrences are returned, those after the cursor `after`;
    the `next` of a page is the cursor for the page after it.

    Raises `ValueError` if the window is not aware, `limit` is less than 1, or the cursor is one of another kind
    of series.
    """
    if window_start.tzinfo is None or window_end.tzinfo is None or limit < 1:
        raise ValueError("the window must be aware, and the limit at least 1")
    if after and after.recurrence_id and isinstance(after.recurrence_id, datetime) is series.all_day:
        raise ValueError("the cursor belongs to another series")
    rows = _find_rows(series, window_start.astimezone(UTC), window_end.astimezone(UTC), limit, after)
    items = [_build_occurrence(series, row) for row in rows[:limit]]
    return OccurrenceSlice(items, OccurrenceCursor(*rows[limit - 1][:2]) if len(rows) > limit else None)


def find_occurrence(series: Series, recurrence_id: date) -> Occurrence | None:
    """Return the occurrence with this id, or None if there is none."""
    if not series.has_occurrence(recurrence_id):
        return None
    return _build_occurrence(series, series.compute_row(recurrence_id))


def locate_occurrence(series: Series, occurrence: Occurrence) -> OccurrenceCursor:
    """Return the position of an occurrence, by which the occurrences of several series can be merged."""
    return OccurrenceCursor(series.compute_row(occurrence.recurrence_id)[0], occurrence.recurrence_id)


def has_no_occurrences(series: Series) -> bool:
    """Return whether the series has no occurrence."""
    return not _find_rows(series, EARLIEST_INSTANT, LATEST_INSTANT, 1, None)


def find_first_start(series: Series) -> datetime:
    """Return the instant at which the first occurrence begins, or the start of the series if it has none."""
    rows = _find_rows(series, EARLIEST_INSTANT, LATEST_INSTANT, 1, None)
    return rows[0][0] if rows else series.compute_row(series.start)[0]


def find_last_end(series: Series) -> datetime | None:
    """Return the instant at which the last occurrence ends, or None if the rule has no end.

    An occurrence without a duration ends `TIME_RESOLUTION` after it begins, so that it has the instant of its start.
    For a series without an occurrence it is the start of the series.
    """
    pattern = series.pattern
    if pattern is not None and pattern.is_endless:
        return None
    rows = list(series.overridden_rows)
    # What is before a range may end after all that is in it.
    explicit_ids = series.explicit_ids if series.ranges else series.explicit_ids[-1:]
    rows += map(series.compute_row, explicit_ids)
    if pattern is not None:
        for before in (*series.range_ids, date.max if series.all_day else datetime.max):
            rows += map(series.compute_row, _find_latest_ids(series, pattern, before))
    ends = [max(end, add_clamped(start, TIME_RESOLUTION)) for start, _, end in rows]
    return max(ends, default=series.compute_row(series.start)[0])


def _find_latest_ids(series: Series, pattern: Pattern, high: date) -> list[date]:
    """Return the last ids of the rule up to `high` that have no exception, of which one is the latest instant.

    Where `high` is the id of a range, the last one before it is among them.
    """
    ids = pattern.iterate_backwards(high)
    remaining = (recurrence_id for recurrence_id in ids if recurrence_id not in series.exception_ids)
    found = list(islice(remaining, 2 if series.ranges else 1))
    if not found:
        return []
    # Near a clock change, an earlier local time may be a later instant.
    return [*found, *takewhile(lambda recurrence_id: found[-1] - recurrence_id < MAX_CLOCK_CHANGE, remaining)]


def _build_occurrence(series: Series, row: OccurrenceRow) -> Occurrence:
    start, recurrence_id, end = row
    override = series.find_override(recurrence_id)
    if override is None:
        if not series.all_day:
            return Occurrence(recurrence_id, start, end)
        return Occurrence(recurrence_id, recurrence_id, add_days_clamped(recurrence_id, series.effective_duration))
    local = recurrence_id if override.start is None else override.start
    if isinstance(local, datetime):
        return Occurrence(recurrence_id, start, end)
    return Occurrence(recurrence_id, local, add_days_clamped(local, series.measure_occurrence(recurrence_id, override)))


def _find_rows(
    series: Series, low: datetime, high: datetime, limit: int, after: OccurrenceCursor | None
) -> list[OccurrenceRow]:
    """Return the first rows in the window from `low` to `high`, in order: either all of them, or more than `limit`."""
    rows = _remove_until_cursor(_find_overridden_rows(series, low, high), after)
    since, until, (earlier, later) = add_clamped(low, -series.max_duration), high, series.move_bounds
    if after is not None:
        since = max(since, after.start)
    if series.ranges:
        since, until = add_clamped(since, -later), add_clamped(high, earlier)
    for ids, end in _generate_ids(series, since, until, limit):
        rows += _remove_until_cursor(_compute_rows(series, ids, low, high), after)
        if len(rows) > limit:
            rows.sort()
            # No row that is still to be found begins before this instant.
            if rows[limit][0] <= add_clamped(to_utc(end, series.time_zone), -MAX_CLOCK_CHANGE - earlier):
                return rows
    rows.sort()
    return rows


def _remove_until_cursor(rows: list[OccurrenceRow], after: OccurrenceCursor | None) -> list[OccurrenceRow]:
    if after is None:
        return rows
    if after.recurrence_id is None:
        return [row for row in rows if row[0] >= after.start]
    return [row for row in rows if row[:2] > after]


def _find_overridden_rows(series: Series, low: datetime, high: datetime) -> list[OccurrenceRow]:
    """Return a new list of the rows in the window that have an override."""
    if not series.overrides:
        return []
    return _select_rows(series.overridden_rows, low, high)


def _generate_ids(series: Series, since: datetime, until: datetime, limit: int) -> Iterator[tuple[list[date], date]]:
    """Yield lists of the recurrence ids that have no exception, each with the local value up to which it is complete.

    They include all ids that begin at or after `since` and before `until`, and some others near them.
    """
    first: date = add_clamped(to_local(since, series.time_zone), -MAX_CLOCK_CHANGE)
    last: date = add_clamped(to_local(until, series.time_zone), MAX_CLOCK_CHANGE)
    if series.all_day:
        first, last = date(first.year, first.month, first.day), date(last.year, last.month, last.day)
    explicit_ids, pattern = series.explicit_ids, series.pattern
    first = max(first, min(series.start, explicit_ids[0]) if explicit_ids else series.start)
    if pattern is None:
        yield explicit_ids[bisect_left(explicit_ids, first) : bisect_right(explicit_ids, last)], last
        return
    if pattern.last is not None:
        last = min(last, max(pattern.last, explicit_ids[-1]) if explicit_ids else pattern.last)
    for low, high in pattern.split_range(first, last, limit):
        ids = pattern.find_between(low, high)
        if series.exception_ids:
            ids = [recurrence_id for recurrence_id in ids if recurrence_id not in series.exception_ids]
        begin, end = bisect_left(explicit_ids, low), bisect_right(explicit_ids, high)
        if begin < end:
            ids = sorted({*ids, *explicit_ids[begin:end]})
        yield ids, high


def _compute_rows(series: Series, ids: list[date], low: datetime, high: datetime) -> list[OccurrenceRow]:
    """Return the rows of the occurrences with these ids that are in the window; none of them has an override."""
    # This is Series.compute_row and to_utc written out, because the calls would cost more than the work in them.
    offset, duration, all_day = load_utc_offset(series.time_zone), series.effective_duration, series.all_day
    if series.ranges:
        return _select_rows(map(series.compute_row, ids), low, high)
    is_nominal, rows = series.nominal_days > 0, list[OccurrenceRow]()
    try:
        for recurrence_id in ids:
            if is_nominal:
                duration = series.measure_occurrence(recurrence_id)
            if all_day:
                start = _combine(recurrence_id, MIDNIGHT, UTC) - offset(_combine(recurrence_id, MIDNIGHT))
                after = recurrence_id + duration
                end = _combine(after, MIDNIGHT, UTC) - offset(_combine(after, MIDNIGHT))
            else:
                local = cast("datetime", recurrence_id)
                start = _combine(local, local.time(), UTC) - offset(local)
                end = start + duration
            if start < high and (end > low or start >= low):
                rows.append((start, recurrence_id, end))
    except OverflowError:
        return _select_rows(map(series.compute_row, ids), low, high)
    return rows


def _select_rows(rows: Iterable[OccurrenceRow], low: datetime, high: datetime) -> list[OccurrenceRow]:
    """Return the rows that are in the window."""
    return [row for row in rows if row[0] < high and (row[2] > low or row[0] >= low)]
