"""An export is imported as the same content: times, rules, exceptions, and all other fields."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.events.event import Event
from planner.domain.ics.reading.groups import parse_groups
from planner.domain.ics.writing.vevent import render_vevents
from planner.domain.recurrence.documents import series_from_event, series_to_stored
from planner.domain.recurrence.occurrences import has_no_occurrences, list_occurrences
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Series, validate_series
from planner.domain.times import resolve_times
from planner.services.files.import_compare import has_same_content, has_same_export
from planner.services.files.import_drafts import ImportDraft, build_draft
from tests.domain.ics.samples import event, file
from tests.domain.strategies import locals_, zones
from tests.domain.strategies import series as any_series

STAMP = datetime(2026, 4, 1, 8, tzinfo=UTC)
OWN = {"revision": 1, "created_at": STAMP, "updated_at": STAMP}
WHOLE = (datetime(1950, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC))

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).map(str.strip)
contents = st.fixed_dictionaries(
    {
        "title": texts.filter(bool),
        "description": st.none() | texts.filter(bool),
        "location": st.none() | texts.filter(bool),
        "tags": st.lists(st.sampled_from(["books", "a,b", "c;d", "e\\f", "über"]), unique=True),
        "geo": st.none() | st.fixed_dictionaries({"lat": st.floats(-90, 90), "lon": st.floats(-180, 180)}),
        "url": st.none() | st.just("https://example.org/a,b;c?d=%20"),
        "image": st.none() | st.just("https://example.org/a.png"),
        "status": st.sampled_from(["confirmed", "tentative", "cancelled"]),
        "transparency": st.sampled_from(["opaque", "transparent"]),
        "reminders": st.lists(st.integers(-40_320, 40_320), max_size=10, unique=True).map(sorted),
        "ics": st.none()
        | st.just({"lines": ['X-A;X-B="c;d":e\\, f', "CLASS:PRIVATE"], "alarms": []})
        | st.just(
            {"lines": [], "alarms": [["BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER;RELATED=END:PT0S", "END:VALARM"]]}
        ),
    }
)


def import_export(stored: dict[str, Any]) -> ImportDraft:
    """Return the draft of the export of a stored event."""
    rendered = render_vevents(Event.from_stored(stored), "a@x")
    assert rendered is not None
    (group,) = parse_groups(f"BEGIN:VCALENDAR\r\n{rendered.content.decode()}END:VCALENDAR\r\n")
    draft, failures, *_ = build_draft(group)
    assert draft is not None, failures
    assert not failures
    return draft


def occurrences_of(series: Series) -> list[Any]:
    """Return the occurrences of a series, each with its overridden fields."""
    found = []
    for item in list_occurrences(series, *WHOLE, limit=100).items:
        override = series.overrides.get(item.recurrence_id)
        found.append((item, dict(override.fields) if override else {}))
    return found


@given(any_series(), contents)
def test_an_exported_series_is_imported_with_the_same_occurrences(series: Series, content: dict[str, Any]) -> None:
    try:
        series = validate_series(series)
    except RecurrenceError:
        return
    if has_no_occurrences(series):
        return
    changed = {
        id: replace(override, fields={"title": f"Changed {n}"})
        for n, (id, override) in enumerate(series.overrides.items())
    }
    series = Series(
        series.start, series.duration, series.time_zone, series.rrule, series.rdates, series.exdates, changed
    )
    zone = None if series.all_day else series.time_zone
    stored = content | OWN | {"time_zone": zone} | series_to_stored(series)
    again = import_export(stored)
    for name in content:
        assert (again.content.get(name) or None) == (stored.get(name) or None)
    imported = again.content | OWN
    if imported.get("repeats"):
        # A file has no time zone for an all-day event, so its days begin at midnight in UTC.
        expected = series if not series.all_day else series_from_event(Event.from_stored(stored))
        assert occurrences_of(series_from_event(Event.from_stored(imported))) == occurrences_of(expected)
    assert has_same_content(import_export(imported).content, again.content)
    assert has_same_export(Event.from_stored(stored | {"uid": "a@x"}), again.content)


@given(locals_, locals_, zones, contents)
def test_an_exported_event_is_imported_with_the_same_content(
    one: datetime, other: datetime, zone: str, content: dict[str, Any]
) -> None:
    first, last = sorted((one, other))
    times = (
        resolve_times(first.isoformat(), last.isoformat() if first < last else None, None, zone)
        if first < last
        else None
    )
    times = times or resolve_times(first.isoformat(), None, None, zone)
    stored = content | OWN | {"start": times.start, "end": times.end, "all_day": False, "time_zone": zone}
    again = import_export(stored)
    assert has_same_content(again.content, stored)
    assert (again.content["begins"], again.content["ends"]) == (times.begins, times.ends)


def entry(*lines: str, **options: Any) -> dict[str, Any]:
    (group,) = parse_groups(file(event(*lines, **options)))
    draft, failures, *_ = build_draft(group)
    assert draft is not None, failures
    return draft.content


def test_an_entry_that_differs_does_not_have_the_same_content() -> None:
    plain = entry("SUMMARY:Tea")
    assert has_same_content(plain, entry("SUMMARY:Tea", "DTSTAMP:20260101T000000Z"))
    for lines in (
        ["SUMMARY:Cake"],
        ["SUMMARY:Tea", "X-A:1"],
        ["SUMMARY:Tea", "RRULE:FREQ=DAILY"],
        ["SUMMARY:Tea", "DURATION:PT1H"],
    ):
        assert not has_same_content(plain, entry(*lines))
        assert not has_same_export(Event.from_stored(plain | OWN | {"uid": "a"}), entry(*lines))


def test_an_event_of_more_than_a_mebibyte_fails() -> None:
    overrides = [
        event(f"RECURRENCE-ID:2026{n // 28 % 12 + 1:02}{n % 28 + 1:02}T18{n // 336:02}00Z", f"DESCRIPTION:{'x' * 900}")
        for n in range(1_500)
    ]
    (group,) = parse_groups(file(event("RRULE:FREQ=DAILY"), *overrides))
    draft, (failure,), *_ = build_draft(group)
    assert draft is None
    assert "1 MiB" in failure.reason
