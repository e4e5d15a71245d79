"""Of two equal local times, when clocks are set back, the second one is kept where it was meant."""

from typing import Any

import pytest

from tests.support.clients import Person, ok

# In Berlin, clocks are set from 03:00 back to 02:00 on 25 October 2026.
BERLIN = {"time_zone": "Europe/Berlin"}
FIRST, SECOND = "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"
HOUR_LATER = "2026-10-25T03:30:00+01:00"
DAILY = {"rrule": "FREQ=DAILY;COUNT=3"}
KIND = {"Content-Type": "text/calendar"}


async def occurrences(person: Person) -> list[tuple[str, str]]:
    window = {"from": "2026-10-20", "to": "2026-11-10"}
    found = ok(await person.get("/events/occurrences", params=window))["items"]
    return [(one["start"], one["end"]) for one in found]


@pytest.mark.parametrize("recurrence", [None, DAILY])
async def test_an_event_starts_at_the_one_that_was_sent(ada: Person, recurrence: Any) -> None:
    for start, end in ((FIRST, "2026-10-25T03:30:00+01:00"), (SECOND, HOUR_LATER)):
        event = await ada.event(start=start, end=end, recurrence=recurrence, **BERLIN)
        assert (event["start"], event["end"]) == (start, end)
        assert (await occurrences(ada))[0] == (start, end)
        path = f"/events/{event['id']}"
        again = ok(await ada.patch(path, json={"title": "Another"}))
        assert (again["start"], again["end"], again["recurrence"]) == (start, end, event["recurrence"])
        assert (await occurrences(ada))[0] == (start, end)
        ok(await ada.delete(path), 204)


async def test_the_other_occurrences_of_a_series_are_at_its_local_time(ada: Person) -> None:
    await ada.event(start=SECOND, end=HOUR_LATER, recurrence=DAILY, **BERLIN)
    assert await occurrences(ada) == [
        (SECOND, HOUR_LATER),
        ("2026-10-26T02:30:00+01:00", "2026-10-26T03:30:00+01:00"),
        ("2026-10-27T02:30:00+01:00", "2026-10-27T03:30:00+01:00"),
    ]
    busy = ok(await ada.get("/freebusy", params={"from": "2026-10-25", "to": "2026-10-26"}))["busy"]
    assert busy == [{"start": "2026-10-25T01:30:00Z", "end": "2026-10-25T02:30:00Z"}]


async def test_a_series_is_moved_to_the_second_one_and_away_from_it(ada: Person) -> None:
    event = await ada.event(start=FIRST, end=HOUR_LATER, recurrence=DAILY, **BERLIN)
    path = f"/events/{event['id']}"
    moved = ok(await ada.patch(path, json={"start": SECOND}))
    assert (moved["start"], moved["end"]) == (SECOND, HOUR_LATER)
    assert (await occurrences(ada))[0] == (SECOND, HOUR_LATER)
    back = ok(await ada.patch(path, json={"start": FIRST}))
    assert back["start"] == FIRST
    assert (await occurrences(ada))[0] == (FIRST, HOUR_LATER)
    ok(await ada.patch(path, json={"start": SECOND}))
    later = {"start": "2026-10-31T02:30:00", "end": "2026-10-31T03:30:00"}
    ok(await ada.patch(path, json=later))
    assert [start for start, _ in await occurrences(ada)] == [
        f"2026-{day}T02:30:00+01:00" for day in ("10-31", "11-01", "11-02")
    ]


async def test_an_occurrence_is_moved_to_the_second_one_and_back(ada: Person) -> None:
    event = await ada.event(
        start="2026-10-24T02:30:00", end="2026-10-24T03:30:00", recurrence={"rrule": "FREQ=DAILY;COUNT=2"}, **BERLIN
    )
    path = f"/events/{event['id']}/occurrences/2026-10-25T02:30:00"
    for start, end in (
        (SECOND, HOUR_LATER),
        (FIRST, "2026-10-25T02:45:00+01:00"),
        (SECOND, "2026-10-25T02:45:00+01:00"),
    ):
        changed = ok(await ada.patch(path, json={"start": start, "end": end}))
        assert (changed["start"], changed["end"]) == (start, end)
        assert (await occurrences(ada))[1] == (start, end)


async def test_following_occurrences_begin_at_the_second_one(ada: Person) -> None:
    event = await ada.event(
        start="2026-10-24T02:30:00", end="2026-10-24T03:30:00", recurrence={"rrule": "FREQ=DAILY;COUNT=3"}, **BERLIN
    )
    path = f"/events/{event['id']}/occurrences/2026-10-25T02:30:00?scope=following"
    ok(await ada.patch(path, json={"start": SECOND, "end": HOUR_LATER}))
    assert [start for start, _ in await occurrences(ada)] == [
        "2026-10-24T02:30:00+02:00",
        SECOND,
        "2026-10-26T02:30:00+01:00",
    ]


async def test_a_file_says_the_same(ada: Person, ben: Person) -> None:
    await ada.event(start=SECOND, end=HOUR_LATER, recurrence=DAILY, **BERLIN)
    export = (await ada.get("/events.ics")).text
    again = ok(await ada.post("/events/import", content=export.encode(), headers=KIND))
    assert (again["unchanged"], again["updated"], again["failed"]) == (1, 0, [])
    assert ok(await ben.post("/events/import", content=export.encode(), headers=KIND))["created"] == 1
    assert [start for start, _ in await occurrences(ben)] == [start for start, _ in await occurrences(ada)]
