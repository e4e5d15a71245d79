"""Feeds: private addresses that calendar programs subscribe to, without an access token."""

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
from tests.support.clients import Person, Planner, bearer, ok
from tests.support.clocks import MovableClock, freeze_clock
from tests.support.services import services_of


async def create_feed(person: Person, **fields: Any) -> dict[str, Any]:
    feed: dict[str, Any] = ok(await person.post("/feeds", json={"name": "On my phone"} | fields), 201)
    return feed


async def read_feed(api: Planner, feed: dict[str, Any], **headers: str) -> httpx.Response:
    return await api.get(path_of(feed), headers=headers)


def path_of(feed: dict[str, Any]) -> str:
    """Return the part of a feed's address that follows the base path of the API."""
    return "/feeds/" + str(feed["url"]).rpartition("/")[2]


def token_of(feed: dict[str, Any]) -> str:
    return path_of(feed).removeprefix("/feeds/").removesuffix(".ics")


async def test_only_the_response_to_its_creation_has_the_address_of_a_feed(ada: Person) -> None:
    response = await ada.post("/feeds", json={"name": "On my phone", "tag": " Books "})
    feed = ok(response, 201)
    assert response.headers["location"] == f"/api/v1/feeds/{feed['id']}"
    assert response.headers["cache-control"] == "no-store"
    url = feed.pop("url")
    assert url.startswith("http") and "/api/v1/feeds/planner_feed_" in url and url.endswith(".ics")
    assert feed["scope"] == "mine"
    assert feed["tag"] == "Books"
    assert feed["last_read_at"] is None
    assert ok(await ada.get("/feeds"))["items"] == [feed]


async def test_the_address_of_a_feed_begins_with_the_public_url(ada: Person, app: FastAPI) -> None:
    assert (await create_feed(ada))["url"].startswith(f"{services_of(app).base_url}/api/v1/feeds/")


async def test_only_the_hash_of_the_token_of_a_feed_is_stored(ada: Person) -> None:
    token = token_of(await create_feed(ada))
    stored = await bound_database().handle["feeds"].find_one({})
    assert stored is not None
    assert stored["digest"] == digest(token)
    assert token not in str(stored)


async def test_a_feed_can_be_read_without_an_access_token(ada: Person, api: Planner) -> None:
    feed = await create_feed(ada, name="Ann")
    await ada.event(title="Reading", start="2026-12-01T18:00:00", time_zone="Europe/Berlin")
    response = await read_feed(api, feed)
    assert titles(response) == ["Reading"]
    assert str(read(response)["X-WR-CALNAME"]) == str(read(response)["NAME"]) == "Ann"
    assert response.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(("scope", "expected"), [("mine", ["Own"]), ("public", ["Public"]), ("all", ["Own", "Public"])])
async def test_a_feed_has_the_events_that_its_owner_may_see_in_the_scope(
    ada: Person, ben: Person, api: Planner, scope: str, expected: list[str]
) -> None:
    await ada.event(title="Own", start="2026-12-01")
    await ben.event(title="Public", start="2026-12-02", visibility="public")
    await ben.event(title="Private", start="2026-12-03")
    assert titles(await read_feed(api, await create_feed(ada, scope=scope))) == expected


async def test_a_feed_can_be_limited_to_events_with_a_tag(ada: Person, api: Planner) -> None:
    await ada.event(title="Own", start="2026-12-01")
    await ada.event(title="Book", start="2026-12-02", tags=["Books", "İstanbul"])
    for tag in ("BOOKS", "books", "istanbul", "İSTANBUL"):
        assert titles(await read_feed(api, await create_feed(ada, tag=tag))) == ["Book"]
    assert [feed["tag"] for feed in ok(await ada.get("/feeds"))["items"]] == ["BOOKS", "books", "istanbul", "İSTANBUL"]


async def test_an_unchanged_feed_is_answered_with_304(ada: Person, api: Planner) -> None:
    feed = await create_feed(ada)
    event = await ada.event(start="2026-12-01", tags=["books"])
    etag = (await read_feed(api, feed)).headers["etag"]
    again = await read_feed(api, feed, **{"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    ok(await ada.patch(f"/events/{event['id']}", json={"tags": []}))
    assert (await read_feed(api, feed, **{"if-none-match": etag})).status_code == 200


async def test_two_feeds_with_different_names_have_different_etags(ada: Person, api: Planner) -> None:
    first, second = await create_feed(ada), await create_feed(ada, name="Another")
    etags = {(await read_feed(api, feed)).headers["etag"] for feed in (first, second)}
    assert len(etags) == 2


async def test_the_time_of_the_last_read_of_a_feed_is_stored(ada: Person, api: Planner, app: FastAPI) -> None:
    clock = freeze_clock(app)
    feed = await create_feed(ada)
    clock.move(timedelta(minutes=5))
    await read_feed(api, feed)
    (listed,) = ok(await ada.get("/feeds"))["items"]
    assert listed["last_read_at"] > listed["created_at"]


async def test_a_deleted_feed_stops_working_at_once(ada: Person, api: Planner) -> None:
    feed = await create_feed(ada)
    assert (await read_feed(api, feed)).status_code == 200
    ok(await ada.delete(f"/feeds/{feed['id']}"), 204)
    assert (await read_feed(api, feed)).status_code == 404
    assert ok(await ada.get("/feeds"))["items"] == []


async def test_a_feed_works_only_while_its_account_is_enabled(ada: Person, admin: Person, api: Planner) -> None:
    feed = await create_feed(ada)
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": True}))
    assert (await read_feed(api, feed)).status_code == 404
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": False}))
    assert (await read_feed(api, feed)).status_code == 200


async def test_a_feed_is_deleted_with_its_account(ada: Person, api: Planner) -> None:
    feed = await create_feed(ada)
    ok(await ada.request("DELETE", "/users/me", json={"password": ada.password}), 204)
    assert (await read_feed(api, feed)).status_code == 404
    assert await bound_database().handle["feeds"].count_documents({}) == 0


async def test_a_token_that_was_never_issued_is_answered_with_404(ada: Person, api: Planner) -> None:
    feed = await create_feed(ada)
    for token in ("x", token_of(feed)[:-1], token_of(feed) + "A", token_of(feed).upper(), "é" * 40, "a" * 5000):
        response = await api.get(f"/feeds/{token}.ics")
        assert response.status_code == 404
        assert token not in response.text


async def test_the_id_of_a_feed_cannot_read_it_and_its_token_cannot_delete_it(ada: Person, api: Planner) -> None:
    feed = await create_feed(ada)
    assert (await api.get(f"/feeds/{feed['id']}.ics")).status_code == 404
    assert (await ada.delete(f"/feeds/{token_of(feed)}")).status_code == 404


async def test_nobody_else_can_delete_a_feed(ada: Person, ben: Person, api: Planner) -> None:
    feed = await create_feed(ada)
    assert (await ben.delete(f"/feeds/{feed['id']}")).status_code == 404
    assert (await read_feed(api, feed)).status_code == 200


async def test_a_user_cannot_have_more_feeds_than_the_limit(ada: Person) -> None:
    requests = [ada.post("/feeds", json={"name": f"Feed {number}"}) for number in range(MAX_FEEDS + 5)]
    statuses = sorted(response.status_code for response in await asyncio.gather(*requests))
    assert statuses == [201] * MAX_FEEDS + [409] * 5
    feeds = ok(await ada.get("/feeds?limit=200"))["items"]
    assert len(feeds) == MAX_FEEDS
    ok(await ada.delete(f"/feeds/{feeds[7]['id']}"), 204)
    await create_feed(ada)


async def test_a_repeated_request_gets_the_same_address(ada: Person, api: Planner) -> None:
    request = {"json": {"name": "On my phone"}, "headers": {"idempotency-key": "one"}}
    first = ok(await ada.post("/feeds", **request), 201)
    responses = await asyncio.gather(*(ada.post("/feeds", **request) for _ in range(5)))
    assert [ok(response, 201) for response in responses] == [first] * 5
    assert titles(await read_feed(api, first)) == []
    assert len(ok(await ada.get("/feeds"))["items"]) == 1


async def test_a_request_repeated_at_the_same_moment_creates_one_feed_even_if_it_is_the_last_one_allowed(
    ada: Person,
) -> None:
    for _ in range(MAX_FEEDS - 1):
        await create_feed(ada)
    request = {"json": {"name": "On my phone"}, "headers": {"idempotency-key": "one"}}
    responses = await asyncio.gather(*(ada.post("/feeds", **request) for _ in range(5)))
    assert len({response.content for response in responses}) == 1
    assert ok(responses[0], 201)["name"] == "On my phone"


async def test_creating_and_deleting_a_feed_is_audited(ada: Person, admin: Person) -> None:
    feed = await create_feed(ada)
    ok(await ada.delete(f"/feeds/{feed['id']}"), 204)
    entries = ok(await admin.get(f"/audit?account={ada.id}"))["items"]
    assert [entry["event"] for entry in entries][:2] == ["feed-removed", "feed-created"]
    assert token_of(feed) not in str(entries)


async def test_the_export_of_an_account_has_its_feeds_without_their_addresses(ada: Person) -> None:
    feed = await create_feed(ada)
    exported = ok(await ada.get("/users/me/export"))
    assert [found["id"] for found in exported["feeds"]] == [feed["id"]]
    assert token_of(feed) not in str(exported)


async def test_a_token_with_scopes_cannot_create_a_feed(ada: Person, api: Planner) -> None:
    token = ok(await ada.post("/auth/tokens", json={"name": "a", "scopes": ["events:read", "events:write"]}), 201)
    response = await api.post("/feeds", json={"name": "A"}, headers=bearer(token["token"]))
    assert response.status_code == 403


async def test_an_etag_is_not_valid_any_more_when_tombstones_have_expired(
    ada: Person, api: Planner, app: FastAPI
) -> None:
    clock: MovableClock = freeze_clock(app)
    feed = await create_feed(ada)
    etag = (await read_feed(api, feed)).headers["etag"]
    clock.move(timedelta(days=60))
    assert (await read_feed(api, feed, **{"if-none-match": etag})).status_code == 200
