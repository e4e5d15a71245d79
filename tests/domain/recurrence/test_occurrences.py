from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from planner.domain.recurrence.occurrences import (
    Occurrence,
    OccurrenceCursor,
    find_first_start,
    find_last_end,
    find_occurrence,
    has_no_occurrences,
    list_occurrences,
    locate_occurrence,
)
from planner.domain.recurrence.pattern import compile_pattern
from planner.domain.recurrence.series import Override, Series
from planner.domain.times import TIME_RESOLUTION
from planner.domain.zones import EARLIEST_INSTANT, LATEST_INSTANT
from tests.domain import strategies
from tests.domain.oracle import (
    compute_instant_of_any,
    compute_local_times,
    dateutil_agrees,
    expand_by_dateutil,
    list_expected_rows,
    list_expected_rows_before,
    naive,
)

DAY = timedelta(days=1)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def expected_in(series: Series, low: datetime, high: datetime) -> list[Occurrence]:
    """Return the occurrences by the oracle."""
    return [
        Occurrence(recurrence_id, *((start, end) if isinstance(local, datetime) else whole_days(series, recurrence_id)))
        for start, end, recurrence_id, local in list_expected_rows_before(series, high)
        if start < high and (end > low or start >= low)
    ]


def whole_days(series: Series, recurrence_id: date) -> tuple[date, date]:
    start, length, _ = compute_local_times(series, recurrence_id)
    return start, start + (length or DAY)


@st.composite
def windows(draw: st.DrawFn, series: Series, far: int = 400) -> tuple[datetime, datetime]:
    low = naive(series.start).replace(tzinfo=UTC) + timedelta(
        days=draw(st.integers(-10, 40) | st.integers(-10, far)), hours=draw(st.integers(0, 23))
    )
    return low, low + timedelta(hours=draw(st.integers(0, 30) | st.integers(0, 24 * 60)))


@given(st.data())
def test_a_window_has_the_occurrences_that_overlap_it(data: st.DataObject) -> None:
    series = data.draw(strategies.series())
    low, high = data.draw(windows(series))
    page = list_occurrences(series, low, high, 100_000)
    assert page.items == expected_in(series, low, high)
    assert page.next is None


@given(st.data())
def test_all_pages_together_are_the_whole_list(data: st.DataObject) -> None:
    series = data.draw(strategies.series())
    low, high = data.draw(windows(series))
    limit = data.draw(st.integers(1, 7))
    whole = list_occurrences(series, low, high, 100_000).items
    found: list[Occurrence] = []
    after: OccurrenceCursor | None = None
    while True:
        page = list_occurrences(series, low, high, limit, after)
        assert len(page.items) == limit or page.next is None
        found += page.items
        if page.next is None:
            break
        assert page.next == locate_occurrence(series, page.items[-1])
        after = page.next
    assert found == whole


@given(st.data())
def test_a_cursor_without_an_id_is_before_all_that_begin_at_its_instant(data: st.DataObject) -> None:
    series = data.draw(strategies.series())
    low, high = data.draw(windows(series))
    whole = list_occurrences(series, low, high, 100_000).items
    assume(whole)
    place = locate_occurrence(series, data.draw(st.sampled_from(whole))).start
    found = list_occurrences(series, low, high, 100_000, OccurrenceCursor(place)).items
    assert found == [item for item in whole if locate_occurrence(series, item).start >= place]
    found = list_occurrences(series, low, high, 100_000, OccurrenceCursor(place + timedelta(microseconds=1))).items
    assert found == [item for item in whole if locate_occurrence(series, item).start > place]


def test_the_cursor_of_another_kind_of_series_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="another series"):
        list_occurrences(
            Series(NINE), EARLIEST_INSTANT, LATEST_INSTANT, 1, OccurrenceCursor(EARLIEST_INSTANT, date(2024, 1, 1))
        )


@given(st.data())
def test_a_rule_has_the_same_occurrences_as_in_dateutil(data: st.DataObject) -> None:
    all_day = data.draw(st.booleans())
    text = data.draw(strategies.rules(all_day=all_day))
    start: date = data.draw(strategies.days if all_day else strategies.locals_)
    zone = data.draw(strategies.zones)
    assume(dateutil_agrees(text, start))
    endless = compile_pattern(text, start, zone)
    first = next(endless.iterate_from(start), None)
    assume(first is not None and first.year < start.year + 8)
    assert first is not None
    series = Series(first, None, zone, text)
    low, high = data.draw(windows(series, far=strategies.reach(text)))
    behind = high.replace(tzinfo=None) + 3 * DAY
    last = behind if isinstance(start, datetime) else behind.date()
    assume(next(endless.iterate_from(last), date.max).year <= last.year + 8)
    instants = sorted((compute_instant_of_any(local, zone), local) for local in expand_by_dateutil(text, first, last))
    found = list_occurrences(series, low, high, 100_000).items
    if all_day:
        ends = {local: compute_instant_of_any(local + DAY, zone) for _, local in instants}
        assert [item.start for item in found] == [
            local for start_, local in instants if start_ < high and ends[local] > low
        ]
    else:
        assert [(item.start, item.recurrence_id) for item in found] == [
            (start_, local) for start_, local in instants if low <= start_ < high
        ]


@given(st.data())
def test_each_occurrence_is_found_by_its_id(data: st.DataObject) -> None:
    series = data.draw(strategies.series())
    low, high = data.draw(windows(series))
    for item in list_occurrences(series, low, high, 50).items:
        assert find_occurrence(series, item.recurrence_id) == item
    for excluded in series.exdates:
        assert find_occurrence(series, excluded) is None


@given(strategies.series())
@example(
    Series(
        start=date(2012, 1, 2),
        duration=None,
        time_zone="Europe/Berlin",
        rrule="FREQ=YEARLY;BYDAY=MO;BYSETPOS=1",
        overrides={date(2012, 1, 2): Override(start=date(2013, 1, 8))},
    )
)
def test_first_start_and_last_end_are_those_of_all_occurrences(series: Series) -> None:
    end = find_last_end(series)
    endless = series.pattern is not None and series.pattern.is_endless
    assert endless is (end is None)
    # The oracle looks a little further than the end of the rule, or not too far if it has none.
    far = naive(series.start) + 300 * DAY if end is None else end.replace(tzinfo=None) + 40 * DAY
    # An occurrence that was moved may start after occurrences of the rule: it looks as far as that, too.
    moved = [override.start + DAY for override in series.overrides.values() if override.start is not None]
    far = max([far, *map(naive, series.overrides), *map(naive, moved)])
    assume(far < naive(series.start) + 3000 * DAY)
    expanded = list_expected_rows(series, far.date() if series.all_day else far)
    assume(expanded or not endless)
    assert has_no_occurrences(series) is (expanded == [])
    if expanded:
        assert find_first_start(series) == min(start for start, _, _, _ in expanded)
        # One without a duration has the instant of its start.
        assert end is None or end == max(max(end, start + TIME_RESOLUTION) for start, end, _, _ in expanded)
    else:
        assert find_first_start(series) == end == compute_instant_of_any(series.start, series.time_zone)


def test_a_series_whose_only_occurrence_is_excluded_has_none() -> None:
    start = datetime(2024, 5, 1, 9)
    series = Series(start, HOUR, rrule="FREQ=DAILY;COUNT=1")
    assert not has_no_occurrences(series)
    excluded = replace(series, exdates=frozenset({start}))
    assert has_no_occurrences(excluded)
    assert list_occurrences(excluded, EARLIEST_INSTANT, LATEST_INSTANT, 1).items == []


def starts(
    series: Series, low: datetime = EARLIEST_INSTANT, high: datetime = LATEST_INSTANT, limit: int = 100
) -> list[date]:
    return [item.start for item in list_occurrences(series, low, high, limit).items]


NINE = datetime(2024, 3, 1, 9)
HOUR = timedelta(hours=1)


def test_the_window_includes_its_start_and_not_its_end() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY")
    assert starts(series, utc(2024, 5, 2, 9), utc(2024, 5, 3, 9)) == [utc(2024, 5, 2, 9)]
    assert starts(series, utc(2024, 5, 2, 9, 59), utc(2024, 5, 3, 9)) == [utc(2024, 5, 2, 9)]
    assert starts(series, utc(2024, 5, 2, 10), utc(2024, 5, 3, 9)) == []
    assert starts(series, utc(2024, 5, 2, 10), utc(2024, 5, 3, 9, 0, 1)) == [utc(2024, 5, 3, 9)]


def test_an_occurrence_without_a_duration_is_in_the_window_that_has_its_start() -> None:
    series = Series(NINE, rrule="FREQ=DAILY")
    assert starts(series, utc(2024, 5, 2, 9), utc(2024, 5, 3, 9)) == [utc(2024, 5, 2, 9)]


def test_an_occurrence_that_began_before_the_window_is_in_it_until_its_end() -> None:
    series = Series(NINE, 100 * DAY, rrule="FREQ=YEARLY")
    assert starts(series, utc(2025, 6, 1), utc(2025, 6, 2)) == [utc(2025, 3, 1, 9)]
    assert starts(series, utc(2025, 6, 10), utc(2025, 6, 12)) == []


def test_an_occurrence_keeps_its_local_time_across_a_clock_change() -> None:
    series = Series(NINE, HOUR, "Europe/Berlin", "FREQ=MONTHLY")
    assert starts(series, utc(2024, 3, 1), utc(2024, 5, 1)) == [utc(2024, 3, 1, 8), utc(2024, 4, 1, 7)]


def test_an_occurrence_keeps_its_duration_across_a_clock_change() -> None:
    night = Series(datetime(2024, 3, 1, 22), 8 * HOUR, "Europe/Berlin", "FREQ=DAILY")
    (item,) = list_occurrences(night, utc(2024, 3, 30, 12), utc(2024, 3, 31, 12), 9).items
    assert item == Occurrence(datetime(2024, 3, 30, 22), utc(2024, 3, 30, 21), utc(2024, 3, 31, 5))


def test_a_skipped_time_is_an_hour_later_on_that_day() -> None:
    series = Series(datetime(2024, 3, 30, 2, 30), HOUR, "Europe/Berlin", "FREQ=DAILY;COUNT=3")
    assert starts(series) == [utc(2024, 3, 30, 1, 30), utc(2024, 3, 31, 1, 30), utc(2024, 4, 1, 0, 30)]


def test_a_time_that_occurs_twice_is_the_first_on_that_day() -> None:
    series = Series(datetime(2024, 10, 26, 2, 30), HOUR, "Europe/Berlin", "FREQ=DAILY;COUNT=3")
    assert starts(series) == [utc(2024, 10, 26, 0, 30), utc(2024, 10, 27, 0, 30), utc(2024, 10, 28, 1, 30)]


def test_near_a_clock_change_occurrences_are_in_order_of_instants() -> None:
    series = Series(datetime(2024, 3, 31, 2), None, "Europe/Berlin", "FREQ=HOURLY;BYMINUTE=0,30;COUNT=4")
    page = list_occurrences(series, EARLIEST_INSTANT, LATEST_INSTANT, 100)
    assert [item.recurrence_id.strftime("%H:%M") for item in page.items] == ["02:00", "03:00", "02:30", "03:30"]
    assert [item.start for item in page.items] == sorted(item.start for item in page.items)


def test_near_a_clock_change_the_last_end_may_be_of_an_earlier_local_time() -> None:
    series = Series(datetime(2024, 3, 31, 2), HOUR, "Europe/Berlin", "FREQ=HOURLY;BYMINUTE=0,30;COUNT=3")
    assert find_last_end(series) == utc(2024, 3, 31, 2, 30)


def test_all_day_occurrences_are_in_the_window_by_the_midnights_of_their_zone() -> None:
    series = Series(date(2024, 7, 1), time_zone="Asia/Kolkata", rrule="FREQ=DAILY")
    assert starts(series, utc(2024, 7, 10, 18), utc(2024, 7, 10, 18, 30)) == [date(2024, 7, 10)]
    assert starts(series, utc(2024, 7, 10, 18, 30), utc(2024, 7, 10, 19)) == [date(2024, 7, 11)]


def test_the_end_of_an_all_day_occurrence_is_the_next_day() -> None:
    item = list_occurrences(Series(date(2024, 2, 28), 2 * DAY), EARLIEST_INSTANT, LATEST_INSTANT, 1).items[0]
    assert item == Occurrence(date(2024, 2, 28), date(2024, 2, 28), date(2024, 3, 1))


def test_an_override_moves_its_occurrence_into_the_window_and_out_of_it() -> None:
    series = Series(
        NINE, HOUR, rrule="FREQ=DAILY", overrides={datetime(2024, 3, 5, 9): Override(start=datetime(2025, 1, 1, 20))}
    )
    assert starts(series, utc(2024, 3, 5), utc(2024, 3, 6)) == []
    moved = list_occurrences(series, utc(2025, 1, 1, 12), utc(2025, 1, 2), 9).items
    assert moved == [Occurrence(datetime(2024, 3, 5, 9), utc(2025, 1, 1, 20), utc(2025, 1, 1, 21))]


def test_an_override_may_last_longer_than_all_others() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=WEEKLY", overrides={datetime(2024, 3, 8, 9): Override(duration=40 * HOUR)})
    assert starts(series, utc(2024, 3, 9, 20), utc(2024, 3, 9, 21)) == [utc(2024, 3, 8, 9)]


def test_an_override_without_an_occurrence_adds_one() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=WEEKLY;COUNT=1", overrides={datetime(2024, 3, 4, 7): Override()})
    assert starts(series) == [utc(2024, 3, 1, 9), utc(2024, 3, 4, 7)]


def test_the_same_date_twice_is_one_occurrence() -> None:
    series = Series(NINE, rrule="FREQ=DAILY;COUNT=2", rdates=frozenset({NINE, NINE + DAY, NINE + HOUR}))
    assert starts(series) == [utc(2024, 3, 1, 9), utc(2024, 3, 1, 10), utc(2024, 3, 2, 9)]


def test_exdates_count_in_a_count() -> None:
    series = Series(NINE, rrule="FREQ=DAILY;COUNT=3", exdates=frozenset({NINE + DAY}))
    assert starts(series) == [utc(2024, 3, 1, 9), utc(2024, 3, 3, 9)]


def test_an_event_without_a_rule_is_a_series_of_one() -> None:
    assert starts(Series(NINE, HOUR)) == [utc(2024, 3, 1, 9)]
    assert find_last_end(Series(NINE, HOUR)) == utc(2024, 3, 1, 10)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "UTC"])
@pytest.mark.parametrize("start", [datetime.min, date.min, datetime(9999, 12, 31, 23, 59), date.max])
@pytest.mark.parametrize(
    "rule", [None, "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=YEARLY;INTERVAL=99999", "FREQ=MONTHLY;COUNT=3"]
)
def test_the_ends_of_the_calendar_are_not_an_error(zone: str, start: date, rule: str | None) -> None:
    series = Series(start, 1000 * DAY, zone, rule, overrides={start: Override(duration=timedelta.max)})
    assert len(list_occurrences(series, EARLIEST_INSTANT, LATEST_INSTANT, 5).items) <= 5
    assert len(list_occurrences(series, EARLIEST_INSTANT, EARLIEST_INSTANT + DAY, 5).items) <= 5
    assert len(list_occurrences(series, LATEST_INSTANT - DAY, LATEST_INSTANT, 5).items) <= 5
    assert find_first_start(series) >= EARLIEST_INSTANT
    assert (find_last_end(series) is None) is (rule is not None and "COUNT" not in rule)


def test_a_naive_window_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="aware"):
        list_occurrences(Series(NINE), datetime(2024, 1, 1), datetime(2024, 2, 1), 1)
