"""Resolving TZIDs to IANA time zones."""

import pytest

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


def test_a_known_name_takes_precedence_over_its_vtimezone() -> None:
    assert zone_of("Europe/Berlin", zone("Europe/Berlin", "+0300", "+0200")) == "Europe/Berlin"


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


def test_an_entry_in_a_custom_zone_that_matches_no_place_fails() -> None:
    assert zone_of("Mars", zone("Mars", "+0237", "+0137")) is None
    assert zone_of("Mars", always("Mars", "+0101")) is None


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
        "BEGIN:VTIMEZONE\r\nTZID:Z\r\nEND:VTIMEZONE\r\n",
        always("Z", "+0100").replace("TZOFFSETTO:+0100", "TZOFFSETTO:soon"),
        always("Z", "+9900"),
        always("Z", "+0100").replace("DTSTART:19700101T000000", "X:1"),
        zone("Z", "+0200", "+0100").replace("FREQ=YEARLY", "FREQ=SECONDLY"),
    ],
)
def test_an_invalid_vtimezone_defines_no_zone(broken: str) -> None:
    assert zone_of("Z", broken) is None


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
