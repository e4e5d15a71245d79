"""Somebody who plans with a browser."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.routes.pages.browsing import ORIGIN, Browser
from tests.support.clients import Person


@pytest.fixture
async def browser(app: FastAPI, ada: Person) -> AsyncIterator[Browser]:
    """The browser of Ada, who is signed in."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Accept": "text/html"}) as client:
        browser = Browser(client)
        await browser.sign_in(ada)
        yield browser
