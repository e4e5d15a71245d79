"""Welcome, sign up, sign in and sign out with a browser."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pymongo.errors import AutoReconnect

from routes.pages.rendering import load_asset
from tests.routes.pages.browsing import Browser, token_in
from tests.support.clients import PASSWORD, Person, ok


@pytest.fixture
async def browser(stranger: Browser) -> httpx.AsyncClient:
    """The client of a browser, for requests that no form makes."""
    return stranger.client


async def submit(browser: httpx.AsyncClient, path: str, _page: str | None = None, **fields: str) -> httpx.Response:
    """Open a page, and send its form."""
    token = token_in(await browser.get(_page or path))
    return await browser.post(path, data={"form_token": token} | fields, headers={"Origin": "http://planner.test"})


async def sign_in(browser: httpx.AsyncClient, person: Person, **fields: str) -> httpx.Response:
    return await submit(browser, "/signin", email=person.email, password=person.password, **fields)


async def test_somebody_signs_up_and_is_signed_in(browser: httpx.AsyncClient) -> None:
    welcome = await browser.get("/")
    assert 'href="/signup"' in welcome.text
    assert 'href="/signin"' in welcome.text
    entered = await submit(browser, "/signup", email="eve@example.com", password=PASSWORD, time_zone="Europe/Berlin")
    assert (entered.status_code, entered.headers["location"]) == (303, "/calendar")
    assert (await browser.get("/")).headers["location"] == "/calendar"


async def test_a_session_of_a_browser_is_listed_with_the_others_and_ends_with_a_sign_out(
    browser: httpx.AsyncClient, ada: Person
) -> None:
    assert (await sign_in(browser, ada)).status_code == 303
    assert len(ok(await ada.get("/auth/sessions"))["items"]) == 2
    left = await submit(browser, "/signout", "/nothing")
    assert left.headers["location"] == "/"
    assert len(ok(await ada.get("/auth/sessions"))["items"]) == 1
    assert (await browser.get("/")).status_code == 200


async def test_a_session_that_is_ended_elsewhere_opens_no_page(browser: httpx.AsyncClient, ada: Person) -> None:
    await sign_in(browser, ada)
    ok(await ada.delete("/auth/sessions"), 204)
    assert (await browser.get("/calendar")).headers["location"] == "/signin?next=%2Fcalendar"


@pytest.mark.parametrize(("public_url", "secure"), [("http://planner.test", False), ("https://planner.test", True)])
async def test_the_cookie_is_kept_from_scripts_and_other_sites(
    app: FastAPI, ada: Person, public_url: str, secure: bool, browser: httpx.AsyncClient
) -> None:
    object.__setattr__(app.state.services, "base_url", public_url)
    cookie = (await browser.get("/signin")).headers["set-cookie"]
    assert cookie.startswith("__Host-planner_visit=" if secure else "planner_visit=")
    assert ("Secure" in cookie) == secure
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_the_api_takes_no_cookie(browser: httpx.AsyncClient, ada: Person) -> None:
    await sign_in(browser, ada)
    assert (await browser.get("/api/v1/events")).status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "692000000000000000000001.692000000000000000000002.x", "ü"])
async def test_a_forged_cookie_is_the_same_as_none(browser: httpx.AsyncClient, cookie: str) -> None:
    response = await browser.get("/calendar", headers={b"Cookie": f"planner_session={cookie}".encode()})
    assert response.status_code == 303
    assert response.headers["location"].startswith("/signin")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_a_form_of_another_website_is_refused(
    browser: httpx.AsyncClient, ada: Person, headers: dict[str, str]
) -> None:
    token = token_in(await browser.get("/signin"))
    fields = {"form_token": token, "email": ada.email, "password": ada.password}
    refused = await browser.post("/signin", data=fields, headers=headers)
    assert refused.status_code == 403
    assert "<h1>This form cannot be used any more</h1>" in refused.text


@pytest.mark.parametrize("token", ["", "x", "é"])
async def test_a_form_without_the_token_of_its_session_is_refused(
    browser: httpx.AsyncClient, ada: Person, token: str
) -> None:
    await browser.get("/signin")
    fields = {"form_token": token, "email": ada.email, "password": ada.password}
    assert (await browser.post("/signin", data=fields)).status_code == 403


async def test_errors_stand_beside_their_fields_and_what_was_typed_stays(browser: httpx.AsyncClient) -> None:
    refused = await submit(browser, "/signup", email="no address", password="short", full_name="<b>Eve</b>")
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    assert 'id="email-error"' in refused.text
    assert 'value="no address"' in refused.text
    assert "&lt;b&gt;Eve&lt;/b&gt;" in refused.text
    assert "short" not in refused.text


async def test_a_wrong_password_is_said_in_words(browser: httpx.AsyncClient, ada: Person) -> None:
    refused = await submit(browser, "/signin", email=ada.email, password="wrong")
    assert refused.status_code == 401
    assert "The account or the password is wrong." in refused.text


@pytest.mark.parametrize(
    "address", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "/api/v1/events", "/a\nb"]
)
async def test_after_signing_in_nobody_is_led_elsewhere(browser: httpx.AsyncClient, ada: Person, address: str) -> None:
    assert (await sign_in(browser, ada, next=address)).headers["location"] == "/calendar"


async def test_after_signing_in_one_goes_on_where_one_was(browser: httpx.AsyncClient, ada: Person) -> None:
    assert (await sign_in(browser, ada, next="/calendar/month/2026-12?x=1")).headers["location"] == (
        "/calendar/month/2026-12?x=1"
    )


async def test_a_page_allows_no_script_or_style_of_its_own(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/signup")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<style|<script(?! type=\"module\" src=)| style=| on[a-z]+=", page.text)
    assert page.headers["cache-control"] == "no-store"


async def test_assets_are_cached_for_ever_under_their_digest(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    addresses = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        response = await browser.get(address)
        assert (response.status_code, response.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (await browser.get("/assets/x/nothing.css")).status_code == 404
    assert (await browser.get("/assets/x/..%2Fpage.py")).status_code == 404


@pytest.mark.parametrize(("accept", "kind"), [("text/html", "text/html"), ("application/json", "problem+json")])
async def test_a_browser_gets_an_unknown_address_as_a_page_and_others_as_a_problem(
    browser: httpx.AsyncClient, accept: str, kind: str
) -> None:
    response = await browser.get("/nowhere", headers={"Accept": accept})
    assert response.status_code == 404
    assert kind in response.headers["content-type"]


async def test_what_was_written_while_signed_out_is_offered_again_after_signing_in(
    browser: httpx.AsyncClient, ada: Person
) -> None:
    fields: dict[str, Any] = {"resume_path": "/events/new", "resume_fields": '{"title": ["<Lunch>"], "a": ["1", "2"]}'}
    page = await sign_in(browser, ada, **fields)
    assert page.status_code == 200
    assert 'action="/events/new"' in page.text
    assert 'name="title" value="&lt;Lunch&gt;"' in page.text
    assert 'name="a" value="1"' in page.text and 'name="a" value="2"' in page.text


async def test_a_form_of_an_earlier_session_is_refused_with_a_page_while_the_database_does_not_respond(
    browser: httpx.AsyncClient, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(browser, ada)

    async def find_no_visitor(_: object) -> None:
        raise AutoReconnect("no primary")

    monkeypatch.setattr("routes.pages.page_errors.find_visitor", find_no_visitor)
    headers = {"Origin": "http://planner.test", "Accept": "text/html"}
    refused = await browser.post("/signin", data={"form_token": "old", "email": ada.email}, headers=headers)
    assert refused.status_code == 403
    assert "This form cannot be used any more" in refused.text


@pytest.mark.parametrize("fields", ["", "x", "[]", '{"title": 1}', '{"title": "x"}'])
async def test_what_cannot_have_been_written_is_not_offered(
    browser: httpx.AsyncClient, ada: Person, fields: str
) -> None:
    page = await sign_in(browser, ada, resume_path="/events/new", resume_fields=fields)
    assert page.status_code == 200
    assert 'name="title"' not in page.text


async def test_a_script_imports_others_at_the_addresses_at_which_they_are_cached(browser: httpx.AsyncClient) -> None:
    page = re.findall(r'src="(/assets/[^"]+/page.js)"', (await browser.get("/")).text)[0]
    importing = load_asset("moving.js")
    assert importing is not None
    assert f'from "../{page.removeprefix("/assets/")}";'.encode() in importing.body
