"""Roles: who may do what, that an admin always remains, and how the operator makes the first one."""

import asyncio
import inspect
import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pymongo import MongoClient

from auth.authenticate import RANK, require_role
from planner.services.accounts.administration import Administration
from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in, sign_up
from tests.support.servers import ROOT, RunningServer, running
from tests.support.traces import traces

NOBODYS_ID = "0" * 24
GOOD_PASSWORD = "nine quiet otters"


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
async def admin(app: FastAPI, api: Planner) -> Person:
    """Whom the operator has made an admin."""
    people: Administration = app.state.people
    grace = await sign_up(api, "grace@example.com")
    assert await people.make_admin(grace.email)
    return grace


@pytest.fixture
async def moderator(api: Planner, admin: Person) -> Person:
    someone = await sign_up(api, "mary@example.com")
    ok(await admin.patch(f"/users/{someone.id}", json={"role": "moderator"}))
    return someone


def needed(dependant: Dependant) -> set[str]:
    """The roles that a route needs, by the dependencies it declares."""
    found = set()
    for dependency in dependant.dependencies:
        call = dependency.call
        if call is not None and getattr(call, "__qualname__", "").startswith(f"{require_role.__name__}."):
            found.add(str(inspect.getclosurevars(call).nonlocals["least"]))
        found |= needed(dependency)
    return found


def guarded_routes(app: FastAPI) -> list[tuple[str, str, str]]:
    """Every route that needs a role: method, path and role."""
    return [
        (method, route.path, role)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
        for role in needed(route.dependant)
    ]


async def attempt(person: Person | None, api: Planner, method: str, path: str) -> httpx.Response:
    address = path.removeprefix("/api/v1").replace("{id}", NOBODYS_ID)
    assert "{" not in address, f"this test does not know how to fill {path}"
    options: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": {}}
    return await (api if person is None else person).request(method, address, **options)


async def test_the_routes_that_need_a_role_are_these(app: FastAPI) -> None:
    assert {
        ("GET", "/api/v1/users", "moderator"),
        ("GET", "/api/v1/users/{id}", "moderator"),
        ("PATCH", "/api/v1/users/{id}", "admin"),
        ("GET", "/api/v1/audit", "admin"),
        ("PUT", "/api/v1/events/{id}/takedown", "moderator"),
        ("DELETE", "/api/v1/events/{id}/takedown", "moderator"),
    } <= set(guarded_routes(app))


async def test_every_route_that_needs_a_role_refuses_whoever_has_a_lower_one(
    app: FastAPI, ada: Person, moderator: Person, admin: Person
) -> None:
    people = {"user": ada, "moderator": moderator, "admin": admin}
    for method, path, least in guarded_routes(app):
        ok(await attempt(None, ada.api, method, path), 401)
        for role, person in people.items():
            answer = await attempt(person, ada.api, method, path)
            if RANK[role] < RANK[least]:  # type: ignore[index]
                assert answer.status_code == 403, (method, path, role, answer.text)
            else:
                assert answer.status_code not in (401, 403), (method, path, role, answer.text)


async def test_no_personal_token_reaches_what_roles_allow(app: FastAPI, admin: Person) -> None:
    scopes = ["events:read", "events:write", "account:read"]
    token = ok(await admin.post("/auth/tokens", json={"name": "script", "scopes": scopes}), 201)["token"]
    script = Person(admin.api, admin.id, admin.email, token)
    for method, path, _ in guarded_routes(app):
        answer = await attempt(script, admin.api, method, path)
        assert answer.status_code == 403, (method, path)
        assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_nobody_becomes_more_than_a_user_by_signing_up_or_by_a_change_of_their_own(
    api: Planner, ada: Person
) -> None:
    for fields in ({"role": "admin"}, {"email_verified": True}, {"disabled": False}, {"id": NOBODYS_ID}):
        body = {"email": "mallory@example.com", "password": PASSWORD} | fields
        ok(await api.post("/auth/signup", json=body), 422)
        ok(await ada.patch("/users/me", json=fields), 422)
    ok(await ada.patch(f"/users/{ada.id}", json={"role": "admin"}), 403)
    me = await ada.me()
    assert (me["role"], me["email_verified"]) == ("user", False)


async def test_moderators_read_accounts_and_change_none(moderator: Person, ada: Person) -> None:
    assert ada.id in [user["id"] for user in ok(await moderator.get("/users"))["items"]]
    seen = ok(await moderator.get(f"/users/{ada.id}"))
    assert seen["email"] == ada.email
    assert "password" not in seen
    ok(await moderator.patch(f"/users/{ada.id}", json={"disabled": True}), 403)
    ok(await moderator.patch(f"/users/{moderator.id}", json={"role": "admin"}), 403)


async def test_moderators_read_public_events_and_no_private_ones(moderator: Person, ada: Person) -> None:
    public, private = await ada.event(visibility="public"), await ada.event()
    assert [event["id"] for event in ok(await moderator.get("/events?scope=public"))["items"]] == [public["id"]]
    ok(await moderator.get(f"/events/{public['id']}"))
    ok(await moderator.get(f"/events/{private['id']}"), 404)
    ok(await moderator.put(f"/events/{private['id']}/takedown", json={"reason": "Curious."}), 404)
    ok(await moderator.patch(f"/events/{public['id']}", json={"title": "Mine now"}), 403)
    ok(await moderator.delete(f"/events/{public['id']}"), 403)


async def test_an_event_that_was_taken_down_tells_its_creator_why_and_cannot_be_published_again(
    moderator: Person, ada: Person, ben: Person
) -> None:
    event = await ada.event(visibility="public")
    path = f"/events/{event['id']}"
    ok(await moderator.put(f"{path}/takedown", json={"reason": "It advertises something else."}))
    seen = ok(await ada.get(path))
    assert (seen["visibility"], seen["takedown"]["reason"]) == ("private", "It advertises something else.")
    ok(await ben.get(path), 404)
    assert ok(await ben.get("/events?scope=public"))["items"] == []
    for visibility in ("public", "unlisted"):
        ok(await ada.patch(path, json={"visibility": visibility}), 409)
        ok(await ada.put(path, json={"title": "Book launch", "visibility": visibility}), 409)
    ok(await ada.patch(path, json={"takedown": None}), 422)
    assert ok(await ada.patch(path, json={"title": "Book launch, without advertising"}))["visibility"] == "private"


async def test_a_moderator_gives_back_what_was_taken_down(moderator: Person, ada: Person, ben: Person) -> None:
    event = await ada.event(visibility="public")
    path = f"/events/{event['id']}"
    ok(await moderator.put(f"{path}/takedown", json={"reason": "It advertises something else."}))
    ok(await ada.request("DELETE", f"{path}/takedown"), 403)
    assert "takedown" not in ok(await moderator.delete(f"{path}/takedown"))
    ok(await ada.patch(path, json={"visibility": "public"}))
    ok(await ben.get(path))


async def test_only_a_public_event_can_be_taken_down_and_only_once(moderator: Person, ada: Person) -> None:
    unlisted = await ada.event(visibility="unlisted")
    ok(await moderator.put(f"/events/{unlisted['id']}/takedown", json={"reason": "No."}), 409)
    public = await ada.event(visibility="public")
    ok(await moderator.put(f"/events/{public['id']}/takedown", json={"reason": "No."}))
    ok(await moderator.put(f"/events/{public['id']}/takedown", json={"reason": "No again."}), 409)
    ok(await moderator.delete(f"/events/{public['id']}/takedown"))
    ok(await moderator.delete(f"/events/{public['id']}/takedown"), 404)


async def test_a_role_that_an_admin_gives_or_takes_counts_at_once(admin: Person, ada: Person) -> None:
    ok(await ada.get("/users"), 403)
    assert ok(await admin.patch(f"/users/{ada.id}", json={"role": "moderator"}))["role"] == "moderator"
    ok(await ada.get("/users"))
    ok(await admin.patch(f"/users/{ada.id}", json={"role": "user"}))
    ok(await ada.get("/users"), 403)


async def test_an_account_that_is_disabled_can_do_nothing_until_it_is_enabled(admin: Person, ada: Person) -> None:
    body = {"name": "script", "scopes": ["account:read"]}
    personal = ok(await ada.post("/auth/tokens", json=body), 201)["token"]
    refresh = ok(await sign_in(ada.api, ada.email))["refresh_token"]
    assert ok(await admin.patch(f"/users/{ada.id}", json={"disabled": True}))["disabled"] is True
    ok(await ada.get("/users/me"), 401)
    ok(await ada.api.get("/users/me", headers={"Authorization": f"Bearer {personal}"}), 401)
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    ok(await ada.api.post("/auth/token", data=form), 400)
    wrong, right = await sign_in(ada.api, ada.email, "not the password"), await sign_in(ada.api, ada.email)
    assert (right.status_code, right.content) == (401, wrong.content)
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": False}))
    ok(await sign_in(ada.api, ada.email))


@pytest.mark.real_server("it counts the other admins in a transaction")
async def test_the_last_admin_cannot_be_demoted_disabled_or_deleted(admin: Person, ada: Person) -> None:
    for change in ({"role": "user"}, {"role": "moderator"}, {"disabled": True}, {"role": "user", "disabled": True}):
        assert "last admin" in ok(await admin.patch(f"/users/{admin.id}", json=change), 409)["detail"]
    ok(await admin.request("DELETE", "/users/me", json={"password": PASSWORD}), 409)
    assert (await admin.me())["role"] == "admin"
    ok(await admin.patch(f"/users/{ada.id}", json={"role": "admin"}))
    ok(await admin.request("DELETE", "/users/me", json={"password": PASSWORD}), 204)
    assert "last admin" in ok(await ada.patch(f"/users/{ada.id}", json={"role": "user"}), 409)["detail"]


@pytest.mark.real_server("it counts the other admins in a transaction")
async def test_a_disabled_admin_is_none_that_remains(admin: Person, ada: Person) -> None:
    ok(await admin.patch(f"/users/{ada.id}", json={"role": "admin", "disabled": True}))
    ok(await admin.patch(f"/users/{admin.id}", json={"role": "user"}), 409)


@pytest.fixture(scope="module")
def server_and_users(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, Any]]:
    """Two worker processes on one database, and the collection of its accounts."""
    name = f"test_{uuid4().hex[:12]}"
    data = tmp_path_factory.mktemp("planner") / "data"
    with (
        MongoClient[Any](mongo_url) as client,
        running(data, ("--workers", "2"), DATABASE_URL=url_of(mongo_url, name), SECRET_KEY=SECRET) as server,
    ):
        yield server, client[name]["users"]
        client.drop_database(name)


@pytest.fixture
async def remote(server_and_users: tuple[RunningServer, Any]) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=server_and_users[0].url, timeout=60) as api:
        yield api


@pytest.fixture
def users(server_and_users: tuple[RunningServer, Any]) -> Any:
    return server_and_users[1]


async def two_admins(api: Planner, users: Any) -> list[Person]:
    """Two new admins, and no other."""
    people = [await sign_up(api, f"{uuid4().hex[:12]}@example.com") for _ in range(2)]
    users.update_many({}, {"$set": {"role": "user"}})
    users.update_many({"email": {"$in": [one.email for one in people]}}, {"$set": {"role": "admin"}})
    # Each worker process may remember for a moment that they were users.
    for one in people:
        async with asyncio.timeout(20):
            while [(await one.get("/audit")).status_code for _ in range(4)] != [200] * 4:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return people


def acting_admins(users: Any) -> int:
    return int(users.count_documents({"role": "admin", "disabled": False}))


@pytest.mark.real_server("the planner is two processes")
async def test_of_two_admins_who_demote_each_other_at_once_one_remains(remote: Planner, users: Any) -> None:
    for _ in range(3):
        ada, ben = await two_admins(remote, users)
        answers = await asyncio.gather(
            ada.patch(f"/users/{ben.id}", json={"role": "user"}), ben.patch(f"/users/{ada.id}", json={"role": "user"})
        )
        assert acting_admins(users) == 1
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 200
        assert statuses[1] in (403, 409)


@pytest.mark.real_server("the planner is two processes")
async def test_of_two_admins_whom_twenty_requests_demote_disable_and_delete_at_once_one_remains(
    remote: Planner, users: Any
) -> None:
    ada, ben = await two_admins(remote, users)
    requests = [
        doer.patch(f"/users/{target.id}", json=change)
        for doer in (ada, ben)
        for target in (ada, ben)
        for change in ({"role": "user"}, {"disabled": True}, {"role": "moderator"}, {"role": "user", "disabled": True})
    ]
    requests += [one.request("DELETE", "/users/me", json={"password": PASSWORD}) for one in (ada, ben) for _ in "12"]
    answers = await asyncio.gather(*requests)
    assert len(answers) == 20
    assert acting_admins(users) == 1
    assert {answer.status_code for answer in answers} <= {200, 204, 401, 403, 404, 409}


def started(data: Path, *arguments: str, stdin: int) -> subprocess.Popen[str]:
    """One of the operator's commands, on the embedded database in this folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "planner", *arguments],
        env=kept | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(data), "PASSWORD_ROUNDS": "10"},
        cwd=data.parent,
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Without a terminal of its own, a command asks on its standard input.
        start_new_session=True,
    )


def command(data: Path, *arguments: str, stdin: str = "") -> Done:
    """What became of a command."""
    with started(data, *arguments, stdin=subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(stdin, timeout=60)
        finally:
            process.kill()
    return Done(process.returncode, output, errors)


def typed(data: Path, *arguments: str, answers: dict[str, str]) -> Done:
    """What became of a command at a terminal, where somebody answers each prompt as it comes."""
    keyboard, terminal = pty.openpty()
    try:
        with started(data, *arguments, stdin=terminal) as process:
            watchdog = threading.Timer(60, process.kill)
            watchdog.start()
            assert process.stdout is not None and process.stderr is not None
            said = ""
            for prompt, answer in answers.items():
                while not said.endswith(prompt) and (character := process.stderr.read(1)):
                    said += character
                os.write(keyboard, f"{answer}\n".encode())
            said += process.stderr.read()
            output = process.stdout.read()
            watchdog.cancel()
            shown = os.read(keyboard, 10_000).decode() if select.select([keyboard], [], [], 0)[0] else ""
    finally:
        os.close(terminal)
        os.close(keyboard)
    return Done(process.returncode, output + shown, said)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A planner that runs with its embedded database."""
    with running(tmp_path_factory.mktemp("planner") / "data") as server:
        yield server


@pytest.fixture
async def beside(embedded: RunningServer) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=embedded.url, timeout=60) as api:
        yield api


@pytest.mark.real_server("the planner is a process of its own")
async def test_the_operator_makes_a_new_admin_beside_a_running_planner_by_a_password_from_stdin(
    embedded: RunningServer, beside: Planner
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    done = await asyncio.to_thread(command, embedded.data_dir, "admin", "create", email, stdin=f"{GOOD_PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    assert "is an admin" in done.stdout
    assert GOOD_PASSWORD not in done.stdout + done.stderr
    user = ok(await sign_in(beside, email, GOOD_PASSWORD))["user"]
    assert (user["role"], user["email_verified"]) == ("admin", True)


@pytest.mark.real_server("the planner is a process of its own")
async def test_the_operator_makes_an_existing_account_an_admin_and_its_password_stays(
    embedded: RunningServer, beside: Planner
) -> None:
    ada = await sign_up(beside, f"{uuid4().hex[:12]}@example.com")
    done = await asyncio.to_thread(command, embedded.data_dir, "admin", "create", ada.email, stdin="")
    assert done.returncode == 0, done.stderr
    assert ok(await sign_in(beside, ada.email))["user"]["role"] == "admin"


@pytest.mark.real_server("the planner is a process of its own")
@pytest.mark.parametrize("weak", ["", "short", "password", "abcdefgh"])
async def test_the_operator_cannot_make_an_admin_with_a_weak_password(
    embedded: RunningServer, beside: Planner, weak: str
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    done = await asyncio.to_thread(command, embedded.data_dir, "admin", "create", email, stdin=f"{weak}\n")
    assert done.returncode == 1
    assert "password" in done.stderr
    assert "Traceback" not in done.stderr
    ok(await sign_in(beside, email, weak), 401)


def test_the_operators_command_takes_no_password_as_an_argument(tmp_path: Path) -> None:
    for arguments in ((GOOD_PASSWORD,), ("--password", GOOD_PASSWORD), (f"--password={GOOD_PASSWORD}",)):
        done = command(tmp_path / "data", "admin", "create", "ada@example.com", *arguments)
        assert done.returncode == 2
        assert "unrecognized arguments" in done.stderr
    assert not (tmp_path / "data").exists()
    assert "password" not in command(tmp_path / "data", "admin", "create", "--help").stdout.partition("options:")[2]


@pytest.mark.real_server("the planner is a process of its own")
async def test_the_operator_is_asked_twice_for_the_password_at_a_terminal_which_does_not_show_it(
    embedded: RunningServer, beside: Planner
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    for second, status in (("nine quite otters", 1), (GOOD_PASSWORD, 0)):
        answers = {"Password: ": GOOD_PASSWORD, "Once more: ": second}
        done = await asyncio.to_thread(typed, embedded.data_dir, "admin", "create", email, answers=answers)
        assert done.returncode == status, done.stderr
        assert done.stderr.count("Password: ") == done.stderr.count("Once more: ") == 1
        assert "otters" not in done.stdout + done.stderr
    assert ok(await sign_in(beside, email, GOOD_PASSWORD))["user"]["role"] == "admin"


async def test_what_the_operator_does_is_noted_in_the_audit(app: FastAPI, admin: Person) -> None:
    notes = ok(await admin.get("/audit?event=role-changed"))["items"]
    assert [(note["account"], note["actor"]) for note in notes] == [(admin.id, None)]
    assert await traces(app.state.database.handle, PASSWORD) == []
