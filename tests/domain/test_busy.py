"""Which time events take, how it is merged, and what overlaps, compared with slow and simple implementations."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events.event import Event
from planner.domain.busy import (
    CONFLICT_HORIZON,
    MAX_SLOTS,
    BusyTime,
    RequestedSlots,
    Slot,
    busy_time_from_event,
    clip_slots,
    find_overlapping_slots,
    find_slot,
    find_slots_to_check,
    iterate_slots,
    merge_slots,
)
from planner.domain.recurrence.series import Override, Series
from planner.domain.times import resolve_times

from . import strategies
from .oracle import list_expected_rows_before, naive

FIRST = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def slot(start: int, end: int) -> Slot:
    return Slot(FIRST + start * MINUTE, FIRST + end * MINUTE)


some_slots = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 60)).map(lambda pair: slot(pair[0], sum(pair))), max_size=12
)


def minutes(found: Sequence[Slot]) -> set[int]:
    """Return the minutes since the first of May that slots take."""
    taken: set[int] = set()
    for start, end, _ in found:
        taken.update(range((start - FIRST) // MINUTE, (end - FIRST) // MINUTE))
    return taken


@given(some_slots)
def test_merged_slots_take_the_same_minutes_and_neither_overlap_nor_touch(found: list[Slot]) -> None:
    whole = merge_slots(found)
    assert minutes(whole) == minutes(found)
    assert all(before.end < after.start for before, after in pairwise(whole))


@given(some_slots, st.integers(0, 250), st.integers(1, 100))
def test_clipped_slots_take_the_minutes_of_the_window(found: list[Slot], since: int, length: int) -> None:
    window = slot(since, since + length)
    parts = list(clip_slots(found, window.start, window.end))
    assert minutes(parts) == minutes(found) & minutes([window])
    assert all(window.start <= part.start < part.end <= window.end for part in parts)


@given(some_slots.filter(bool), some_slots)
def test_a_slot_overlaps_the_requested_ones_when_they_have_a_minute_in_common(
    found: list[Slot], others: list[Slot]
) -> None:
    requested, minutes_taken = RequestedSlots(found), minutes(found)
    assert (requested.start, requested.end) == (
        FIRST + min(minutes_taken) * MINUTE,
        FIRST + (max(minutes_taken) + 1) * MINUTE,
    )
    for other in others:
        assert requested.overlaps(other) == bool(minutes_taken & minutes([other]))
    for minute in range(270):
        further = min((one for one in minutes_taken if one >= minute), default=None)
        assert requested.find_next_requested(FIRST + minute * MINUTE) == (
            None if further is None else FIRST + further * MINUTE
        )


# What takes time.


def single_event(**fields: Any) -> BusyTime:
    """Return the busy time of an event that does not repeat, from times as its author sends them."""
    times = resolve_times(fields.pop("start", None), fields.pop("end", None), None, fields.pop("time_zone", None))
    stored = {"status": "confirmed", "start": times.start, "begins": times.begins, "ends": times.ends}
    return busy_time_from_event(Event.from_stored(stored | fields), "UTC")


def test_an_event_takes_the_time_from_its_start_to_its_end() -> None:
    busy_time = single_event(start="2026-05-01T18:00:00", end="2026-05-01T20:00:00", time_zone="Europe/Berlin")
    assert busy_time.single_slot == Slot(FIRST + 16 * HOUR, FIRST + 18 * HOUR)


@pytest.mark.parametrize(
    "fields",
    [
        {"start": None},
        {"start": "2026-05-01T18:00:00"},
        {"start": "2026-05-01T18:00:00", "end": "2026-05-01T20:00:00", "status": "cancelled"},
        {"start": "2026-05-01T18:00:00", "end": "2026-05-01T20:00:00", "transparency": "transparent"},
        {"start": "2026-05-01", "transparency": "transparent"},
    ],
)
def test_an_undated_endless_cancelled_or_transparent_event_takes_no_time(fields: Any) -> None:
    assert single_event(**fields) == BusyTime()


@pytest.mark.parametrize("fields", [{"status": "tentative"}, {"transparency": "opaque"}])
def test_a_tentative_or_opaque_event_takes_its_time(fields: Any) -> None:
    assert single_event(start="2026-05-01T18:00:00", end="2026-05-01T20:00:00", **fields).single_slot is not None


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [("2026-03-28", None, 24), ("2026-03-29", None, 23), ("2026-10-25", None, 25), ("2026-03-28", "2026-03-31", 71)],
)
def test_an_all_day_event_takes_the_whole_days_of_its_zone(start: str, end: str | None, hours: int) -> None:
    busy_time = single_event(start=start, end=end, time_zone="Europe/Berlin").single_slot
    assert busy_time is not None
    assert busy_time.end - busy_time.start == hours * HOUR
    assert busy_time.start == datetime.fromisoformat(start).replace(tzinfo=UTC) - (2 if "10" in start else 1) * HOUR


statuses = st.sampled_from(["confirmed", "tentative", "cancelled"])
transparencies = st.sampled_from(["opaque", "transparent"])


@st.composite
def repeating(draw: st.DrawFn) -> BusyTime:
    """Draw a series of which some occurrences take time and others do not."""
    series = draw(strategies.series())
    overrides = {
        id: replace(override, fields=draw(st.sampled_from([{}, {"transparency": draw(transparencies)}])))
        for id, override in series.overrides.items()
    }
    for id, override in overrides.items():
        if draw(st.booleans()):
            overrides[id] = replace(override, fields={**override.fields, "status": draw(statuses)})
    return BusyTime(None, replace(series, overrides=overrides), draw(statuses), draw(transparencies))


def expected(busy_time: BusyTime, until: datetime) -> list[Slot]:
    """Return all slots of a series that begin before an instant, by the oracle."""
    series = busy_time.series
    assert series is not None
    found = []
    for start, end, id, _ in list_expected_rows_before(series, until):
        fields: Any = series.overrides.get(id, Override()).fields
        free = fields.get("transparency", busy_time.transparency) == "transparent"
        if start < end and start < until and not free and fields.get("status", busy_time.status) != "cancelled":
            found.append(Slot(start, end, id))
    return sorted(found)


@st.composite
def windows(draw: st.DrawFn, busy_time: BusyTime) -> tuple[datetime, datetime]:
    assert busy_time.series is not None
    low = naive(busy_time.series.start).replace(tzinfo=UTC) + draw(st.integers(-240, 2000)) * HOUR
    return low, low + draw(st.integers(1, 40) | st.integers(1, 1500)) * HOUR


@given(st.data())
def test_a_series_takes_the_time_of_its_occurrences(data: st.DataObject) -> None:
    busy_time = data.draw(repeating())
    since, until = data.draw(windows(busy_time))
    assert list(iterate_slots(busy_time, since, until)) == [
        one for one in expected(busy_time, until) if one.end > since
    ]
    for one in expected(busy_time, until):
        assert one.recurrence_id is not None and find_slot(busy_time, one.recurrence_id) == one


# What overlaps.


@given(st.data())
def test_a_series_has_the_overlapping_slots_that_a_plain_comparison_finds(data: st.DataObject) -> None:
    busy_time = data.draw(repeating())
    since, _ = data.draw(windows(busy_time))
    hours = st.tuples(st.integers(0, 400), st.integers(1, 30)) | st.tuples(st.integers(0, 4000), st.integers(1, 3))
    some = st.lists(hours, min_size=1, max_size=8)
    found = [Slot(since + start * HOUR, since + (start + length) * HOUR) for start, length in data.draw(some)]
    until = max(one.end for one in found)
    right = [
        one
        for one in expected(busy_time, until)
        if any(one.start < other.end and other.start < one.end for other in found)
    ]
    assert sorted(find_overlapping_slots(busy_time, RequestedSlots(found), 10_000)) == right
    for limit in (1, 3):
        some_of_them = find_overlapping_slots(busy_time, RequestedSlots(found), limit)
        assert len(some_of_them) == min(limit, len(right)) and set(some_of_them) <= set(right)


def weekly(start: datetime, length: timedelta | None, rule: str = "FREQ=WEEKLY", **fields: Any) -> BusyTime:
    return BusyTime(None, Series(start, length, "Europe/Berlin", rule, **fields))


def test_more_occurrences_that_have_begun_before_than_are_computed_at_a_time_are_all_found() -> None:
    busy_time = weekly(datetime(2026, 1, 1), timedelta(hours=100), "FREQ=HOURLY;COUNT=200")
    begins = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
    found = find_overlapping_slots(busy_time, RequestedSlots([Slot(begins, begins + HOUR)]), 10_000)
    assert len(found) == 101


def test_slots_that_touch_do_not_overlap() -> None:
    requested = RequestedSlots([slot(60, 120)])
    assert not find_overlapping_slots(BusyTime(slot(0, 60)), requested, 1)
    assert not find_overlapping_slots(BusyTime(slot(120, 180)), requested, 1)
    assert find_overlapping_slots(BusyTime(slot(0, 61)), requested, 1) == [slot(0, 61)]
    assert not find_overlapping_slots(BusyTime(), requested, 1)


def test_a_series_in_local_time_overlaps_one_in_utc_only_until_the_clock_change() -> None:
    # Nine in Berlin is eight in UTC in winter and seven in summer.
    standup = weekly(datetime(2026, 3, 2, 9), 30 * MINUTE)
    weeks = [datetime(2026, 3, 2, 8, tzinfo=UTC) + week * 7 * DAY for week in range(12)]
    at_eight = [Slot(start, start + 30 * MINUTE) for start in weeks]
    met = [one.start.date() for one in find_overlapping_slots(standup, RequestedSlots(at_eight), 100)]
    assert met == [date(2026, 3, day) for day in (2, 9, 16, 23)]


def test_a_moved_occurrence_overlaps_at_its_new_time_and_not_at_its_old_one() -> None:
    id = datetime(2026, 5, 11, 9)
    moved = weekly(datetime(2026, 5, 4, 9), HOUR, overrides={id: Override(start=datetime(2026, 5, 12, 15))})
    there = Slot(datetime(2026, 5, 12, 13, 30, tzinfo=UTC), datetime(2026, 5, 12, 13, 45, tzinfo=UTC))
    before = Slot(datetime(2026, 5, 11, 7, tzinfo=UTC), datetime(2026, 5, 11, 8, tzinfo=UTC))
    assert [one.recurrence_id for one in find_overlapping_slots(moved, RequestedSlots([there]), 5)] == [id]
    assert find_overlapping_slots(moved, RequestedSlots([before]), 5) == []


def test_an_hourly_series_and_few_requested_slots_are_compared_at_low_cost() -> None:
    """Compare five years of an hourly rule with one slot in each year."""
    hourly = weekly(datetime(2020, 1, 1), MINUTE, "FREQ=HOURLY")
    yearly = [Slot(start, start + MINUTE) for start in (datetime(2020 + n, 6, 1, 0, 30, tzinfo=UTC) for n in range(5))]
    assert find_overlapping_slots(hourly, RequestedSlots(yearly), 1) == []


# How much of a series is checked.


def test_a_thousand_occurrences_of_an_endless_series_are_checked() -> None:
    daily = weekly(datetime(2026, 5, 1, 9), HOUR, "FREQ=DAILY")
    found = find_slots_to_check(daily, FIRST + 7 * HOUR, None, FIRST)
    assert len(found) == MAX_SLOTS
    assert (found[0].recurrence_id, found[-1].recurrence_id) == (
        datetime(2026, 5, 1, 9),
        datetime(2026, 5, 1, 9) + 999 * DAY,
    )


def test_five_years_of_a_sparse_series_are_checked() -> None:
    yearly = weekly(datetime(2026, 5, 1, 9), HOUR, "FREQ=YEARLY")
    found = find_slots_to_check(yearly, FIRST + 7 * HOUR, None, FIRST)
    assert [one.start.year for one in found] == [2026, 2027, 2028, 2029, 2030]
    assert found[-1].start < FIRST + 7 * HOUR + CONFLICT_HORIZON


def test_past_occurrences_are_not_checked_unless_the_whole_series_is_past() -> None:
    rule = weekly(datetime(2026, 5, 1, 9), HOUR, "FREQ=DAILY;COUNT=10")
    begins, ends = FIRST + 7 * HOUR, FIRST + 9 * DAY + 8 * HOUR
    assert len(find_slots_to_check(rule, begins, ends, FIRST - 30 * DAY)) == 10
    # In the middle of the fourth occurrence, which has not ended yet.
    assert len(find_slots_to_check(rule, begins, ends, FIRST + 3 * DAY + 7 * HOUR + 30 * MINUTE)) == 7
    assert len(find_slots_to_check(rule, begins, ends, ends)) == 10


def test_an_event_that_takes_no_time_has_no_slots_to_check() -> None:
    now = FIRST
    assert find_slots_to_check(BusyTime(), FIRST, FIRST + HOUR, now) == []
    assert find_slots_to_check(weekly(datetime(2026, 5, 1, 9), None), FIRST, None, now) == []
    assert (
        find_slots_to_check(replace(weekly(datetime(2026, 5, 1, 9), HOUR), status="cancelled"), FIRST, None, now) == []
    )
    assert find_slots_to_check(BusyTime(slot(0, 60)), FIRST, FIRST + HOUR, now) == [slot(0, 60)]


def test_occurrences_without_a_duration_are_not_computed_one_by_one() -> None:
    """Find the slots of an hourly series in which only an override has a duration."""
    id = datetime(2026, 5, 6, 9)
    moved = weekly(datetime(2026, 5, 1, 9), None, "FREQ=HOURLY", overrides={id: Override(duration=HOUR)})
    found = find_slots_to_check(moved, FIRST + 7 * HOUR, None, FIRST)
    assert [one.recurrence_id for one in found] == [id]
    assert find_overlapping_slots(moved, RequestedSlots(found), 5) == found
    assert list(iterate_slots(moved, FIRST, FIRST + 3000 * DAY)) == found
