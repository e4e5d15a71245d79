"""The VEVENTs of a stored event, most of them as the `icalendar` library reads them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events.event import Event
from planner.domain.ics.writing.vcalendar import VCalendarBody, render_vcalendar_start
from planner.domain.ics.writing.vevent import PART_OCTETS, RenderedVEvents, render_vevents, render_vevents_in_parts
from planner.domain.recurrence.documents import series_to_stored
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.series import Override, Series, validate_series
from planner.domain.stored_event import ImportedLines
from tests.domain.ics.test_content import printable, unfolded
from tests.domain.strategies import series as any_series

WRITTEN = datetime(2026, 4, 1, 8, 0, 0, 999000, tzinfo=UTC)
CHANGED = datetime(2026, 4, 2, 9, 30, tzinfo=UTC)


def stored(**fields: Any) -> Event:
    plain: dict[str, Any] = {
        "title": "Reading",
        "tags": [],
        "start": "2026-05-01T18:00:00",
        "end": None,
        "all_day": False,
        "time_zone": None,
        "status": "confirmed",
        "revision": 1,
        "created_at": WRITTEN,
        "updated_at": CHANGED,
    }
    return Event.from_stored(plain | fields)


def imported(*lines: str) -> ImportedLines:
    return {"lines": list(lines), "alarms": []}


def repeating(series: Series, **fields: Any) -> Event:
    return stored(time_zone=series.time_zone, **{**fields, **series_to_stored(series)})


def whole(events: list[RenderedVEvents]) -> bytes:
    """Return a file of these events."""
    body = VCalendarBody()
    return render_vcalendar_start() + body.render(events) + body.render_end()


def rendered(**fields: Any) -> RenderedVEvents:
    found = render_vevents(stored(**fields), "a@planner")
    assert found is not None
    return found


def lines(*, of: Event | None = None, **fields: Any) -> list[str]:
    """Return the unfolded lines of an event."""
    found = render_vevents(of or stored(**fields), "a@planner")
    assert found is not None
    return unfolded(found.content).split("\r\n")[:-1]


def line(name: str, **fields: Any) -> str:
    (found,) = [text for text in lines(**fields) if text.startswith((f"{name}:", f"{name};"))]
    return found


def parsed(document: Event) -> list[Any]:
    """Return the VEVENTs as icalendar reads them."""
    found = render_vevents(document, "a@planner")
    assert found is not None
    return icalendar.Calendar.from_ical(whole([found])).walk("VEVENT")


def test_a_vevent_begins_with_its_uid_and_its_times_of_record() -> None:
    assert lines()[:6] == [
        "BEGIN:VEVENT",
        "UID:a@planner",
        "DTSTAMP:20260402T093000Z",
        "CREATED:20260401T080000Z",
        "LAST-MODIFIED:20260402T093000Z",
        "SEQUENCE:0",
    ]


def test_the_sequence_counts_changes_from_the_imported_one() -> None:
    assert line("SEQUENCE", revision=3) == "SEQUENCE:2"
    assert line("SEQUENCE", revision=3, sequence=7) == "SEQUENCE:9"


def test_a_uid_is_escaped_as_text() -> None:
    found = render_vevents(stored(), "a,b;c\\d")
    assert found is not None
    assert b"UID:a\\,b\\;c\\\\d\r\n" in found.content


def test_times_without_a_zone_are_in_utc() -> None:
    document = {"start": "2026-05-01T18:00:00", "end": "2026-05-01T20:00:00"}
    assert line("DTSTART", **document) == "DTSTART:20260501T180000Z"
    assert line("DTEND", **document) == "DTEND:20260501T200000Z"
    assert line("DTSTART", **document, time_zone="UTC") == "DTSTART:20260501T180000Z"
    assert rendered(**document).time_zones == ()


def test_times_in_a_zone_are_local_with_a_tzid() -> None:
    document = {"start": "2026-05-01T18:00:00", "end": "2026-05-01T20:00:00", "time_zone": "Europe/Berlin"}
    assert line("DTSTART", **document) == "DTSTART;TZID=Europe/Berlin:20260501T180000"
    assert line("DTEND", **document) == "DTEND;TZID=Europe/Berlin:20260501T200000"
    assert rendered(**document).time_zones == ("Europe/Berlin",)


def test_an_all_day_event_has_dates_and_no_vtimezone() -> None:
    document = {"start": "2026-05-01", "end": "2026-05-03", "all_day": True, "time_zone": "Europe/Berlin"}
    assert line("DTSTART", **document) == "DTSTART;VALUE=DATE:20260501"
    assert line("DTEND", **document) == "DTEND;VALUE=DATE:20260503"
    assert rendered(**document).time_zones == ()


def test_the_second_of_two_equal_local_times_is_written_in_utc() -> None:
    document = {
        "start": "2026-10-25T02:30:00",
        "end": "2026-10-25T02:30:00+01:00",
        "time_zone": "Europe/Berlin",
    }
    assert line("DTSTART", **document) == "DTSTART;TZID=Europe/Berlin:20261025T023000"
    assert line("DTEND", **document) == "DTEND:20261025T013000Z"


def test_an_event_without_an_end_has_no_dtend() -> None:
    assert not [text for text in lines() if text.startswith(("DTEND", "DURATION"))]


def test_an_undated_event_has_no_vevent() -> None:
    assert render_vevents(stored(start=None), "a@planner") is None


def test_every_other_field_has_a_property() -> None:
    found = lines(
        title="Reading, with tea",
        description="One;\ntwo",
        location="Town library",
        geo={"lat": 52.5, "lon": -0.00001},
        url="https://example.org/a,b;c",
        image="https://example.org/a.png",
        tags=["books", "a,b"],
        status="tentative",
    )
    assert found[7:-1] == [
        "SUMMARY:Reading\\, with tea",
        "DESCRIPTION:One\\;\\ntwo",
        "LOCATION:Town library",
        "GEO:52.5;-0.00001",
        "URL:https://example.org/a,b;c",
        "IMAGE;VALUE=URI:https://example.org/a.png",
        "CATEGORIES:books,a\\,b",
        "STATUS:TENTATIVE",
        "TRANSP:OPAQUE",
    ]


def test_an_empty_field_has_no_property() -> None:
    assert lines()[6:] == [
        "DTSTART:20260501T180000Z",
        "SUMMARY:Reading",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "END:VEVENT",
    ]


@given(printable.filter(bool), printable, printable, st.lists(printable.filter(bool), max_size=5))
def test_every_text_is_read_back_unchanged(title: str, description: str, location: str, tags: list[str]) -> None:
    (found,) = parsed(stored(title=title, description=description, location=location, tags=tags))
    assert str(found["SUMMARY"]) == title
    assert str(found.get("DESCRIPTION", "")) == description
    assert str(found.get("LOCATION", "")) == location
    assert [str(tag) for tag in found["CATEGORIES"].cats] == tags if tags else "CATEGORIES" not in found


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_geo_position_is_read_back_with_all_digits(lat: float, lon: float) -> None:
    latitude, longitude = line("GEO", geo={"lat": lat, "lon": lon}).removeprefix("GEO:").split(";")
    assert (float(latitude), float(longitude)) == (lat, lon)
    assert "e" not in latitude + longitude


def test_imported_lines_without_a_field_are_written_unchanged() -> None:
    kept_lines = ['X-NOTE;X-A="b;c":d\\,e', "ORGANIZER;CN=Ann:mailto:ann@example.org", "CLASS:PRIVATE"]
    assert lines(ics=imported(*kept_lines))[-4:-1] == kept_lines


def test_an_imported_line_is_left_out_when_a_field_has_its_property() -> None:
    ics = imported("URL:mailto:ann@example.org", "X-A:1")
    assert line("URL", ics=ics) == "URL:mailto:ann@example.org"
    assert line("URL", ics=ics, url="https://example.org") == "URL:https://example.org"
    assert "X-A:1" in lines(ics=ics, url="https://example.org")


def test_a_zone_of_an_imported_line_has_a_vtimezone_as_well() -> None:
    document = {"ics": imported("X-A;TZID=Asia/Tokyo:20260501T180000", "X-B;TZID=My own:1", "X-C:;TZID=Asia/Seoul")}
    assert rendered(**document).time_zones == ("Asia/Tokyo",)


def test_reminders_are_written_as_alarms() -> None:
    assert lines(reminders=[10])[-6:-1] == [
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:Reading",
        "TRIGGER:-PT10M",
        "END:VALARM",
    ]


WEEKLY = Series(datetime(2026, 5, 1, 18), timedelta(hours=2), "Europe/Berlin", "FREQ=WEEKLY;UNTIL=20260601T000000Z")


def weekly(**fields: Any) -> Series:
    return validate_series(Series(**(vars(WEEKLY) | fields)))


def test_a_recurring_event_has_its_rule_and_dates() -> None:
    series = weekly(rdates=frozenset({datetime(2026, 5, 3, 12)}), exdates=frozenset({datetime(2026, 5, 8, 18)}))
    assert lines(of=repeating(series))[6:11] == [
        "DTSTART;TZID=Europe/Berlin:20260501T180000",
        "DTEND;TZID=Europe/Berlin:20260501T200000",
        "RRULE:FREQ=WEEKLY;UNTIL=20260601T000000Z",
        "RDATE;TZID=Europe/Berlin:20260503T120000",
        "EXDATE;TZID=Europe/Berlin:20260508T180000",
    ]


def test_rdates_and_exdates_are_written_like_the_start() -> None:
    dates = frozenset({datetime(2026, 5, 3, 12), datetime(2026, 5, 2, 12)})
    assert (
        line("RDATE", of=repeating(weekly(time_zone="UTC", rdates=dates))) == "RDATE:20260502T120000Z,20260503T120000Z"
    )
    days = Series(date(2026, 5, 1), None, "UTC", "FREQ=WEEKLY", exdates=frozenset({date(2026, 5, 8)}))
    assert line("EXDATE", of=repeating(days)) == "EXDATE;VALUE=DATE:20260508"


def test_an_occurrence_with_an_override_has_its_own_vevent() -> None:
    series = weekly(
        overrides={
            datetime(2026, 5, 8, 18): Override(
                datetime(2026, 5, 9, 19), timedelta(hours=1), fields={"title": "Reading, moved", "tags": ["late"]}
            )
        }
    )
    found = lines(of=repeating(series, description="Bring tea", revision=4, ics=imported("X-A:1")))
    assert found[found.index("END:VEVENT") + 1 :] == [
        "BEGIN:VEVENT",
        "UID:a@planner",
        "DTSTAMP:20260402T093000Z",
        "CREATED:20260401T080000Z",
        "LAST-MODIFIED:20260402T093000Z",
        "SEQUENCE:3",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260508T180000",
        "DTSTART;TZID=Europe/Berlin:20260509T190000",
        "DTEND;TZID=Europe/Berlin:20260509T200000",
        "SUMMARY:Reading\\, moved",
        "DESCRIPTION:Bring tea",
        "CATEGORIES:late",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "X-A:1",
        "END:VEVENT",
    ]


def test_an_occurrence_may_have_imported_lines_of_its_own() -> None:
    own = {"ics": imported("X-A:2"), "reminders": [5]}
    series = weekly(overrides={datetime(2026, 5, 8, 18): Override(fields=own)})
    found = lines(of=repeating(series, ics=imported("X-A:1")))
    assert [text for text in found if text.startswith(("X-A", "TRIGGER"))] == ["X-A:1", "X-A:2", "TRIGGER:-PT5M"]


def test_an_excluded_occurrence_has_an_exdate() -> None:
    series = weekly(overrides={datetime(2026, 5, 8, 18): Override(excluded=True)})
    assert line("EXDATE", of=repeating(series)) == "EXDATE;TZID=Europe/Berlin:20260508T180000"
    assert lines(of=repeating(series)).count("BEGIN:VEVENT") == 1


def test_an_added_occurrence_has_an_rdate_so_that_other_programs_show_it() -> None:
    series = weekly(overrides={datetime(2026, 5, 9, 12): Override(fields={"title": "Extra"})})
    assert line("RDATE", of=repeating(series)) == "RDATE;TZID=Europe/Berlin:20260509T120000"
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20260509T120000" in lines(of=repeating(series))


def test_an_occurrence_with_an_exdate_has_no_vevent() -> None:
    id = datetime(2026, 5, 8, 18)
    series = weekly(exdates=frozenset({id}), overrides={id: Override(fields={"title": "Never"})})
    assert lines(of=repeating(series)).count("BEGIN:VEVENT") == 1


def test_an_occurrence_whose_end_was_removed_has_no_dtend() -> None:
    series = weekly(overrides={datetime(2026, 5, 8, 18): Override(duration=timedelta(0))})
    found = lines(of=repeating(series))
    assert [text[:5] for text in found if text.startswith("DTEND")] == ["DTEND"]


def test_the_end_of_an_occurrence_is_exact_across_a_clock_change() -> None:
    # The local times 02:00 summer time and 03:00 winter time differ by one hour, but the duration is two hours.
    series = weekly(start=datetime(2026, 10, 25, 2), rrule="FREQ=WEEKLY")
    assert line("DTEND", of=repeating(series)) == "DTEND;TZID=Europe/Berlin:20261025T030000"
    shorter = weekly(start=datetime(2026, 10, 25, 2), rrule="FREQ=WEEKLY", duration=timedelta(minutes=90))
    assert line("DTEND", of=repeating(shorter)) == "DTEND:20261025T013000Z"


def _rebuilt(document: Event) -> Series:
    """Return the series that another program would read from our file."""
    zone = document.time_zone or "UTC"

    def local(value: Any) -> Any:
        if not isinstance(value, datetime):
            return value
        return value.astimezone(icalendar.vDatetime(value).dt.tzinfo).replace(tzinfo=None)

    def dates(component: Any, name: str) -> set[Any]:
        return {local(value.dt) for value in component[name].dts} if name in component else set()

    def length(component: Any) -> timedelta | None:
        if "DTEND" not in component:
            return None
        start, end = component["DTSTART"].dt, component["DTEND"].dt
        if isinstance(start, datetime):
            return end.astimezone(UTC) - start.astimezone(UTC)  # type: ignore[no-any-return]
        return end - start  # type: ignore[no-any-return]

    master, *others = parsed(document)
    duration = length(master)

    def override(other: Any) -> Override:
        start = other["DTSTART"]
        if isinstance(start.dt, datetime) is isinstance(master["DTSTART"].dt, datetime):
            return Override(local(start.dt), length(other) or duration)
        if not isinstance(start.dt, datetime):
            return Override(start.dt, length(other))
        own_zone = start.params.get("TZID", "UTC")
        return Override(start.dt.replace(tzinfo=None), length(other), time_zone=own_zone)

    found = [(other["RECURRENCE-ID"], override(other)) for other in others]
    return Series(
        local(master["DTSTART"].dt),
        duration,
        zone,
        master["RRULE"].to_ical().decode() if "RRULE" in master else None,
        frozenset(dates(master, "RDATE")),
        frozenset(dates(master, "EXDATE")),
        {local(id.dt): override for id, override in found if "RANGE" not in id.params},
        ranges={local(id.dt): override for id, override in found if "RANGE" in id.params},
    )


@given(any_series())
def test_another_program_finds_the_same_occurrences(series: Series) -> None:
    series = validate_series(series)
    window = datetime(1960, 1, 1, tzinfo=UTC), datetime(2070, 1, 1, tzinfo=UTC)
    mine = list_occurrences(series, *window, 60).items
    theirs = list_occurrences(_rebuilt(repeating(series)), *window, 60).items
    assert theirs == mine


def test_an_event_with_many_overrides_is_rendered_in_parts() -> None:
    overrides: dict[date, Override] = {
        datetime(2026, 5, 1, 18) + timedelta(days=n): Override(fields={"title": f"T{n}"}) for n in range(200)
    }
    series = Series(datetime(2026, 5, 1, 18), None, "Europe/Berlin", "FREQ=DAILY", overrides=overrides)
    document = repeating(series, description="x" * 10_000)
    parts = list(render_vevents_in_parts(document, "a@planner"))
    assert len(parts) > 5
    assert all(len(part.content) < PART_OCTETS + 20_000 for part in parts)
    assert parts[0].time_zones == ("Europe/Berlin",)
    found = render_vevents(document, "a@planner")
    assert found is not None
    assert b"".join(part.content for part in parts) == found.content
    assert found.content.count(b"BEGIN:VEVENT") == 201


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_the_first_and_the_last_moment_of_the_calendar_can_be_written(start: str) -> None:
    series = Series(datetime.fromisoformat(start), timedelta(hours=2), "Asia/Tokyo", None, frozenset())
    assert line("DTSTART", of=repeating(series)).endswith(start.replace("-", "").replace(":", ""))
