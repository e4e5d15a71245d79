"""A new SECRET_KEY: what the one before has signed holds while it is SECRET_KEY_PREVIOUS, and nothing new is signed so.

A planner that is started again is another application on the same database.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from database.connection import Database
from planner.app import create_app
from planner.settings import Settings
from tests.conftest import SECRET
from tests.routes.pages.browsing import ORIGIN, Browser
from tests.support.clients import Person, Planner, bearer, ok, sign_in, sign_up
from tests.support.clocks import MovableClock
from tests.support.mailbox import Mailbox
from tests.support.recovery import verify_email
from tests.support.services import services_of
from tests.support.sessions import Tokens, get_me, is_invalid_grant, is_invalid_token, open_session, refresh

NEW = "a newer key of the tests, and of nothing else: c3d17720"
pytestmark = pytest.mark.real_server("the mock cannot create its indexes again")
KEY = {"Idempotency-Key": "before-the-rotation-51b2"}
EVENT = {"title": "Book launch", "start": "2024-12-01"}
PERSONAL = {"name": "script", "scopes": ["events:read"], "expires_in": 86400}
CREATED: dict[str, dict[str, Any]] = {"/events": EVENT, "/auth/tokens": PERSONAL, "/feeds": {"name": "phone"}}


@pytest.fixture
def mail_transport() -> Mailbox:
    return Mailbox()


class Restarts:
    """Starts planners on one database, with one secret and another one before."""

    def __init__(
        self, settings: Settings, open_database: Callable[[], Awaitable[Database]], transport: Mailbox
    ) -> None:
        self._settings = settings
        self._open_database = open_database
        self._transport = transport
        self.clock = MovableClock()

    @asynccontextmanager
    async def with_secret(self, secret: str, previous: str | None = None) -> AsyncIterator[tuple[FastAPI, Planner]]:
        """Run a planner for as long as the block runs, and yield it with a client."""
        changes = {"secret_key": SecretStr(secret), "secret_key_previous": SecretStr(previous) if previous else None}
        app = create_app(
            self._settings.model_copy(update=changes),
            open_database=self._open_database,
            mail_transport=self._transport,
            clock=self.clock,
        )
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as api,
        ):
            self._transport.delivery = services_of(app).mail_delivery
            yield app, api


@pytest.fixture
def restarts(
    settings: Settings, open_database_for_test: Callable[[], Awaitable[Database]], mail_transport: Mailbox
) -> Restarts:
    return Restarts(settings, open_database_for_test, mail_transport)


class Held(NamedTuple):
    """What somebody holds when the secret is replaced."""

    person: Person
    tokens: Tokens
    cookies: httpx.Cookies
    form: httpx.Response
    mailed: str
    created: dict[str, Any]


@asynccontextmanager
async def browser_at(app: FastAPI, cookies: httpx.Cookies | None = None) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, cookies=cookies) as client:
        yield Browser(client)


async def create_everything(person: Person) -> dict[str, Any]:
    """Create one thing of each kind, with an Idempotency-Key, and return the responses by their paths."""
    return {path: ok(await person.post(path, json=body, headers=KEY), 201) for path, body in CREATED.items()}


async def gather_everything(app: FastAPI, api: Planner, mailbox: Mailbox) -> Held:
    ada = await sign_up(api, "ada@example.com")
    tokens, created = await open_session(api, ada.email), await create_everything(ada)
    async with browser_at(app) as browser:
        await browser.sign_in(ada)
        form = await browser.open("/account")
        cookies = browser.client.cookies
    return Held(ada, tokens, cookies, form, await mailbox.verification_token(), created)


async def read_feed(api: Planner, feed: dict[str, Any]) -> int:
    return (await api.get(feed["url"])).status_code


async def list_with(api: Planner, token: str) -> int:
    return (await api.get("/events", headers=bearer(token))).status_code


async def test_nobody_is_signed_out_and_no_key_is_forgotten_while_the_previous_secret_is_set(
    restarts: Restarts, mail_transport: Mailbox
) -> None:
    async with restarts.with_secret(SECRET) as (app, api):
        held = await gather_everything(app, api, mail_transport)
    async with restarts.with_secret(NEW, SECRET) as (app, api):
        ada = Person(api, held.person.id, held.person.email, held.person.token)
        assert await create_everything(ada) == held.created
        assert (await ada.me())["events"] == [held.created["/events"]["id"]]
        problem = ok(await ada.post("/events", json={"title": "Another"}, headers=KEY), 422)
        assert "Idempotency-Key" in problem["errors"][0]["message"]
        assert await list_with(api, held.created["/auth/tokens"]["token"]) == 200
        assert await read_feed(api, held.created["/feeds"]) == 200
        async with browser_at(app, held.cookies) as browser:
            assert (await browser.open("/account")).status_code == 200
            saved = await browser.submit(held.form, "/account", full_name="Ada Lovelace")
            assert saved.status_code == 303
        assert (await ada.me())["full_name"] == "Ada Lovelace"
        ok(await verify_email(api, held.mailed), 204)
        newer = ok(await refresh(api, held.tokens["refresh_token"]))
        # A response that was lost is given again, whichever secret has made it.
        assert ok(await refresh(api, held.tokens["refresh_token"]))["refresh_token"] == newer["refresh_token"]
        created_since = ok(await ada.post("/events", json=EVENT, headers={"Idempotency-Key": "since"}), 201)
    async with restarts.with_secret(NEW) as (app, api):
        # What was signed since is signed with the new secret alone.
        ada = Person(api, held.person.id, held.person.email, newer["access_token"])
        assert ok(await ada.post("/events", json=EVENT, headers={"Idempotency-Key": "since"}), 201) == created_since
        ok(await refresh(api, newer["refresh_token"]))


async def test_without_the_previous_secret_what_it_has_signed_is_refused_and_the_rest_holds(
    restarts: Restarts, mail_transport: Mailbox
) -> None:
    async with restarts.with_secret(SECRET) as (app, api):
        held = await gather_everything(app, api, mail_transport)
    async with restarts.with_secret(NEW) as (app, api):
        assert is_invalid_token(await get_me(api, held.tokens["access_token"]))
        assert is_invalid_grant(await refresh(api, held.tokens["refresh_token"]))
        async with browser_at(app, held.cookies) as browser:
            assert (await browser.open("/account")).status_code == 303
        assert await list_with(api, held.created["/auth/tokens"]["token"]) == 200
        assert await read_feed(api, held.created["/feeds"]) == 200
        ok(await verify_email(api, held.mailed), 204)
        ok(await sign_in(api, held.person.email))


async def test_a_refresh_whose_response_was_lost_before_the_restart_gives_the_same_successor(
    restarts: Restarts,
) -> None:
    async with restarts.with_secret(SECRET) as (_, api):
        ada = await sign_up(api, "ada@example.com")
        tokens = await open_session(api, ada.email)
        lost = ok(await refresh(api, tokens["refresh_token"]))["refresh_token"]
    async with restarts.with_secret(NEW, SECRET) as (_, api):
        again = ok(await refresh(api, tokens["refresh_token"]))
        assert again["refresh_token"] == lost
        state = ok(await api.post("/auth/introspect", data={"token": lost}, headers=bearer(again["access_token"])))
        assert state["active"]
        ok(await refresh(api, lost))
        restarts.clock.move(timedelta(seconds=61))
        assert is_invalid_grant(await refresh(api, tokens["refresh_token"]))
        assert is_invalid_token(await get_me(api, again["access_token"]))


async def test_planners_of_which_each_signs_with_the_secret_that_the_other_accepts_know_each_others_keys(
    restarts: Restarts,
) -> None:
    second_key = {"Idempotency-Key": "the-other-way"}
    async with restarts.with_secret(SECRET, NEW) as (_, api):
        ada = await sign_up(api, "ada@example.com")
        first = await create_everything(ada)
    async with restarts.with_secret(NEW, SECRET) as (_, api):
        ada = Person(api, ada.id, ada.email, ada.token)
        assert await create_everything(ada) == first
        token = ok(await ada.post("/auth/tokens", json=PERSONAL, headers=second_key), 201)
    async with restarts.with_secret(SECRET, NEW) as (_, api):
        ada = Person(api, ada.id, ada.email, ada.token)
        assert ok(await ada.post("/auth/tokens", json=PERSONAL, headers=second_key), 201) == token
        assert await list_with(api, token["token"]) == 200


async def test_of_one_request_at_two_planners_at_once_one_creates(restarts: Restarts) -> None:
    async with restarts.with_secret(SECRET, NEW) as (_, old), restarts.with_secret(NEW, SECRET) as (_, new):
        ada = await sign_up(old, "ada@example.com")
        people = [Person(api, ada.id, ada.email, ada.token) for api in (old, new) * 5]
        for path, body in CREATED.items():
            responses = await asyncio.gather(*(person.post(path, json=body, headers=KEY) for person in people))
            assert {response.status_code for response in responses} == {201}
            assert len({response.content for response in responses}) == 1
        assert len((await ada.me())["events"]) == 1
