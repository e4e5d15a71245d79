"""What an Authorization header has to be (RFC 6750 §2.1), and how one that is not is refused (§3)."""

import httpx
import pytest

from tests.support.clients import Person, Planner, ok

BARE, INVALID = "Bearer", 'Bearer error="invalid_token"'


async def ask(api: Planner, *values: str | bytes) -> httpx.Response:
    raw = [value if isinstance(value, bytes) else value.encode() for value in values]
    return await api.get("/users/me", headers=[(b"authorization", value) for value in raw])


def challenge(response: httpx.Response) -> str:
    assert response.status_code == 401, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return response.headers["www-authenticate"]


async def test_a_request_without_the_header_gets_a_challenge_without_parameters(api: Planner) -> None:
    assert challenge(await ask(api)) == BARE


@pytest.mark.parametrize(
    "value",
    ["", " ", "Basic YWRhOnNlY3JldA==", "Digest username=ada", "Token abc", "Bearerabc", "Bear er abc", "Bearer,abc"],
)
async def test_another_scheme_gets_the_same_challenge_as_no_header(api: Planner, value: str) -> None:
    assert challenge(await ask(api, value)) == BARE


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer ",
        "Bearer    ",
        "Bearer x",
        "Bearer null",
        "Bearer a.b.c",
        "Bearer a b",
        b"Bearer \xff\xfe.\xe9.\x80",
        "Bearer planner_pat_",
        "Bearer planner_pat_" + "x" * 43,
        b"Bearer planner_pat_\xff",
        "Bearer planner_rt_" + "x" * 43,
        "Bearer " + "x" * 60_000,
    ],
)
async def test_a_token_that_is_not_ours_is_an_invalid_token(api: Planner, value: str | bytes) -> None:
    answer = await ask(api, value)
    assert challenge(answer) == INVALID
    assert "xxx" not in answer.text


async def test_the_scheme_may_be_written_in_any_letter_case(ada: Person) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert ok(await ask(ada.api, f"{scheme} {ada.token}"))["id"] == ada.id


async def test_a_token_with_anything_around_it_is_refused(ada: Person) -> None:
    for value in (f'Bearer "{ada.token}"', f"Bearer {ada.token},", f"Bearer {ada.token} x", f"Bearer x {ada.token}"):
        assert challenge(await ask(ada.api, value)) == INVALID


async def test_a_token_counts_in_the_header_alone(ada: Person) -> None:
    answer = await ada.api.get(
        "/users/me", params={"access_token": ada.token}, headers={"Cookie": f"access_token={ada.token}"}
    )
    assert challenge(answer) == BARE


async def test_a_refresh_token_is_no_access_token(api: Planner, ada: Person) -> None:
    signed_in = ok(await api.post("/auth/signin", json={"email": ada.email, "password": ada.password}))
    assert challenge(await ask(api, f"Bearer {signed_in['refresh_token']}")) == INVALID
