"""Sessions: opened by signing in, carried on by a token that holds once, ended for good on every worker."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI
from pymongo import MongoClient

from auth.opaque_tokens import RefreshTokens, digest
from database.connection import bound
from planner.settings import Settings
from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in, sign_up
from tests.support.clocks import Clock, wind
from tests.support.servers import RunningServer, running
from tests.support.workers import both_workers

NOTICED = 2.0  # Seconds within which every worker knows.
Tokens = dict[str, Any]
on_processes = pytest.mark.real_server("the planner is a process of its own")


@pytest.fixture
def clock(app: FastAPI) -> Clock:
    return wind(app)


@pytest.fixture
async def tokens(ada: Person) -> Tokens:
    """A second session of ada's."""
    return await signed_in(ada.api, ada.email)


async def signed_in(api: Planner, email: str) -> Tokens:
    answer: Tokens = ok(await sign_in(api, email))
    return answer


async def refresh(api: Planner, token: str) -> httpx.Response:
    return await api.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})


async def sessions_of(person: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = ok(await person.get("/auth/sessions"))["items"]
    return items


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def me(api: Planner, access_token: str) -> httpx.Response:
    return await api.get("/users/me", headers=bearer(access_token))


def is_refused_grant(response: httpx.Response) -> bool:
    return response.status_code == 400 and response.json()["error"] == "invalid_grant"


def is_invalid_token(response: httpx.Response) -> bool:
    return response.status_code == 401 and 'error="invalid_token"' in response.headers["www-authenticate"]


async def everything_stored() -> str:
    """All that the database holds, as one text."""
    database = bound().handle
    names = await database.list_collection_names()
    return repr([await database[name].find({}).to_list(None) for name in names])


async def mailed_token(app: FastAPI, settings: Settings) -> str:
    """The token of the recovery mail that is on its way."""
    outbox = settings.data_dir / "outbox"
    for _ in range(1000):
        await app.state.mailing.send_due()
        for mail in outbox.glob("*.eml"):
            if found := re.search(
                r"reset-password#token=([\w-]+)", mail.read_text().replace("=\n", "").replace("=3D", "=")
            ):
                return found[1]
        await asyncio.sleep(0.01)
    raise AssertionError("no mail")


async def test_signing_in_opens_a_session_and_its_tokens_carry_it(ada: Person) -> None:
    before = {session["id"] for session in await sessions_of(ada)}
    tokens = await signed_in(ada.api, ada.email)
    assert (tokens["token_type"], tokens["expires_in"], tokens["user"]["id"]) == ("Bearer", 900, ada.id)
    opened = {session["id"] for session in await sessions_of(ada)} - before
    assert len(opened) == 1
    assert ok(await me(ada.api, tokens["access_token"]))["id"] == ada.id


def test_a_refresh_token_holds_256_random_bits() -> None:
    makes, session = RefreshTokens(SECRET), ObjectId()
    words = [makes.new(session).removeprefix("planner_rt_").split(".")[1] for _ in range(2000)]  # type: ignore[arg-type]
    numbers = [int.from_bytes(base64.urlsafe_b64decode(word + "=")) for word in words]
    assert {len(base64.urlsafe_b64decode(word + "=")) for word in words} == {32}
    assert len(set(numbers)) == 2000
    for bit in range(256):
        # Each bit is as often set as not; 800 of 2000 is nine standard deviations away.
        assert 800 < sum(number >> bit & 1 for number in numbers) < 1200


async def test_of_a_refresh_token_only_a_hash_is_stored(ada: Person, tokens: Tokens) -> None:
    again = ok(await refresh(ada.api, tokens["refresh_token"]))
    stored = await everything_stored()
    assert digest(again["refresh_token"]) in stored
    for token in (tokens["refresh_token"], again["refresh_token"], tokens["access_token"], again["access_token"]):
        for part in [token, *token.split(".")[1:]]:
            assert part not in stored
    assert PASSWORD not in stored


async def test_each_use_of_a_refresh_token_gives_another_one(ada: Person, tokens: Tokens) -> None:
    used, access = {tokens["refresh_token"]}, {tokens["access_token"]}
    for _ in range(5):
        tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
        assert tokens["refresh_token"] not in used
        assert tokens["access_token"] not in access
        used.add(tokens["refresh_token"])
        access.add(tokens["access_token"])
        assert ok(await me(ada.api, tokens["access_token"]))["id"] == ada.id
    assert len(await sessions_of(ada)) == 2


async def test_a_refresh_token_used_twice_ends_the_session_with_all_its_tokens(ada: Person, tokens: Tokens) -> None:
    stolen = tokens["refresh_token"]
    newer = ok(await refresh(ada.api, stolen))
    newest = ok(await refresh(ada.api, newer["refresh_token"]))
    assert is_refused_grant(await refresh(ada.api, stolen))
    assert is_refused_grant(await refresh(ada.api, newest["refresh_token"]))
    for each in (tokens, newer, newest):
        assert is_invalid_token(await me(ada.api, each["access_token"]))
    assert len(await sessions_of(ada)) == 1
    assert await bound().handle["audit"].count_documents({"event": "refresh-reuse", "account": ObjectId(ada.id)}) == 1


async def test_a_made_up_refresh_token_that_names_a_session_does_not_end_it(ada: Person, tokens: Tokens) -> None:
    real = tokens["refresh_token"]
    session, word, tag = real.removeprefix("planner_rt_").split(".")
    foreign = RefreshTokens("another key, of somebody who would like to be us").new(ObjectId(session))  # type: ignore[arg-type]
    made_up = [
        f"planner_rt_{session}.{word[::-1]}.{tag}",
        f"planner_rt_{session}.{word}.{tag[::-1]}",
        f"planner_rt_{session}.{word}.",
        f"planner_rt_{session}.{word}",
        f"planner_rt_{session}..{tag}",
        f"planner_rt_{session}",
        f"planner_rt_{session}.{word}.{tag}{tag}",
        f" {real}",
        f"{real} ",
        real.upper(),
        real.removeprefix("planner_rt_"),
        real.replace(session, session.upper()) if session.upper() != session else "planner_rt_",
        foreign,
        "planner_rt_" + "x" * 5000,
        "planner_rt_ü.ü.ü",
    ]
    for token in made_up:
        assert is_refused_grant(await refresh(ada.api, token)), token
        ok(await ada.api.post("/auth/revoke", data={"token": token}))
    ok(await me(ada.api, tokens["access_token"]))
    ok(await refresh(ada.api, real))


async def test_a_refresh_token_of_one_session_carries_on_no_other(ada: Person, tokens: Tokens) -> None:
    other = await signed_in(ada.api, ada.email)
    session, _, _ = tokens["refresh_token"].removeprefix("planner_rt_").split(".")
    _, word, tag = other["refresh_token"].removeprefix("planner_rt_").split(".")
    assert is_refused_grant(await refresh(ada.api, f"planner_rt_{session}.{word}.{tag}"))
    for each in (tokens, other):
        ok(await refresh(ada.api, each["refresh_token"]))


async def test_a_session_ends_after_its_days_however_often_it_is_refreshed(
    ada: Person, clock: Clock, settings: Settings
) -> None:
    tokens = await signed_in(ada.api, ada.email)
    for _ in range(settings.refresh_token_days - 1):
        clock.move(timedelta(days=1))
        tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    clock.move(timedelta(days=1))
    assert is_refused_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert is_invalid_token(await me(ada.api, tokens["access_token"]))


async def test_a_session_nobody_refreshed_ends_after_its_days_too(ada: Person, clock: Clock) -> None:
    tokens = await signed_in(ada.api, ada.email)
    clock.move(timedelta(days=30) - timedelta(seconds=1))
    tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    clock.move(timedelta(seconds=1))
    assert is_refused_grant(await refresh(ada.api, tokens["refresh_token"]))


async def test_an_access_token_never_outlives_its_session(ada: Person, clock: Clock) -> None:
    tokens = await signed_in(ada.api, ada.email)
    assert tokens["expires_in"] == 900
    clock.move(timedelta(days=30) - timedelta(minutes=5))
    tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    assert tokens["expires_in"] == 300
    ok(await me(ada.api, tokens["access_token"]))
    clock.move(timedelta(minutes=5))
    assert is_invalid_token(await me(ada.api, tokens["access_token"]))


async def test_an_access_token_holds_for_its_minutes_and_the_session_goes_on(ada: Person, clock: Clock) -> None:
    tokens = await signed_in(ada.api, ada.email)
    clock.move(timedelta(minutes=14, seconds=58))
    ok(await me(ada.api, tokens["access_token"]))
    clock.move(timedelta(seconds=2))
    assert is_invalid_token(await me(ada.api, tokens["access_token"]))
    tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
    ok(await me(ada.api, tokens["access_token"]))


@pytest.mark.parametrize("collection", ["sessions", "access_tokens", "one_time_tokens", "tallies"])
async def test_the_server_itself_removes_what_is_over(app: FastAPI, collection: str) -> None:
    indexes = (await bound().handle[collection].index_information()).values()
    expiring = [index for index in indexes if [field for field, _ in index["key"]] == ["expires_at"]]
    assert [index["expireAfterSeconds"] for index in expiring] == [0]


async def test_what_is_over_is_refused_even_before_the_server_removed_it(ada: Person, clock: Clock) -> None:
    tokens = await signed_in(ada.api, ada.email)
    clock.move(timedelta(days=31))
    assert await bound().handle["sessions"].count_documents({}) == 2
    assert is_refused_grant(await refresh(ada.api, tokens["refresh_token"]))
    fresh = Person(ada.api, ada.id, ada.email, (await signed_in(ada.api, ada.email))["access_token"])
    assert [session["current"] for session in await sessions_of(fresh)] == [True]


async def test_sessions_are_listed_with_device_address_last_use_and_which_one_asks(
    app: FastAPI, ada: Person, clock: Clock
) -> None:
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as phone:
        phone.headers["User-Agent"] = "A phone/1.0"
        tokens = await signed_in(phone, ada.email)
        clock.move(timedelta(minutes=10))
        ok(await me(phone, tokens["access_token"]))
        mine, other = await sessions_of(ada)
        assert (mine["current"], other["current"]) == (True, False)
        assert (other["device"], other["address"]) == ("A phone/1.0", "203.0.113.7")
        used, opened = (datetime.fromisoformat(other[name]) for name in ("last_used_at", "created_at"))
        assert used - opened == timedelta(minutes=10)
        assert datetime.fromisoformat(other["expires_at"]) - opened == timedelta(days=30)
        assert set(mine) == {"id", "device", "address", "created_at", "last_used_at", "expires_at", "current"}


async def test_sessions_are_listed_page_by_page_and_nobody_elses_are(ada: Person, ben: Person) -> None:
    for _ in range(4):
        await signed_in(ada.api, ada.email)
    whole = await sessions_of(ada)
    found, cursor = [], None
    while True:
        page = ok(await ada.get("/auth/sessions", params={"limit": 2} | ({"cursor": cursor} if cursor else {})))
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert found == whole
    assert len(whole) == 5
    assert len(await sessions_of(ben)) == 1


async def test_one_session_can_be_ended_and_the_others_go_on(ada: Person, tokens: Tokens) -> None:
    mine, other = await sessions_of(ada)
    ok(await ada.delete(f"/auth/sessions/{other['id']}"), 204)
    assert is_invalid_token(await me(ada.api, tokens["access_token"]))
    assert is_refused_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert [session["id"] for session in await sessions_of(ada)] == [mine["id"]]
    assert (await ada.delete(f"/auth/sessions/{other['id']}")).status_code == 404


async def test_somebody_elses_session_is_not_there(ada: Person, ben: Person) -> None:
    [session] = await sessions_of(ben)
    foreign = await ada.delete(f"/auth/sessions/{session['id']}")
    unknown = await ada.delete(f"/auth/sessions/{ObjectId()}")
    malformed = await ada.delete("/auth/sessions/x")
    assert {answer.status_code for answer in (foreign, unknown, malformed)} == {404}
    assert foreign.content == unknown.content == malformed.content
    assert len(await sessions_of(ben)) == 1


async def test_ending_all_others_leaves_the_one_that_asks(ada: Person, ben: Person) -> None:
    others = [await signed_in(ada.api, ada.email) for _ in range(3)]
    ok(await ada.delete("/auth/sessions"), 204)
    assert [session["current"] for session in await sessions_of(ada)] == [True]
    for other in others:
        assert is_invalid_token(await me(ada.api, other["access_token"]))
        assert is_refused_grant(await refresh(ada.api, other["refresh_token"]))
    ok(await ben.get("/users/me"))


async def test_signing_out_ends_the_session_and_no_other(ada: Person, tokens: Tokens) -> None:
    ok(await ada.api.post("/auth/signout", headers=bearer(tokens["access_token"])), 204)
    assert is_invalid_token(await me(ada.api, tokens["access_token"]))
    assert is_refused_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert is_invalid_token(await ada.api.post("/auth/signout", headers=bearer(tokens["access_token"])))
    ok(await ada.get("/users/me"))


@pytest.mark.parametrize("gone", ["disabled", "deleted"])
async def test_the_sessions_of_an_account_that_is_gone_hold_no_longer(
    ada: Person, tokens: Tokens, clock: Clock, gone: str
) -> None:
    # Behind the planner's back, so that the sessions themselves are still there.
    users, match = bound().handle["users"], {"email_key": ada.email}
    if gone == "deleted":
        await users.delete_one(match)
    else:
        await users.update_one(match, {"$set": {"disabled": True}})
    clock.move(timedelta(seconds=NOTICED))
    assert is_invalid_token(await me(ada.api, tokens["access_token"]))
    assert is_refused_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert (await sign_in(ada.api, ada.email)).status_code == 401


async def test_what_is_known_of_a_session_is_believed_for_less_than_two_seconds(
    ada: Person, tokens: Tokens, clock: Clock
) -> None:
    ok(await me(ada.api, tokens["access_token"]))
    await bound().handle["sessions"].delete_many({})
    clock.move(timedelta(seconds=1.9))
    assert is_invalid_token(await me(ada.api, tokens["access_token"]))


async def test_no_other_kind_of_token_serves_as_an_access_token(
    app: FastAPI, settings: Settings, ada: Person, tokens: Tokens
) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    personal = ok(await ada.post("/auth/tokens", json={"name": "one", "scopes": ["account:read"]}), 201)["token"]
    reset = await mailed_token(app, settings)
    others = [
        tokens["refresh_token"],
        reset,
        f"planner_pat_{reset}",
        f"{personal}x",
        personal.removeprefix("planner_pat_"),
        digest(personal),
        digest(tokens["refresh_token"]),
        "",
    ]
    for token in others:
        answer = await me(ada.api, token)
        assert answer.status_code == 401, token
        assert not token or is_invalid_token(answer)


async def test_no_other_kind_of_token_serves_as_a_refresh_token(
    app: FastAPI, settings: Settings, ada: Person, tokens: Tokens
) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    personal = ok(await ada.post("/auth/tokens", json={"name": "one", "scopes": ["account:read"]}), 201)["token"]
    reset = await mailed_token(app, settings)
    for token in (tokens["access_token"], personal, reset, digest(tokens["refresh_token"]), "x"):
        assert is_refused_grant(await refresh(ada.api, token))
    ok(await refresh(ada.api, tokens["refresh_token"]))


@pytest.fixture(scope="module")
def database(mongo_url: str) -> str:
    return url_of(mongo_url, f"test_{uuid4().hex[:12]}")


@pytest.fixture(scope="module")
def server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("sessions") / "data"
    with running(folder, ["--workers", "2"], DATABASE_URL=database, SECRET_KEY=SECRET) as server:
        yield server


@pytest.fixture
async def outside(server: RunningServer) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
async def someone(outside: Planner) -> Person:
    return await sign_up(outside, f"p{uuid4().hex}@example.com")


async def noticed(workers: list[Planner], done: float, ask: Callable[[Planner], Awaitable[bool]]) -> None:
    """Ask each worker until it knows; what is asked two seconds after `done` must be answered by it."""
    for worker in workers:
        while True:
            asked = time.monotonic()
            if await ask(worker):
                break
            assert asked - done < NOTICED, "not noticed in time"


@on_processes
async def test_of_twenty_refreshes_with_one_token_one_succeeds_at_most(outside: Planner, someone: Person) -> None:
    for _ in range(3):
        tokens = await signed_in(outside, someone.email)
        answers = await asyncio.gather(*(refresh(outside, tokens["refresh_token"]) for _ in range(20)))
        done = time.monotonic()
        won = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(won) <= 1
        assert all(is_refused_grant(answer) for answer in answers if answer.status_code != 200)
        for each in [tokens, *won]:
            assert is_refused_grant(await refresh(outside, each["refresh_token"]))
            access = each["access_token"]

            async def is_out(api: Planner, access: str = access) -> bool:
                return is_invalid_token(await me(api, access))

            await noticed([outside], done, is_out)


@on_processes
async def test_a_refresh_racing_a_sign_out_leaves_nothing_alive(
    server: RunningServer, outside: Planner, someone: Person
) -> None:
    async with both_workers(server) as workers:
        for attempt in range(10):
            tokens = await signed_in(outside, someone.email)
            one, other = workers if attempt % 2 else workers[::-1]
            racers: list[Awaitable[httpx.Response]] = [
                refresh(one, tokens["refresh_token"]),
                other.post("/auth/signout", headers=bearer(tokens["access_token"])),
            ]
            if attempt % 3 == 0:
                racers.reverse()
            answers = await asyncio.gather(*racers)
            done = time.monotonic()
            won = [answer.json() for answer in answers if answer.status_code == 200]
            assert 204 in {answer.status_code for answer in answers}
            for each in [tokens, *won]:
                access = each["access_token"]

                async def is_out(api: Planner, access: str = access) -> bool:
                    return is_invalid_token(await me(api, access))

                await noticed(workers, done, is_out)
            for each in [*won, tokens]:
                assert is_refused_grant(await refresh(outside, each["refresh_token"]))
    assert len(await sessions_of(someone)) == 1


@on_processes
@pytest.mark.parametrize("how", ["sign-out", "session ended", "others ended", "token used twice", "password changed"])
async def test_the_end_of_a_session_is_noticed_by_every_worker_within_two_seconds(
    server: RunningServer, outside: Planner, someone: Person, how: str
) -> None:
    tokens = await signed_in(outside, someone.email)
    token = tokens["access_token"]
    if how == "token used twice":
        ok(await refresh(outside, tokens["refresh_token"]))
    session = next(each for each in await sessions_of(someone) if not each["current"])
    async with both_workers(server) as workers:
        for worker in workers:
            ok(await me(worker, token))
        match how:
            case "sign-out":
                ok(await workers[0].post("/auth/signout", headers=bearer(token)), 204)
            case "session ended":
                path = f"/auth/sessions/{session['id']}"
                ok(await workers[0].delete(path, headers=someone.headers), 204)
            case "others ended":
                ok(await workers[0].delete("/auth/sessions", headers=someone.headers), 204)
            case "token used twice":
                assert is_refused_grant(await refresh(workers[0], tokens["refresh_token"]))
            case _:
                form = {"current_password": PASSWORD, "new_password": f"another {uuid4().hex}"}
                ok(await workers[0].post("/auth/password", json=form, headers=someone.headers), 204)
        done = time.monotonic()

        async def is_out(api: Planner) -> bool:
            return is_invalid_token(await me(api, token))

        await noticed(workers, done, is_out)
        if how != "sign-out":
            ok(await workers[1].get("/users/me", headers=someone.headers))


@on_processes
@pytest.mark.parametrize("how", ["removed", "revoked"])
async def test_the_end_of_a_personal_token_is_noticed_by_every_worker_within_two_seconds(
    server: RunningServer, outside: Planner, someone: Person, how: str
) -> None:
    form = {"name": "one", "scopes": ["account:read"]}
    made = ok(await someone.post("/auth/tokens", json=form), 201)

    async def is_out(api: Planner) -> bool:
        return is_invalid_token(await me(api, made["token"]))

    async with both_workers(server) as workers:
        for worker in workers:
            ok(await me(worker, made["token"]))
        if how == "removed":
            ok(await workers[0].delete(f"/auth/tokens/{made['id']}", headers=someone.headers), 204)
        else:
            ok(await workers[0].post("/auth/revoke", data={"token": made["token"]}))
        await noticed(workers, time.monotonic(), is_out)


@pytest.fixture
async def admin(outside: Planner, database: str) -> Person:
    person = await sign_up(outside, f"admin{uuid4().hex}@example.com")
    make(database, person, role="admin")
    return person


def make(database: str, person: Person, **fields: Any) -> None:
    """Change an account behind the planner's back."""
    with MongoClient[dict[str, Any]](database) as client:
        client.get_default_database()["users"].update_one({"_id": ObjectId(person.id)}, {"$set": fields})


@on_processes
@pytest.mark.parametrize("how", ["disabled", "deleted"])
async def test_an_account_that_is_gone_is_noticed_by_every_worker_within_two_seconds(
    server: RunningServer, outside: Planner, someone: Person, admin: Person, how: str
) -> None:
    form = {"name": "one", "scopes": ["account:read"]}
    personal = ok(await someone.post("/auth/tokens", json=form), 201)["token"]
    async with both_workers(server) as workers:
        for worker in workers:
            ok(await me(worker, someone.token))
            ok(await me(worker, personal))
        if how == "disabled":
            ok(await until_admin(workers[0], admin, "PATCH", f"/users/{someone.id}", json={"disabled": True}))
        else:
            gone = await workers[0].request("DELETE", "/users/me", json={"password": PASSWORD}, headers=someone.headers)
            ok(gone, 204)
        done = time.monotonic()

        async def is_out(api: Planner) -> bool:
            return is_invalid_token(await me(api, someone.token))

        async def is_out_too(api: Planner) -> bool:
            return is_invalid_token(await me(api, personal))

        await noticed(workers, done, is_out)
        await noticed(workers, done, is_out_too)


async def until_admin(api: Planner, admin: Person, method: str, path: str, **options: Any) -> httpx.Response:
    """The answer to an admin's request, once the worker knows that it is one."""
    while True:
        answer = await api.request(method, path, headers=admin.headers, **options)
        if answer.status_code != 403:
            return answer


@on_processes
async def test_a_changed_role_is_noticed_by_every_worker_within_two_seconds(
    server: RunningServer, outside: Planner, someone: Person, admin: Person
) -> None:
    async def status(api: Planner) -> int:
        return (await api.get("/users", headers=someone.headers)).status_code

    async def may(api: Planner) -> bool:
        return await status(api) == 200

    async def may_not(api: Planner) -> bool:
        return await status(api) == 403

    async with both_workers(server) as workers:
        for role, ask in (("moderator", may), ("user", may_not)):
            for worker in workers:
                assert not await ask(worker)
            ok(await until_admin(workers[0], admin, "PATCH", f"/users/{someone.id}", json={"role": role}))
            await noticed(workers, time.monotonic(), ask)
