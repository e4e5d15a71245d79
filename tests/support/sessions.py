"""Sessions and their tokens, as a client opens, refreshes, uses and lists them."""

from typing import Any

import httpx

from tests.support.clients import Person, Planner, bearer, ok, sign_in

Tokens = dict[str, Any]


async def open_session(api: Planner, email: str) -> Tokens:
    """Sign in, which must succeed, and return the body of the response."""
    tokens: Tokens = ok(await sign_in(api, email))
    return tokens


async def refresh(api: Planner, refresh_token: str) -> httpx.Response:
    return await api.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": refresh_token})


async def list_sessions(person: Person) -> list[dict[str, Any]]:
    """Return the first page of the person's sessions."""
    items: list[dict[str, Any]] = ok(await person.get("/auth/sessions"))["items"]
    return items


async def get_me(api: Planner, access_token: str) -> httpx.Response:
    return await api.get("/users/me", headers=bearer(access_token))


def is_invalid_grant(response: httpx.Response) -> bool:
    return response.status_code == 400 and response.json()["error"] == "invalid_grant"


def is_invalid_token(response: httpx.Response) -> bool:
    return response.status_code == 401 and response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
