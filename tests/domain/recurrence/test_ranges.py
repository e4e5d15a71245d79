"""What differs from one occurrence of a series on (RANGE=THISANDFUTURE)."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from database.queries import new_id
from models.events.event import Event
from planner.domain.ics.writing.exceptions import MAX_LISTED, find_exceptions
from planner.domain.recurrence.documents import series_from_event, series_to_stored
from planner.domain.recurrence.edits import SeriesChanges, delete_occurrence, edit_occurrence, edit_series, split_series
from planner.domain.recurrence.occurrences import find_last_end, list_occurrences
from planner.domain.recurrence.series import Override, Series
from tests.domain.recurrence.edits.edit_strategies import DAY, HOUR, NINE

MOVED = Series(
    NINE,
    HOUR,
    rrule="FREQ=DAILY;COUNT=6",
    ranges={NINE + 3 * DAY: Override(NINE + 3 * DAY + 4 * HOUR, fields={"title": "Late"})},
)


def starts(series: Series, low: int = 1, high: int = 31) -> list[str]:
    window = (datetime(2024, 3, low, tzinfo=UTC), datetime(2024, 3, high, tzinfo=UTC))
    return [f"{item.start:%d %H}" for item in list_occurrences(series, *window, 100).items]


def test_the_rest_of_a_series_moves_as_far() -> None:
    assert starts(MOVED) == ["01 09", "02 09", "03 09", "04 13", "05 13", "06 13"]
    assert find_last_end(MOVED) == datetime(2024, 3, 6, 14, tzinfo=UTC)
    assert starts(replace(MOVED, rrule="FREQ=DAILY"), 20, 22) == ["20 13", "21 13"]


def test_a_later_range_replaces_an_earlier_one_and_an_override_differs_from_its_range() -> None:
    series = replace(
        MOVED,
        ranges={**MOVED.ranges, NINE + 5 * DAY: Override(duration=3 * HOUR)},
        overrides={NINE + 4 * DAY: Override(fields={"location": "Here"}), NINE + 5 * DAY: Override(NINE + 6 * DAY)},
    )
    assert starts(series) == ["01 09", "02 09", "03 09", "04 13", "05 13", "07 09"]
    assert series.find_override(NINE + 4 * DAY) == Override(
        NINE + 4 * DAY + 4 * HOUR, fields={"title": "Late", "location": "Here"}
    )


def test_the_rest_may_be_of_another_kind() -> None:
    days = replace(MOVED, ranges={NINE + 3 * DAY: Override(date(2024, 3, 5))})
    found = list_occurrences(days, datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC), 9).items
    assert [item.start for item in found] == [date(2024, 3, 5), date(2024, 3, 6), date(2024, 3, 7)]


def test_an_edit_of_one_occurrence_leaves_the_range() -> None:
    edited = edit_occurrence(MOVED, NINE + 3 * DAY, Override(fields={"title": "Special"}))
    assert starts(edited) == starts(MOVED)
    assert starts(delete_occurrence(MOVED, NINE + 3 * DAY)) == ["01 09", "02 09", "03 09", "05 13", "06 13"]


def test_a_split_takes_the_range_along() -> None:
    head, tail = split_series(MOVED, NINE + 4 * DAY)
    assert head is not None
    assert starts(head) == ["01 09", "02 09", "03 09", "04 13"]
    assert starts(tail) == ["05 13", "06 13"]
    _, tail = split_series(MOVED, NINE + 4 * DAY, SeriesChanges(start=NINE + 4 * DAY + HOUR), ["title"])
    assert starts(tail) == ["05 10", "06 10"]
    assert tail.find_override(tail.start) == Override()


def test_a_range_moves_with_its_series() -> None:
    assert starts(edit_series(MOVED, SeriesChanges(start=NINE + DAY + HOUR))) == [
        "02 10",
        "03 10",
        "04 10",
        "05 14",
        "06 14",
        "07 14",
    ]
    assert starts(edit_series(MOVED, SeriesChanges(start=NINE.date())))[3:] == ["04 00", "05 00", "06 00"]


def test_a_range_is_stored_and_read_again() -> None:
    stored = series_to_stored(MOVED)
    event = Event.new(new_id(), {"title": "Tea", "time_zone": "UTC", **stored}, now=datetime(2024, 1, 1, tzinfo=UTC))
    assert series_from_event(event) == MOVED


@pytest.mark.parametrize(
    ("rule", "is_range"),
    [("FREQ=DAILY;COUNT=6", False), ("FREQ=DAILY", True), (f"FREQ=DAILY;COUNT={MAX_LISTED + 4}", True)],
)
def test_occurrences_in_a_range_are_written_one_by_one_if_there_are_not_too_many(rule: str, is_range: bool) -> None:
    vevents = find_exceptions(replace(MOVED, rrule=rule)).vevents
    assert [vevent.is_range for vevent in vevents] == ([True] if is_range else [False] * 3)
    assert vevents[0].recurrence_id == NINE + 3 * DAY


def test_in_an_endless_range_an_override_is_followed_by_the_rest_of_the_range() -> None:
    # For khal, a range begins anew after each occurrence that differs from it.
    series = replace(
        MOVED,
        rrule="FREQ=DAILY",
        exdates=frozenset({NINE + 3 * DAY, NINE + 6 * DAY}),
        overrides={NINE: Override(fields={"title": "First"}), NINE + 5 * DAY: Override(fields={"title": "Special"})},
    )
    vevents = find_exceptions(series).vevents
    assert [((vevent.recurrence_id - NINE).days, vevent.is_range) for vevent in vevents] == [
        (0, False),
        (4, True),
        (5, True),
        (7, True),
    ]
    assert vevents[2].override.fields == {"title": "Special"}
    assert vevents[2].override.start == NINE + 5 * DAY + 4 * HOUR
