"""Days of a DURATION are days by the clock, also across clock changes; a DTEND is exact (RFC 5545 §3.8.5.3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.queries import new_id
from models.events.event import Event
from models.events.event_schema import EventCreate, OccurrencePatch
from planner.domain.ics.reading.groups import parse_groups
from planner.domain.ics.writing.vevent import render_vevents
from planner.domain.recurrence.documents import series_from_event, series_to_stored
from planner.domain.recurrence.edits import SeriesChanges, edit_series, split_series
from planner.domain.recurrence.occurrences import find_occurrence, list_occurrences
from planner.domain.recurrence.series import DAY, Override, Series
from planner.domain.times import resolve_times
from planner.services.events.occurrence_changes import build_series_changes, edit_whole_series
from planner.services.files.import_compare import has_same_export
from planner.services.files.import_drafts import build_draft
from tests.domain.ics.samples import event, file
from tests.domain.oracle import compute_instant
from tests.domain.strategies import locals_, zones

STAMP = datetime(2026, 4, 1, 8, tzinfo=UTC)
OWN = {"revision": 1, "created_at": STAMP, "updated_at": STAMP, "uid": "a", "_id": new_id()}
# The clocks of Berlin change on 29 March 2026 and on 25 October 2026.
SPRING = "DTSTART;TZID=Europe/Berlin:20260327T120000"
AUTUMN = "DTSTART;TZID=Europe/Berlin:20261023T120000"


def read(*lines: str, start: str, others: tuple[str, ...] = ()) -> Event:
    (group,) = parse_groups(file(event(*lines, start=start), *others))
    draft, failures, *_ = build_draft(group)
    assert draft is not None and not failures, failures
    return Event.from_stored(draft.content | OWN)


def hours(stored: Event) -> list[float]:
    """Return how many hours each of the first occurrences lasts."""
    window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    found: list[Any] = list_occurrences(series_from_event(stored), *window, limit=4).items
    return [(item.end - item.start) / timedelta(hours=1) for item in found]


@pytest.mark.parametrize(
    ("line", "start", "expected"),
    [
        ("DURATION:P1D", SPRING, [24, 23, 24, 24]),
        ("DURATION:P1D", AUTUMN, [24, 25, 24, 24]),
        ("DURATION:PT24H", SPRING, [24, 24, 24, 24]),
        ("DURATION:P1DT2H", SPRING, [26, 25, 26, 26]),
        ("DURATION:P1W", SPRING, [167, 167, 168, 168]),
        ("DTEND;TZID=Europe/Berlin:20260328T120000", SPRING, [24, 24, 24, 24]),
        # The first occurrence of this one is shorter, and the others are as long as the first.
        ("DTEND;TZID=Europe/Berlin:20260329T120000", "DTSTART;TZID=Europe/Berlin:20260328T120000", [23, 23, 23, 23]),
        ("DURATION:P1D", "DTSTART;TZID=Europe/Berlin:20260328T120000", [23, 24, 24, 24]),
        ("DURATION:P1D", "DTSTART:20260327T120000Z", [24, 24, 24, 24]),
    ],
)
def test_days_are_nominal_and_hours_exact_for_every_occurrence(line: str, start: str, expected: list[float]) -> None:
    stored = read(line, "RRULE:FREQ=DAILY;COUNT=4", start=start)
    assert hours(stored) == expected


def test_an_export_has_the_duration_as_it_was_imported() -> None:
    for line in ("DURATION:P1D", "DURATION:P7D", "DURATION:P1DT2H", "DURATION:P2DT1H30M5S"):
        stored = read(line, "RRULE:FREQ=DAILY;COUNT=4", start=SPRING)
        rendered = render_vevents(stored, "a")
        assert rendered is not None
        assert line in rendered.content.decode().split("\r\n")
        assert "DTEND" not in rendered.content.decode()
        assert has_same_export(stored, stored.content)


def test_a_moved_occurrence_lasts_as_long_by_the_clock_as_the_others() -> None:
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260330T120000",
        "DURATION:P1D",
        start="DTSTART;TZID=Europe/Berlin:20260328T150000",
    )
    stored = read("DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=4", start=SPRING, others=(moved,))
    assert "seconds" not in stored.overrides[0]
    assert hours(stored) == [24, 23, 23, 24]
    assert has_same_export(stored, stored.content)


def test_a_window_has_an_occurrence_that_a_clock_change_makes_longer() -> None:
    stored = read("DURATION:P1D", "RRULE:FREQ=YEARLY", start="DTSTART;TZID=Europe/Berlin:20261024T120000")
    low = datetime(2026, 10, 25, 10, 30, tzinfo=UTC)
    assert len(list_occurrences(series_from_event(stored), low, low + timedelta(minutes=1), 9).items) == 1


@given(locals_, zones, st.integers(1, 9), st.integers(0, 5), st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
def test_each_end_is_so_many_days_later_by_the_clock(
    start: datetime, zone: str, days: int, rest: int, frequency: str
) -> None:
    duration = days * DAY + timedelta(hours=rest)
    series = Series(start, duration, zone, f"FREQ={frequency}", nominal_days=days)
    window = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    items = list_occurrences(series, *window, limit=40).items
    assert items
    for item in items:
        local = item.recurrence_id
        assert isinstance(local, datetime)
        begin = compute_instant(local, zone)
        end = compute_instant(local + days * DAY, zone) + timedelta(hours=rest)
        assert (item.start, item.end) == (begin, max(begin, end))
        assert find_occurrence(series, local) == item
    stored = Event.from_stored(OWN | {"title": "a", "time_zone": zone} | series_to_stored(series))
    assert series_from_event(stored) == series


def test_edits_keep_the_days_unless_they_set_another_duration() -> None:
    series = series_from_event(read("DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=4", start=SPRING))
    moved = edit_series(series, SeriesChanges(start=datetime(2026, 3, 28, 9)))
    assert (moved.nominal_days, moved.duration) == (1, DAY)
    head, tail = split_series(series, datetime(2026, 3, 29, 12))
    assert head is not None
    assert (head.nominal_days, tail.nominal_days) == (1, 1)
    assert edit_series(series, SeriesChanges(duration=DAY)).nominal_days == 0
    assert edit_series(series, SeriesChanges(start=datetime(2026, 3, 28).date())).nominal_days == 0


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-03-27T12:00:00", "2026-03-28T12:00:00", 1),
        ("2026-03-28T12:00:00", "2026-03-29T12:00:00", 1),
        ("2026-03-27T12:00:00", "2026-03-28T13:00:00", 0),
        ("2026-03-27T12:00:00", None, 0),
    ],
)
def test_an_event_that_is_sent_anew_with_the_same_length_by_the_clock_keeps_it(
    start: str, end: str | None, days: int
) -> None:
    series = series_from_event(read("DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=4", start=SPRING))
    body = {
        "title": "a",
        "start": start,
        "end": end,
        "time_zone": "Europe/Berlin",
        "recurrence": {"rrule": series.rrule},
    }
    draft = EventCreate.model_validate(body)
    changed = edit_whole_series(series, draft, resolve_times(draft.start, draft.end, None, draft.time_zone))
    assert changed.nominal_days == days


def test_following_occurrences_that_only_get_another_title_keep_their_length() -> None:
    series = series_from_event(read("DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=4", start=SPRING))
    occurrence = find_occurrence(series, datetime(2026, 3, 28, 12))
    assert occurrence is not None

    def count_days(**sent: str) -> int:
        changes = build_series_changes(series, occurrence, OccurrencePatch.model_validate(sent))
        return split_series(series, occurrence.recurrence_id, changes)[1].nominal_days

    assert count_days(title="b") == 1
    assert count_days(start="2026-03-28T12:00:00", end="2026-03-29T12:00:00") == 1
    assert count_days(end="2026-03-29T13:00:00") == 0
    own = replace(series, overrides={occurrence.recurrence_id: Override(duration=DAY)})
    assert own.measure_occurrence(occurrence.recurrence_id, own.overrides[occurrence.recurrence_id]) == DAY
