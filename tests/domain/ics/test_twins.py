"""Lines that repeat what a field says go when the field is changed; all others stay."""

from typing import Any

import pytest

from planner.domain.ics.twins import TWINNED_FIELDS, remove_twins

OLD: dict[str, Any] = {
    "title": "Old title",
    "description": "Old text, and more",
    "location": "Old Room 5",
    "geo": {"lat": 52.5, "lon": 13.4},
    "url": "https://example.org/old",
    "image": None,
    "tags": ["old"],
    "color": "red",
    "priority": 1,
    "status": "confirmed",
    "transparency": "opaque",
    "start": "2026-05-01T18:00:00",
    "end": "2026-05-01T19:00:00",
    "all_day": False,
    "time_zone": "Europe/Berlin",
    "recurrence": None,
}
NEW: dict[str, Any] = {
    "title": "New title",
    "description": None,
    "location": "New Room 6",
    "geo": None,
    "url": None,
    "image": "https://example.org/new.png",
    "tags": [],
    "color": None,
    "priority": 0,
    "status": "tentative",
    "transparency": "transparent",
    "start": "2026-05-02T18:00:00",
    "end": None,
    "all_day": True,
    "time_zone": None,
    "recurrence": {"rrule": "FREQ=DAILY", "rdates": [], "exdates": []},
}
TIMES = ("start", "end", "all_day", "time_zone")
TWINS = [
    ("X-ALT-DESC;FMTTYPE=text/html:<p>Old</p>", ["description"]),
    ("x-alt-desc;FMTTYPE=text/html:<p>Old</p>", ["description"]),
    ('X-PLANNER-DESCRIPTION;ALTREP="cid:1":Old text', ["description"]),
    ("STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<p>Old</p>", ["description"]),
    ("X-PLANNER-SUMMARY:Old title and more", ["title"]),
    ("X-MICROSOFT-CDO-SUBJECT:Old", ["title"]),
    ('X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Old: Room":geo:52.5,13.4', ["location", "geo"]),
    ('X-MICROSOFT-LOCATIONS:[{"DisplayName":"Old"}]', ["location", "geo"]),
    ("X-MICROSOFT-LOCATIONDISPLAYNAME:Old", ["location", "geo"]),
    ("X-MICROSOFT-LATITUDE:52.5", ["location", "geo"]),
    ("X-PLANNER-LOCATION:Old", ["location", "geo"]),
    ("X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M", ["location"]),
    ("X-MS-OLK-AUTOFILLLOCATION:TRUE", ["location", "geo"]),
    ("GEO:somewhere", ["geo"]),
    ("URL:message:%3C1%3E", ["url"]),
    ("X-WP-IMAGES-URL:https://example.org/old.png", ["image"]),
    ("X-MICROSOFT-CDO-ALLDAYEVENT:FALSE", [*TIMES]),
    ("X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT:FALSE", [*TIMES]),
    ("X-FUNAMBOL-ALLDAY:0", [*TIMES]),
    ("X-MS-OLK-ORIGINALSTART:20260501T180000Z", [*TIMES]),
    ("X-MS-OLK-ORIGINALEND:20260501T190000Z", [*TIMES]),
    ("X-MICROSOFT-CDO-TZID:4", [*TIMES]),
    ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY", ["status", "transparency"]),
    ("X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY", ["status", "transparency"]),
    ("X-MICROSOFT-CDO-IMPORTANCE:2", ["priority"]),
    ("PRIORITY:15", ["priority"]),
    ("COLOR:no colour", ["color"]),
    ("X-OUTLOOK-COLOR:red", ["color"]),
    ("X-MICROSOFT-CDO-INSTTYPE:0", ["recurrence"]),
    ("X-MICROSOFT-RRULE:FREQ=DAILY", ["recurrence"]),
    # A copy under a name that nobody knows.
    ("X-COPY;X-A=b:old  title", ["title"]),
    ("X-COPY:Old text\\, and more", ["description"]),
]
OTHERS = [
    *("X-A:1", "X-MICROSOFT-CDO-OWNERAPPTID:7", "X-MICROSOFT-DISALLOW-COUNTER:FALSE", "X-MS-OLK-SENDER:mailto:a@b.c"),
    *("X-GOOGLE-CONFERENCE:https://meet.google.com/abc", "ATTENDEE;CN=Old title:mailto:a@example.org", "CLASS:PRIVATE"),
    *('COMMENT;ALTREP="cid:2":Old title', "ATTACH:https://example.org/old", "CONTACT:Old Room 5", "no line"),
    *("CATEGORIES:one that is too long for a tag", "IMAGE:https://example.org/another.png", "X-MOZ-GENERATION:4"),
]
ICS: Any = {"lines": [*(line for line, _ in TWINS), *OTHERS], "alarms": []}


@pytest.mark.parametrize("name", TWINNED_FIELDS)
def test_a_changed_field_takes_its_twins_with_it_and_nothing_else(name: str) -> None:
    found = remove_twins(ICS, OLD, OLD | {name: NEW[name]})["lines"]
    assert found == [*(line for line, fields in TWINS if name not in fields), *OTHERS]


def test_nothing_goes_when_nothing_is_changed() -> None:
    assert remove_twins(ICS, OLD, dict(OLD)) == ICS


@pytest.mark.parametrize("name", TWINNED_FIELDS)
def test_a_copy_of_all_that_is_known_goes_with_any_change(name: str) -> None:
    ics: Any = {"lines": ["STRUCTURED-DATA;VALUE=TEXT:{}", "X-MICROSOFT-CDO-APPT-SEQUENCE:3"], "alarms": []}
    assert remove_twins(ics, OLD, OLD | {name: NEW[name]})["lines"] == []


def test_no_value_an_empty_one_and_an_empty_list_are_the_same() -> None:
    assert remove_twins(ICS, OLD | {"tags": []}, OLD | {"tags": None}) == ICS


def test_an_alarm_displays_the_new_title_or_description_where_it_displayed_the_old_one() -> None:
    def alarms(title: str, text: str) -> Any:
        alarm = ["BEGIN:VALARM", f"DESCRIPTION;LANGUAGE=en:{title}", f"SUMMARY:{title}", "X-A:Old title", "END:VALARM"]
        mail = ["BEGIN:VALARM", "ACTION:EMAIL", f"DESCRIPTION:{text}", "SUMMARY:Other", "END:VALARM"]
        return {"lines": [], "alarms": [alarm, mail]}

    ics = alarms("Old title", "Old text\\, and more")
    assert remove_twins(ics, OLD, OLD | {"title": "New; title"}) == alarms("New\\; title", "Old text\\, and more")
    assert remove_twins(ics, OLD, OLD | {"description": "New"}) == alarms("Old title", "New")


def test_a_component_about_the_place_goes_with_it() -> None:
    place, person = ["BEGIN:VLOCATION", "END:VLOCATION"], ["BEGIN:PARTICIPANT", "END:PARTICIPANT"]
    ics: Any = {"lines": [], "alarms": [place, person]}
    assert remove_twins(ics, OLD, OLD | {"location": None})["alarms"] == [person]
    assert remove_twins(ics, OLD, OLD | {"title": "New"})["alarms"] == [place, person]
