"""Double bookings are refused to whom asks for that, and named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.clients import Person, ok

EVENING = {"start": "2026-12-01T18:00:00Z", "end": "2026-12-01T20:00:00Z"}
LATER = {"start": "2026-12-01T20:00:00Z", "end": "2026-12-01T21:00:00Z"}
LATE = {"start": "2026-12-01T19:30:00Z", "end": "2026-12-01T20:30:00Z"}
DAILY = {"start": "2026-12-01T09:00:00", "end": "2026-12-01T10:00:00", "recurrence": {"rrule": "FREQ=DAILY;COUNT=10"}}


async def book(person: Person, **fields: Any) -> httpx.Response:
    return await person.post("/events?on_conflict=reject", json={"title": "Meeting"} | fields)


async def edit(person: Person, event: Any, rest: str = "", **fields: Any) -> httpx.Response:
    mark = "&" if "?" in rest else "?"
    return await person.patch(f"/events/{event['id']}{rest}{mark}on_conflict=reject", json=fields)


def refused(response: httpx.Response) -> list[Any]:
    """What a refused double booking collides with."""
    body = ok(response, 409)
    assert response.headers["content-type"] == "application/problem+json"
    assert (body["type"], body["title"], body["status"]) == ("/problems/double-booking", "Conflict", 409)
    found: list[Any] = body["conflicts"]
    return found


async def test_a_double_booking_is_refused_and_the_other_event_is_named(ada: Person) -> None:
    dinner = await ada.event(title="Dinner", time_zone="Europe/Berlin", **EVENING)
    before = ok(await ada.get("/events"))
    assert refused(await book(ada, **LATE)) == [
        {
            "id": dinner["id"],
            "title": "Dinner",
            "start": "2026-12-01T19:00:00+01:00",
            "end": "2026-12-01T21:00:00+01:00",
            "recurrence_id": None,
        }
    ]
    assert ok(await ada.get("/events")) == before
    assert len((await ada.me())["events"]) == 1


async def test_double_bookings_are_allowed_by_default(ada: Person) -> None:
    await ada.event(**EVENING)
    ok(await ada.post("/events", json={"title": "Meeting"} | LATE), 201)
    ok(await ada.post("/events?on_conflict=allow", json={"title": "Meeting"} | LATE), 201)
    for value in ("", "rejects", "Reject", "true"):
        response = await ada.post(f"/events?on_conflict={value}", json={"title": "Meeting"})
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == ["/on_conflict"]


async def test_adjacent_empty_cancelled_undated_and_foreign_events_do_not_conflict(ada: Person, ben: Person) -> None:
    await ben.event(visibility="public", **EVENING)
    await ada.event(start="2026-12-01T19:00:00Z")
    await ada.event(status="cancelled", **EVENING)
    await ada.event()
    ok(await book(ada, **EVENING), 201)
    ok(await book(ada, **LATER), 201)
    ok(await book(ada, start="2026-12-01T19:00:00Z"), 201)
    ok(await book(ada, status="cancelled", **EVENING), 201)
    ok(await book(ada), 201)


async def test_a_transparent_event_does_not_conflict(ada: Person) -> None:
    free = await ada.event(transparency="transparent", **EVENING)
    ok(await book(ada, **EVENING), 201)
    # Nor is anything in its way.
    ok(await edit(ada, free, title="Still free"))
    refused(await edit(ada, free, transparency="opaque"))


async def test_at_most_ten_conflicts_are_named_in_the_order_of_their_start(ada: Person) -> None:
    for number in (3, 1, 2):
        await ada.event(title=f"{number}", start=f"2026-12-0{number}T10:00:00Z", end=f"2026-12-0{number}T11:00:00Z")
    await ada.event(
        title="daily", start="2026-12-02T08:00:00Z", end="2026-12-02T09:00:00Z", recurrence={"rrule": "FREQ=DAILY"}
    )
    found = refused(await book(ada, start="2026-12-01", end="2026-12-31"))
    assert len(found) == 10
    assert [one["start"] for one in found] == sorted(one["start"] for one in found)
    assert [one["title"] for one in found[:5]] == ["1", "daily", "2", "daily", "3"]
    assert found[1]["recurrence_id"] == "2026-12-02T08:00:00"


async def test_the_first_conflicts_are_named_also_if_others_were_created_before(ada: Person) -> None:
    for title, day, rule in (("late", "2026-12-20", "FREQ=DAILY;COUNT=20"), ("early", "2026-12-02", "FREQ=WEEKLY")):
        times = {"start": f"{day}T09:00:00Z", "end": f"{day}T10:00:00Z"}
        await ada.event(title=title, recurrence={"rrule": rule}, **times)
    conflicts = refused(
        await book(
            ada,
            start="2026-12-02T09:30:00Z",
            end="2026-12-02T09:45:00Z",
            recurrence={"rrule": "FREQ=DAILY"},
        )
    )
    starts = [conflict["start"] for conflict in conflicts]
    assert starts == sorted(starts)
    assert [conflict["title"] for conflict in conflicts] == [*["early"] * 3, *["late"] * 4, "early", *["late"] * 2]


async def test_all_day_events_conflict_by_the_midnights_of_their_zone(ada: Person) -> None:
    day = await ada.event(start="2026-12-01", time_zone="Europe/Berlin")
    (found,) = refused(await book(ada, start="2026-11-30T23:30:00Z", end="2026-12-01T00:30:00Z"))
    assert (found["id"], found["start"], found["end"]) == (day["id"], "2026-12-01", None)
    ok(await book(ada, start="2026-11-30T22:00:00Z", end="2026-11-30T23:00:00Z"), 201)
    ok(await book(ada, start="2026-12-01T23:00:00Z", end="2026-12-02T00:00:00Z"), 201)


async def test_an_edit_that_moves_onto_another_event_is_refused_and_changes_nothing(ada: Person) -> None:
    dinner, meeting = await ada.event(**EVENING), await ada.event(title="Meeting", **LATER)
    (found,) = refused(await edit(ada, meeting, start="2026-12-01T19:30:00Z"))
    assert found["id"] == dinner["id"]
    draft = {"title": "Meeting"} | LATE
    (found,) = refused(await ada.put(f"/events/{meeting['id']}?on_conflict=reject", json=draft))
    assert found["id"] == dinner["id"]
    assert ok(await ada.get(f"/events/{meeting['id']}")) == meeting
    # Within its own time, and away from it, it may move.
    ok(await edit(ada, meeting, start="2026-12-01T20:15:00Z"))
    moved = ok(await edit(ada, dinner, start="2026-12-01T16:00:00Z", end="2026-12-01T18:00:00Z"))
    assert moved["revision"] == 2
    ok(await ada.put(f"/events/{meeting['id']}?on_conflict=reject", json=draft))


async def test_other_errors_are_the_same_with_on_conflict_reject(ada: Person) -> None:
    meeting = await ada.event(**EVENING)
    path = f"/events/{meeting['id']}?on_conflict=reject"
    response = await ada.patch(path, json={"title": "x"}, headers={"If-Match": '"7"'})
    assert response.status_code == 412
    assert (await book(ada, start="x")).status_code == 422
    ok(await ada.delete(f"/events/{meeting['id']}"), 204)
    assert (await ada.patch(path, json={"title": "x"})).status_code == 404
    await ada.event(uid="one")
    body = ok(await book(ada, uid="one", **EVENING), 409)
    assert body["type"] == "/problems/conflict" and "conflicts" not in body


async def test_a_series_is_refused_for_any_of_its_occurrences(ada: Person) -> None:
    dentist = await ada.event(title="Dentist", start="2026-12-07T09:30:00Z", end="2026-12-07T10:30:00Z")
    assert [one["id"] for one in refused(await book(ada, **DAILY))] == [dentist["id"]]
    ok(await book(ada, **DAILY | {"recurrence": {"rrule": "FREQ=DAILY;COUNT=6"}}), 201)
    ok(
        await book(
            ada,
            **DAILY
            | {
                "recurrence": {"rrule": "FREQ=DAILY;COUNT=9", "exdates": ["2026-12-07T09:00:00"]},
                "start": "2026-12-07T09:00:00",
                "end": "2026-12-07T09:20:00",
            },
        ),
        201,
    )


async def test_a_moved_occurrence_conflicts_at_its_new_time_only(ada: Person) -> None:
    series = await ada.event(title="Standup", **DAILY)
    path = f"/events/{series['id']}/occurrences"
    moved = {"title": "Moved", "start": "2026-12-20T09:00:00", "end": "2026-12-20T11:00:00"}
    ok(await ada.patch(f"{path}/2026-12-03T09:00:00", json=moved))
    ok(await ada.patch(f"{path}/2026-12-04T09:00:00", json={"status": "cancelled"}))
    ok(await ada.delete(f"{path}/2026-12-05T09:00:00"), 204)
    for day in (3, 4, 5):
        ok(await book(ada, start=f"2026-12-0{day}T09:00:00Z", end=f"2026-12-0{day}T10:00:00Z"), 201)
    assert refused(await book(ada, start="2026-12-20T10:30:00Z", end="2026-12-20T12:00:00Z")) == [
        {
            "id": series["id"],
            "title": "Moved",
            "start": "2026-12-20T09:00:00Z",
            "end": "2026-12-20T11:00:00Z",
            "recurrence_id": "2026-12-03T09:00:00",
        }
    ]


async def test_two_series_conflict_only_where_their_occurrences_overlap(ada: Person) -> None:
    """Nine in Berlin and eight in Lisbon are one instant, but for the weeks in which only one has summer time."""
    weekly: dict[str, Any] = {
        "start": "2026-03-02T09:00:00",
        "end": "2026-03-02T10:00:00",
        "time_zone": "America/New_York",
    }
    ours = await ada.event(**weekly, recurrence={"rrule": "FREQ=WEEKLY;COUNT=8"})
    # New York is at summer time from the 8th of March on, Berlin from the 29th.
    there = {"start": "2026-03-02T14:00:00", "end": "2026-03-02T15:00:00", "time_zone": "Europe/Berlin"}
    found = refused(await book(ada, **there, recurrence={"rrule": "FREQ=WEEKLY;COUNT=8"}))
    assert {one["id"] for one in found} == {ours["id"]}
    assert [one["recurrence_id"][:10] for one in found] == ["2026-03-09", "2026-03-16", "2026-03-23"]
    weeks = {"exdates": [f"2026-03-{day:02}T14:00:00" for day in (9, 16, 23)]}
    ok(await book(ada, **there, recurrence={"rrule": "FREQ=WEEKLY;COUNT=8"} | weeks), 201)


async def test_one_occurrence_moved_onto_another_event_is_refused(ada: Person) -> None:
    series, dentist = await ada.event(**DAILY), await ada.event(title="Dentist", **EVENING)
    # That one already collides is the matter of that one alone.
    await ada.event(start="2026-12-05T09:00:00Z", end="2026-12-05T10:00:00Z")
    path = "/occurrences/2026-12-02T09:00:00"
    there = {"start": "2026-12-01T19:00:00", "end": "2026-12-01T19:30:00"}
    assert [one["id"] for one in refused(await edit(ada, series, path, **there))] == [dentist["id"]]
    assert ok(await ada.get(f"/events/{series['id']}")) == series
    ok(await edit(ada, series, path, start="2026-12-01T17:00:00", end="2026-12-01T18:00:00"))
    # Onto another occurrence of its own it may go: an event does not collide with itself.
    ok(await edit(ada, series, path, start="2026-12-03T09:00:00", end="2026-12-03T10:00:00"))


async def test_moving_following_occurrences_conflicts_with_other_events_and_not_with_the_remaining_ones(
    ada: Person,
) -> None:
    series, dentist = await ada.event(**DAILY), await ada.event(title="Dentist", **EVENING)
    await ada.event(title="past", start="2026-12-02T09:00:00Z", end="2026-12-02T09:30:00Z")
    path = "/occurrences/2026-12-04T09:00:00?scope=following"
    # They would begin before what is left of it ends, on the first of December.
    back = {"start": "2026-12-01T19:00:00", "end": "2026-12-01T20:00:00"}
    assert [one["id"] for one in refused(await edit(ada, series, path, **back))] == [dentist["id"]]
    assert ok(await ada.get(f"/events/{series['id']}")) == series
    made = ok(await edit(ada, series, path, start="2026-12-03T09:30:00", end="2026-12-03T10:30:00"))
    assert made["id"] != series["id"]
    other = "/occurrences/2026-12-01T09:00:00?scope=following"
    found = refused(await edit(ada, series, other, start="2026-12-01T09:15:00", end="2026-12-01T10:15:00"))
    # Now these are two events: the second one's first occurrence is on the day of the first one's last.
    assert made["id"] in {one["id"] for one in found}


async def test_past_occurrences_of_a_series_do_not_conflict(ada: Person) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = now - timedelta(days=30)
    old = {"start": f"{start:%Y-%m-%dT%H:%M:%S}", "end": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"}
    await ada.event(**old)
    ok(await book(ada, **old, recurrence={"rrule": "FREQ=WEEKLY"}), 201)
    assert refused(await book(ada, **old))


async def test_a_booking_repeated_with_its_key_returns_the_first_response(ada: Person) -> None:
    key = {"Idempotency-Key": "the-same"}
    body = {"title": "Meeting"} | EVENING
    first = ok(await ada.post("/events?on_conflict=reject", json=body, headers=key), 201)
    assert ok(await ada.post("/events?on_conflict=reject", json=body, headers=key), 201) == first
    refused(await book(ada, **EVENING))


async def test_a_refused_booking_changes_nothing_in_the_account(ada: Person) -> None:
    await ada.event(**EVENING)
    before = await ada.me()
    refused(await book(ada, **EVENING))
    made = ok(await book(ada, **LATER), 201)
    after = await ada.me()
    assert after["events"] == [*before["events"], made["id"]]
    assert set(after) == set(before)


@pytest.mark.parametrize("rule", ["FREQ=HOURLY", "FREQ=DAILY", "FREQ=YEARLY"])
async def test_only_the_first_occurrences_of_a_series_are_compared(ada: Person, rule: str) -> None:
    start = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    steps = {"FREQ=HOURLY": timedelta(hours=1), "FREQ=DAILY": timedelta(days=1), "FREQ=YEARLY": timedelta(days=365)}
    last = min(start + 999 * steps[rule], start + timedelta(days=4 * 365 + 1))

    async def other(begins: datetime) -> Any:
        return await ada.event(start=begins.isoformat(), end=(begins + timedelta(minutes=30)).isoformat())

    series = {
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "recurrence": {"rrule": rule},
    }
    behind = start + 1000 * steps[rule] if rule != "FREQ=YEARLY" else start.replace(year=start.year + 5)
    await other(behind)
    made = ok(await book(ada, **series), 201)
    ok(await ada.delete(f"/events/{made['id']}"), 204)
    if rule == "FREQ=YEARLY":
        last = start.replace(year=start.year + 4)
    within = await other(last)
    assert [one["id"] for one in refused(await book(ada, **series))] == [within["id"]]
