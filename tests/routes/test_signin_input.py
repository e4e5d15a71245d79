"""What is not text where text belongs, or more than was asked for, signs nobody up or in and changes nothing."""

from typing import Any

import pytest

from database.connection import bound_database
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in

OPERATORS: list[Any] = [
    {"$ne": None},
    {"$gt": ""},
    {"$regex": "."},
    {"$where": "true"},
    ["ada@example.com"],
    [{"$ne": None}],
    True,
    0,
    None,
]
MORE = [
    ("is_admin", True),
    ("role", "admin"),
    ("email_verified", True),
    ("disabled", False),
    ("id", "0123456789abcdef01234567"),
    ("_id", "0123456789abcdef01234567"),
    ("events", []),
    ("$set", {"role": "admin"}),
    ("password_hash", "x"),
    ("identities", []),
    ("revision", 7),
    ("__proto__", {}),
]
GOOD = {"email": "eve@example.com", "password": PASSWORD, "username": "eve", "full_name": "Eve"}


async def stored() -> str:
    """All that a request may have changed, as one text; mails come and go by themselves."""
    names = ["users", "sessions", "personal_tokens", "idempotent_responses", "audit"]
    return repr([await bound_database().handle[name].find({}).to_list(None) for name in names])


def pointers(body: Any) -> list[str]:
    return [error["pointer"] for error in body["errors"]]


@pytest.mark.parametrize("value", OPERATORS, ids=repr)
@pytest.mark.parametrize("field", ["email", "password"])
async def test_signing_in_accepts_only_text(ada: Person, field: str, value: Any) -> None:
    before = await stored()
    answer = await ada.api.post("/auth/signin", json={"email": ada.email, "password": PASSWORD} | {field: value})
    assert pointers(ok(answer, 422)) == [f"/{field}"]
    assert await stored() == before


@pytest.mark.parametrize("value", [value for value in OPERATORS if value is not None], ids=repr)
@pytest.mark.parametrize("field", ["email", "password", "username", "full_name"])
async def test_signing_up_accepts_only_text(ada: Person, field: str, value: Any) -> None:
    before = await stored()
    answer = await ada.api.post("/auth/signup", json=GOOD | {field: value})
    assert pointers(ok(answer, 422)) == [f"/{field}"]
    assert await stored() == before


@pytest.mark.parametrize(("field", "value"), MORE)
async def test_signing_up_cannot_set_what_only_the_server_sets(ada: Person, field: str, value: Any) -> None:
    before = await stored()
    answer = await ada.api.post("/auth/signup", json=GOOD | {field: value})
    assert pointers(ok(answer, 422)) == [f"/{field}"]
    assert await stored() == before


@pytest.mark.parametrize(("field", "value"), MORE)
async def test_a_change_of_ones_account_cannot_set_what_only_the_server_sets(
    ada: Person, field: str, value: Any
) -> None:
    before = await stored()
    answer = await ada.patch("/users/me", json={"full_name": "Ada", field: value})
    assert pointers(ok(answer, 422)) == [f"/{field}"]
    assert await stored() == before


@pytest.mark.parametrize(("field", "value"), [("scope", "events:read"), ("role", "admin"), ("remember", True)])
async def test_signing_in_refuses_unknown_fields(ada: Person, field: str, value: Any) -> None:
    form = {"email": ada.email, "password": PASSWORD, field: value}
    assert pointers(ok(await ada.api.post("/auth/signin", json=form), 422)) == [f"/{field}"]


@pytest.mark.parametrize("value", OPERATORS, ids=repr)
@pytest.mark.parametrize(
    ("path", "more"),
    [("/auth/email/verify", {}), ("/auth/password/reset", {"password": "another one that is long"})],
)
async def test_a_mailed_token_must_be_text(ada: Person, path: str, more: dict[str, str], value: Any) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    answer = await ada.api.post(path, json={"token": value} | more)
    assert pointers(ok(answer, 422)) == ["/token"]
    assert (await ada.me())["email_verified"] is False
    ok(await sign_in(ada.api, ada.email))


@pytest.mark.parametrize("value", OPERATORS, ids=repr)
async def test_the_address_of_a_recovery_must_be_text(ada: Person, value: Any) -> None:
    assert pointers(ok(await ada.api.post("/auth/password/forgot", json={"email": value}), 422)) == ["/email"]


@pytest.mark.parametrize("body", ["token[$ne]=x", "token[$regex]=.", "token=[$ne]", "token=%7B%22%24ne%22%3Anull%7D"])
async def test_operators_in_a_form_are_taken_as_plain_names_and_text(ada: Person, body: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for start in ("/auth/revoke", "/auth/introspect"):
        answer = await ada.post(start, content=body, headers=headers)
        assert answer.status_code in (200, 400)
        assert "username" not in answer.text
    grant = f"grant_type=refresh_token&{body.replace('token', 'refresh_token')}"
    assert (await ada.api.post("/auth/token", content=grant, headers=headers)).status_code == 400
    grant = f"grant_type=password&{body.replace('token', 'username')}&password[$ne]=x&password={PASSWORD}"
    assert (await ada.api.post("/auth/token", content=grant, headers=headers)).status_code == 400
    ok(await ada.get("/users/me"))


async def test_a_username_may_have_a_dot_inside(api: Planner) -> None:
    assert ok(await api.post("/auth/signup", json=GOOD | {"username": "a.b"}), 201)["username"] == "a.b"


@pytest.mark.parametrize("name", ["$ne", "ada\u0000", "..", "{}", "$where", "a b", "ada@example.com"])
async def test_a_username_with_other_characters_is_refused(api: Planner, name: str) -> None:
    before = await stored()
    answer = await api.post("/auth/signup", json=GOOD | {"username": name})
    assert pointers(ok(answer, 422)) == ["/username"]
    assert await stored() == before


@pytest.mark.parametrize("login", ["$ne", ".*", "^ada", "{'$ne': null}", "ada@example.com\u0000", "*", "ada@example.%"])
async def test_a_login_is_not_taken_as_a_pattern(ada: Person, login: str) -> None:
    assert (await sign_in(ada.api, login)).status_code in (401, 422)


@pytest.mark.parametrize("body", ["", "null", "[]", '"x"', "1", "{", "{}", '{"email":'])
@pytest.mark.parametrize("path", ["/auth/signin", "/auth/signup"])
async def test_a_body_that_is_no_object_is_refused(api: Planner, path: str, body: str) -> None:
    answer = await api.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
