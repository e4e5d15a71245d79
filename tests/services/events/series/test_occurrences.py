"""Events that repeat, and their occurrences."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from dateutil.rrule import rrulestr

from tests.support.clients import Person, ok

WEEKLY: dict[str, Any] = {
    "title": "Choir",
    "start": "2026-10-06T18:00:00",
    "end": "2026-10-06T20:00:00",
    "time_zone": "Europe/Berlin",
    "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=TU"},
}


async def starts(person: Person, since: str, until: str, **query: Any) -> list[str]:
    page = ok(await person.get("/events/occurrences", params={"from": since, "to": until} | query))
    return [item["start"] for item in page["items"]]


async def patch(person: Person, event: Any, id: str, scope: str = "this", **fields: Any) -> Any:
    return await person.patch(f"/events/{event['id']}/occurrences/{id}?scope={scope}", json=fields)


async def test_a_weekly_event_has_the_same_local_hour_after_a_clock_change(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    assert event["recurrence"] == {"rrule": "FREQ=WEEKLY;BYDAY=TU", "rdates": [], "exdates": []}
    assert await starts(ada, "2026-10-19", "2026-11-04") == [
        "2026-10-20T18:00:00+02:00",
        "2026-10-27T18:00:00+01:00",
        "2026-11-03T18:00:00+01:00",
    ]


async def test_occurrences_of_all_visible_events_are_merged_in_time_order(ada: Person, ben: Person) -> None:
    await ada.event(**WEEKLY)
    await ada.event(title="Dentist", start="2026-10-13T09:00:00Z")
    await ben.event(title="Fair", start="2026-10-14", visibility="public")
    await ben.event(title="Hidden", start="2026-10-14")
    page = ok(await ada.get("/events/occurrences?from=2026-10-12&to=2026-10-21&scope=all"))
    assert [(item["title"], item["recurrence_id"]) for item in page["items"]] == [
        ("Dentist", None),
        ("Choir", "2026-10-13T18:00:00"),
        ("Fair", None),
        ("Choir", "2026-10-20T18:00:00"),
    ]


async def test_only_occurrences_of_ones_own_events_are_listed_without_a_scope(ada: Person, ben: Person) -> None:
    await ada.event(title="Dentist", start="2026-10-13T09:00:00Z")
    await ben.event(title="Fair", start="2026-10-14", visibility="public")
    page = ok(await ada.get("/events/occurrences?from=2026-10-12&to=2026-10-21"))
    assert [item["title"] for item in page["items"]] == ["Dentist"]


async def pages(person: Person, **query: Any) -> list[Any]:
    """Every occurrence, page by page."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = ok(await person.get("/events/occurrences", params=query | cursor))
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


@pytest.mark.parametrize("limit", [1, 7, 50])
async def test_more_series_than_one_batch_are_all_found(
    ada: Person, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("models.events.event_queries.SERIES_BATCH_SIZE", 3)
    rules = ["FREQ=DAILY;COUNT=2", "FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=3;COUNT=30", "FREQ=DAILY;COUNT=1"]
    dice, expected = random.Random(limit), []
    for number in range(20):
        start = datetime(2026, 9, 1, 18) + timedelta(days=dice.randrange(60), hours=dice.randrange(3))
        # Some have no length, one begins right at the window's start, and one is only then over.
        start = {0: datetime(2026, 10, 1), 1: datetime(2026, 9, 30)}.get(number, start)
        end = {} if number % 3 == 0 else {"end": (start + timedelta(hours=30)).isoformat()}
        rule = rules[number % 4]
        event = await ada.event(start=start.isoformat(), recurrence={"rrule": rule}, **end)
        for begins in rrulestr(rule, dtstart=start).xafter(datetime(2026, 8, 1), count=200):
            length = timedelta(hours=30) if end else timedelta(milliseconds=1)
            if begins < datetime(2026, 11, 1) and begins + length > datetime(2026, 10, 1):
                expected.append((begins.isoformat() + "Z", event["id"]))
    found = await pages(ada, **{"from": "2026-10-01", "to": "2026-11-01", "limit": limit})
    assert [(item["start"], item["id"]) for item in found] == sorted(expected)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_paging_through_occurrences_skips_and_repeats_nothing(ada: Person, limit: int) -> None:
    for hour in range(3):
        await ada.event(**WEEKLY | {"title": f"Choir {hour}", "recurrence": {"rrule": "FREQ=DAILY;COUNT=9"}})
    await ada.event(title="IdempotencyKey", start="2026-10-08T18:00:00", time_zone="Europe/Berlin")
    window = {"from": "2026-10-01", "to": "2026-11-01"}
    whole = ok(await ada.get("/events/occurrences", params=window | {"limit": 200}))["items"]
    assert len(whole) == 28
    assert await pages(ada, **window, limit=limit) == whole


async def test_one_occurrence_can_be_moved_and_renamed_alone(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    moved = ok(
        await patch(
            ada, event, "2026-10-13T18:00:00", title="Rehearsal", start="2026-10-14T19:00:00", end="2026-10-14T20:30:00"
        )
    )
    assert (moved["title"], moved["start"], moved["recurrence_id"]) == (
        "Rehearsal",
        "2026-10-14T19:00:00+02:00",
        "2026-10-13T18:00:00",
    )
    assert await starts(ada, "2026-10-12", "2026-10-21") == ["2026-10-14T19:00:00+02:00", "2026-10-20T18:00:00+02:00"]


async def test_a_deleted_occurrence_stays_deleted(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    ok(await ada.delete(f"/events/{event['id']}/occurrences/2026-10-13T18:00:00"), 204)
    assert (await ada.delete(f"/events/{event['id']}/occurrences/2026-10-13T18:00:00")).status_code == 404
    read = ok(await ada.get(f"/events/{event['id']}"))
    assert read["recurrence"]["exdates"] == ["2026-10-13T18:00:00+02:00"]
    assert await starts(ada, "2026-10-12", "2026-10-21") == ["2026-10-20T18:00:00+02:00"]


async def test_this_and_following_become_an_event_of_their_own(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    ok(await patch(ada, event, "2026-10-27T18:00:00", title="Concert"))
    tail = ok(
        await patch(
            ada,
            event,
            "2026-10-20T18:00:00",
            "following",
            start="2026-10-21T18:30:00",
            end="2026-10-21T20:00:00",
            location="Church",
        )
    )
    assert tail["id"] != event["id"] and tail["location"] == "Church"
    assert tail["recurrence"]["rrule"] == "FREQ=WEEKLY;BYDAY=WE"
    assert set((await ada.me())["events"]) == {event["id"], tail["id"]}
    page = ok(await ada.get("/events/occurrences?from=2026-10-06&to=2026-11-05"))["items"]
    assert [(item["title"], item["start"][:16]) for item in page] == [
        ("Choir", "2026-10-06T18:00"),
        ("Choir", "2026-10-13T18:00"),
        ("Choir", "2026-10-21T18:30"),
        ("Concert", "2026-10-28T18:30"),
        ("Choir", "2026-11-04T18:30"),
    ]


async def test_a_new_time_zone_for_all_occurrences_from_the_first_one_on_is_stored(ada: Person) -> None:
    event = await ada.event(
        start="2026-10-06T18:00:00", time_zone="Europe/Berlin", recurrence={"rrule": "FREQ=WEEKLY;COUNT=2"}
    )
    changes = {"start": "2026-10-06T18:00:00", "time_zone": "Asia/Tokyo"}
    moved = ok(await patch(ada, event, "2026-10-06T18:00:00", "following", **changes))
    assert (moved["id"], moved["time_zone"]) == (event["id"], "Asia/Tokyo")
    assert await starts(ada, "2026-10-01", "2026-11-01") == ["2026-10-06T18:00:00+09:00", "2026-10-13T18:00:00+09:00"]


async def test_deleting_this_and_following_ends_the_series_or_deletes_it_from_the_first_on(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    ok(await ada.delete(f"/events/{event['id']}/occurrences/2026-10-20T18:00:00?scope=following"), 204)
    assert len(await starts(ada, "2026-10-01", "2027-01-01")) == 2
    ok(await ada.delete(f"/events/{event['id']}/occurrences/2026-10-06T18:00:00?scope=following"), 204)
    assert (await ada.get(f"/events/{event['id']}")).status_code == 404
    assert (await ada.me())["events"] == []


async def test_moving_a_series_moves_its_exceptions_along(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    ok(await ada.delete(f"/events/{event['id']}/occurrences/2026-10-13T18:00:00"), 204)
    ok(await patch(ada, event, "2026-10-20T18:00:00", title="Rehearsal"))
    changes = {"start": "2026-10-07T17:00:00", "end": "2026-10-07T19:00:00"}
    read = ok(await ada.patch(f"/events/{event['id']}", json=changes))
    assert read["recurrence"] == {
        "rrule": "FREQ=WEEKLY;BYDAY=WE",
        "rdates": [],
        "exdates": ["2026-10-14T17:00:00+02:00"],
    }
    page = ok(await ada.get("/events/occurrences?from=2026-10-06&to=2026-10-29"))["items"]
    assert [(item["title"], item["start"][:16]) for item in page] == [
        ("Choir", "2026-10-07T17:00"),
        ("Rehearsal", "2026-10-21T17:00"),
        ("Choir", "2026-10-28T17:00"),
    ]


async def test_the_recurrence_of_an_event_can_be_removed_and_added_again(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    once = ok(await ada.patch(f"/events/{event['id']}", json={"recurrence": None}))
    assert once["recurrence"] is None
    assert len(await starts(ada, "2026-10-01", "2027-01-01")) == 1
    ok(await ada.patch(f"/events/{event['id']}", json={"recurrence": {"rrule": "FREQ=DAILY;COUNT=3"}}))
    assert len(await starts(ada, "2026-10-01", "2027-01-01")) == 3


async def test_a_list_with_a_window_shows_a_series_that_began_long_before_it(ada: Person) -> None:
    event = await ada.event(**WEEKLY | {"start": "2006-10-03T18:00:00", "end": "2006-10-03T20:00:00"})
    assert [item["id"] for item in ok(await ada.get("/events?from=2026-10-01&to=2026-11-01"))["items"]] == [event["id"]]
    assert len(await starts(ada, "2026-10-01", "2026-11-01")) == 4


@pytest.mark.parametrize(
    ("start", "rrule", "expected"),
    [
        ("2027-01-16", "FREQ=YEARLY;BYMONTHDAY=16", ["2027-01-16", "2028-01-16", "2029-01-16"]),
        ("2027-01-03", "FREQ=YEARLY;BYWEEKNO=53", ["2027-01-03"]),
        (
            "2027-12-31",
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD;COUNT=3",
            ["2027-12-31", "2028-01-31", "2028-02-29"],
        ),
        ("2028-01-31", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD;COUNT=2", ["2028-01-31", "2028-03-01"]),
    ],
)
async def test_a_rule_takes_what_it_lacks_from_the_start_and_skips_what_is_missing(
    ada: Person, start: str, rrule: str, expected: list[str]
) -> None:
    await ada.event(title="Birthday", start=start, recurrence={"rrule": rrule})
    assert await starts(ada, "2027-01-01", "2029-12-31") == expected


@pytest.mark.parametrize(
    ("recurrence", "pointer"),
    [
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "/recurrence/rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z"}, "/recurrence/rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=10001"}, "/recurrence/rrule"),
        ({"rrule": "FREQ=MINUTELY"}, "/recurrence/rrule"),
        ({"rrule": "FREQ=YEARLY;RSCALE=CHINESE"}, "/recurrence/rrule"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "/recurrence/rrule"),
        ({"rrule": "nonsense"}, "/recurrence/rrule"),
        ({"rdates": ["2026-10-07"]}, "/recurrence/rdates"),
        ({"exdates": ["never"], "rrule": "FREQ=DAILY"}, "/recurrence/exdates/0"),
    ],
)
async def test_an_invalid_rule_is_refused_at_its_field(ada: Person, recurrence: dict[str, Any], pointer: str) -> None:
    refused = ok(await ada.post("/events", json=WEEKLY | {"recurrence": recurrence}), 422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]


async def test_an_undated_event_cannot_repeat(ada: Person) -> None:
    refused = ok(await ada.post("/events", json={"title": "x", "recurrence": {"rrule": "FREQ=DAILY"}}), 422)
    assert refused["errors"][0]["pointer"] == "/recurrence"


async def test_only_the_creator_changes_an_occurrence(ada: Person, ben: Person) -> None:
    event = await ada.event(**WEEKLY | {"visibility": "public"})
    assert (await patch(ben, event, "2026-10-13T18:00:00", title="Mine")).status_code == 403
    assert (await ben.delete(f"/events/{event['id']}/occurrences/2026-10-13T18:00:00")).status_code == 403


@pytest.mark.parametrize("id", ["2026-10-14T18:00:00", "2026-10-13", "nonsense", "2026-10-13T18:00:01", "%00"])
async def test_an_unknown_occurrence_is_not_found(ada: Person, id: str) -> None:
    event = await ada.event(**WEEKLY)
    assert (await patch(ada, event, id, title="x")).status_code == 404


async def test_an_occurrence_is_not_changed_with_an_old_etag(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    path = f"/events/{event['id']}/occurrences/2026-10-13T18:00:00"
    ok(await ada.patch(path, json={"title": "x"}, headers={"If-Match": '"1"'}))
    assert (await ada.patch(path, json={"title": "y"}, headers={"If-Match": '"1"'})).status_code == 412


async def test_all_day_events_repeat_by_days(ada: Person) -> None:
    await ada.event(title="Rent", start="2026-01-31", recurrence={"rrule": "FREQ=MONTHLY;BYMONTHDAY=-1"})
    assert await starts(ada, "2026-02-01", "2026-05-01") == ["2026-02-28", "2026-03-31", "2026-04-30"]


async def test_the_default_window_of_occurrences_is_the_month_from_now(ada: Person) -> None:
    await ada.event(**WEEKLY | {"start": "2006-10-03T18:00:00", "end": "2006-10-03T20:00:00"})
    assert len(ok(await ada.get("/events/occurrences"))["items"]) in (4, 5)
