"""An end in another time zone than the start, as that of a flight."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.support.clients import Person, ok

KIND = {"Content-Type": "text/calendar"}
FLIGHT = {
    "start": "2026-07-01T10:00:00",
    "time_zone": "Europe/Berlin",
    "end": "2026-07-01T13:00:00",
    "end_time_zone": "America/New_York",
}
DEPARTURE, ARRIVAL = "2026-07-01T10:00:00+02:00", "2026-07-01T13:00:00-04:00"
WEEKLY = {"rrule": "FREQ=WEEKLY;COUNT=3"}


async def imported(person: Person, text: str) -> Any:
    return ok(await person.post("/events/import", content=text.encode(), headers=KIND))


async def occurrences(person: Person) -> list[Any]:
    window = {"from": "2026-06-01", "to": "2026-12-30"}
    found: list[Any] = ok(await person.get("/events/occurrences", params=window))["items"]
    return found


def shown(event: Any) -> tuple[Any, ...]:
    return tuple(event[name] for name in ("start", "end", "time_zone", "end_time_zone"))


@pytest.mark.parametrize("recurrence", [None, WEEKLY])
async def test_an_event_has_the_end_that_its_author_sent(ada: Person, recurrence: Any) -> None:
    made = await ada.event(**FLIGHT, recurrence=recurrence)
    assert shown(made) == (DEPARTURE, ARRIVAL, "Europe/Berlin", "America/New_York")
    path = f"/events/{made['id']}"
    assert shown(ok(await ada.patch(path, json={"title": "Flight"}))) == shown(made)
    later = ok(await ada.patch(path, json={"end": "2026-07-01T14:00:00"}))
    assert later["end"] == "2026-07-01T14:00:00-04:00"
    same = ok(await ada.patch(path, json={"end_time_zone": None}))
    assert shown(same) == (DEPARTURE, "2026-07-01T20:00:00+02:00", "Europe/Berlin", None)
    again = ok(await ada.patch(path, json={"end_time_zone": "America/Chicago"}))
    assert again["end"] == "2026-07-01T13:00:00-05:00"


async def test_the_end_follows_each_occurrence_of_a_series(ada: Person) -> None:
    # The clocks of both zones change on different days: the duration stays.
    flight = FLIGHT | {"start": "2026-10-22T10:00:00", "end": "2026-10-22T13:00:00"}
    made = await ada.event(**flight, recurrence=WEEKLY)
    assert [(one["start"], one["end"]) for one in await occurrences(ada)] == [
        ("2026-10-22T10:00:00+02:00", "2026-10-22T13:00:00-04:00"),
        ("2026-10-29T10:00:00+01:00", "2026-10-29T14:00:00-04:00"),
        ("2026-11-05T10:00:00+01:00", "2026-11-05T13:00:00-05:00"),
    ]
    path = f"/events/{made['id']}/occurrences/2026-10-29T10:00:00"
    later = ok(await ada.patch(path, json={"end": "2026-10-29T15:00:00"}))
    assert later["end"] == "2026-10-29T15:00:00-04:00"
    elsewhere = {"end": "2026-10-29T15:00:00", "end_time_zone": "America/Chicago"}
    assert ok(await ada.patch(path, json=elsewhere))["end"] == "2026-10-29T15:00:00-05:00"
    assert [one["end"] for one in await occurrences(ada)] == [
        "2026-10-22T13:00:00-04:00",
        "2026-10-29T15:00:00-05:00",
        "2026-11-05T13:00:00-05:00",
    ]
    following = ok(await ada.patch(f"{path}?scope=following", json={"start": "2026-10-29T09:00:00"}))
    assert following["end_time_zone"] == "America/Chicago"
    assert (await ada.get(f"/events/{made['id']}")).json()["end_time_zone"] == "America/New_York"


@pytest.mark.parametrize(
    "times", [{"start": "2026-07-01", "end": "2026-07-02"}, {"start": "2026-07-01T10:00:00Z", "end": None}]
)
async def test_an_end_without_a_time_of_day_is_not_moved_by_its_zone(ada: Person, times: dict[str, Any]) -> None:
    made = await ada.event(end_time_zone="America/New_York", **times)
    assert (made["start"], made["end"]) == (times["start"], times["end"])
    assert "America/New_York" not in (await ada.get(f"/events/{made['id']}.ics")).text


@pytest.mark.parametrize("name", ["Mars/Olympus", "", 1])
async def test_the_time_zone_of_an_end_must_be_an_iana_one(ada: Person, name: Any) -> None:
    answer = await ada.post("/events", json={"title": "Flight"} | FLIGHT | {"end_time_zone": name})
    assert ok(answer, 422)["errors"][0]["pointer"] == "/end_time_zone"


async def test_an_end_that_is_before_the_start_in_its_own_zone_is_refused(ada: Person) -> None:
    early = FLIGHT | {"end": "2026-07-01T03:59:00"}
    assert ok(await ada.post("/events", json={"title": "Flight"} | early), 422)["errors"][0]["pointer"] == "/end"
    assert (await ada.event(**FLIGHT | {"end": "2026-07-01T04:01:00"}))["end"] == "2026-07-01T04:01:00-04:00"


@pytest.mark.parametrize("recurrence", [None, WEEKLY])
async def test_a_file_says_the_same(ada: Person, ben: Person, recurrence: Any) -> None:
    made = await ada.event(**FLIGHT, recurrence=recurrence)
    export = (await ada.get("/events.ics")).text
    assert "DTEND;TZID=America/New_York:20260701T130000" in export
    assert (await imported(ada, export))["unchanged"] == 1
    assert (await imported(ben, export))["created"] == 1
    (copy,) = ok(await ben.get("/events"))["items"]
    assert shown(copy) == shown(made)


async def test_an_imported_flight_keeps_the_zone_of_its_arrival(ada: Person) -> None:
    start = "DTSTART;TZID=Europe/Berlin:20260701T100000"
    arrival = "DTEND;TZID=America/New_York:20260701T130000"
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260708T100000",
        "DTEND;TZID=America/Chicago:20260708T130000",
        start="DTSTART;TZID=Europe/Berlin:20260708T110000",
    )
    text = file(event(arrival, "RRULE:FREQ=WEEKLY;COUNT=3", start=start), moved)
    assert (await imported(ada, text))["created"] == 1
    assert [(one["start"], one["end"], one["end_time_zone"]) for one in await occurrences(ada)] == [
        (DEPARTURE, ARRIVAL, "America/New_York"),
        ("2026-07-08T11:00:00+02:00", "2026-07-08T13:00:00-05:00", "America/Chicago"),
        ("2026-07-15T10:00:00+02:00", "2026-07-15T13:00:00-04:00", "America/New_York"),
    ]
    assert (await imported(ada, text))["unchanged"] == 1
    assert (await imported(ada, (await ada.get("/events.ics")).text))["unchanged"] == 1


async def test_an_imported_end_in_utc_is_shown_in_the_zone_of_the_start(ada: Person) -> None:
    await imported(ada, file(event("DTEND:20260701T090000Z", start="DTSTART;TZID=Europe/Berlin:20260701T100000")))
    (found,) = ok(await ada.get("/events"))["items"]
    assert shown(found) == (DEPARTURE, "2026-07-01T11:00:00+02:00", "Europe/Berlin", None)
