"""Undo: what events were, who changed them and when, and making them so again."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI

from models.events import revision as states
from models.events import revision_view as views
from models.events.event import Event
from models.events.revision import Revision
from planner.services.accounts.administration import Administration
from tests.support.clients import Person, Planner, ok, sign_up
from tests.support.services import database_of, services_of

SERVERS_OWN = ("revision", "updated_at")


@pytest.fixture
async def moderator(app: FastAPI, api: Planner) -> Person:
    """Who may take events down."""
    people: Administration = services_of(app).administration
    grace = await sign_up(api, "grace@example.com")
    assert await people.make_admin(grace.email)
    return grace


async def history(person: Person, id: str, **query: Any) -> list[Any]:
    items: list[Any] = ok(await person.get(f"/events/{id}/revisions", params=query))["items"]
    return items


async def restore(person: Person, id: str, revision: int | None = None, tag: str | None = None) -> httpx.Response:
    body = {} if revision is None else {"revision": revision}
    return await person.post(f"/events/{id}/restore", json=body, headers={"If-Match": tag} if tag else {})


async def changed(person: Person, event: Any, **fields: Any) -> Any:
    return ok(await person.patch(f"/events/{event['id']}", json=fields))


async def remove(person: Person, event: Any) -> None:
    ok(await person.delete(f"/events/{event['id']}"), 204)


def content_of(event: Any) -> Any:
    """What an event says, whichever revision says so."""
    return {name: value for name, value in event.items() if name not in SERVERS_OWN}


async def test_each_revision_has_its_author_time_fields_and_state(ada: Person) -> None:
    first = await ada.event(title="Book launch", tags=["books"])
    second = await changed(ada, first, title="Reading", location="Library")
    third = await changed(ada, first, start="2026-12-01T18:00:00", time_zone="Europe/Berlin")
    entries = [
        {"act": "changed", "fields": ["start", "time_zone"], "event": third},
        {"act": "changed", "fields": ["title", "location"], "event": second},
        {"act": "created", "fields": None, "event": first},
    ]
    assert await history(ada, first["id"]) == [
        entry | {"revision": 3 - n, "at": entry["event"]["updated_at"], "by": ada.id} for n, entry in enumerate(entries)
    ]


async def test_a_deletion_is_a_revision_of_its_own(ada: Person) -> None:
    event = await ada.event()
    await remove(ada, event)
    removal, before = await history(ada, event["id"])
    assert datetime.fromisoformat(removal.pop("at")) >= datetime.fromisoformat(event["updated_at"])
    assert removal == {"revision": 2, "by": ada.id, "act": "deleted", "fields": None, "event": None}
    assert (before["revision"], before["act"], before["event"]) == (1, "created", event)


async def test_the_last_change_is_undone_and_an_undo_is_undone_by_another(ada: Person) -> None:
    event = await ada.event(title="Book launch", description="Readings.")
    await changed(ada, event, title="Reading", description=None, tags=["new"])
    response = await restore(ada, event["id"])
    undone = ok(response)
    assert (undone["revision"], response.headers["etag"]) == (3, '"3"')
    assert content_of(undone) == content_of(event)
    assert ok(await ada.get(f"/events/{event['id']}")) == undone
    redone = ok(await restore(ada, event["id"]))
    assert (redone["title"], redone["description"], redone["tags"]) == ("Reading", None, ["new"])
    acts = [(entry["act"], entry["fields"]) for entry in await history(ada, event["id"])]
    fields = ["title", "description", "tags"]
    assert acts == [("restored", fields), ("restored", fields), ("changed", fields), ("created", None)]


async def test_undo_needs_no_body(ada: Person) -> None:
    event = await ada.event(title="Book launch")
    await changed(ada, event, title="Reading")
    assert ok(await ada.post(f"/events/{event['id']}/restore"))["title"] == "Book launch"


async def test_any_earlier_revision_can_be_restored(ada: Person) -> None:
    event = await ada.event(title="1")
    for number in range(2, 6):
        await changed(ada, event, title=str(number))
    restored = ok(await restore(ada, event["id"], 2))
    assert (restored["title"], restored["revision"]) == ("2", 6)
    assert [entry["event"]["title"] for entry in await history(ada, event["id"])] == ["2", "5", "4", "3", "2", "1"]


async def test_restoring_the_current_state_changes_nothing(ada: Person) -> None:
    event = await ada.event(title="Book launch")
    await changed(ada, event, title="Reading")
    back = ok(await restore(ada, event["id"], 1))
    for revision in (1, 3):
        assert ok(await restore(ada, event["id"], revision)) == back


async def test_an_event_that_was_never_changed_cannot_be_undone(ada: Person) -> None:
    event = await ada.event()
    ok(await restore(ada, event["id"]), 409)
    assert ok(await ada.get(f"/events/{event['id']}")) == event


@pytest.mark.parametrize("revision", [3, 4, 2**53])
async def test_a_missing_revision_or_a_deletion_cannot_be_restored(ada: Person, revision: int) -> None:
    event = await ada.event()
    await changed(ada, event, title="Reading")
    await remove(ada, event)
    problem = ok(await restore(ada, event["id"], revision), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/revision"]
    ok(await restore(ada, event["id"]))
    assert (await restore(ada, event["id"], revision)).status_code == (422 if revision != 4 else 200)


async def test_a_restore_with_an_old_etag_is_refused(ada: Person) -> None:
    event = await ada.event(title="Book launch")
    now = await changed(ada, event, title="Reading")
    ok(await restore(ada, event["id"], tag='"1"'), 412)
    assert ok(await ada.get(f"/events/{event['id']}")) == now
    assert ok(await restore(ada, event["id"], tag='"2"'))["title"] == "Book launch"


async def test_a_restored_event_has_its_id_its_uid_and_its_place_in_the_account(ada: Person) -> None:
    before, event = await ada.event(), await ada.event(uid="launch@example.com", start="2026-12-01")
    await changed(ada, event, title="Reading")
    last = ok(await ada.get(f"/events/{event['id']}"))
    await remove(ada, event)
    response = await restore(ada, event["id"])
    restored = ok(response)
    assert (restored["revision"], response.headers["etag"]) == (4, '"4"')
    assert content_of(restored) == content_of(last)
    assert ok(await ada.get(f"/events/{event['id']}")) == restored
    assert (await ada.me())["events"] == [before["id"], event["id"]]
    assert [item["id"] for item in ok(await ada.get("/events"))["items"]] == [event["id"], before["id"]]
    acts = [(entry["revision"], entry["act"], entry["fields"]) for entry in await history(ada, event["id"])]
    assert acts == [(4, "restored", []), (3, "deleted", None), (2, "changed", ["title"]), (1, "created", None)]


async def test_a_deleted_event_can_be_restored_to_an_earlier_revision(ada: Person) -> None:
    event = await ada.event(title="Book launch")
    await changed(ada, event, title="Reading")
    await remove(ada, event)
    restored = ok(await restore(ada, event["id"], 1))
    assert (restored["title"], restored["revision"]) == ("Book launch", 4)
    assert (await history(ada, event["id"]))[0]["fields"] == ["title"]


async def test_the_restore_of_a_deleted_event_cannot_be_undone(ada: Person) -> None:
    event = await ada.event()
    await remove(ada, event)
    restored = ok(await restore(ada, event["id"]))
    assert "deleted" in ok(await restore(ada, event["id"]), 409)["detail"]
    assert ok(await ada.get(f"/events/{event['id']}")) == restored


async def test_the_latest_revision_of_a_deleted_event_is_its_deletion(ada: Person) -> None:
    event = await ada.event()
    await remove(ada, event)
    ok(await restore(ada, event["id"], tag='"1"'), 412)
    ok(await ada.get(f"/events/{event['id']}"), 404)
    assert ok(await restore(ada, event["id"], tag='"2"'))["revision"] == 3


async def test_an_event_can_be_deleted_and_restored_repeatedly(ada: Person) -> None:
    event = await ada.event(title="Book launch")
    for turn in range(1, 4):
        await remove(ada, event)
        restored = ok(await restore(ada, event["id"]))
        assert restored["revision"] == 1 + 2 * turn
        assert content_of(restored) == content_of(event)
    assert (await ada.me())["events"] == [event["id"]]


async def test_revisions_are_for_the_creator_and_refused_to_others_like_the_event(ada: Person, ben: Person) -> None:
    hidden, seen = await ada.event(), await ada.event(visibility="public")
    for event, status in ((hidden, 404), (seen, 403)):
        await changed(ada, event, title="Reading")
        now = ok(await ada.get(f"/events/{event['id']}"))
        ok(await ben.get(f"/events/{event['id']}/revisions"), status)
        ok(await restore(ben, event["id"]), status)
        assert ok(await ada.get(f"/events/{event['id']}")) == now
        await remove(ada, event)
        missing = await ben.get(f"/events/{'f' * 24}/revisions")
        removed = await ben.get(f"/events/{event['id']}/revisions")
        assert (removed.status_code, removed.content) == (404, missing.content)
        ok(await restore(ben, event["id"]), 404)


async def test_an_undo_restores_the_visibility(ada: Person, ben: Person) -> None:
    event = await ada.event(visibility="public")
    await changed(ada, event, visibility="private")
    ok(await ben.get(f"/events/{event['id']}"), 404)
    ok(await restore(ada, event["id"]))
    assert ok(await ben.get(f"/events/{event['id']}"))["visibility"] == "public"
    ok(await restore(ada, event["id"]))
    ok(await ben.get(f"/events/{event['id']}"), 404)


async def taken_down(ada: Person, moderator: Person) -> Any:
    event = await ada.event(title="Spam", visibility="public")
    await changed(ada, event, title="Book launch")
    ok(await moderator.put(f"/events/{event['id']}/takedown", json={"reason": "It advertises."}))
    return ok(await ada.get(f"/events/{event['id']}"))


async def test_an_undo_does_not_publish_a_taken_down_event(ada: Person, moderator: Person) -> None:
    event = await taken_down(ada, moderator)
    assert ok(await restore(ada, event["id"])) == event
    for revision in (1, 2):
        restored = ok(await restore(ada, event["id"], revision))
        assert (restored["visibility"], restored["takedown"]) == ("private", event["takedown"])
    assert restored["title"] == "Book launch"
    await remove(ada, event)
    for earlier in (None, 1, 2):
        restored = ok(await restore(ada, event["id"], earlier))
        assert (restored["visibility"], restored["takedown"]) == ("private", event["takedown"])
        await remove(ada, event)


async def test_after_a_lifted_takedown_an_event_stays_private_until_its_creator_publishes_it(
    ada: Person, ben: Person, moderator: Person
) -> None:
    event = await taken_down(ada, moderator)
    ok(await moderator.delete(f"/events/{event['id']}/takedown"))
    undone = ok(await restore(ada, event["id"], event["revision"]))
    assert (undone["visibility"], undone.get("takedown")) == ("private", None)
    public = ok(await restore(ada, event["id"], 2))
    assert public["visibility"] == "public" and "takedown" not in public
    assert ok(await ben.get(f"/events/{event['id']}")) == public


async def test_the_creator_reads_that_a_moderator_acted_and_not_which_one(ada: Person, moderator: Person) -> None:
    event = await taken_down(ada, moderator)
    ok(await moderator.delete(f"/events/{event['id']}/takedown"))
    acts = [(entry["act"], entry["by"], entry["fields"]) for entry in await history(ada, event["id"])]
    assert acts[:3] == [
        ("takedown-lifted", None, ["takedown"]),
        ("taken-down", None, ["visibility", "takedown"]),
        ("changed", ada.id, ["title"]),
    ]
    ok(await moderator.get(f"/events/{event['id']}/revisions"), 404)


async def test_an_event_is_not_restored_while_another_has_its_uid(ada: Person) -> None:
    event = await ada.event(uid="launch@example.com")
    await remove(ada, event)
    other = await ada.event(uid="launch@example.com")
    assert "uid" in ok(await restore(ada, event["id"]), 409)["detail"]
    assert (await ada.me())["events"] == [other["id"]]
    await remove(ada, other)
    assert ok(await restore(ada, event["id"]))["uid"] == "launch@example.com"


async def test_nothing_is_restored_for_a_deleted_account(ada: Person, app: FastAPI) -> None:
    event = await ada.event()
    await remove(ada, event)
    database = database_of(app)
    await database["users"].delete_one({"_id": ObjectId(ada.id)})
    # The token is believed for a moment longer.
    ok(await restore(ada, event["id"]), 401)
    assert await database["events"].count_documents({}) == 0


@pytest.mark.real_server("the mock does nothing at once")
@pytest.mark.parametrize("revision", [None, 1])
async def test_of_twenty_restores_of_a_deleted_event_at_once_one_succeeds(
    ada: Person, app: FastAPI, revision: int | None
) -> None:
    event = await ada.event()
    await remove(ada, event)
    answers = await asyncio.gather(*(restore(ada, event["id"], revision) for _ in range(20)))
    winners = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in winners}) == 1
    if revision is None:
        assert len(winners) == 1
    restored = ok(await ada.get(f"/events/{event['id']}"))
    assert restored == winners[0].json() and restored["revision"] == 3
    stored = await database_of(app)["users"].find_one({"_id": ObjectId(ada.id)})
    assert stored["events"] == {event["id"][-2:]: [ObjectId(event["id"])]}
    assert [entry["revision"] for entry in await history(ada, event["id"])] == [3, 2, 1]


@pytest.mark.real_server("the mock does nothing at once")
async def test_after_deletions_and_restores_at_once_event_account_and_revisions_agree(
    ada: Person, app: FastAPI
) -> None:
    event = await ada.event()
    database, id = database_of(app), event["id"]
    for _ in range(5):
        await asyncio.gather(
            *(ada.delete(f"/events/{id}") for _ in range(4)),
            *(restore(ada, id, 1) for _ in range(4)),
            *(ada.patch(f"/events/{id}", json={"title": str(number)}) for number in range(4)),
        )
        there = (await ada.get(f"/events/{id}")).status_code == 200
        assert (await ada.me())["events"] == ([id] if there else [])
        numbers = [entry["revision"] for entry in await history(ada, id, limit=200)]
        assert numbers == list(range(len(numbers), 0, -1))
        expiring = await database["revisions"].count_documents({"expires_at": {"$exists": True}})
        assert expiring == (0 if there else 1)


async def test_pages_of_revisions_are_read_by_key_while_the_event_changes(ada: Person) -> None:
    event = await ada.event(title="1")
    for number in range(2, 8):
        await changed(ada, event, title=str(number))
    seen, query = [], {"limit": "2"}
    while True:
        page = ok(await ada.get(f"/events/{event['id']}/revisions", params=query))
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
        await changed(ada, event, title="later")
    assert [entry["revision"] for entry in seen] == list(range(7, 0, -1))
    assert [entry["fields"] for entry in seen] == [["title"]] * 6 + [None]


async def test_a_page_of_revisions_reads_no_more_states_than_it_shows_and_two(
    ada: Person, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await ada.event(title="1")
    for number in range(60):
        await changed(ada, event, title=str(number))
    read: list[Revision] = []
    rendered: list[Event] = []
    find, build_body = vars(states)["find"], vars(views)["build_body"]

    async def noted_find(*arguments: Any, **options: Any) -> Any:
        found = await find(*arguments, **options)
        read.extend(found)
        return found

    def noted_build_body(event: Event) -> Any:
        rendered.append(event)
        return build_body(event)

    monkeypatch.setattr(states, "find", noted_find)
    monkeypatch.setattr(views, "build_body", noted_build_body)
    assert len(await history(ada, event["id"], limit=5)) == 5
    assert (len(read), len(rendered)) == (6, 7)
