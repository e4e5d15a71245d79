"""The identities of one's account: shown, linked and removed, and never the last way in."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from models.accounts.identity_schema import MAX_IDENTITIES
from tests.services.accounts.test_oidc_login import process, settings  # noqa: F401 - fixtures
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in
from tests.support.clocks import clock_of
from tests.support.mailbox import Mailbox
from tests.support.oidc.browser import Browser, query_of
from tests.support.recovery import NEW_PASSWORD, order_recovery_token, reset_password
from tests.support.services import database_of
from tests.support.sessions import open_session, refresh

PAGE = "https://app.example.com/linked"


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


class Linker(Browser):
    """A browser with which somebody links an identity."""

    def __init__(self, person: Person, provider: str = "acme") -> None:
        super().__init__(person.api, provider)
        self._person = person

    async def start_link(self, **body: Any) -> httpx.Response:
        response = await self._person.post(f"/auth/{self._provider}/link", json=body)
        self.cookies |= dict(response.cookies)
        self._person.api.cookies.clear()
        return response

    async def go_through_link(self, user: str, **body: Any) -> httpx.Response:
        started = ok(await self.start_link(**body))
        sent = httpx.Response(302, headers={"location": started["authorization_url"]})
        return await self.finish_sign_in(await self.consent(sent, user))


async def list_identities(person: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = ok(await person.get("/auth/identities"))["items"]
    return items


async def signed_in_by_provider(api: Planner) -> Person:
    """Return somebody who has an account without a password."""
    body = await Browser(api).sign_in("grace")
    return Person(api, body["user"]["id"], body["user"]["email"], body["access_token"])


async def test_an_identity_is_linked_shown_and_opens_the_account(ada: Person) -> None:
    assert await list_identities(ada) == []
    linked = ok(await Linker(ada).go_through_link("grace"))
    assert (linked["provider"], linked["subject"]) == ("acme", "grace-1")
    assert await list_identities(ada) == [linked]
    signed_in = await Browser(ada.api).sign_in("grace")
    assert (signed_in["user"]["id"], signed_in["user"]["email"]) == (ada.id, ada.email)
    again = ok(await Linker(ada).go_through_link("grace"))
    assert again == linked and await list_identities(ada) == [linked]


async def test_the_page_that_started_to_link_gets_the_browser_back_with_its_state(ada: Person) -> None:
    back = await Linker(ada).go_through_link("grace", redirect_uri=PAGE, state="mine")
    assert back.status_code == 302
    assert back.headers["location"].startswith(f"{PAGE}?")
    assert query_of(back.headers["location"]) == {"linked": "acme", "state": "mine"}
    assert len(await list_identities(ada)) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"redirect_uri": "https://evil.example.com/"}, "/redirect_uri"),
        ({"state": "without a page"}, "/state"),
        ({"code_challenge": "x" * 43}, "/code_challenge"),
    ],
)
async def test_only_to_pages_of_ours_does_the_browser_return(ada: Person, body: dict[str, str], pointer: str) -> None:
    refused = ok(await Linker(ada).start_link(**body), 422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]


async def test_an_identity_of_another_account_is_not_linked(ada: Person) -> None:
    other = await signed_in_by_provider(ada.api)
    refused = ok(await Linker(ada).go_through_link("grace"), 409)
    assert "another account" in refused["detail"]
    back = await Linker(ada).go_through_link("grace", redirect_uri=PAGE)
    assert query_of(back.headers["location"])["error"] == "access_denied"
    assert await list_identities(ada) == []
    assert len(await list_identities(other)) == 1


async def test_another_browser_cannot_finish_what_this_one_has_started(ada: Person) -> None:
    linker = Linker(ada)
    started = ok(await linker.start_link())
    sent = httpx.Response(302, headers={"location": started["authorization_url"]})
    back = await linker.consent(sent, "grace")
    ok(await Browser(ada.api).finish_sign_in(back), 401)
    ok(await linker.finish_sign_in(back))


async def test_linking_needs_the_password_or_a_recent_sign_in(ada: Person, app: FastAPI) -> None:
    clock_of(app).move(timedelta(minutes=14))
    ada.token = ok(await sign_in(ada.api, ada.email))["access_token"]
    clock_of(app).move(timedelta(minutes=14))
    ok(await Linker(ada).start_link(current_password="not the password"), 403)
    ok(await Linker(ada).start_link())
    tokens = await open_session(ada.api, ada.email)
    clock_of(app).move(timedelta(minutes=16))
    ada.token = ok(await refresh(ada.api, tokens["refresh_token"]))["access_token"]
    ok(await Linker(ada).start_link(), 403)
    ok(await Linker(ada).start_link(current_password=PASSWORD))


async def test_what_was_started_before_a_sign_out_or_a_reset_links_nothing(ada: Person, mailbox: Mailbox) -> None:
    linker = Linker(ada)
    started = ok(await linker.start_link())
    back = await linker.consent(httpx.Response(302, headers={"location": started["authorization_url"]}), "grace")
    ok(await ada.post("/auth/signout"), 204)
    ok(await linker.finish_sign_in(back), 401)
    ada.token = ok(await sign_in(ada.api, ada.email))["access_token"]
    started = ok(await linker.start_link())
    back = await linker.consent(httpx.Response(302, headers={"location": started["authorization_url"]}), "grace")
    ok(await reset_password(ada.api, await order_recovery_token(ada.api, mailbox, ada)), 204)
    ok(await linker.finish_sign_in(back), 401)
    ada.token = ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))["access_token"]
    assert await list_identities(ada) == []


async def test_an_identity_is_removed_and_then_opens_nothing(ada: Person) -> None:
    linked = ok(await Linker(ada).go_through_link("grace"))
    ok(await ada.delete(f"/auth/identities/{linked['id']}"), 204)
    assert await list_identities(ada) == []
    ok(await ada.delete(f"/auth/identities/{linked['id']}"), 404)
    signed_in = await Browser(ada.api).sign_in("grace")
    assert signed_in["user"]["id"] != ada.id


async def test_an_identity_of_another_account_is_not_found(ada: Person) -> None:
    other = await signed_in_by_provider(ada.api)
    (theirs,) = await list_identities(other)
    for id in (theirs["id"], "0" * 24, "nonsense"):
        ok(await ada.delete(f"/auth/identities/{id}"), 404)
    assert await list_identities(other) == [theirs]


async def test_the_last_way_in_cannot_be_removed_until_a_password_is_set(api: Planner) -> None:
    grace = await signed_in_by_provider(api)
    (only,) = await list_identities(grace)
    refused = ok(await grace.delete(f"/auth/identities/{only['id']}"), 409)
    assert "last way to sign in" in refused["detail"]
    ok(await grace.post("/auth/password", json={"new_password": NEW_PASSWORD}), 204)
    ok(await sign_in(api, grace.email, NEW_PASSWORD))
    ok(await grace.delete(f"/auth/identities/{only['id']}"), 204)
    assert await list_identities(grace) == []


async def test_an_identity_at_a_provider_that_is_not_configured_is_no_way_in(api: Planner, app: FastAPI) -> None:
    grace = await signed_in_by_provider(api)
    gone = {"issuer": "https://gone.example.com", "subject": "grace"}
    await database_of(app)["users"].update_one({}, {"$push": {"identities": gone}})
    shown = {one["provider"]: one["id"] for one in await list_identities(grace)}
    assert shown.keys() == {"acme", None}
    ok(await grace.delete(f"/auth/identities/{shown['acme']}"), 409)
    ok(await grace.delete(f"/auth/identities/{shown[None]}"), 204)


@pytest.mark.real_server("the mock does nothing at once")
async def test_of_two_identities_that_are_removed_at_once_one_stays(api: Planner, app: FastAPI) -> None:
    grace = await signed_in_by_provider(api)
    issuer = (await list_identities(grace))[0]["issuer"]
    await database_of(app)["users"].update_one({}, {"$push": {"identities": {"issuer": issuer, "subject": "2"}}})
    ids = [one["id"] for one in await list_identities(grace)]
    answers = await asyncio.gather(*(grace.delete(f"/auth/identities/{id}") for id in ids))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert len(await list_identities(grace)) == 1


async def test_no_account_has_more_identities_than_the_maximum(ada: Person, app: FastAPI) -> None:
    many = [{"issuer": "https://gone.example.com", "subject": str(number)} for number in range(MAX_IDENTITIES)]
    await database_of(app)["users"].update_one({}, {"$set": {"identities": many}})
    ok(await Linker(ada).go_through_link("grace"), 409)


async def test_the_owner_is_told_by_mail_and_the_audit_when_a_way_in_is_linked_or_removed(
    ada: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    await mailbox.deliver_due()
    linked = ok(await Linker(ada).go_through_link("grace"))
    assert (await mailbox.deliver_only("Your ways to sign in were changed"))["To"] == ada.email
    ok(await ada.delete(f"/auth/identities/{linked['id']}"), 204)
    assert (await mailbox.deliver_only("Your ways to sign in were changed"))["To"] == ada.email
    events = [one["event"] async for one in database_of(app)["audit"].find({"detail": "acme"})]
    assert events == ["provider-linked", "provider-unlinked"]


async def test_a_first_password_needs_a_recent_sign_in_and_a_later_one_the_current(api: Planner, app: FastAPI) -> None:
    body = await Browser(api).sign_in("grace")
    grace = Person(api, body["user"]["id"], body["user"]["email"], body["access_token"])
    clock_of(app).move(timedelta(minutes=16))
    grace.token = ok(await refresh(api, body["refresh_token"]))["access_token"]
    ok(await grace.post("/auth/password", json={"new_password": NEW_PASSWORD}), 403)
    clock_of(app).move(timedelta(minutes=-2))
    ok(await grace.post("/auth/password", json={"new_password": NEW_PASSWORD, "current_password": None}), 204)
    refused = ok(await grace.post("/auth/password", json={"new_password": PASSWORD}), 422)
    assert refused["errors"][0]["pointer"] == "/current_password"
