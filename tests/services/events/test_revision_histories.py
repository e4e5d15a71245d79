"""Undo, over whole histories: random ones, single occurrences, other people's changes, states of older code."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from database.commit import commit_atomically
from database.queries import Id, parse_id
from models.events.event import Event
from models.events.event_view import find_event_view
from models.events.event_writes import delete_event_writes, update_event_writes
from planner.clock import SystemClock
from planner.services.accounts.administration import Administration
from tests.services.events.test_revisions import changed, content_of, history, remove, restore
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_up
from tests.support.services import database_of, services_of
from tests.support.stored_data import find_words

WEEKLY: dict[str, Any] = {
    "title": "Choir",
    "start": "2026-10-06T18:00:00",
    "end": "2026-10-06T20:00:00",
    "time_zone": "Europe/Berlin",
    "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=TU"},
}
WINDOW = {"from": "2026-09-01", "to": "2026-12-31", "scope": "mine", "limit": 200}
# What a random change may say.
CHANGES: list[dict[str, Any]] = [
    {"title": "Choir"},
    {"title": "Rehearsal", "description": "Bring the scores.", "tags": ["music"]},
    {"description": None, "tags": [], "location": "Church"},
    {"start": "2026-10-07T19:00:00", "end": "2026-10-07T21:30:00", "time_zone": "Europe/Paris"},
    {"start": "2026-10-06", "end": None, "time_zone": None, "recurrence": None},
    {"start": "2026-10-06T18:00:00", "end": "2026-10-06T20:00:00", "recurrence": WEEKLY["recurrence"]},
    {"start": None, "end": None, "recurrence": None},
    {"geo": {"lat": 52.5, "lon": 13.4}, "reminders": [10, 60]},
    {"geo": None, "reminders": [], "visibility": "public"},
    {"visibility": "unlisted", "status": "tentative", "image": "https://example.com/choir.png"},
]


class TrackedEvent:
    """An event, and its state at each of its revisions; None where it was deleted."""

    def __init__(self, person: Person, id: str) -> None:
        self.person, self.id = person, id
        self.states: list[Any] = []

    @property
    def there(self) -> bool:
        return self.states[-1] is not None

    async def look(self) -> Any:
        """Return the event and its occurrences as the API shows them."""
        event = ok(await self.person.get(f"/events/{self.id}"))
        page = ok(await self.person.get("/events/occurrences", params=WINDOW))
        return event, [content_of(item) for item in page["items"] if item["id"] == self.id]

    async def note(self) -> None:
        """Note the revision that the event has now, which must be the next one."""
        state = await self.look()
        assert state[0]["revision"] == len(self.states) + 1
        self.states.append(state)

    async def patch(self, luck: random.Random) -> None:
        ok(await self.person.patch(f"/events/{self.id}", json=luck.choice(CHANGES)))
        await self.note()

    async def change_occurrence(self, luck: random.Random) -> None:
        found = self.states[-1][1]
        if len(found) < 5:
            return
        item = luck.choice(found[1:])
        path = f"/events/{self.id}/occurrences/{item['recurrence_id']}"
        if luck.random() < 0.3:
            ok(await self.person.delete(path), 204)
        elif luck.random() < 0.2:
            made = ok(await self.person.patch(f"{path}?scope=following", json={"title": "Another choir"}))
            (first,) = await history(self.person, made["id"])
            assert (first["revision"], first["act"], first["event"]["title"]) == (1, "created", "Another choir")
        else:
            ok(await self.person.patch(path, json={"title": f"Concert {luck.randrange(9)}"}))
        await self.note()

    async def remove(self, luck: random.Random) -> None:
        ok(await self.person.delete(f"/events/{self.id}"), 204)
        self.states.append(None)

    async def restore(self, luck: random.Random) -> None:
        last = len(self.states)
        number = luck.choice([None, None, luck.randrange(1, last + 2)])
        answer = await restore(self.person, self.id, number)
        target = number or (last - 1)
        if number is not None and (target > last or self.states[target - 1] is None):
            ok(answer, 422)
            return
        if number is None and self.there and (target == 0 or self.states[target - 1] is None):
            ok(answer, 409)
            return
        restored = ok(answer)
        event, occurrences = await self.look()
        assert event == restored
        assert (content_of(event), occurrences) == (content_of(self.states[target - 1][0]), self.states[target - 1][1])
        if restored["revision"] == last:
            assert event == self.states[-1][0]
        else:
            await self.note()


@pytest.mark.parametrize("seed", range(6))
async def test_after_random_changes_every_revision_can_be_read_and_restored(ada: Person, seed: int) -> None:
    luck = random.Random(seed)
    tracked = TrackedEvent(ada, (await ada.event(**WEEKLY))["id"])
    await tracked.note()
    for _ in range(40):
        steps: list[Callable[[random.Random], Awaitable[None]]] = [tracked.restore]
        if tracked.there:
            steps = [
                tracked.patch,
                tracked.patch,
                tracked.change_occurrence,
                tracked.restore,
                tracked.restore,
                tracked.remove,
            ]
        await luck.choice(steps)(luck)
    entries = await history(ada, tracked.id, limit=200)
    assert [entry["revision"] for entry in entries] == list(range(len(tracked.states), 0, -1))
    assert [entry["event"] for entry in reversed(entries)] == [state and state[0] for state in tracked.states]
    embedded = (await ada.me())["events"]
    assert embedded.count(tracked.id) == (1 if tracked.there else 0)


async def occurrences(person: Person) -> list[tuple[str, str]]:
    page = ok(await person.get("/events/occurrences?from=2026-10-01&to=2026-10-28"))
    return [(item["start"], item["title"]) for item in page["items"]]


async def test_a_change_of_one_occurrence_can_be_undone_and_is_listed(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    before = await occurrences(ada)
    path = f"/events/{event['id']}/occurrences"
    concert = {"title": "Concert", "start": "2026-10-14T19:00:00", "end": "2026-10-14T22:00:00"}
    ok(await ada.patch(f"{path}/2026-10-13T18:00:00", json=concert))
    moved = await occurrences(ada)
    ok(await ada.delete(f"{path}/2026-10-20T18:00:00"), 204)
    assert before != moved != await occurrences(ada)
    assert [entry["fields"] for entry in await history(ada, event["id"])] == [["recurrence"], ["occurrences"], None]
    ok(await restore(ada, event["id"]))
    assert await occurrences(ada) == moved
    ok(await restore(ada, event["id"], 1))
    assert await occurrences(ada) == before
    ok(await restore(ada, event["id"], 3))
    await remove(ada, event)
    assert await occurrences(ada) == []
    ok(await restore(ada, event["id"], 2))
    assert await occurrences(ada) == moved


async def test_an_event_whose_last_occurrence_was_deleted_can_be_restored(ada: Person) -> None:
    event = await ada.event(**WEEKLY | {"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=1"}})
    ok(await ada.delete(f"/events/{event['id']}/occurrences/2026-10-06T18:00:00"), 204)
    ok(await ada.get(f"/events/{event['id']}"), 404)
    ok(await restore(ada, event["id"]))
    assert len(await occurrences(ada)) == 1


async def test_the_event_made_of_following_occurrences_has_its_own_history(ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    path = f"/events/{event['id']}/occurrences/2026-10-13T18:00:00"
    tail = ok(await ada.patch(f"{path}?scope=following", json={"title": "Orchestra"}))
    assert [(entry["revision"], entry["act"]) for entry in await history(ada, tail["id"])] == [(1, "created")]
    assert [entry["fields"] for entry in await history(ada, event["id"])] == [["recurrence"], None]
    # Both are undone together, so that no occurrence is there twice.
    assert ok(await restore(ada, event["id"]))["recurrence"] == event["recurrence"]
    ok(await ada.get(f"/events/{tail['id']}"), 404)


async def test_revisions_stored_by_older_versions_can_be_read_and_restored(ada: Person, app: FastAPI) -> None:
    event = await ada.event(title="Book launch", tags=["books"])
    await changed(ada, event, title="Reading", reminders=[10], geo={"lat": 52.5, "lon": 13.4})
    database = database_of(app)
    newer = (
        "reminders",
        "place",
        "image",
        "url",
        "geo",
        "description",
        "location",
        "start",
        "end",
        "time_zone",
    )
    await database["revisions"].update_one(
        {"event": ObjectId(event["id"])}, {"$unset": {f"state.{name}": "" for name in newer}}
    )
    assert (await history(ada, event["id"]))[1]["event"] == event
    restored = ok(await restore(ada, event["id"]))
    assert content_of(restored) == content_of(event)
    await remove(ada, event)
    assert content_of(ok(await restore(ada, event["id"], 1))) == content_of(event)


async def test_the_oldest_stored_revision_has_no_list_of_changed_fields(ada: Person, app: FastAPI) -> None:
    event = await ada.event()
    for number in range(3):
        await changed(ada, event, title=str(number))
    database = database_of(app)
    await database["revisions"].delete_many({"event": ObjectId(event["id"]), "revision": {"$lt": 3}})
    entries = await history(ada, event["id"])
    assert [(entry["revision"], entry["act"], entry["fields"]) for entry in entries] == [
        (4, "changed", ["title"]),
        (3, "changed", None),
    ]


async def test_the_sequence_and_the_times_of_a_restored_event_continue(ada: Person, app: FastAPI) -> None:
    event = await ada.event()
    database, id = database_of(app), ObjectId(event["id"])
    await database["events"].update_one({"_id": id}, {"$set": {"sequence": 7}})
    await changed(ada, event, title="Reading")
    for turn in range(2):
        await database["event_changes"].update_one({"_id": id}, {"$set": {"change_number": 5}})
        stored = await database["events"].find_one({"_id": id})
        ok(await restore(ada, event["id"], 2 if turn else 1))
        after = await database["events"].find_one({"_id": id})
        assert after["sequence"] == 7 and after["revision"] == stored["revision"] + 1
        # Nothing that lists changes may think that it knows this one.
        assert (await database["event_changes"].find_one({"_id": id}))["change_number"] != 5
        assert after["created_at"] == stored["created_at"] and after["updated_at"] >= stored["updated_at"]
    await remove(ada, event)
    ok(await restore(ada, event["id"], 1))
    assert (await database["events"].find_one({"_id": id}))["sequence"] == 7


async def by_another(app: FastAPI, event: Any, editor: Person, **fields: Any) -> None:
    """A change by somebody who may, and is not the creator."""
    id, by = parse_id(event["id"]), parse_id(editor.id)
    assert id and by
    view = await find_event_view(id)
    assert view and await change(view.event, by, **fields)


async def change(before: Event, by: Id, **fields: Any) -> bool:
    after = before.revise(fields, by=by, now=SystemClock().now())
    return await commit_atomically(update_event_writes(before, after))


async def test_another_editor_is_named_in_the_history_until_the_account_is_deleted(
    ada: Person, ben: Person, app: FastAPI
) -> None:
    event = await ada.event(title="Book launch")
    await by_another(app, event, ben, title="Reading")
    await changed(ada, event, title="Talk")
    await by_another(app, event, ben, title="Reading once more")
    assert [entry["by"] for entry in await history(ada, event["id"])] == [ben.id, ada.id, ben.id, ada.id]
    ok(await ben.request("DELETE", "/users/me", json={"password": PASSWORD}), 204)
    assert await find_words(database_of(app), ben.id) == []
    assert [entry["by"] for entry in await history(ada, event["id"])] == [None, ada.id, None, ada.id]
    # What was read before they left cannot bring them back.
    ok(await restore(ada, event["id"]))
    assert await find_words(database_of(app), ben.id) == []


async def test_a_change_based_on_a_state_with_a_deleted_editor_must_be_repeated(
    ada: Person, ben: Person, app: FastAPI
) -> None:
    event = await ada.event()
    await by_another(app, event, ben, title="Reading")
    id, me = parse_id(event["id"]), parse_id(ada.id)
    assert id and me
    view = await find_event_view(id)
    ok(await ben.request("DELETE", "/users/me", json={"password": PASSWORD}), 204)
    assert view and not await change(view.event, me, title="Talk")
    assert not await commit_atomically(delete_event_writes(view.event, me, SystemClock().now()))
    await changed(ada, event, title="Talk")
    assert await find_words(database_of(app), ben.id) == []


async def test_a_deleted_moderator_is_not_stored_with_a_takedown(ada: Person, app: FastAPI, api: Planner) -> None:
    people: Administration = services_of(app).administration
    grace, mary = [await sign_up(api, f"{name}@example.com") for name in ("grace", "mary")]
    for person in (grace, mary):
        assert await people.make_admin(person.email)
    event = await ada.event(visibility="public")
    ok(await grace.put(f"/events/{event['id']}/takedown", json={"reason": "It advertises."}))
    assert await find_words(database_of(app), grace.id)
    await changed(ada, event, title="Reading")
    ok(await grace.request("DELETE", "/users/me", json={"password": PASSWORD}), 204)
    assert await find_words(database_of(app), grace.id) == []
    assert [entry["act"] for entry in await history(ada, event["id"])] == ["changed", "taken-down", "created"]


async def test_the_revisions_of_a_deleted_account_are_deleted(ada: Person, ben: Person, app: FastAPI) -> None:
    kept, gone = await ada.event(), await ada.event()
    for event in (kept, gone):
        await changed(ada, event, title="Reading")
    await remove(ada, gone)
    other = await ben.event()
    await changed(ben, other, title="Talk")
    ok(await ada.request("DELETE", "/users/me", json={"password": PASSWORD}), 204)
    database = database_of(app)
    assert await find_words(database, ada.id, kept["id"], gone["id"]) == []
    assert len(await history(ben, other["id"])) == 2


async def test_an_export_contains_the_revisions_of_events_and_of_deleted_events(
    ada: Person, ben: Person, app: FastAPI
) -> None:
    event, gone = await ada.event(title="Book launch"), await ada.event(title="Dentist")
    await changed(ada, event, title="Reading")
    await by_another(app, event, ben, title="Talk")
    await remove(ada, gone)
    await changed(ben, await ben.event(title="Not ada's"), title="Nor this")
    taken = ok(await ada.get("/users/me/export"))
    exported = [(entry["id"], entry["revision"], entry["act"], entry["by"]) for entry in taken["revisions"]]
    assert sorted(exported) == sorted(
        [
            (event["id"], 1, "created", ada.id),
            (event["id"], 2, "changed", ada.id),
            (gone["id"], 1, "created", ada.id),
            (gone["id"], 2, "deleted", ada.id),
        ]
    )
    states = {(entry["id"], entry["revision"]): entry for entry in taken["revisions"]}
    assert states[gone["id"], 1]["event"] == gone and states[gone["id"], 2]["event"] is None
    assert states[event["id"], 1]["event"] == event and "restorable_until" not in states[event["id"], 1]
    assert states[gone["id"], 2]["restorable_until"] > gone["created_at"]
    assert [item["id"] for item in taken["events"]] == [event["id"]]


async def test_a_revision_has_the_stored_state_and_not_the_rendered_one(ada: Person, app: FastAPI) -> None:
    event = await ada.event(**WEEKLY)
    database, id = database_of(app), ObjectId(event["id"])
    stored = await database["events"].find_one({"_id": id})
    await changed(ada, event, title="Reading")
    kept = await database["revisions"].find_one({"event": id})
    # What a search needs is computed from the rest.
    assert {name: value for name, value in kept["state"].items() if name != "search"} == {
        name: value for name, value in stored.items() if name != "search"
    }
    assert Event.from_stored(kept["state"]).revision == kept["revision"] == 1
    assert kept["at"] - stored["updated_at"] == timedelta(0)


async def test_an_event_with_too_many_overrides_is_refused_and_can_still_be_deleted(ada: Person) -> None:
    event = await ada.event(**WEEKLY | {"recurrence": {"rrule": "FREQ=DAILY"}})
    path, large = f"/events/{event['id']}/occurrences", {"description": chr(0x1F3B5) * 20_000}
    # Twenty-six of eighty thousand bytes each have room.
    for day in range(6, 32):
        ok(await ada.patch(f"{path}/2026-10-{day:02}T18:00:00", json=large))
    refused = await ada.patch(f"{path}/2026-11-01T18:00:00", json=large)
    assert "2 MiB" in ok(refused, 422)["errors"][0]["message"]
    ok(await ada.patch(f"{path}/2026-10-07T18:00:00", json={"description": "Less."}))
    last = ok(await ada.get(f"/events/{event['id']}"))
    await remove(ada, event)
    assert content_of(ok(await restore(ada, event["id"]))) == content_of(last)
