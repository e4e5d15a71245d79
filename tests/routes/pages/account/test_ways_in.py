"""Passwords, sessions and personal tokens, with a browser."""

import re

from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import PASSWORD, Person, bearer, ok, sign_in


async def test_a_new_password_ends_all_other_sessions(browser: Browser, ada: Person) -> None:
    page = await browser.open("/account/password")
    new = "another long and unusual one"
    changed = await browser.submit(page, "/account/password", current_password=PASSWORD, new_password=new)
    assert "is changed" in text_of(await browser.follow(changed))
    assert (await ada.get("/users/me")).status_code == 401
    ok(await sign_in(ada.api, ada.email, new))


async def test_a_weak_or_wrong_password_is_said_beside_its_field_and_shown_nowhere(browser: Browser) -> None:
    page = await browser.open("/account/password")
    weak = await browser.submit(page, "/account/password", current_password=PASSWORD, new_password="short")
    assert weak.status_code == 422
    assert 'id="new_password-error"' in weak.text
    assert "short" not in weak.text
    wrong = await browser.submit(page, "/account/password", current_password="wr0ng", new_password=PASSWORD + "!")
    assert wrong.status_code == 403
    assert "Current password is wrong" in text_of(wrong)
    assert "wr0ng" not in wrong.text


async def test_one_session_or_all_others_are_ended(browser: Browser, ada: Person) -> None:
    ok(await sign_in(ada.api, ada.email))
    page = await browser.open("/account/sessions")
    assert page.text.count("<li>") == 3
    other = ok(await ada.get("/auth/sessions"))["items"][0]
    await browser.follow(await browser.submit(page, f"/account/sessions/{other['id']}/end"))
    assert (await ada.get("/users/me")).status_code == 401
    left = await browser.follow(await browser.submit(page, "/account/sessions/end-others"))
    assert left.text.count("<li>") == 1
    assert "This browser" in text_of(left)


async def test_ending_the_session_of_the_browser_signs_out(browser: Browser) -> None:
    page = await browser.open("/account/sessions")
    (action,) = re.findall(r"This browser.*?action=\"(/account/sessions/\w+/end)\"", page.text, re.S)
    ended = await browser.submit(page, action)
    assert ended.headers["location"] == "/"
    assert (await browser.open("/account")).status_code == 303


async def test_a_token_is_shown_once_and_works_until_it_is_deleted(browser: Browser, ada: Person) -> None:
    form = await browser.open("/account/tokens")
    created = await browser.submit(form, "/account/tokens", name="<i>Script</i>", scopes="account:read", days="7")
    assert created.status_code == 200
    (secret,) = re.findall(r'value="(planner_pat_[^"]+)"', created.text)
    ok(await ada.api.get("/users/me", headers=bearer(secret)))
    again = await browser.open("/account/tokens")
    assert secret not in again.text
    assert "&lt;i&gt;Script&lt;/i&gt;" in again.text
    (token,) = ok(await ada.get("/auth/tokens"))["items"]
    await browser.follow(await browser.submit(again, f"/account/tokens/{token['id']}/delete"))
    assert (await ada.api.get("/users/me", headers=bearer(secret))).status_code == 401


async def test_a_page_with_a_new_token_can_be_loaded_again_without_another_one(browser: Browser, ada: Person) -> None:
    form = await browser.open("/account/tokens")
    fields = {"name": "Script", "scopes": "events:read", "days": "1"}
    first = await browser.submit(form, "/account/tokens", **fields)
    second = await browser.submit(form, "/account/tokens", **fields)
    secrets = [re.findall(r'value="(planner_pat_[^"]+)"', page.text) for page in (first, second)]
    assert secrets[0] == secrets[1]
    assert len(ok(await ada.get("/auth/tokens"))["items"]) == 1


async def test_a_token_needs_a_scope(browser: Browser) -> None:
    form = await browser.open("/account/tokens")
    refused = await browser.submit(form, "/account/tokens", name="Script", scopes=None)
    assert refused.status_code == 422
    assert 'id="scopes-error"' in refused.text
    assert fields_of(refused, "/account/tokens")["name"] == "Script"
