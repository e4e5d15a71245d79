"""Personal access tokens: they reach as far as their scopes, for their time, and are shown once."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from auth.opaque_tokens import digest
from database.connection import bound_database
from models.accounts.personal_token import SCOPES
from tests.support.clients import Person, bearer, ok
from tests.support.clocks import MovableClock
from tests.support.sessions import get_me, is_invalid_token
from tests.support.stored_data import find_words

NOBODYS = "0123456789abcdef01234567"
DAY = timedelta(days=1)


async def new_token(person: Person, *scopes: str, **fields: Any) -> dict[str, Any]:
    form = {"name": "a script", "scopes": list(scopes or ["account:read"])} | fields
    made: dict[str, Any] = ok(await person.post("/auth/tokens", json=form), 201)
    return made


def missing_scope(response: httpx.Response) -> str | None:
    """The scope that a refusal says is missing, or None when it is no such refusal."""
    challenge = response.headers.get("www-authenticate", "")
    if response.status_code != 403 or "insufficient_scope" not in challenge:
        return None
    assert response.json()["type"] == "/problems/insufficient-scope"
    found = re.fullmatch(r'Bearer error="insufficient_scope", scope="([a-z:]+)"', challenge)
    assert found is not None
    return found[1]


def required(method: str, path: str) -> str | None:
    """The scope that a route needs; None where no scope is enough."""
    path = path.removeprefix("/api/v1")
    if path == "/users/me" and method == "GET":
        return "account:read"
    if path.startswith(("/auth", "/users", "/exports", "/feeds", "/freebusy/shares", "/audit")) or path.endswith(
        "/takedown"
    ):
        return None
    return "events:read" if method == "GET" else "events:write"


async def answers(person: Person, app: FastAPI, token: str | None) -> dict[tuple[str, str], httpx.Response]:
    """What every route of the API answers to a token, or to none, when asked for what is not there."""
    found = {}
    for route in app.routes:
        if not isinstance(route, APIRoute) or not route.path.startswith("/api/v1"):
            continue
        address = "http://planner.test" + re.sub(r"\{[^}]+\}", NOBODYS, route.path)
        headers = {} if token is None else bearer(token)
        for method in sorted(route.methods or ()):
            body: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": {}}
            found[method, route.path] = await person.api.request(method, address, headers=headers, **body)
    return found


async def test_each_scope_is_accepted_on_exactly_the_routes_that_require_it(app: FastAPI, ada: Person) -> None:
    unsigned = await answers(ada, app, None)
    guarded = [where for where, answer in unsigned.items() if answer.status_code == 401]
    assert len(guarded) > 20
    for scope in SCOPES:
        token = (await new_token(ada, scope))["token"]
        answered = await answers(ada, app, token)
        for where in guarded:
            if scope == required(*where):
                assert missing_scope(answered[where]) is None, (scope, where)
                assert answered[where].status_code not in (401, 403), (scope, where)
            else:
                assert missing_scope(answered[where]) == (required(*where) or "account"), (scope, where)
    assert (await ada.me())["id"] == ada.id


async def test_all_scopes_together_do_not_permit_what_needs_the_whole_account(app: FastAPI, ada: Person) -> None:
    unsigned = await answers(ada, app, None)
    answered = await answers(ada, app, (await new_token(ada, *SCOPES))["token"])
    closed = {where for where, answer in answered.items() if missing_scope(answer) is not None}
    assert closed == {
        where for where, answer in unsigned.items() if answer.status_code == 401 and required(*where) is None
    } | {("POST", "/api/v1/auth/email/verify")}, "a token may be sent there, and then it must be of the whole account"
    for where in (
        ("POST", "/api/v1/auth/tokens"),
        ("POST", "/api/v1/auth/password"),
        ("DELETE", "/api/v1/auth/sessions"),
        ("PATCH", "/api/v1/users/me"),
        ("DELETE", "/api/v1/users/me"),
        ("GET", "/api/v1/users/me/export"),
    ):
        assert where in closed


async def test_only_these_routes_require_no_token(app: FastAPI, ada: Person) -> None:
    unsigned = await answers(ada, app, None)
    public = {path.removeprefix("/api/v1") for (_, path), answer in unsigned.items() if answer.status_code != 401}
    known = r"/auth/(signup|signin|token|revoke|email/verify|password/forgot|password/reset|providers|\{\w+\}/\w+)"
    assert [
        path for path in public if not re.fullmatch(rf"{known}|/feeds/.*\.ics|/invitations/\{{token\}}", path)
    ] == []


async def test_an_admins_token_has_its_scopes_and_no_more(ada: Person) -> None:
    await bound_database().handle["users"].update_one({"email_key": ada.email}, {"$set": {"role": "admin"}})
    token = (await new_token(ada, *SCOPES))["token"]
    for path in ("/users", f"/users/{ada.id}", "/audit"):
        assert missing_scope(await ada.api.get(path, headers=bearer(token))) == "account"


async def test_a_token_with_scopes_works_with_real_events(ada: Person) -> None:
    reads, writes = (await new_token(ada, "events:read"))["token"], (await new_token(ada, "events:write"))["token"]
    event = ok(await ada.api.post("/events", json={"title": "Reading"}, headers=bearer(writes)), 201)
    path = f"/events/{event['id']}"
    assert ok(await ada.api.get(path, headers=bearer(reads))) == event
    assert missing_scope(await ada.api.get(path, headers=bearer(writes))) == "events:read"
    assert missing_scope(await ada.api.delete(path, headers=bearer(reads))) == "events:write"
    ok(await ada.api.delete(path, headers=bearer(writes)), 204)


async def test_a_token_cannot_read_what_its_owner_cannot(ada: Person, ben: Person) -> None:
    event = await ada.event()
    token = (await new_token(ben, "events:read", "events:write"))["token"]
    for method in ("GET", "PATCH", "DELETE"):
        body: dict[str, Any] = {"json": {"title": "x"}} if method == "PATCH" else {}
        answer = await ada.api.request(method, f"/events/{event['id']}", headers=bearer(token), **body)
        assert answer.status_code == 404


async def test_a_token_expires_after_a_day_by_default(ada: Person, clock: MovableClock) -> None:
    made = await new_token(ada)
    start, end = (datetime.fromisoformat(made[name]) for name in ("created_at", "expires_at"))
    assert (start, end - start) == (clock.now(), DAY)
    clock.move(DAY - timedelta(seconds=1))
    ok(await get_me(ada.api, made["token"]))
    clock.move(timedelta(seconds=2))
    assert is_invalid_token(await get_me(ada.api, made["token"]))


async def test_an_expired_token_is_not_listed(ada: Person, clock: MovableClock) -> None:
    await new_token(ada, expires_in=60)
    clock.move(timedelta(seconds=60))
    assert ok(await ada.get("/auth/tokens"))["items"] == []


async def test_a_token_expires_after_at_most_a_year(ada: Person) -> None:
    year = 365 * 24 * 60 * 60
    made = await new_token(ada, expires_in=year)
    start, end = (datetime.fromisoformat(made[name]) for name in ("created_at", "expires_at"))
    assert end - start == timedelta(days=365)
    for seconds in (year + 1, 10**30, 59, 0, -1, True, 60.5, "60", None):
        form = {"name": "one", "scopes": ["account:read"], "expires_in": seconds}
        answer = await ada.post("/auth/tokens", json=form)
        assert answer.status_code == 422, seconds
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/expires_in"]
    assert len(ok(await ada.get("/auth/tokens"))["items"]) == 1


@pytest.mark.parametrize(
    "scopes", [[], ["account"], ["events:*"], ["EVENTS:READ"], ["events:read events:write"], "events:read", None, [1]]
)
async def test_a_token_without_scopes_or_with_unknown_ones_is_refused(ada: Person, scopes: Any) -> None:
    answer = await ada.post("/auth/tokens", json={"name": "one", "scopes": scopes})
    assert answer.status_code == 422
    assert ok(await ada.get("/auth/tokens"))["items"] == []


async def test_a_scope_given_twice_is_given_once(ada: Person) -> None:
    assert (await new_token(ada, "events:read", "events:read"))["scopes"] == ["events:read"]


async def test_a_token_is_shown_once_and_can_be_recognised(ada: Person) -> None:
    answer = await ada.post("/auth/tokens", json={"name": "a script", "scopes": ["events:read"]})
    made = ok(answer, 201)
    assert re.fullmatch(r"planner_pat_[A-Za-z0-9_-]{43}", made["token"])
    assert answer.headers["location"] == f"/api/v1/auth/tokens/{made['id']}"
    assert answer.headers["cache-control"] == "no-store"
    [listed] = ok(await ada.get("/auth/tokens"))["items"]
    assert listed == {name: value for name, value in made.items() if name != "token"}
    exported = (await ada.get("/users/me/export")).text
    assert made["id"] in exported
    assert made["token"] not in exported
    assert digest(made["token"]) not in exported


async def test_every_token_is_different(ada: Person) -> None:
    assert len({(await new_token(ada))["token"] for _ in range(20)}) == 20


async def test_of_a_token_only_a_hash_is_stored(ada: Person) -> None:
    made = await new_token(ada)
    keyed = ok(await keyed_post(ada, "one"), 201)
    ok(await get_me(ada.api, made["token"]))
    database = bound_database().handle
    for token in (made["token"], keyed["token"]):
        assert await find_words(database, digest(token)) != []
        assert await find_words(database, token, token.removeprefix("planner_pat_")) == []


async def test_the_last_use_of_a_token_is_stored_to_the_minute(ada: Person, clock: MovableClock) -> None:
    made = await new_token(ada)

    async def noted() -> str | None:
        [token] = ok(await ada.get("/auth/tokens"))["items"]
        used: str | None = token["last_used_at"]
        return used

    assert await noted() is None
    clock.move(timedelta(seconds=10))
    ok(await get_me(ada.api, made["token"]))
    first = clock.now()
    assert datetime.fromisoformat(await noted() or "") == first
    clock.move(timedelta(seconds=30))
    ok(await get_me(ada.api, made["token"]))
    assert datetime.fromisoformat(await noted() or "") == first
    clock.move(timedelta(seconds=31))
    ok(await get_me(ada.api, made["token"]))
    assert datetime.fromisoformat(await noted() or "") == clock.now()


async def test_a_deleted_token_is_refused_and_the_others_are_not(ada: Person) -> None:
    made, other = await new_token(ada), await new_token(ada)
    ok(await get_me(ada.api, made["token"]))
    ok(await ada.delete(f"/auth/tokens/{made['id']}"), 204)
    assert is_invalid_token(await get_me(ada.api, made["token"]))
    ok(await get_me(ada.api, other["token"]))
    assert [token["id"] for token in ok(await ada.get("/auth/tokens"))["items"]] == [other["id"]]
    assert (await ada.delete(f"/auth/tokens/{made['id']}")).status_code == 404


async def test_a_token_of_another_account_is_not_found(ada: Person, ben: Person) -> None:
    made = await new_token(ben)
    foreign = await ada.delete(f"/auth/tokens/{made['id']}")
    unknown = await ada.delete(f"/auth/tokens/{NOBODYS}")
    malformed = await ada.delete("/auth/tokens/x")
    assert {answer.status_code for answer in (foreign, unknown, malformed)} == {404}
    assert foreign.content == unknown.content == malformed.content
    assert ok(await ada.get("/auth/tokens"))["items"] == []
    ok(await get_me(ada.api, made["token"]))


async def test_a_token_is_valid_after_the_session_that_created_it(ada: Person) -> None:
    made = await new_token(ada)
    ok(await ada.post("/auth/signout"), 204)
    ok(await get_me(ada.api, made["token"]))


async def test_tokens_are_listed_in_pages(ada: Person) -> None:
    made = [(await new_token(ada, name=f"token {one}"))["id"] for one in range(5)]
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = ok(await ada.get("/auth/tokens", params={"limit": 2} | ({"cursor": cursor} if cursor else {})))
        found += [token["id"] for token in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == made


async def keyed_post(person: Person, key: str, **fields: Any) -> httpx.Response:
    form = {"name": "a script", "scopes": ["account:read"]} | fields
    return await person.post("/auth/tokens", json=form, headers={"Idempotency-Key": key})


async def test_the_same_key_gives_the_same_secret_again(ada: Person) -> None:
    first, again = await keyed_post(ada, "one"), await keyed_post(ada, "one")
    assert ok(again, 201) == ok(first, 201)
    assert again.headers["location"] == first.headers["location"]
    ok(await get_me(ada.api, first.json()["token"]))
    assert len(ok(await ada.get("/auth/tokens"))["items"]) == 1


async def test_the_same_key_sent_many_times_at_once_creates_one_token(ada: Person) -> None:
    answers = await asyncio.gather(*(keyed_post(ada, "one") for _ in range(10)))
    assert len({answer.content for answer in answers}) == 1
    assert len(ok(await ada.get("/auth/tokens"))["items"]) == 1
    ok(await get_me(ada.api, ok(answers[0], 201)["token"]))


async def test_the_same_key_with_another_body_is_refused(ada: Person) -> None:
    ok(await keyed_post(ada, "one"), 201)
    answer = await keyed_post(ada, "one", name="another script")
    assert answer.status_code == 422
    assert "planner_pat_" not in answer.text


async def test_another_key_and_the_same_key_of_another_account_give_other_secrets(ada: Person, ben: Person) -> None:
    made = [await keyed_post(ada, "one"), await keyed_post(ada, "two"), await keyed_post(ben, "one")]
    assert len({ok(answer, 201)["token"] for answer in made}) == 3


@pytest.mark.parametrize("removed", [True, False])
async def test_an_expired_idempotency_key_creates_a_new_token(ada: Person, removed: bool) -> None:
    first = ok(await keyed_post(ada, "one", expires_in=86_400 * 30), 201)
    if removed:
        ok(await ada.delete(f"/auth/tokens/{first['id']}"), 204)
    await bound_database().handle["idempotent_responses"].delete_many({})  # As the server does after a day.
    second = ok(await keyed_post(ada, "one", expires_in=86_400 * 30), 201)
    assert second["id"] != first["id"]
    assert second["token"] != first["token"]
    ok(await get_me(ada.api, second["token"]))
    assert is_invalid_token(await get_me(ada.api, first["token"])) == removed
    assert ok(await keyed_post(ada, "one", expires_in=86_400 * 30), 201) == second
