"""While a large account is deleted piece by piece, nothing of it can be seen, by nobody and in no way."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI

from database.commit import commit_atomically
from database.queries import Id, new_id
from models.accounts import closed_account
from models.accounts.closed_account import ClosedAccount
from models.events.event_writes import delete_some_events
from planner.services.accounts import deletion
from planner.services.shared.leased_work import LONGEST_PAUSE
from tests.routes.pages.browsing import ORIGIN, Browser
from tests.support.clients import PASSWORD, Person, Planner, bearer, ok, sign_in, sign_up
from tests.support.clocks import clock_of
from tests.support.services import database_of, services_of
from tests.support.sessions import get_me, refresh
from tests.support.stored_data import find_words

pytestmark = pytest.mark.usefixtures("without_background_work")
WINDOW = "from=2026-12-01&to=2026-12-31"
WORD = "xylophone"
DATED = {"title": WORD, "start": "2026-12-01T10:00:00Z", "end": "2026-12-01T11:00:00Z", "tags": [WORD]}


@pytest.fixture(autouse=True)
def leaves_everything_to_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request closes an account, and leaves all pieces to the background; what is closed is always asked anew."""
    monkeypatch.setattr(deletion, "REQUEST_SECONDS", -1.0)
    monkeypatch.setattr(deletion, "PIECE_SIZE", 2)
    monkeypatch.setattr(closed_account, "KNOWN_SECONDS", 0.0)


@pytest.fixture
async def ada(api: Planner) -> Person:
    return await sign_up(api, "ada.lovelace@example.com", username="enchantress.of.number")


async def close(person: Person) -> None:
    ok(await person.delete("/users/me", json={"password": PASSWORD}), 204)


async def count_left_events(app: FastAPI, account: str) -> int:
    """Return how many events of an account are still stored."""
    count: int = await database_of(app)["events"].count_documents({"creator": ObjectId(account)})
    return count


async def create_visible_events(ada: Person) -> list[Any]:
    """Create events that others can find in every way there is."""
    weekly = {"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3"}}
    located = {"geo": {"lat": 51.5, "lon": -0.1}}
    return [
        await ada.event(**DATED, visibility="public"),
        await ada.event(**DATED, **weekly, visibility="public"),
        await ada.event(**DATED, **located, visibility="public"),
        await ada.event(title=WORD, visibility="public"),
        await ada.event(**DATED, visibility="unlisted"),
    ]


LISTS = [
    "/events?scope=public",
    "/events?scope=all",
    f"/events?scope=all&{WINDOW}",
    f"/events?scope=public&{WINDOW}",
    f"/events?scope=public&tag={WORD}",
    f"/events?scope=all&tag={WORD}&{WINDOW}",
    f"/events?scope=public&q={WORD}",
    f"/events?scope=all&q={WORD}",
    "/events?scope=public&near=51.5,-0.1,10",
    "/events?scope=all&near=51.5,-0.1,10",
    f"/events/occurrences?scope=public&{WINDOW}",
    f"/events/occurrences?scope=all&{WINDOW}",
    "/events/changes?scope=public",
    "/events/changes?scope=all",
    "/events.ics?scope=public",
    "/events.ics?scope=all",
]


async def test_no_list_shows_the_events_of_a_closed_account(app: FastAPI, ada: Person, ben: Person) -> None:
    await create_visible_events(ada)
    kept = await ben.event(title=f"{WORD} of another", visibility="public")
    feed = ok(await ben.post("/feeds", json={"name": "everything", "scope": "public"}), 201)["url"]
    for path in [*LISTS, feed]:
        assert ada.id in (text := (await ben.get(path)).text) or text.count(f"SUMMARY:{WORD}\r\n"), path
    await close(ada)
    assert await count_left_events(app, ada.id) == 5
    for path in [*LISTS, feed]:
        answer = await ben.get(path)
        assert answer.status_code == 200, path
        assert ada.id not in answer.text and f"SUMMARY:{WORD}\r\n" not in answer.text, path
    assert kept["id"] in (await ben.get("/events?scope=public")).text


async def test_no_event_of_a_closed_account_can_be_opened(ada: Person, ben: Person, admin: Person) -> None:
    events = await create_visible_events(ada)
    taken_down = await ada.event(title=WORD, visibility="public")
    ok(await admin.put(f"/events/{taken_down['id']}/takedown", json={"reason": "It advertises something else."}))
    await close(ada)
    for event in [*events, taken_down]:
        for suffix in ("", ".ics", "/revisions"):
            ok(await ben.get(f"/events/{event['id']}{suffix}"), 404)
            ok(await admin.get(f"/events/{event['id']}{suffix}"), 404)
        ok(await admin.put(f"/events/{event['id']}/takedown", json={"reason": "Too late."}), 404)


async def test_no_page_shows_a_closed_account(app: FastAPI, ada: Person, ben: Person) -> None:
    events = await create_visible_events(ada)
    taken_down = await ada.event(title=WORD, visibility="public")
    assert await services_of(app).administration.make_admin(ben.email)
    ok(await ben.put(f"/events/{taken_down['id']}/takedown", json={"reason": "It advertises something else."}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN) as client:
        browser = Browser(client)
        await browser.sign_in(ben)
        pages = [f"/search?q={WORD}", "/admin", "/admin/events", "/admin/taken-down", "/admin/audit"]
        assert ada.email in (await browser.open("/admin")).text
        assert taken_down["id"] in (await browser.open("/admin/taken-down")).text
        await close(ada)
        for page in pages:
            shown = await browser.open(page)
            assert shown.status_code == 200, page
            for secret in (ada.id, ada.email, events[0]["id"]):
                assert secret not in shown.text, page
        # The audit log goes on to say which event its moderator took down.
        assert taken_down["id"] not in (await browser.open("/admin/taken-down")).text
        for address in (f"/events/{events[0]['id']}", f"/admin/events/{events[0]['id']}", f"/admin/accounts/{ada.id}"):
            assert (await browser.open(address)).status_code == 404, address


async def test_everything_that_opened_a_closed_account_is_refused(
    ada: Person, ben: Person, admin: Person, app: FastAPI
) -> None:
    token = ok(await ada.post("/auth/tokens", json={"name": "script", "scopes": ["account:read"]}), 201)["token"]
    feed = ok(await ada.post("/feeds", json={"name": "phone"}), 201)["url"]
    ok(await ada.put(f"/freebusy/shares/{ben.id}"), 204)
    other = ok(await sign_in(ada.api, ada.email))
    await close(ada)
    for one in (ada.token, other["access_token"], token):
        ok(await get_me(ada.api, one), 401)
        ok(await ada.api.post("/events", json={"title": "Still here"}, headers=bearer(one)), 401)
    ok(await refresh(ada.api, other["refresh_token"]), 400)
    ok(await sign_in(ada.api, ada.email), 401)
    ok(await ada.api.get(feed), 404)
    ok(await ben.get(f"/freebusy?user={ada.id}&{WINDOW}"), 404)
    ok(await admin.get(f"/users/{ada.id}"), 404)
    assert ada.email not in (await admin.get("/users")).text
    inspected = ok(await ben.post("/auth/introspect", data={"token": token}))
    assert inspected == {"active": False}


async def test_the_audit_log_does_not_name_a_closed_account(app: FastAPI, ada: Person, admin: Person) -> None:
    ok(await admin.get(f"/audit?account={ada.id}"))
    await close(ada)
    assert ok(await admin.get(f"/audit?account={ada.id}"))["items"] == []
    entries = ok(await admin.get("/audit?limit=200"))["items"]
    assert ada.id not in json.dumps(entries)
    assert "account-deleted" in [entry["event"] for entry in entries]


async def test_an_admin_closes_an_account_likewise(app: FastAPI, ada: Person, ben: Person, admin: Person) -> None:
    await create_visible_events(ada)
    ok(await admin.delete(f"/users/{ada.id}"), 204)
    assert await count_left_events(app, ada.id) == 5
    assert ok(await ben.get("/events?scope=public"))["items"] == []
    ok(await get_me(ada.api, ada.token), 401)


async def test_who_keeps_a_copy_learns_that_every_public_event_is_gone(app: FastAPI, ada: Person, ben: Person) -> None:
    events = await create_visible_events(ada)
    public = {event["id"] for event in events if event["visibility"] == "public"}
    token = ok(await ben.get("/events/changes?scope=public"))["next"]
    await close(ada)
    meanwhile = ok(await ben.get(f"/events/changes?scope=public&since={token}"))
    assert meanwhile["items"] == []
    assert await services_of(app).deletion.run_due() == 1
    for since in (token, meanwhile["next"]):
        answer = ok(await ben.get(f"/events/changes?scope=public&since={since}"))
        assert (answer["items"], set(answer["deleted"])) == ([], public)


async def test_the_file_of_public_events_gets_another_etag_when_an_account_is_closed(ada: Person, ben: Person) -> None:
    await ada.event(**DATED, visibility="public")
    await ben.event(**DATED, visibility="public")
    tag = (await ben.get("/events.ics?scope=public")).headers["etag"]
    await close(ada)
    changed = await ben.get("/events.ics?scope=public", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.text.count("BEGIN:VEVENT") == 1


async def test_the_rest_is_deleted_in_the_background(app: FastAPI, ada: Person, ben: Person) -> None:
    await create_visible_events(ada)
    await ada.patch(f"/events/{(await ada.event())['id']}", json={"title": "Changed"})
    kept = await ben.event()
    await close(ada)
    waiting = await services_of(app).statistics.count_waiting()
    assert (waiting["closed accounts"], waiting["events of closed accounts"]) == (1, 6)
    assert await services_of(app).deletion.run_due() == 1
    waiting = await services_of(app).statistics.count_waiting()
    assert (waiting["closed accounts"], waiting["events of closed accounts"]) == (0, 0)
    assert await find_words(database_of(app), ada.id, ada.email, WORD) == []
    assert (await ben.me())["events"] == [kept["id"]]
    assert await services_of(app).deletion.run_due() == 0


async def test_who_signs_up_with_the_address_meanwhile_loses_nothing(app: FastAPI, ada: Person) -> None:
    await create_visible_events(ada)
    await close(ada)
    again = await sign_up(ada.api, ada.email, username="enchantress.of.number")
    event = await again.event()
    ok(await again.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    mails = await database_of(app)["queued_mails"].count_documents({"email": ada.email})
    assert await services_of(app).deletion.run_due() == 1
    assert (await again.me())["events"] == [event["id"]]
    assert await database_of(app)["queued_mails"].count_documents({"email": ada.email}) == mails > 0


async def test_a_process_that_has_lost_its_lease_deletes_nothing_more(app: FastAPI, ada: Person) -> None:
    await create_visible_events(ada)
    await close(ada)
    holder, other, now = new_id(), new_id(), clock_of(app).now()
    mine = await ClosedAccount.lease_due(holder, now)
    assert mine is not None
    assert await ClosedAccount.lease_due(other, now) is None
    assert await ClosedAccount.lease_due(other, now + closed_account.LEASE) is not None
    assert await services_of(app).deletion._delete_pieces(mine, holder) is False
    assert await count_left_events(app, ada.id) == 5


@pytest.mark.real_server("the mock has no transactions")
async def test_an_event_that_becomes_public_meanwhile_is_not_deleted_without_a_tombstone(
    app: FastAPI, ada: Person
) -> None:
    event = await ada.event()
    piece = await delete_some_events(Id(ada.id), 10, clock_of(app).now())
    assert piece is not None
    ok(await ada.patch(f"/events/{event['id']}", json={"visibility": "public"}))
    assert await commit_atomically(piece.writes) is False
    again = await delete_some_events(Id(ada.id), 10, clock_of(app).now())
    assert again is not None and await commit_atomically(again.writes)
    assert await database_of(app)["tombstones"].count_documents({"event": ObjectId(event["id"])}) == 1


async def test_an_account_stays_closed_when_the_rest_cannot_be_deleted_at_once(
    app: FastAPI, ada: Person, ben: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_visible_events(ada)

    async def fail(*_: Any) -> None:
        raise ValueError("a test")

    patched: Callable[..., Awaitable[None]] = fail
    monkeypatch.setattr(deletion, "delete_some_events", patched)
    monkeypatch.setattr(deletion, "REQUEST_SECONDS", 0.5)
    await close(ada)
    assert ok(await ben.get("/events?scope=public"))["items"] == []
    monkeypatch.undo()
    clock_of(app).move(closed_account.LEASE)
    assert await services_of(app).deletion.run_due() == 1
    assert await count_left_events(app, ada.id) == 0


async def test_a_deletion_that_fails_is_tried_again(app: FastAPI, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await create_visible_events(ada)
    await close(ada)

    async def fail(*_: Any) -> None:
        raise ValueError("a test")

    patched: Callable[..., Awaitable[None]] = fail
    monkeypatch.setattr(deletion, "delete_some_events", patched)
    assert await services_of(app).deletion.run_due() == 0
    monkeypatch.undo()
    assert await services_of(app).deletion.run_due() == 0, "it has to wait"
    clock_of(app).move(LONGEST_PAUSE)
    assert await services_of(app).deletion.run_due() == 1
    assert await count_left_events(app, ada.id) == 0
