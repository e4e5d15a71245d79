"""Feeds: private addresses that calendar programs subscribe to, without anybody signing in."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.opaque_tokens import digest
from database.connection import bound_database
from models.files.feed import MAX_FEEDS
from tests.services.files.test_exports import read, titles
from tests.support.clients import Person, Planner, ok, sign_up
from tests.support.clocks import MovableClock, freeze_clock
from tests.support.services import services_of


@pytest.fixture
async def admin(app: FastAPI, api: Planner) -> Person:
    """Somebody who looks after the planner."""
    grace = await sign_up(api, "grace@example.com")
    assert await services_of(app).administration.make_admin(grace.email)
    return grace


async def new_feed(person: Person, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = ok(await person.post("/feeds", json={"name": "On my phone"} | fields), 201)
    return made


async def subscribe(api: Planner, feed: dict[str, Any], **headers: str) -> httpx.Response:
    return await api.get(path_of(feed), headers=headers)


def path_of(feed: dict[str, Any]) -> str:
    """The address of a feed, as far as it is below the API's."""
    return "/feeds/" + str(feed["url"]).rpartition("/")[2]


def token_of(feed: dict[str, Any]) -> str:
    return path_of(feed).removeprefix("/feeds/").removesuffix(".ics")


async def test_a_new_feed_is_answered_with_its_address_this_once(ada: Person) -> None:
    response = await ada.post("/feeds", json={"name": "On my phone", "tag": " Books "})
    made = ok(response, 201)
    assert response.headers["location"] == f"/api/v1/feeds/{made['id']}"
    assert response.headers["cache-control"] == "no-store"
    url = made.pop("url")
    assert url.startswith("http") and "/api/v1/feeds/planner_feed_" in url and url.endswith(".ics")
    assert made["scope"] == "mine"
    assert made["tag"] == "books"
    assert made["last_read_at"] is None
    assert ok(await ada.get("/feeds"))["items"] == [made]


async def test_the_address_lies_below_the_public_url(ada: Person, app: FastAPI) -> None:
    assert (await new_feed(ada))["url"].startswith(f"{services_of(app).base_url}/api/v1/feeds/")


async def test_of_the_address_only_a_hash_is_stored(ada: Person) -> None:
    token = token_of(await new_feed(ada))
    stored = await bound_database().handle["feeds"].find_one({})
    assert stored is not None
    assert stored["digest"] == digest(token)
    assert token not in str(stored)


async def test_whoever_has_the_address_reads_the_feed_without_signing_in(ada: Person, api: Planner) -> None:
    feed = await new_feed(ada, name="Ann")
    await ada.event(title="Reading", start="2026-12-01T18:00:00", time_zone="Europe/Berlin")
    response = await subscribe(api, feed)
    assert titles(response) == ["Reading"]
    assert str(read(response)["X-WR-CALNAME"]) == str(read(response)["NAME"]) == "Ann"
    assert response.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(("scope", "expected"), [("mine", ["Own"]), ("public", ["Public"]), ("all", ["Own", "Public"])])
async def test_a_feed_shows_what_its_owner_sees_in_the_scope(
    ada: Person, ben: Person, api: Planner, scope: str, expected: list[str]
) -> None:
    await ada.event(title="Own", start="2026-12-01")
    await ben.event(title="Public", start="2026-12-02", visibility="public")
    await ben.event(title="Private", start="2026-12-03")
    assert titles(await subscribe(api, await new_feed(ada, scope=scope))) == expected


async def test_a_feed_may_show_only_what_has_a_tag(ada: Person, api: Planner) -> None:
    await ada.event(title="Own", start="2026-12-01")
    await ada.event(title="Book", start="2026-12-02", tags=["books"])
    assert titles(await subscribe(api, await new_feed(ada, tag="BOOKS"))) == ["Book"]


async def test_a_feed_is_read_again_only_when_an_event_changed(ada: Person, api: Planner) -> None:
    feed = await new_feed(ada)
    event = await ada.event(start="2026-12-01", tags=["books"])
    tag = (await subscribe(api, feed)).headers["etag"]
    again = await subscribe(api, feed, **{"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    ok(await ada.patch(f"/events/{event['id']}", json={"tags": []}))
    assert (await subscribe(api, feed, **{"if-none-match": tag})).status_code == 200


async def test_two_feeds_have_different_tags_for_what_they_show_differs(ada: Person, api: Planner) -> None:
    first, second = await new_feed(ada), await new_feed(ada, name="Another")
    tags = {(await subscribe(api, feed)).headers["etag"] for feed in (first, second)}
    assert len(tags) == 2


async def test_a_feed_notes_when_it_was_read_last(ada: Person, api: Planner, app: FastAPI) -> None:
    clock = freeze_clock(app)
    feed = await new_feed(ada)
    clock.move(timedelta(minutes=5))
    await subscribe(api, feed)
    (listed,) = ok(await ada.get("/feeds"))["items"]
    assert listed["last_read_at"] > listed["created_at"]


async def test_a_removed_feed_is_gone_at_once(ada: Person, api: Planner) -> None:
    feed = await new_feed(ada)
    assert (await subscribe(api, feed)).status_code == 200
    ok(await ada.delete(f"/feeds/{feed['id']}"), 204)
    assert (await subscribe(api, feed)).status_code == 404
    assert ok(await ada.get("/feeds"))["items"] == []


async def test_a_feed_of_a_disabled_account_is_gone_at_once_and_back_when_it_is_enabled(
    ada: Person, admin: Person, api: Planner
) -> None:
    feed = await new_feed(ada)
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": True}))
    assert (await subscribe(api, feed)).status_code == 404
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": False}))
    assert (await subscribe(api, feed)).status_code == 200


async def test_a_feed_of_a_removed_account_is_gone_at_once_and_from_the_database(ada: Person, api: Planner) -> None:
    feed = await new_feed(ada)
    ok(await ada.request("DELETE", "/users/me", json={"password": ada.password}), 204)
    assert (await subscribe(api, feed)).status_code == 404
    assert await bound_database().handle["feeds"].count_documents({}) == 0


async def test_an_address_that_was_never_given_out_is_not_there(ada: Person, api: Planner) -> None:
    feed = await new_feed(ada)
    for wrong in ("x", token_of(feed)[:-1], token_of(feed) + "A", token_of(feed).upper(), "é" * 40, "a" * 5000):
        response = await api.get(f"/feeds/{wrong}.ics")
        assert response.status_code == 404
        assert wrong not in response.text


async def test_the_id_of_a_feed_does_not_open_it_and_its_token_does_not_remove_it(ada: Person, api: Planner) -> None:
    feed = await new_feed(ada)
    assert (await api.get(f"/feeds/{feed['id']}.ics")).status_code == 404
    assert (await ada.delete(f"/feeds/{token_of(feed)}")).status_code == 404


async def test_nobody_removes_a_feed_of_somebody_else(ada: Person, ben: Person, api: Planner) -> None:
    feed = await new_feed(ada)
    assert (await ben.delete(f"/feeds/{feed['id']}")).status_code == 404
    assert (await subscribe(api, feed)).status_code == 200


async def test_one_has_so_many_feeds_and_no_more_however_many_are_asked_for_at_once(ada: Person) -> None:
    asked = [ada.post("/feeds", json={"name": f"Feed {number}"}) for number in range(MAX_FEEDS + 5)]
    statuses = sorted(response.status_code for response in await asyncio.gather(*asked))
    assert set(statuses) == {201, 409}
    made = ok(await ada.get("/feeds?limit=200"))["items"]
    for number in range(MAX_FEEDS - len(made)):
        await new_feed(ada, name=f"Further feed {number}")
    assert (await ada.post("/feeds", json={"name": "One too many"})).status_code == 409
    assert len(ok(await ada.get("/feeds?limit=200"))["items"]) == MAX_FEEDS
    ok(await ada.delete(f"/feeds/{made[7]['id']}"), 204)
    await new_feed(ada)


async def test_the_same_request_again_gives_the_same_address(ada: Person, api: Planner) -> None:
    asked = {"json": {"name": "On my phone"}, "headers": {"idempotency-key": "one"}}
    first, again = ok(await ada.post("/feeds", **asked), 201), ok(await ada.post("/feeds", **asked), 201)
    assert first == again
    assert titles(await subscribe(api, first)) == []
    assert len(ok(await ada.get("/feeds"))["items"]) == 1


async def test_making_and_removing_a_feed_is_noted(ada: Person, admin: Person) -> None:
    feed = await new_feed(ada)
    ok(await ada.delete(f"/feeds/{feed['id']}"), 204)
    noted = ok(await admin.get(f"/audit?account={ada.id}"))["items"]
    assert [note["event"] for note in noted][:2] == ["feed-removed", "feed-created"]
    assert token_of(feed) not in str(noted)


async def test_the_export_of_an_account_lists_its_feeds_without_their_addresses(ada: Person) -> None:
    feed = await new_feed(ada)
    exported = ok(await ada.get("/users/me/export"))
    assert [found["id"] for found in exported["feeds"]] == [feed["id"]]
    assert token_of(feed) not in str(exported)


async def test_a_feed_is_made_by_the_whole_account_and_no_scope_reaches_that_far(ada: Person, api: Planner) -> None:
    token = ok(await ada.post("/auth/tokens", json={"name": "a", "scopes": ["events:read", "events:write"]}), 201)
    response = await api.post("/feeds", json={"name": "A"}, headers={"Authorization": f"Bearer {token['token']}"})
    assert response.status_code == 403


async def test_a_tag_forgotten_does_not_outlive_what_is_known_of_the_gone(
    ada: Person, api: Planner, app: FastAPI
) -> None:
    clock: MovableClock = freeze_clock(app)
    feed = await new_feed(ada)
    tag = (await subscribe(api, feed)).headers["etag"]
    clock.move(timedelta(days=60))
    assert (await subscribe(api, feed, **{"if-none-match": tag})).status_code == 200
