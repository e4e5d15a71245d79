"""Signing in with a provider, and linking an account there, with a browser."""

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from planner.settings import Settings
from tests.routes.pages.browsing import Browser, text_of
from tests.support.clients import PASSWORD, Person, ok
from tests.support.oidc.browser import query_of
from tests.support.oidc.provider import RunningProvider, running_provider
from tests.support.oidc.settings import known_providers


@pytest.fixture(scope="module")
def process() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def settings(settings: Settings, process: RunningProvider) -> Settings:
    """The settings, with a provider that responds and one that does not."""
    return settings.model_copy(update={"oidc": known_providers(process)})


async def consent(address: str, user: str = "grace") -> str:
    """Go to the provider and consent; return the address to which it sends the browser back."""
    async with httpx.AsyncClient() as anywhere:
        answer = await anywhere.get(f"{address}&login_hint={user}")
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


async def go_back(browser: Browser, address: str) -> httpx.Response:
    """Follow the provider back to the planner, as far as its page."""
    callback = await browser.open(address)
    assert callback.status_code == 302, callback.text
    return await browser.open(callback.headers["location"])


async def start(browser: Browser, query: str = "") -> str:
    """Press the button of the provider, and return the address to which it leads."""
    page = await browser.open(f"/signin{query}")
    (address,) = re.findall(r'href="(/signin/with/acme[^"]*)"', page.text)
    sent = await browser.open(html.unescape(address))
    assert sent.status_code == 302
    return str(sent.headers["location"])


async def test_the_page_to_sign_in_has_a_button_for_each_provider(stranger: Browser) -> None:
    page = await stranger.open("/signin")
    assert "Sign in with acme" in text_of(page)
    assert "Sign in with gone" in text_of(page)


async def test_a_sign_in_with_a_provider_opens_a_session_of_the_browser(stranger: Browser) -> None:
    entered = await go_back(stranger, await consent(await start(stranger, "?next=/account/sessions")))
    assert (entered.status_code, entered.headers["location"]) == (303, "/account/sessions")
    assert "This browser" in text_of(await stranger.follow(entered))


async def test_a_sign_in_that_another_browser_has_started_is_refused(stranger: Browser, app: object) -> None:
    callback = await stranger.open(await consent(await start(stranger)))
    address = callback.headers["location"]
    stranger.client.cookies.delete("planner_provider")
    refused = await stranger.open(address)
    assert refused.status_code == 401
    assert "did not succeed" in text_of(refused)
    assert (await stranger.open("/account")).status_code == 303


async def test_a_code_for_another_state_is_refused(stranger: Browser) -> None:
    callback = await stranger.open(await consent(await start(stranger)))
    code = query_of(callback.headers["location"])["code"]
    for query in (f"code={code}&state=x", f"code={code}", "", "code=x&state=é"):
        assert (await stranger.open(f"/signin/return?{query}")).status_code == 401
    assert (await stranger.open("/account")).status_code == 303


async def test_a_code_works_once(stranger: Browser) -> None:
    callback = await stranger.open(await consent(await start(stranger)))
    cookie = stranger.client.cookies["planner_provider"]
    assert (await stranger.open(callback.headers["location"])).status_code == 303
    stranger.client.cookies.set("planner_provider", cookie)
    assert (await stranger.open(callback.headers["location"])).status_code == 401


async def test_who_declines_at_the_provider_is_told_so(stranger: Browser, process: RunningProvider) -> None:
    process.control(faults=["deny"])
    try:
        refused = await go_back(stranger, await consent(await start(stranger)))
    finally:
        process.control(faults=[])
    assert refused.status_code == 401
    assert "Sign in" in text_of(refused)


async def test_a_provider_that_does_not_respond_is_said_in_words(stranger: Browser) -> None:
    refused = await stranger.open("/signin/with/gone")
    assert refused.status_code == 502
    assert "did not succeed" in text_of(refused)
    assert (await stranger.open("/signin/with/nobody")).status_code == 404


async def test_after_a_sign_in_with_a_provider_nobody_is_led_elsewhere(stranger: Browser) -> None:
    sent = await stranger.open("/signin/with/acme?next=//evil.test/")
    entered = await go_back(stranger, await consent(sent.headers["location"]))
    assert entered.headers["location"] == "/calendar"


async def test_an_account_at_a_provider_is_linked_and_removed(
    browser: Browser, ada: Person, process: RunningProvider
) -> None:
    user = process.knows("ada-at-acme", email="other@example.org", email_verified=True)
    page = await browser.open("/account/providers")
    refused = await browser.submit(page, "/account/providers", provider="acme", current_password="wrong")
    assert refused.status_code == 403
    sent = await browser.submit(page, "/account/providers", provider="acme", current_password=PASSWORD)
    assert sent.status_code == 200
    (address,) = re.findall(r'class="button" href="([^"]+)"', sent.text)
    linked = await go_back(browser, await consent(html.unescape(address), user))
    assert "is linked" in text_of(linked)
    (identity,) = ok(await ada.get("/auth/identities"))["items"]
    removed = await browser.submit(linked, f"/account/providers/{identity['id']}/remove")
    assert "not linked any more" in text_of(await browser.follow(removed))
    assert ok(await ada.get("/auth/identities"))["items"] == []


async def test_the_last_way_to_sign_in_is_not_removed(stranger: Browser, process: RunningProvider) -> None:
    user = process.knows("mary", email="mary@example.com", email_verified=True)
    await go_back(stranger, await consent(await start(stranger), user))
    page = await stranger.open("/account/providers")
    (action,) = re.findall(r'action="(/account/providers/\w+/remove)"', page.text)
    refused = await stranger.submit(page, action)
    assert refused.status_code == 409
    assert "last way to sign in" in text_of(refused)
