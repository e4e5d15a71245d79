"""What one worker process revokes, every other refuses soon after."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from bson import ObjectId
from pymongo import MongoClient

from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, Planner, bearer, ok, sign_up
from tests.support.servers import RunningServer, running
from tests.support.sessions import (
    get_me,
    is_invalid_grant,
    is_invalid_token,
    list_sessions,
    open_session,
    refresh,
)
from tests.support.waiting import wait_until_async, wait_until_true_after
from tests.support.workers import both_workers

NOTICED_SECONDS = 2.0  # Within this time every worker knows what another one has changed.
on_processes = pytest.mark.real_server("the planner is a process of its own")


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


async def wait_until_every(workers: list[Planner], done: float, ask: Callable[[Planner], Awaitable[bool]]) -> None:
    """Ask each worker until the answer is true, which it must be two seconds after `done`."""
    for worker in workers:
        await wait_until_true_after(done, NOTICED_SECONDS, partial(ask, worker))


@on_processes
async def test_twenty_refreshes_at_once_with_one_token_get_the_same_successor(
    outside: Planner, someone: Person
) -> None:
    for _ in range(3):
        tokens = await open_session(outside, someone.email)
        answers = await asyncio.gather(*(refresh(outside, tokens["refresh_token"]) for _ in range(20)))
        won = [ok(answer) for answer in answers]
        assert len({each["refresh_token"] for each in won}) == 1
        # Only one chain of tokens goes on: when it does, an older token ends the session.
        newest = ok(await refresh(outside, won[0]["refresh_token"]))
        assert is_invalid_grant(await refresh(outside, tokens["refresh_token"]))
        done = time.monotonic()
        for each in [tokens, *won, newest]:
            assert is_invalid_grant(await refresh(outside, each["refresh_token"]))
            access = each["access_token"]

            async def is_revoked(api: Planner, access: str = access) -> bool:
                return is_invalid_token(await get_me(api, access))

            await wait_until_every([outside], done, is_revoked)


@on_processes
async def test_after_a_refresh_and_a_sign_out_at_once_every_token_is_revoked(
    server: RunningServer, outside: Planner, someone: Person
) -> None:
    async with both_workers(server) as workers:
        for attempt in range(10):
            tokens = await open_session(outside, someone.email)
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

                async def is_revoked(api: Planner, access: str = access) -> bool:
                    return is_invalid_token(await get_me(api, access))

                await wait_until_every(workers, done, is_revoked)
            for each in [*won, tokens]:
                assert is_invalid_grant(await refresh(outside, each["refresh_token"]))
    assert len(await list_sessions(someone)) == 1


@on_processes
@pytest.mark.parametrize("how", ["sign-out", "session ended", "others ended", "token used twice", "password changed"])
async def test_a_revoked_session_is_noticed_by_every_worker_within_two_seconds(
    server: RunningServer, outside: Planner, someone: Person, how: str
) -> None:
    tokens = await open_session(outside, someone.email)
    token = tokens["access_token"]
    if how == "token used twice":
        newer = ok(await refresh(outside, tokens["refresh_token"]))
        ok(await refresh(outside, newer["refresh_token"]))
    session = next(each for each in await list_sessions(someone) if not each["current"])
    async with both_workers(server) as workers:
        for worker in workers:
            ok(await get_me(worker, token))
        match how:
            case "sign-out":
                ok(await workers[0].post("/auth/signout", headers=bearer(token)), 204)
            case "session ended":
                path = f"/auth/sessions/{session['id']}"
                ok(await workers[0].delete(path, headers=someone.headers), 204)
            case "others ended":
                ok(await workers[0].delete("/auth/sessions", headers=someone.headers), 204)
            case "token used twice":
                assert is_invalid_grant(await refresh(workers[0], tokens["refresh_token"]))
            case _:
                form = {"current_password": PASSWORD, "new_password": f"another {uuid4().hex}"}
                ok(await workers[0].post("/auth/password", json=form, headers=someone.headers), 204)
        done = time.monotonic()

        async def is_revoked(api: Planner) -> bool:
            return is_invalid_token(await get_me(api, token))

        await wait_until_every(workers, done, is_revoked)
        if how != "sign-out":
            ok(await workers[1].get("/users/me", headers=someone.headers))


@on_processes
@pytest.mark.parametrize("how", ["removed", "revoked"])
async def test_a_revoked_personal_token_is_noticed_by_every_worker_within_two_seconds(
    server: RunningServer, outside: Planner, someone: Person, how: str
) -> None:
    form = {"name": "one", "scopes": ["account:read"]}
    made = ok(await someone.post("/auth/tokens", json=form), 201)

    async def is_revoked(api: Planner) -> bool:
        return is_invalid_token(await get_me(api, made["token"]))

    async with both_workers(server) as workers:
        for worker in workers:
            ok(await get_me(worker, made["token"]))
        if how == "removed":
            ok(await workers[0].delete(f"/auth/tokens/{made['id']}", headers=someone.headers), 204)
        else:
            ok(await workers[0].post("/auth/revoke", data={"token": made["token"]}))
        await wait_until_every(workers, time.monotonic(), is_revoked)


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
async def test_a_disabled_or_deleted_account_is_noticed_by_every_worker_within_two_seconds(
    server: RunningServer, outside: Planner, someone: Person, admin: Person, how: str
) -> None:
    form = {"name": "one", "scopes": ["account:read"]}
    personal = ok(await someone.post("/auth/tokens", json=form), 201)["token"]
    async with both_workers(server) as workers:
        for worker in workers:
            ok(await get_me(worker, someone.token))
            ok(await get_me(worker, personal))
        if how == "disabled":
            ok(await request_as_admin(workers[0], admin, "PATCH", f"/users/{someone.id}", json={"disabled": True}))
        else:
            gone = await workers[0].request("DELETE", "/users/me", json={"password": PASSWORD}, headers=someone.headers)
            ok(gone, 204)
        done = time.monotonic()

        async def is_revoked(api: Planner) -> bool:
            return is_invalid_token(await get_me(api, someone.token))

        async def is_revoked_too(api: Planner) -> bool:
            return is_invalid_token(await get_me(api, personal))

        await wait_until_every(workers, done, is_revoked)
        await wait_until_every(workers, done, is_revoked_too)


async def request_as_admin(api: Planner, admin: Person, method: str, path: str, **options: Any) -> httpx.Response:
    """Return the response to an admin's request, once the worker knows that the account is one."""

    async def is_known_as_admin() -> httpx.Response | None:
        answer = await api.request(method, path, headers=admin.headers, **options)
        return None if answer.status_code == 403 else answer

    response = await wait_until_async(is_known_as_admin)
    assert response is not None
    return response


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
            ok(await request_as_admin(workers[0], admin, "PATCH", f"/users/{someone.id}", json={"role": role}))
            await wait_until_every(workers, time.monotonic(), ask)
