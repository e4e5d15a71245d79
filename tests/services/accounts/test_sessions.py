"""Sessions: opened by signing in, listed, and ended by their days, by their owner and with their account."""

from datetime import datetime, timedelta

import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI

from database.connection import bound_database
from planner.settings import Settings
from tests.support.clients import Person, bearer, ok, sign_in
from tests.support.clocks import MovableClock
from tests.support.sessions import (
    Tokens,
    get_me,
    is_invalid_grant,
    is_invalid_token,
    list_sessions,
    open_session,
    refresh,
)


async def test_signing_in_opens_a_session_and_returns_its_tokens(ada: Person) -> None:
    before = {session["id"] for session in await list_sessions(ada)}
    tokens = await open_session(ada.api, ada.email)
    assert (tokens["token_type"], tokens["expires_in"], tokens["user"]["id"]) == ("Bearer", 900, ada.id)
    opened = {session["id"] for session in await list_sessions(ada)} - before
    assert len(opened) == 1
    assert ok(await get_me(ada.api, tokens["access_token"]))["id"] == ada.id


async def test_a_session_expires_after_its_days_however_often_it_is_refreshed(
    ada: Person, clock: MovableClock, settings: Settings
) -> None:
    tokens = await open_session(ada.api, ada.email)
    for _ in range(settings.refresh_token_days - 1):
        clock.move(timedelta(days=1))
        tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    clock.move(timedelta(days=1))
    assert is_invalid_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert is_invalid_token(await get_me(ada.api, tokens["access_token"]))


async def test_a_session_that_was_not_refreshed_expires_after_its_days_too(ada: Person, clock: MovableClock) -> None:
    tokens = await open_session(ada.api, ada.email)
    clock.move(timedelta(days=30) - timedelta(seconds=1))
    tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    clock.move(timedelta(seconds=1))
    assert is_invalid_grant(await refresh(ada.api, tokens["refresh_token"]))


async def test_an_access_token_never_expires_after_its_session(ada: Person, clock: MovableClock) -> None:
    tokens = await open_session(ada.api, ada.email)
    assert tokens["expires_in"] == 900
    clock.move(timedelta(days=30) - timedelta(minutes=5))
    tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    assert tokens["expires_in"] == 300
    ok(await get_me(ada.api, tokens["access_token"]))
    clock.move(timedelta(minutes=5))
    assert is_invalid_token(await get_me(ada.api, tokens["access_token"]))


async def test_an_access_token_expires_after_its_minutes_and_the_session_does_not(
    ada: Person, clock: MovableClock
) -> None:
    tokens = await open_session(ada.api, ada.email)
    clock.move(timedelta(minutes=14, seconds=58))
    ok(await get_me(ada.api, tokens["access_token"]))
    clock.move(timedelta(seconds=2))
    assert is_invalid_token(await get_me(ada.api, tokens["access_token"]))
    tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    ok(await get_me(ada.api, tokens["access_token"]))


@pytest.mark.parametrize("collection", ["sessions", "personal_tokens", "one_time_tokens", "rate_limit_counters"])
async def test_the_database_server_deletes_expired_documents(app: FastAPI, collection: str) -> None:
    indexes = (await bound_database().handle[collection].index_information()).values()
    expiring = [index for index in indexes if [field for field, _ in index["key"]] == ["expires_at"]]
    assert [index["expireAfterSeconds"] for index in expiring] == [0]


async def test_an_expired_session_is_refused_even_before_it_is_deleted(ada: Person, clock: MovableClock) -> None:
    tokens = await open_session(ada.api, ada.email)
    clock.move(timedelta(days=31))
    assert await bound_database().handle["sessions"].count_documents({}) == 2
    assert is_invalid_grant(await refresh(ada.api, tokens["refresh_token"]))
    fresh = Person(ada.api, ada.id, ada.email, (await open_session(ada.api, ada.email))["access_token"])
    assert [session["current"] for session in await list_sessions(fresh)] == [True]


async def test_sessions_are_listed_with_device_address_last_use_and_which_is_the_current_one(
    app: FastAPI, ada: Person, clock: MovableClock
) -> None:
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as phone:
        phone.headers["User-Agent"] = "A phone/1.0"
        tokens = await open_session(phone, ada.email)
        clock.move(timedelta(minutes=10))
        ok(await get_me(phone, tokens["access_token"]))
        mine, other = await list_sessions(ada)
        assert (mine["current"], other["current"]) == (True, False)
        assert (other["device"], other["address"]) == ("A phone/1.0", "203.0.113.7")
        used, opened = (datetime.fromisoformat(other[name]) for name in ("last_used_at", "created_at"))
        assert used - opened == timedelta(minutes=10)
        assert datetime.fromisoformat(other["expires_at"]) - opened == timedelta(days=30)
        assert set(mine) == {"id", "device", "address", "created_at", "last_used_at", "expires_at", "current"}


async def test_sessions_of_the_caller_only_are_listed_in_pages(ada: Person, ben: Person) -> None:
    for _ in range(4):
        await open_session(ada.api, ada.email)
    whole = await list_sessions(ada)
    found, cursor = [], None
    while True:
        page = ok(await ada.get("/auth/sessions", params={"limit": 2} | ({"cursor": cursor} if cursor else {})))
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert found == whole
    assert len(whole) == 5
    assert len(await list_sessions(ben)) == 1


async def test_one_session_can_be_revoked_and_the_others_stay(ada: Person, tokens: Tokens) -> None:
    mine, other = await list_sessions(ada)
    ok(await ada.delete(f"/auth/sessions/{other['id']}"), 204)
    assert is_invalid_token(await get_me(ada.api, tokens["access_token"]))
    assert is_invalid_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert [session["id"] for session in await list_sessions(ada)] == [mine["id"]]
    assert (await ada.delete(f"/auth/sessions/{other['id']}")).status_code == 404


async def test_a_session_of_another_account_is_not_found(ada: Person, ben: Person) -> None:
    [session] = await list_sessions(ben)
    foreign = await ada.delete(f"/auth/sessions/{session['id']}")
    unknown = await ada.delete(f"/auth/sessions/{ObjectId()}")
    malformed = await ada.delete("/auth/sessions/x")
    assert {answer.status_code for answer in (foreign, unknown, malformed)} == {404}
    assert foreign.content == unknown.content == malformed.content
    assert len(await list_sessions(ben)) == 1


async def test_revoking_all_other_sessions_leaves_the_current_one(ada: Person, ben: Person) -> None:
    others = [await open_session(ada.api, ada.email) for _ in range(3)]
    ok(await ada.delete("/auth/sessions"), 204)
    assert [session["current"] for session in await list_sessions(ada)] == [True]
    for other in others:
        assert is_invalid_token(await get_me(ada.api, other["access_token"]))
        assert is_invalid_grant(await refresh(ada.api, other["refresh_token"]))
    ok(await ben.get("/users/me"))


async def test_signing_out_revokes_the_current_session_only(ada: Person, tokens: Tokens) -> None:
    ok(await ada.api.post("/auth/signout", headers=bearer(tokens["access_token"])), 204)
    assert is_invalid_token(await get_me(ada.api, tokens["access_token"]))
    assert is_invalid_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert is_invalid_token(await ada.api.post("/auth/signout", headers=bearer(tokens["access_token"])))
    ok(await ada.get("/users/me"))


@pytest.mark.parametrize("gone", ["disabled", "deleted"])
async def test_the_sessions_of_a_disabled_or_deleted_account_are_refused(
    ada: Person, tokens: Tokens, clock: MovableClock, gone: str
) -> None:
    # Behind the planner's back, so that the sessions themselves are still there.
    users, match = bound_database().handle["users"], {"email_key": ada.email}
    if gone == "deleted":
        await users.delete_one(match)
    else:
        await users.update_one(match, {"$set": {"disabled": True}})
    clock.move(timedelta(seconds=2))
    assert is_invalid_token(await get_me(ada.api, tokens["access_token"]))
    assert is_invalid_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert (await sign_in(ada.api, ada.email)).status_code == 401


async def test_a_session_is_cached_for_less_than_two_seconds(ada: Person, tokens: Tokens, clock: MovableClock) -> None:
    ok(await get_me(ada.api, tokens["access_token"]))
    await bound_database().handle["sessions"].delete_many({})
    clock.move(timedelta(seconds=1.9))
    assert is_invalid_token(await get_me(ada.api, tokens["access_token"]))
