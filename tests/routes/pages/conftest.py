"""Browsers of people, without scripts."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.routes.pages.browsing import ORIGIN, Browser
from tests.support.clients import Person


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[Browser]:
    """The browser of somebody who is not signed in."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Accept": "text/html"}) as client:
        yield Browser(client)


@pytest.fixture
async def browser(stranger: Browser, ada: Person) -> Browser:
    """The browser of Ada, who is signed in."""
    await stranger.sign_in(ada)
    return stranger
