"""Roles: which requests need one, what each may do, and accounts that an admin changes or disables."""

import inspect
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from auth.authenticate import RANK, require_role
from planner.errors import Invalid
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in, sign_up
from tests.support.services import database_of, services_of
from tests.support.sessions import get_me, refresh
from tests.support.stored_data import find_words

NOBODYS_ID = "0" * 24


def required(dependant: Dependant) -> set[str]:
    """The roles that a route needs, by the dependencies it declares."""
    found = set()
    for dependency in dependant.dependencies:
        call = dependency.call
        if call is not None and getattr(call, "__qualname__", "").startswith(f"{require_role.__name__}."):
            found.add(str(inspect.getclosurevars(call).nonlocals["least"]))
        found |= required(dependency)
    return found


def guarded_routes(app: FastAPI) -> list[tuple[str, str, str]]:
    """Every route that needs a role: method, path and role."""
    return [
        (method, route.path, role)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
        for role in required(route.dependant)
    ]


async def attempt(person: Person | None, api: Planner, method: str, path: str) -> httpx.Response:
    address = path.removeprefix("/api/v1").replace("{id}", NOBODYS_ID)
    assert "{" not in address, f"this test does not know how to fill {path}"
    options: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": {}}
    return await (api if person is None else person).request(method, address, **options)


async def test_these_routes_require_a_role(app: FastAPI) -> None:
    assert {
        ("GET", "/api/v1/users", "moderator"),
        ("GET", "/api/v1/users/{id}", "moderator"),
        ("PATCH", "/api/v1/users/{id}", "admin"),
        ("DELETE", "/api/v1/users/{id}", "admin"),
        ("POST", "/api/v1/users/{id}/unlock", "admin"),
        ("DELETE", "/api/v1/users/{id}/sessions", "admin"),
        ("POST", "/api/v1/users/{id}/verification", "admin"),
        ("GET", "/api/v1/audit", "admin"),
        ("PUT", "/api/v1/events/{id}/takedown", "moderator"),
        ("DELETE", "/api/v1/events/{id}/takedown", "moderator"),
    } <= set(guarded_routes(app))


async def test_every_route_that_requires_a_role_refuses_lower_roles(
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


async def test_no_personal_token_is_accepted_where_a_role_is_required(app: FastAPI, admin: Person) -> None:
    scopes = ["events:read", "events:write", "account:read"]
    token = ok(await admin.post("/auth/tokens", json={"name": "script", "scopes": scopes}), 201)["token"]
    script = Person(admin.api, admin.id, admin.email, token)
    for method, path, _ in guarded_routes(app):
        answer = await attempt(script, admin.api, method, path)
        assert answer.status_code == 403, (method, path)
        assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_nobody_gets_a_role_by_signing_up_or_changing_their_own_account(api: Planner, ada: Person) -> None:
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


async def test_a_role_that_an_admin_grants_or_revokes_counts_at_once(admin: Person, ada: Person) -> None:
    ok(await ada.get("/users"), 403)
    assert ok(await admin.patch(f"/users/{ada.id}", json={"role": "moderator"}))["role"] == "moderator"
    ok(await ada.get("/users"))
    ok(await admin.patch(f"/users/{ada.id}", json={"role": "user"}))
    ok(await ada.get("/users"), 403)


async def test_a_disabled_account_is_refused_everywhere_until_it_is_enabled(admin: Person, ada: Person) -> None:
    body = {"name": "script", "scopes": ["account:read"]}
    personal = ok(await ada.post("/auth/tokens", json=body), 201)["token"]
    refresh_token = ok(await sign_in(ada.api, ada.email))["refresh_token"]
    assert ok(await admin.patch(f"/users/{ada.id}", json={"disabled": True}))["disabled"] is True
    ok(await ada.get("/users/me"), 401)
    ok(await get_me(ada.api, personal), 401)
    ok(await refresh(ada.api, refresh_token), 400)
    wrong, right = await sign_in(ada.api, ada.email, "not the password"), await sign_in(ada.api, ada.email)
    assert (wrong.status_code, right.status_code) == (401, 401)
    assert "disabled" not in wrong.text
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": False}))
    ok(await sign_in(ada.api, ada.email))


async def test_accounts_are_found_by_the_beginning_of_their_address_or_username(admin: Person) -> None:
    made = [
        await sign_up(admin.api, "rosa@example.com", username="hopper"),
        await sign_up(admin.api, "hope@bücher.example"),
        await sign_up(admin.api, "mary@example.com", username="rosa.hop"),
    ]
    rosa, hope, mary = (person.id for person in made)
    for query, found in (
        ("q=hop", [rosa, hope]),
        ("q=ROSA", [rosa, mary]),
        ("q=rosa@", [rosa]),
        ("q=hope@xn--bcher-kva.example", [hope]),
        ("q=hope%40b%C3%BC", [hope]),
        ("q=osa", []),
        ("q=.*", []),
        ("q=hop&role=admin", []),
        ("q=hop&disabled=true", []),
        ("q=hop&disabled=false&role=user", [rosa, hope]),
    ):
        assert [user["id"] for user in ok(await admin.get(f"/users?{query}"))["items"]] == found, query
    assert [user["id"] for user in ok(await admin.get("/users?role=admin"))["items"]] == [admin.id]
    page = ok(await admin.get("/users?q=hop&limit=1"))
    assert [user["id"] for user in ok(await admin.get(f"/users?q=hop&cursor={page['next']}"))["items"]] == [hope]
    for query in ("q=", "role=owner", "disabled=maybe", "q=%00"):
        ok(await admin.get(f"/users?{query}"), 422)


async def audited(admin: Person, event: str) -> list[tuple[str | None, str | None, bool]]:
    """Return account and actor of each entry, and whether it has a network address."""
    notes = ok(await admin.get(f"/audit?event={event}"))["items"]
    return [(note["account"], note["actor"], note["address"] is not None) for note in notes]


async def test_an_admin_ends_all_sessions_of_an_account(admin: Person, ada: Person) -> None:
    tokens = ok(await sign_in(ada.api, ada.email))
    ok(await admin.delete(f"/users/{ada.id}/sessions"), 204)
    for token in (ada.token, tokens["access_token"]):
        ok(await get_me(ada.api, token), 401)
    ok(await refresh(ada.api, tokens["refresh_token"]), 400)
    ok(await sign_in(ada.api, ada.email))
    assert await audited(admin, "sessions-ended") == [(ada.id, admin.id, True)]


async def test_an_admin_deletes_an_account_with_everything_that_belongs_to_it(
    app: FastAPI, admin: Person, ada: Person
) -> None:
    event = await ada.event(visibility="public")
    tag = (await admin.get(f"/users/{ada.id}")).headers["etag"]
    ok(await admin.delete(f"/users/{ada.id}", headers={"if-match": '"999"'}), 412)
    ok(await admin.delete(f"/users/{ada.id}", headers={"if-match": tag}), 204)
    for path in (f"/users/{ada.id}", f"/events/{event['id']}"):
        ok(await admin.get(path), 404)
    ok(await admin.delete(f"/users/{ada.id}"), 404)
    ok(await get_me(ada.api, ada.token), 401)
    assert await find_words(database_of(app), ada.id, ada.email) == []
    assert await audited(admin, "account-deleted") == [(None, admin.id, True)]


async def test_admins_delete_their_own_account_with_their_password_only(admin: Person) -> None:
    assert "/users/me" in (await admin.delete(f"/users/{admin.id}")).json()["detail"]
    ok(await admin.get("/users/me"))


async def test_the_operator_names_an_account_by_its_address_only(app: FastAPI, api: Planner) -> None:
    await sign_up(api, "ada@example.com", username="countess")
    administration = services_of(app).administration
    for name in ("countess", "", "ada@", "ada@example.com,ben@example.com"):
        with pytest.raises(Invalid) as caught:
            await administration.make_admin(name)
        assert [error.pointer for error in caught.value.errors] == ["/email"]
    assert await administration.make_admin("nobody@example.com") is None
    made = await administration.make_admin(" ADA@example.com")
    assert made is not None
    assert made.username == "countess"


async def test_creating_an_admin_is_recorded_in_the_audit(app: FastAPI, admin: Person) -> None:
    notes = ok(await admin.get("/audit?event=role-changed"))["items"]
    assert [(note["account"], note["actor"]) for note in notes] == [(admin.id, None)]
    assert await find_words(database_of(app), PASSWORD) == []
