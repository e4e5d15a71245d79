"""The token endpoints as their standards have them: RFC 6749, RFC 7009 and RFC 7662."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from jose import jwt

from database.connection import bound_database
from tests.support.clients import PASSWORD, Person, Planner, bearer, headers_of, ok, sign_in, sign_up
from tests.support.clocks import MovableClock
from tests.support.sessions import Tokens, get_me

FORM = {"content-type": "application/x-www-form-urlencoded"}
ENDPOINTS = ["/auth/token", "/auth/revoke", "/auth/introspect"]


@pytest.fixture
async def tokens(ada: Person) -> Tokens:
    """A second session of ada's, opened at the token endpoint."""
    return await granted(ada.api, ada.email)


@pytest.fixture
async def admin(api: Planner) -> Person:
    person = await sign_up(api, "admin@example.com")
    await bound_database().handle["users"].update_one({"email_key": person.email}, {"$set": {"role": "admin"}})
    return person


async def grant(api: Planner, **form: str) -> httpx.Response:
    return await api.post("/auth/token", data=form)


async def granted(api: Planner, username: str, **more: str) -> Tokens:
    form = {"grant_type": "password", "username": username, "password": PASSWORD} | more
    answer: Tokens = ok(await grant(api, **form))
    return answer


async def refresh(api: Planner, token: str, **more: str) -> httpx.Response:
    return await grant(api, grant_type="refresh_token", refresh_token=token, **more)


async def personal_token(person: Person) -> str:
    form = {"name": "one", "scopes": ["account:read", "events:read"]}
    return str(ok(await person.post("/auth/tokens", json=form), 201)["token"])


def refusal(response: httpx.Response, status: int = 400) -> str:
    """The error code of a refusal that has to have the shape of RFC 6749 §5.2."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert set(body) == {"error", "error_description"}
    # Only these characters may stand in a description.
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", body["error_description"])
    return str(body["error"])


async def test_the_password_grant_returns_tokens_in_the_shape_of_rfc_6749(ada: Person) -> None:
    answer = await grant(ada.api, grant_type="password", username=ada.email, password=PASSWORD)
    body = ok(answer)
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert ok(await get_me(ada.api, body["access_token"]))["id"] == ada.id


async def test_an_access_token_has_exactly_the_documented_claims(ada: Person, tokens: Tokens) -> None:
    token = tokens["access_token"]
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt"}
    claims = jwt.get_unverified_claims(token)
    assert set(claims) == {"iss", "aud", "sub", "iat", "exp", "jti", "sid"}
    assert (claims["sub"], claims["iss"]) == (ada.id, "http://planner.test")
    assert claims["exp"] - claims["iat"] == 900


async def test_a_username_serves_as_well_as_an_email_address(api: Planner) -> None:
    await sign_up(api, "ada@example.com", username="Countess")
    for name in ("ada@example.com", "ADA@example.com", "Countess", "countess"):
        await granted(api, name)


async def test_the_refresh_token_grant_returns_tokens_in_the_shape_of_rfc_6749(ada: Person, tokens: Tokens) -> None:
    answer = await refresh(ada.api, tokens["refresh_token"])
    body = ok(answer)
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert ok(await get_me(ada.api, body["access_token"]))["id"] == ada.id


async def test_wrong_credentials_are_the_same_invalid_grant_for_known_and_unknown_accounts(ada: Person) -> None:
    form = {"grant_type": "password", "password": "not the password at all"}
    wrong = await grant(ada.api, **form, username=ada.email)
    unknown = await grant(ada.api, **form, username="nobody@example.com")
    assert refusal(wrong) == refusal(unknown) == "invalid_grant"
    assert (wrong.content, headers_of(wrong)) == (unknown.content, headers_of(unknown))


async def test_a_made_up_or_used_refresh_token_is_an_invalid_grant(ada: Person, tokens: Tokens) -> None:
    newer = ok(await refresh(ada.api, tokens["refresh_token"]))
    ok(await refresh(ada.api, newer["refresh_token"]))
    for token in ("made up", tokens["refresh_token"], tokens["refresh_token"], tokens["access_token"]):
        assert refusal(await refresh(ada.api, token)) == "invalid_grant"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": ""},
        {"grant_type": "password"},
        {"grant_type": "password", "username": "ada@example.com"},
        {"grant_type": "password", "username": "ada@example.com", "password": ""},
        {"grant_type": "password", "password": PASSWORD},
        {"grant_type": "refresh_token"},
        {"grant_type": "refresh_token", "refresh_token": ""},
        {"grant_type": "authorization_code", "code": "x"},
        {"username": "ada@example.com", "password": PASSWORD},
    ],
)
async def test_a_missing_parameter_is_an_invalid_request(ada: Person, form: dict[str, str]) -> None:
    assert refusal(await grant(ada.api, **form)) == "invalid_request"


@pytest.mark.parametrize("grant_type", ["client_credentials", "implicit", "PASSWORD", "password ", "x" * 10_000])
async def test_an_unknown_grant_is_an_unsupported_grant_type(ada: Person, grant_type: str) -> None:
    answer = await grant(ada.api, grant_type=grant_type, username=ada.email, password=PASSWORD)
    assert refusal(answer) == "unsupported_grant_type"
    assert grant_type not in answer.json()["error_description"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "body",
    [
        "token=a&token=b&grant_type=password",
        "token=a&token=a",
        "token=a&x=1&x=2",
        "grant_type=password&grant_type=password&token=a",
        "token=%00",
        "token=%FF",
        "token=%zz%FF",
        "token",
        "&".join(f"p{one}=x" for one in range(200)),
    ],
)
async def test_a_form_with_a_repeated_or_unreadable_parameter_is_an_invalid_request(
    ada: Person, endpoint: str, body: str
) -> None:
    answer = await ada.post(endpoint, content=body, headers=FORM)
    assert refusal(answer) == "invalid_request"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_anything_but_a_form_is_an_invalid_request(ada: Person, endpoint: str) -> None:
    assert refusal(await ada.post(endpoint, json={"grant_type": "password", "token": "x"})) == "invalid_request"
    assert refusal(await ada.post(endpoint)) == "invalid_request"
    assert refusal(await ada.post(endpoint, files={"token": b"x"})) == "invalid_request"
    big = await ada.post(endpoint, content="token=" + "x" * 1024 * 1024, headers=FORM)
    assert refusal(big) == "invalid_request"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_no_refusal_repeats_what_was_sent(ada: Person, endpoint: str) -> None:
    secret = "a-secret-of-the-tests"
    for body in (f"token={secret}&token={secret}", f"grant_type={secret}", f"password={secret}%00", f"{secret}"):
        answer = await ada.post(endpoint, content=body, headers=FORM)
        assert secret not in answer.text + repr(answer.headers)


@pytest.mark.parametrize("scope", ["everything", "events:read everything", "EVENTS:READ", "account", ",", " ", "\t"])
async def test_an_unknown_scope_is_an_invalid_scope(ada: Person, scope: str) -> None:
    answer = await grant(ada.api, grant_type="password", username=ada.email, password=PASSWORD, scope=scope)
    assert refusal(answer) == "invalid_scope"


async def test_a_narrower_scope_is_returned_enforced_and_stays_after_refreshing(ada: Person) -> None:
    event = await ada.event()
    tokens = await granted(ada.api, ada.email, scope="events:read events:read")
    for _ in range(3):
        assert tokens["scope"] == "events:read"
        headers = bearer(tokens["access_token"])
        ok(await ada.api.get(f"/events/{event['id']}", headers=headers))
        for method, path, required in (
            ("POST", "/events", "events:write"),
            ("DELETE", f"/events/{event['id']}", "events:write"),
            ("GET", "/users/me", "account:read"),
            ("PATCH", "/users/me", "account"),
            ("POST", "/auth/tokens", "account"),
            ("GET", "/auth/sessions", "account"),
            ("POST", "/auth/introspect", "account"),
        ):
            body: dict[str, Any] = {"json": {"title": "x"}} if method in ("POST", "PATCH") else {}
            answer = await ada.api.request(method, path, headers=headers, **body)
            assert answer.status_code == 403, (method, path)
            assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{required}"'
            assert answer.json()["type"] == "/problems/insufficient-scope"
        tokens = ok(await refresh(ada.api, tokens["refresh_token"]))


async def test_refreshing_cannot_widen_a_scope(ada: Person) -> None:
    tokens = await granted(ada.api, ada.email, scope="events:read")
    wider = await refresh(ada.api, tokens["refresh_token"], scope="events:read account:read")
    assert refusal(wider) == "invalid_scope"
    again = ok(await refresh(ada.api, tokens["refresh_token"], scope="events:read"))
    assert again["scope"] == "events:read"
    assert (await get_me(ada.api, again["access_token"])).status_code == 403


async def test_a_refresh_narrows_the_access_token_and_leaves_the_session_its_scope(ada: Person) -> None:
    two = await granted(ada.api, ada.email, scope="events:read account:read")
    whole = await granted(ada.api, ada.email)
    for tokens, rights in ((two, "events:read account:read"), (whole, None)):
        narrow = ok(await refresh(ada.api, tokens["refresh_token"], scope="events:read"))
        assert narrow["scope"] == "events:read"
        assert (await introspect(ada, narrow["access_token"]))["scope"] == "events:read"
        assert (await get_me(ada.api, narrow["access_token"])).status_code == 403
        ok(await ada.api.get("/events", headers=bearer(narrow["access_token"])))
        full = ok(await refresh(ada.api, narrow["refresh_token"]))
        assert full.get("scope") == rights
        ok(await get_me(ada.api, full["access_token"]))


async def test_the_scopes_that_stock_clients_add_are_ignored(ada: Person) -> None:
    for added in ("openid", "offline_access openid", "openid profile email offline_access"):
        tokens = await granted(ada.api, ada.email, scope=added)
        assert "scope" not in tokens
        assert "scope" not in ok(await refresh(ada.api, tokens["refresh_token"], scope=added))
    assert (await granted(ada.api, ada.email, scope="openid events:read offline_access"))["scope"] == "events:read"


async def test_a_session_with_a_scope_is_ended_by_revoking_its_token(ada: Person) -> None:
    tokens = await granted(ada.api, ada.email, scope="events:read")
    ok(await ada.api.post("/auth/revoke", data={"token": tokens["access_token"]}))
    assert (await ada.api.get("/events", headers=bearer(tokens["access_token"]))).status_code == 401
    assert refusal(await refresh(ada.api, tokens["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "access_token"}, {"token_type_hint": "nonsense"}])
async def test_revoking_a_token_of_a_session_ends_the_session(
    ada: Person, tokens: Tokens, kind: str, hint: dict[str, str]
) -> None:
    answer = await ada.api.post("/auth/revoke", data={"token": tokens[kind]} | hint)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await get_me(ada.api, tokens["access_token"])).status_code == 401
    assert refusal(await refresh(ada.api, tokens["refresh_token"])) == "invalid_grant"
    ok(await ada.get("/users/me"))


async def test_revoking_a_refresh_token_that_was_replaced_ends_the_session_too(ada: Person, tokens: Tokens) -> None:
    newer = ok(await refresh(ada.api, tokens["refresh_token"]))
    ok(await ada.api.post("/auth/revoke", data={"token": tokens["refresh_token"]}))
    assert (await get_me(ada.api, newer["access_token"])).status_code == 401
    assert refusal(await refresh(ada.api, newer["refresh_token"])) == "invalid_grant"


async def test_revoking_a_personal_token_revokes_no_other_token(ada: Person) -> None:
    token, other = await personal_token(ada), await personal_token(ada)
    ok(await get_me(ada.api, token))
    ok(await ada.api.post("/auth/revoke", data={"token": token}))
    assert (await get_me(ada.api, token)).status_code == 401
    ok(await get_me(ada.api, other))
    ok(await ada.get("/users/me"))


async def test_revoking_a_revoked_or_made_up_token_returns_the_same_response(ada: Person, tokens: Tokens) -> None:
    revoked = await ada.api.post("/auth/revoke", data={"token": tokens["refresh_token"]})
    for token in (
        tokens["refresh_token"],
        tokens["access_token"],
        "made up",
        "planner_pat_x",
        "planner_rt_x",
        "planner_rt_" + "x" * 5000,
        "a.b.c",
        "ü",
    ):
        answer = await ada.api.post("/auth/revoke", data={"token": token})
        assert (answer.status_code, answer.content, headers_of(answer)) == (200, b"", headers_of(revoked))


@pytest.mark.parametrize("endpoint", ["/auth/revoke", "/auth/introspect"])
@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token_type_hint": "access_token"}])
async def test_revoking_and_introspecting_need_a_token(ada: Person, endpoint: str, form: dict[str, str]) -> None:
    content = httpx.QueryParams(form)
    answer = await ada.post(endpoint, content=str(content), headers=FORM)
    assert refusal(answer) == "invalid_request"


async def introspect(person: Person, token: str) -> dict[str, Any]:
    answer = await person.post("/auth/introspect", data={"token": token})
    body: dict[str, Any] = ok(answer)
    assert answer.headers["cache-control"] == "no-store"
    return body


INACTIVE = {"active": False}


async def test_introspecting_ones_own_access_token_returns_its_claims(ada: Person) -> None:
    claims = jwt.get_unverified_claims(ada.token)
    told = await introspect(ada, ada.token)
    assert told == {"active": True, "token_type": "Bearer", "username": ada.email} | claims


async def test_introspecting_a_refresh_token_returns_its_session_and_expiry(ada: Person, tokens: Tokens) -> None:
    told = await introspect(ada, tokens["refresh_token"])
    assert (told["active"], told["sub"], told["token_type"]) == (True, ada.id, "refresh_token")
    assert told["exp"] - told["iat"] == 30 * 24 * 60 * 60
    assert told["sid"] == jwt.get_unverified_claims(tokens["access_token"])["sid"]


async def test_introspecting_a_token_with_scopes_returns_them(ada: Person) -> None:
    told = await introspect(ada, await personal_token(ada))
    assert set(told["scope"].split()) == {"account:read", "events:read"}
    assert (told["active"], told["sub"], told["exp"] - told["iat"]) == (True, ada.id, 24 * 60 * 60)
    narrow = await granted(ada.api, ada.email, scope="events:read")
    assert (await introspect(ada, narrow["access_token"]))["scope"] == "events:read"
    assert (await introspect(ada, narrow["refresh_token"]))["scope"] == "events:read"


async def test_introspecting_somebody_elses_token_says_only_that_it_is_not_active(
    ada: Person, ben: Person, tokens: Tokens
) -> None:
    for token in (tokens["access_token"], tokens["refresh_token"], await personal_token(ada)):
        assert (await introspect(ada, token))["active"] is True
        assert await introspect(ben, token) == INACTIVE


async def test_an_admin_may_introspect_every_token(
    ada: Person, admin: Person, clock: MovableClock, tokens: Tokens
) -> None:
    clock.move(timedelta(seconds=2))
    for token in (tokens["access_token"], tokens["refresh_token"], await personal_token(ada)):
        told = await introspect(admin, token)
        assert (told["active"], told["sub"], told["username"]) == (True, ada.id, ada.email)


async def test_introspecting_an_expired_or_revoked_token_says_only_that_it_is_not_active(
    ada: Person, tokens: Tokens, clock: MovableClock
) -> None:
    newer = ok(await refresh(ada.api, tokens["refresh_token"]))
    # It can be sent again, as long as the newer one is unused.
    assert (await introspect(ada, tokens["refresh_token"]))["active"] is True
    newer = ok(await refresh(ada.api, newer["refresh_token"]))
    personal = await personal_token(ada)
    for token in ("made up", "planner_pat_x", "planner_rt_x.y.z", tokens["refresh_token"], f"{ada.token}x"):
        assert await introspect(ada, token) == INACTIVE
    ok(await ada.api.post("/auth/revoke", data={"token": newer["refresh_token"]}))
    for token in (newer["refresh_token"], newer["access_token"], tokens["access_token"]):
        assert await introspect(ada, token) == INACTIVE
    short = await granted(ada.api, ada.email)
    clock.move(timedelta(minutes=15))
    asking = Person(ada.api, ada.id, ada.email, (await granted(ada.api, ada.email))["access_token"])
    assert await introspect(asking, short["access_token"]) == INACTIVE
    assert (await introspect(asking, short["refresh_token"]))["active"] is True
    clock.move(timedelta(days=31))
    asking.token = (await granted(ada.api, ada.email))["access_token"]
    for token in (short["refresh_token"], personal):
        assert await introspect(asking, token) == INACTIVE


async def test_introspecting_a_token_of_a_disabled_account_says_only_that_it_is_not_active(
    ada: Person, admin: Person, clock: MovableClock
) -> None:
    tokens = await granted(ada.api, ada.email)
    personal = await personal_token(ada)
    clock.move(timedelta(seconds=2))
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": True}))
    for token in (tokens["access_token"], tokens["refresh_token"], personal):
        assert await introspect(admin, token) == INACTIVE


async def test_introspecting_needs_a_signed_in_caller(ada: Person) -> None:
    answer = await ada.api.post("/auth/introspect", data={"token": ada.token})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    personal = await ada.api.post(
        "/auth/introspect", data={"token": ada.token}, headers=bearer(await personal_token(ada))
    )
    assert personal.status_code == 403


async def test_both_ways_of_signing_in_open_the_same_kind_of_session(ada: Person) -> None:
    json_way, form_way = ok(await sign_in(ada.api, ada.email)), await granted(ada.api, ada.email)
    assert set(json_way) - set(form_way) == {"user"}
    for tokens in (json_way, form_way):
        ok(await refresh(ada.api, tokens["refresh_token"]))
