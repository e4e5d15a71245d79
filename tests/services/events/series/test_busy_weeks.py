"""Occurrences among more series than are read for one page, and the stored times by which they are found."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from database.queries import Id
from models.events.event_queries import EventSelection
from models.shared.time_zone_version import HOURS, TimeZoneVersion
from planner.services.events import occurrence_list
from planner.services.events.occurrence_list import find_occurrences, parse_position
from planner.services.events.times_refresh import refresh_times
from tests.support.clients import Person, ok
from tests.support.services import database_of

MONDAY = datetime(2026, 12, 7, tzinfo=UTC)
RULES = ("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2", "FREQ=MONTHLY", "FREQ=HOURLY;INTERVAL=7;COUNT=99")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


def fields(dice: random.Random) -> dict[str, Any]:
    """Return the fields of an event that may be in the week, most of them recurring."""
    start = MONDAY + timedelta(minutes=15 * dice.randrange(-20 * 96, 5 * 96))
    end = start + timedelta(hours=dice.choice((1, 1, 1, 30, 200)))
    rule = dice.choice((None, None, None, *RULES))
    times: dict[str, Any] = {"start": start.isoformat(), "end": end.isoformat()}
    if dice.random() < 0.2 and rule != RULES[-1]:
        times = {"start": f"{start:%Y-%m-%d}", "end": None}
    recurrence = {"rrule": rule} if rule else None
    return times | {"time_zone": dice.choice(ZONES), "recurrence": recurrence, "visibility": "public", "tags": ["club"]}


@pytest.mark.parametrize("seed", range(3))
async def test_a_list_is_the_same_however_many_series_are_read_at_a_time(
    ada: Person, ben: Person, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(25):
        person = dice.choice((ada, ben))
        made = await person.event(**fields(dice))
        if made["recurrence"] and dice.random() < 0.3:
            # One occurrence is elsewhere.
            found = ok(await person.get(f"/events/occurrences?from={made['start'][:10]}&limit=200"))["items"]
            ids = [item["recurrence_id"] for item in found if item["id"] == made["id"]]
            patch = {"start": (MONDAY + timedelta(hours=dice.randrange(160))).replace(tzinfo=None).isoformat()}
            if ids and not made["all_day"]:
                await person.patch(f"/events/{made['id']}/occurrences/{dice.choice(ids)}", json=patch)
    selection = EventSelection("all", Id(ada.id))
    for begin, days, tag in ((0, 1, None), (0, 7, None), (0, 7, "club"), (0, 0.1, None), (0, 30, None), (3.5, 1, None)):
        since = MONDAY + timedelta(days=begin)
        window = (since, since + timedelta(days=days))
        lists = []
        for most, limit in ((10_000, 1000), (1, 7), (4, 3)):
            monkeypatch.setattr(occurrence_list, "MAX_SERIES", most)
            keys: list[str] = []
            after = None
            while True:
                found = await find_occurrences(selection._replace(tag=tag), window, after, limit)
                keys += [listed.sort_key for listed in found.items]
                if not found.has_more:
                    break
                after = parse_position(keys[-1])
            lists.append(keys)
        assert lists[0] == lists[1] == lists[2]
        assert lists[0] == sorted(set(lists[0]))


@pytest.mark.parametrize("begun", [0, 1, 59, 60])
async def test_a_series_that_has_begun_is_on_a_page_that_is_full_without_it(ada: Person, begun: int) -> None:
    for number in range(60):
        start = "2026-12-07T10:00:00Z" if number < begun else "2026-12-07T11:30:00Z"
        await ada.event(title="once", start=start, end="2026-12-07T12:00:00Z")
    for start in ("2026-12-07T09:00:00Z", "2026-12-07T10:30:00Z"):
        await ada.event(title="weekly", start=start, end="2026-12-07T13:00:00Z", recurrence={"rrule": "FREQ=WEEKLY"})
    query = "from=2026-12-14T11:00:00Z&to=2026-12-15T00:00:00Z"
    assert [item["start"] for item in ok(await ada.get(f"/events/occurrences?{query}"))["items"]] == [
        "2026-12-14T09:00:00Z",
        "2026-12-14T10:30:00Z",
    ]
    query = "from=2026-12-07T11:00:00Z&to=2026-12-08T00:00:00Z&limit=50"
    page = await ada.get(f"/events/occurrences?{query}")
    items = ok(page)["items"] + ok(await ada.get(page.links["next"]["url"]))["items"]
    assert [item["title"] for item in items] == ["weekly", *["once"] * begun, "weekly", *["once"] * (60 - begun)]


EMPTY_ENDS = [
    # The series: its start, end and zone; its last occurrence, and what is changed of it.
    ("2026-12-10T10:00:00", "2026-12-10T11:00:00", "UTC", "2026-12-11T10:00:00", {"end": None}),
    ("2026-12-10T10:00:00", "2026-12-10T11:00:00", "Asia/Kolkata", "2026-12-11T10:00:00", {"end": None}),
    ("2026-12-10T10:00:00", None, "UTC", "2026-12-11T10:00:00", {"start": "2026-12-12T10:00:00"}),
    ("2026-12-10", None, "Europe/Berlin", "2026-12-11", {"start": "2026-12-12T18:00:00", "end": None}),
]


@pytest.mark.parametrize(("start", "end", "zone", "last", "change"), EMPTY_ENDS)
async def test_a_last_occurrence_without_a_duration_is_in_a_window_that_begins_with_it(
    app: FastAPI, ada: Person, start: str, end: str | None, zone: str, last: str, change: dict[str, Any]
) -> None:
    event = await ada.event(start=start, end=end, time_zone=zone, recurrence={"rrule": "FREQ=DAILY;COUNT=2"})
    path = f"/events/{event['id']}/occurrences/{last}"
    begins = datetime.fromisoformat(ok(await ada.patch(path, json=change))["start"])

    async def count_in_window(since: datetime) -> list[int]:
        window = {"from": since.isoformat(), "to": "2026-12-31T00:00:00Z"}
        lists = [ok(await ada.get(path, params=window))["items"] for path in ("/events", "/events/occurrences")]
        return list(map(len, lists))

    assert await count_in_window(begins) == [1, 1]
    assert await count_in_window(begins + timedelta(seconds=1)) == [0, 0]

    # Once it was stored as ending at the start of this occurrence: it is computed again when the planner starts.
    stored = {"ends": begins.astimezone(UTC)}
    await database_of(app)["events"].update_one({}, {"$set": stored})
    assert await count_in_window(begins) == [0, 0]
    await TimeZoneVersion.record("an older one")
    assert await refresh_times() == 1
    assert await count_in_window(begins) == [1, 1]

    # An earlier revision may be stored so too.
    ok(await ada.patch(f"/events/{event['id']}", json={"title": "Another title"}))
    await database_of(app)["revisions"].update_many({}, {"$set": {"state.ends": stored["ends"]}})
    ok(await ada.post(f"/events/{event['id']}/restore", json={"revision": 2}))
    assert await count_in_window(begins) == [1, 1]


async def test_an_event_has_hours_as_long_as_it_recurs(app: FastAPI, ada: Person) -> None:
    events = database_of(app)["events"]
    made = await ada.event(start="2026-12-07T09:00:00Z", end="2026-12-07T10:00:00Z")
    assert "hours" not in await events.find_one({})
    ok(await ada.patch(f"/events/{made['id']}", json={"recurrence": {"rrule": "FREQ=WEEKLY"}}))
    assert (await events.find_one({}))["hours"] == [9]
    ok(await ada.patch(f"/events/{made['id']}", json={"start": "2026-12-07T07:00:00Z"}))
    assert (await events.find_one({}))["hours"] == [7, 8, 9]
    ok(await ada.patch(f"/events/{made['id']}", json={"recurrence": None}))
    assert "hours" not in await events.find_one({})


async def test_hours_are_computed_again_when_the_rules_of_time_zones_have_changed(app: FastAPI, ada: Person) -> None:
    events = database_of(app)["events"]
    for start in ("2026-12-07T09:00:00Z", "2026-12-08T09:00:00Z"):
        await ada.event(start=start, recurrence={"rrule": "FREQ=WEEKLY"})
    await refresh_times()
    await events.update_one({}, {"$set": {"hours": [1]}})
    assert await refresh_times() == 0
    await TimeZoneVersion.record("an older one")
    assert await refresh_times() == 1
    assert sorted([stored["hours"] async for stored in events.find({})]) == [[9], [33]]
    assert (await database_of(app)["time_zone_versions"].find_one({"_id": HOURS}))["version"] != "an older one"


async def test_a_series_without_hours_is_found_in_each(app: FastAPI, ada: Person) -> None:
    made = await ada.event(start="2026-12-07T09:00:00Z", recurrence={"rrule": "FREQ=WEEKLY"})
    await database_of(app)["events"].update_one({}, {"$unset": {"hours": ""}})
    for scope in ("mine", "all"):
        query = f"from=2026-12-14T09:00:00Z&to=2026-12-14T09:30:00Z&scope={scope}"
        found = ok(await ada.get(f"/events/occurrences?{query}"))["items"]
        assert [item["id"] for item in found] == [made["id"]]
