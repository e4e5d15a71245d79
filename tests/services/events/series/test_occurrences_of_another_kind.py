"""Occurrences of another kind than their series: at a time in an all-day series, or on whole days in one with times."""

from typing import Any

import pytest
from icalendar import Calendar

from tests.domain.ics.samples import event, file
from tests.support.clients import Person, ok

BIRTHDAY: dict[str, Any] = {"title": "Birthday", "start": "2025-06-14", "recurrence": {"rrule": "FREQ=YEARLY"}}
STAND_UP: dict[str, Any] = {
    "title": "Stand-up",
    "start": "2026-06-08T09:00:00",
    "end": "2026-06-08T09:15:00",
    "time_zone": "Europe/Berlin",
    "recurrence": {"rrule": "FREQ=DAILY;COUNT=4"},
}


async def imported(person: Person, text: str) -> Any:
    return ok(await person.post("/events/import", content=text, headers={"Content-Type": "text/calendar"}))


async def listed(person: Person, since: str = "2025-01-01", until: str = "2027-12-31") -> list[Any]:
    page = ok(await person.get("/events/occurrences", params={"from": since, "to": until}))
    return [(item["start"], item["end"], item["all_day"]) for item in page["items"]]


async def busy(person: Person, since: str, until: str) -> list[Any]:
    found = ok(await person.get("/freebusy", params={"from": since, "to": until}))
    return [(slot["start"], slot["end"]) for slot in found["busy"]]


async def test_an_occurrence_of_an_all_day_event_can_be_at_a_time_in_a_zone(ada: Person) -> None:
    event = await ada.event(**BIRTHDAY)
    path = f"/events/{event['id']}/occurrences/2026-06-14"
    changes = {"start": "2026-06-14T06:00:00", "end": "2026-06-14T08:00:00", "time_zone": "Europe/Berlin"}
    changed = ok(await ada.patch(path, json=changes))
    assert [changed[name] for name in ("start", "end", "all_day", "time_zone", "recurrence_id")] == [
        "2026-06-14T06:00:00+02:00",
        "2026-06-14T08:00:00+02:00",
        False,
        "Europe/Berlin",
        "2026-06-14",
    ]
    assert await listed(ada) == [
        ("2025-06-14", None, True),
        ("2026-06-14T06:00:00+02:00", "2026-06-14T08:00:00+02:00", False),
        ("2027-06-14", None, True),
    ]
    # What is local is so in the zone that the occurrence has now.
    ok(await ada.patch(path, json={"start": "2026-06-14T07:00:00"}))
    assert (await listed(ada))[1][0] == "2026-06-14T07:00:00+02:00"
    assert await busy(ada, "2026-06-14T00:00:00Z", "2026-06-15T00:00:00Z") == [
        ("2026-06-14T05:00:00Z", "2026-06-14T06:00:00Z")
    ]
    days = ok(await ada.patch(path, json={"start": "2026-06-14"}))
    assert (days["start"], days["end"], days["all_day"], days["time_zone"]) == ("2026-06-14", "2026-06-15", True, None)


@pytest.mark.parametrize("start", ["2026-06-14T06:00:00+02:00", "2026-06-14T04:00:00"])
async def test_a_time_without_a_zone_of_its_own_is_in_that_of_the_event(ada: Person, start: str) -> None:
    event = await ada.event(**BIRTHDAY)
    changed = ok(await ada.patch(f"/events/{event['id']}/occurrences/2026-06-14", json={"start": start}))
    assert (changed["start"], changed["end"], changed["all_day"]) == ("2026-06-14T04:00:00Z", None, False)


async def test_an_occurrence_of_an_event_with_times_can_take_whole_days(ada: Person) -> None:
    event = await ada.event(**STAND_UP)
    path = f"/events/{event['id']}/occurrences/2026-06-09T09:00:00"
    changed = ok(await ada.patch(path, json={"start": "2026-06-09", "end": "2026-06-11"}))
    assert (changed["start"], changed["end"], changed["all_day"]) == ("2026-06-09", "2026-06-11", True)
    assert changed["recurrence_id"] == "2026-06-09T09:00:00"
    assert [item[0] for item in await listed(ada)] == [
        "2026-06-08T09:00:00+02:00",
        "2026-06-09",
        "2026-06-10T09:00:00+02:00",
        "2026-06-11T09:00:00+02:00",
    ]
    assert await busy(ada, "2026-06-08T20:00:00Z", "2026-06-11T00:00:00Z") == [
        ("2026-06-08T22:00:00Z", "2026-06-10T22:00:00Z")
    ]
    alone = ok(await ada.patch(path, json={"start": "2026-06-10"}))
    assert (alone["start"], alone["end"]) == ("2026-06-10", "2026-06-11")


async def test_a_zone_of_its_own_is_refused_where_it_means_nothing(ada: Person) -> None:
    birthday, stand_up = await ada.event(**BIRTHDAY), await ada.event(**STAND_UP)
    for path, start in (
        (f"/events/{birthday['id']}/occurrences/2026-06-14", "2026-06-15"),
        (f"/events/{stand_up['id']}/occurrences/2026-06-09T09:00:00", "2026-06-09T10:00:00"),
    ):
        body = {"start": start, "time_zone": "Asia/Tokyo"}
        if "T" in start:
            body["end"] = "2026-06-09T11:00:00"
        (error,) = ok(await ada.patch(path, json=body), 422)["errors"]
        assert error["pointer"] == "/time_zone"


async def test_what_a_file_has_of_another_kind_is_kept(ada: Person) -> None:
    timed = event(
        "RECURRENCE-ID;VALUE=DATE:20260614",
        "DTEND;TZID=Europe/Berlin:20260614T080000",
        start="DTSTART;TZID=Europe/Berlin:20260614T060000",
    )
    yearly = event("RRULE:FREQ=YEARLY;COUNT=3", start="DTSTART;VALUE=DATE:20250614")
    found = await imported(ada, file(yearly, timed))
    assert (found["created"], found["failed"], found["warnings"]) == (1, [], [])
    assert [item[0] for item in await listed(ada)] == ["2025-06-14", "2026-06-14T06:00:00+02:00", "2027-06-14"]
    exported = (await ada.get("/events.ics")).text
    assert "DTSTART;TZID=Europe/Berlin:20260614T060000" in exported
    assert "BEGIN:VTIMEZONE" in exported
    parts: list[Any] = Calendar.from_ical(exported).walk("VEVENT")
    assert str(parts[1]["DTEND"].dt) == "2026-06-14 08:00:00+02:00"
    assert (await imported(ada, exported))["unchanged"] == 1
    assert (await imported(ada, file(yearly, timed)))["unchanged"] == 1


async def test_an_all_day_occurrence_in_a_file_is_one(ada: Person) -> None:
    whole_day = event(
        "RECURRENCE-ID:20260508T180000Z", "DTEND;VALUE=DATE:20260511", start="DTSTART;VALUE=DATE:20260509"
    )
    weekly = event("RRULE:FREQ=WEEKLY;COUNT=3", "DURATION:PT1H")
    found = await imported(ada, file(weekly, whole_day))
    assert (found["created"], found["failed"]) == (1, [])
    assert (await listed(ada))[1] == ("2026-05-09", "2026-05-11", True)
    exported = (await ada.get("/events.ics")).text
    assert "DTSTART;VALUE=DATE:20260509" in exported
    assert (await imported(ada, exported))["unchanged"] == 1
    # The same occurrence alone, as an update of the stored series.
    moved = whole_day.replace("20260509", "20260510").replace("DTEND", "SEQUENCE:1\r\nDTEND")
    assert (await imported(ada, file(moved)))["updated"] == 1
    assert (await listed(ada))[1] == ("2026-05-10", "2026-05-11", True)
