"""A browser of somebody who is signed in and lives in Berlin, at a time that stands still."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from tests.routes.pages.browsing import ORIGIN, token_in
from tests.support.clients import Person, Planner, sign_up
from tests.support.clocks import clock_of

NOW = datetime(2026, 12, 7, 23, 30, tzinfo=UTC)


@pytest.fixture
def now(app: FastAPI) -> datetime:
    """The time at which the clock stands."""
    clock_of(app).move_to(NOW.timestamp())
    return NOW


@pytest.fixture
async def ada(api: Planner, now: datetime) -> Person:
    """Somebody who lives in Berlin, where it is Tuesday already: 00:30 on 8 December 2026."""
    return await sign_up(api, "ada@example.com", time_zone="Europe/Berlin")


@pytest.fixture
async def browser(app: FastAPI, ada: Person) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of Ada."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Accept": "text/html", "Accept-Language": "en-GB"}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        page = await client.get("/signin")
        fields = {"form_token": token_in(page), "email": ada.email, "password": ada.password}
        assert (await client.post("/signin", data=fields, headers={"Origin": ORIGIN})).status_code == 303
        yield client
