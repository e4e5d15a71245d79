"""Clients of the planner: an account, and requests made with its token."""

from dataclasses import dataclass
from typing import Any

import httpx

Planner = httpx.AsyncClient
PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    """An account that is signed in, and its requests."""

    api: Planner
    id: str
    email: str
    token: str
    password: str = PASSWORD

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.token)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self.headers | options.pop("headers", {})
        return await self.api.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)

    async def event(self, **fields: Any) -> Any:
        """Create an event of this person's, and return it as the response shows it."""
        return ok(await self.post("/events", json={"title": "Book launch"} | fields), 201)

    async def me(self) -> Any:
        return ok(await self.get("/users/me"))


def bearer(token: str) -> dict[str, str]:
    """Return the header that authenticates with a token."""
    return {"Authorization": f"Bearer {token}"}


def headers_of(response: httpx.Response) -> dict[str, str]:
    """Return the headers of a response, without the id that each response has of its own."""
    return {name: value for name, value in response.headers.items() if name != "x-request-id"}


def ok(response: httpx.Response, status: int = 200) -> Any:
    """Return the body of a response, which must have this status; None for an empty body."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    return response.json() if response.content else None


async def sign_in(api: Planner, email: str, password: str = PASSWORD) -> httpx.Response:
    return await api.post("/auth/signin", json={"email": email, "password": password})


async def sign_up(api: Planner, email: str, password: str = PASSWORD, **fields: Any) -> Person:
    """Create an account, and sign in."""
    user = ok(await api.post("/auth/signup", json={"email": email, "password": password} | fields), 201)
    tokens = ok(await sign_in(api, email, password))
    return Person(api, user["id"], email, tokens["access_token"], password)
