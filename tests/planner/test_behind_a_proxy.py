"""Behind a reverse proxy: every address keeps the path of PUBLIC_URL, and a proxy that is not trusted is noticed."""

import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from planner.services.mail.transports import MailTransport
from tests.support.clients import PASSWORD, Planner, ok, sign_up
from tests.support.mailbox import Mailbox, text_of

ADDRESS = re.compile(r'(?:href|src|action)="([^"]*)"')


@pytest.fixture
def mailbox(without_background_work: None) -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> MailTransport:
    return mailbox


@pytest.fixture
def settings_changes() -> dict[str, Any]:
    return {"public_url": "http://planner.test/planner"}


@pytest.fixture(params=["http://planner.test", "http://planner.test/planner"])
async def root(app: FastAPI, request: pytest.FixtureRequest) -> AsyncIterator[Planner]:
    """A client whose requests arrive as a proxy sends them that removes the path, or as one that does not."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=request.param) as client:
        yield client


async def test_every_address_keeps_the_path_of_the_public_url(root: Planner, mailbox: Mailbox) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    signed_up = await root.post("/api/v1/auth/signup", json=form)
    assert (signed_up.status_code, signed_up.headers["location"]) == (201, "/planner/api/v1/users/me")
    (mail,) = await mailbox.deliver_due()
    assert "http://planner.test/planner/verify-email#token=" in text_of(mail)
    tokens = ok(await root.post("/api/v1/auth/signin", json=form))
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    for _ in range(2):
        made = await root.post("/api/v1/events", json={"title": "x"}, headers=headers)
        assert made.headers["location"] == f"/planner/api/v1/events/{made.json()['id']}"
    page = await root.get("/api/v1/events?limit=1", headers=headers)
    assert page.headers["link"].startswith("<http://planner.test/planner/api/v1/events?limit=1&cursor=")
    me = await root.get("/api/v1/users/me", headers=headers)
    assert me.headers["link"].startswith("<http://planner.test/planner/api/v1/events")
    feed = ok(await root.post("/api/v1/feeds", json={"name": "x"}, headers=headers), 201)
    assert feed["url"].startswith("http://planner.test/planner/api/v1/feeds/")


async def test_pages_name_no_address_outside_the_path_of_the_public_url(root: Planner) -> None:
    page = await root.get("/docs")
    assert page.status_code == 200
    assert not [word for word in ('="/', "='/", '("/') if word in page.text]
    signed_out = await root.get("/signin?next=/account", headers={"accept": "text/html"})
    assert signed_out.status_code == 200
    pages = [signed_out, *[await root.get(path) for path in ("/signup", "/verify-email", "/reset-password")]]
    for address in (found for page in pages for found in ADDRESS.findall(page.text)):
        assert address.startswith(("/planner/", "?", "#")), address
    refused = await root.get("/calendar", headers={"accept": "text/html"})
    assert refused.headers["location"].startswith("/planner/signin?next=%2Fcalendar"), refused.headers
    metadata = ok(await root.get("/.well-known/oauth-authorization-server"))
    assert metadata["issuer"] == "http://planner.test/planner"
    assert metadata["token_endpoint"] == "http://planner.test/planner/api/v1/auth/token"
    below = "http://planner.test/.well-known/oauth-authorization-server"
    assert ok(await root.get(f"{below}/planner")) == metadata
    ok(await root.get(f"{below}/elsewhere"), 404)
    document = ok(await root.get("/openapi.json"))
    assert [server["url"] for server in document["servers"]] == ["http://planner.test/planner"]


@pytest.mark.parametrize("settings_changes", [{"public_url": "http://planner.test/api"}])
async def test_a_path_that_is_also_one_of_our_own_is_left_to_the_proxy(api: Planner) -> None:
    ada = await sign_up(api, "ada@example.com")
    made = await ada.post("/events", json={"title": "x"})
    assert made.headers["location"] == f"/api/api/v1/events/{made.json()['id']}"


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "TRUSTED_PROXIES" in record.getMessage()]


async def test_a_proxy_that_is_not_trusted_is_warned_of_once(api: Planner, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await api.get("http://planner.test/healthz")
        assert warnings_of(caplog) == []
        for _ in range(3):
            await api.get("http://planner.test/healthz", headers={"X-Forwarded-For": "203.0.113.7"})
        (warning,) = warnings_of(caplog)
        assert "TRUSTED_PROXIES=127.0.0.1" in warning


async def test_a_trusted_proxy_is_not_warned_of(api: Planner, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        # The server has put the forwarded address in the place of the proxy's.
        await api.get("http://planner.test/healthz", headers={"X-Forwarded-For": "198.51.100.1, 127.0.0.1"})
        assert warnings_of(caplog) == []
