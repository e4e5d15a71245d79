"""Undoing the split of a series: the halves know each other, and no occurrence is there twice."""

from typing import Any

from tests.support.clients import Person, ok

DAILY: dict[str, Any] = {
    "title": "Tea",
    "start": "2026-12-01T16:00:00",
    "end": "2026-12-01T17:00:00",
    "recurrence": {"rrule": "FREQ=DAILY;COUNT=6"},
}


async def listed(person: Person) -> list[tuple[str, str]]:
    page = ok(await person.get("/events/occurrences?from=2026-11-01&to=2027-01-31"))
    return [(item["title"], item["start"][8:13]) for item in page["items"]]


async def split(person: Person, event: Any, day: int, **fields: Any) -> Any:
    path = f"/events/{event['id']}/occurrences/2026-12-{day:02}T16:00:00?scope=following"
    return ok(await person.patch(path, json=fields))


async def restore(person: Person, event: Any, status: int = 200, **body: Any) -> Any:
    return ok(await person.post(f"/events/{event['id']}/restore", json=body), status)


WHOLE = [("Tea", f"{day:02}T16") for day in range(1, 7)]
SPLIT = WHOLE[:3] + [("Coffee", f"{day:02}T18") for day in range(4, 7)]
COFFEE: dict[str, Any] = {"title": "Coffee", "start": "2026-12-04T18:00:00", "end": "2026-12-04T19:00:00"}


async def test_an_undo_of_a_split_takes_both_halves_back(ada: Person) -> None:
    event = await ada.event(**DAILY)
    tail = await split(ada, event, 4, **COFFEE)
    assert await listed(ada) == SPLIT
    assert (await restore(ada, event))["id"] == event["id"]
    assert await listed(ada) == WHOLE
    assert (await ada.get(f"/events/{tail['id']}")).status_code == 404
    assert (await ada.me())["events"] == [event["id"]]


async def test_a_second_undo_brings_the_split_back(ada: Person) -> None:
    event = await ada.event(**DAILY)
    tail = await split(ada, event, 4, **COFFEE)
    ok(await ada.patch(f"/events/{tail['id']}", json={"location": "Kitchen"}))
    await restore(ada, event)
    await restore(ada, event)
    assert await listed(ada) == SPLIT
    assert ok(await ada.get(f"/events/{tail['id']}"))["location"] == "Kitchen"
    await restore(ada, event, revision=1)
    assert await listed(ada) == WHOLE


async def test_the_half_that_continues_a_series_undoes_the_split_as_well(ada: Person) -> None:
    event = await ada.event(**DAILY)
    tail = await split(ada, event, 4, **COFFEE)
    assert (await restore(ada, tail))["id"] == event["id"]
    assert await listed(ada) == WHOLE


async def test_a_change_of_the_second_half_is_undone_alone(ada: Person) -> None:
    event = await ada.event(**DAILY)
    tail = await split(ada, event, 4, **COFFEE)
    ok(await ada.patch(f"/events/{tail['id']}", json={"title": "Cocoa"}))
    assert (await restore(ada, tail))["title"] == "Coffee"
    assert await listed(ada) == SPLIT


async def test_each_of_several_splits_is_undone_alone_or_all_at_once(ada: Person) -> None:
    event = await ada.event(**DAILY)
    late = await split(ada, event, 5, title="Late")
    middle = await split(ada, event, 3, title="Middle")
    last = await split(ada, late, 6, title="Last")
    titles = ["Tea", "Tea", "Middle", "Middle", "Late", "Last"]
    assert [title for title, _ in await listed(ada)] == titles
    await restore(ada, event)
    assert [title for title, _ in await listed(ada)] == ["Tea", "Tea", "Tea", "Tea", "Late", "Last"]
    await restore(ada, event)
    assert [title for title, _ in await listed(ada)] == titles
    await restore(ada, event, revision=1)
    assert await listed(ada) == WHOLE
    await restore(ada, event)
    assert [title for title, _ in await listed(ada)] == titles
    assert {item["id"] for item in ok(await ada.get("/events"))["items"]} == {
        each["id"] for each in (event, middle, late, last)
    }


async def test_a_half_that_was_deleted_by_hand_stays_deleted(ada: Person) -> None:
    event = await ada.event(**DAILY)
    tail = await split(ada, event, 4, **COFFEE)
    ok(await ada.delete(f"/events/{tail['id']}"), 204)
    await restore(ada, event)
    assert await listed(ada) == WHOLE
    refused = await restore(ada, tail, 409)
    assert event["id"] in refused["detail"]
    await restore(ada, event)
    assert await listed(ada) == WHOLE[:3]
    await restore(ada, tail)
    assert await listed(ada) == SPLIT


async def test_a_half_that_an_undo_deleted_does_not_come_back_beside_the_whole(ada: Person) -> None:
    event = await ada.event(**DAILY)
    tail = await split(ada, event, 4, **COFFEE)
    await restore(ada, event)
    await restore(ada, tail, 409)
    assert await listed(ada) == WHOLE


async def test_a_deleted_event_that_comes_back_whole_replaces_its_second_half(ada: Person) -> None:
    event = await ada.event(**DAILY)
    await split(ada, event, 4, **COFFEE)
    ok(await ada.delete(f"/events/{event['id']}"), 204)
    await restore(ada, event, revision=1)
    assert await listed(ada) == WHOLE


async def test_an_event_that_was_not_split_has_no_earlier_revision_to_undo(ada: Person) -> None:
    await restore(ada, await ada.event(**DAILY), 409)
