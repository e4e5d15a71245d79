"""Resolving TZIDs to IANA time zones."""

from datetime import datetime

import pytest

from planner.domain.ics.reading.entry_times import FloatingZone
from planner.domain.ics.reading.groups import parse_group, parse_groups
from planner.domain.ics.reading.tzids import resolve_tzid_name
from tests.domain.ics.samples import always, event, file, zone


def zone_of(tzid: str, *vtimezones: str, year: int = 2026) -> str | None:
    """Return the time zone of an imported event whose DTSTART has this TZID."""
    (group,) = parse_groups(file(*vtimezones, event(start=f"DTSTART;TZID={tzid}:{year}0501T180000")))
    entry = parse_group(group).entry
    return None if entry is None else str(entry.fields["time_zone"])


@pytest.mark.parametrize(
    ("tzid", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("India Standard Time", "Asia/Kolkata"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/citadel.org/20210210_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/example.org/UTC", "UTC"),
        ("GMT+0200", "Etc/GMT-2"),
        ("UTC-03:00", "Etc/GMT+3"),
        ("GMT+05:30", None),
        ("Customized Time Zone", None),
        ("", None),
    ],
)
def test_tzids_are_resolved_in_the_forms_that_programs_write(tzid: str, name: str | None) -> None:
    found = resolve_tzid_name(tzid)
    assert found == name or (name == "Asia/Kolkata" and found == "Asia/Calcutta")


def test_a_known_name_is_not_taken_where_its_vtimezone_says_something_else() -> None:
    assert zone_of("Europe/Berlin", zone("Europe/Berlin", "+0300", "+0200")) == "Europe/Helsinki"
    assert zone_of("Europe/Berlin", zone("Europe/Berlin", "+0200", "+0100")) == "Europe/Berlin"


def test_a_custom_zone_is_the_one_in_its_x_lic_location() -> None:
    vtimezone = zone("Home", "+0200", "+0100", lic="Europe/Vienna")
    assert zone_of("Home", vtimezone) == "Europe/Vienna"


def test_a_custom_zone_is_the_preferred_one_with_the_same_offsets() -> None:
    assert zone_of("Customized Time Zone", zone("Customized Time Zone", "+0200", "+0100")) == "Europe/Berlin"
    eastern = zone("Us", "-0400", "-0500", spring="2SU;BYMONTH=3").replace(
        "BYDAY=-1SU;BYMONTH=10", "BYDAY=1SU;BYMONTH=11"
    )
    eastern = eastern.replace("16010101T030000", "16010101T020000")
    assert zone_of("Us", eastern) == "America/New_York"


def test_a_custom_zone_without_transitions_is_a_fixed_offset_or_a_place_without_them() -> None:
    assert zone_of("Mine", always("Mine", "+0300")) == "Etc/GMT-3"
    assert zone_of("Mine", always("Mine", "+0000")) == "UTC"
    assert zone_of("Mine", always("Mine", "+0530")) == "Asia/Kolkata"


def test_an_entry_in_a_custom_zone_that_matches_no_place_is_stored_in_one_with_a_fixed_offset() -> None:
    assert zone_of("Mars", zone("Mars", "+0337", "+0237")) == "UTC"
    assert zone_of("Mars", always("Mars", "+0101")) == "UTC"
    assert zone_of("Mars", zone("Mars", "+1900", "+1800")) == "UTC"


def test_a_custom_zone_is_compared_in_the_years_of_the_event() -> None:
    # Moscow was three hours ahead of UTC until 2011, four until 2014, and has been three hours ahead since.
    observances = [("19930101T000000", "+0300", "+0300"), ("20110327T020000", "+0300", "+0400")]
    observances.append(("20141026T020000", "+0400", "+0300"))
    lines = ["BEGIN:VTIMEZONE", "TZID:M"]
    for start, before, after in observances:
        lines += ["BEGIN:STANDARD", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}", "END:STANDARD"]
    vtimezone = "\r\n".join([*lines, "END:VTIMEZONE", ""])
    assert zone_of("M", vtimezone, year=2013) == "Europe/Moscow"
    assert zone_of("M", vtimezone, year=2026) == "Etc/GMT-3"


@pytest.mark.parametrize(
    "broken",
    [
        "BEGIN:VTIMEZONE\r\nTZID:Z1\r\nEND:VTIMEZONE\r\n",
        always("Z1", "+0100").replace("TZOFFSETTO:+0100", "TZOFFSETTO:soon"),
        always("Z1", "+9900"),
        always("Z1", "+0100").replace("DTSTART:19700101T000000", "X:1"),
        zone("Z1", "+0200", "+0100").replace("FREQ=YEARLY", "FREQ=SECONDLY"),
    ],
)
def test_times_in_an_invalid_vtimezone_are_floating_and_a_warning_says_so(broken: str) -> None:
    (group,) = parse_groups(file(broken, event(start="DTSTART;TZID=Z1:20260501T180000")), FloatingZone("Asia/Tokyo"))
    parsed = parse_group(group)
    assert parsed.entry is not None
    assert parsed.entry.fields["time_zone"] == "Asia/Tokyo"
    assert [warning.reason for warning in parsed.warnings] == [
        "the time zone 'Z1' is not known, and the file does not describe it; its times are read as times of Asia/Tokyo"
    ]


def test_local_times_in_a_custom_zone_stay_the_same() -> None:
    (group,) = parse_groups(
        file(
            zone("C", "+0200", "+0100"),
            event("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260502T160000Z", start="DTSTART;TZID=C:20260501T180000"),
        )
    )
    entry = parse_group(group).entry
    assert entry is not None
    assert entry.fields["recurrence"]["exdates"] == ["2026-05-02T18:00:00"]


def test_floating_times_are_those_of_the_request_else_of_the_file_else_of_the_account() -> None:
    def zone_and_day(head: str, floating: FloatingZone) -> list[str | None]:
        all_day = event(uid="b", start="DTSTART;VALUE=DATE:20260501")
        groups = parse_groups(file(event(start="DTSTART:20260501T180000"), all_day, head=head), floating)
        entries = [parse_group(group).entry for group in groups]
        return [entry.fields["time_zone"] for entry in entries if entry]

    told = "X-WR-TIMEZONE:Europe/Berlin\r\n"
    assert zone_and_day("", FloatingZone()) == ["UTC", None]
    assert zone_and_day("", FloatingZone(None, "America/New_York")) == ["America/New_York", None]
    assert zone_and_day(told, FloatingZone(None, "America/New_York")) == ["Europe/Berlin", "Europe/Berlin"]
    assert zone_and_day(told, FloatingZone("Asia/Tokyo", "America/New_York")) == ["Asia/Tokyo", "Asia/Tokyo"]
    for head in ('X-WR-TIMEZONE;VALUE=TEXT;X-A="b:c":Europe/Berlin\r\n', "X-WR-TIMEZONE:W. Europe Standard Time\r\n"):
        assert zone_and_day(head, FloatingZone()) == ["Europe/Berlin", "Europe/Berlin"]
    assert zone_and_day("X-WR-TIMEZONE:Nowhere\r\n", FloatingZone(None, "Asia/Tokyo")) == ["Asia/Tokyo", None]


def test_floating_exceptions_of_a_series_are_times_of_its_zone() -> None:
    start = "DTSTART;TZID=Europe/Berlin:20260501T180000"
    lines = ("RRULE:FREQ=DAILY;UNTIL=20260505T180000", "EXDATE:20260502T180000", "RDATE:20260509T180000")
    moved = event("RECURRENCE-ID:20260503T180000", start="DTSTART:20260503T190000")
    (group,) = parse_groups(file(event(*lines, start=start), moved), FloatingZone("Asia/Tokyo"))
    entry = parse_group(group).entry
    assert entry is not None
    assert entry.fields["recurrence"] == {
        "rrule": "FREQ=DAILY;UNTIL=20260505T180000",
        "rdates": ["2026-05-09T18:00:00"],
        "exdates": ["2026-05-02T18:00:00"],
    }
    (occurrence,) = entry.occurrences
    assert occurrence.recurrence_id == datetime(2026, 5, 3, 18)
    assert occurrence.fields["start"] == "2026-05-03T19:00:00"
