"""The profile and the e-mail address, changed with a browser."""

from datetime import timedelta

import pytest
from fastapi import FastAPI

from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import PASSWORD, Person, ok
from tests.support.clocks import clock_of

PAGES = ("", "/email", "/password", "/sessions", "/tokens", "/providers", "/delete")


@pytest.mark.parametrize("page", [f"/account{page}" for page in PAGES] + ["/feeds", "/import"])
async def test_each_page_of_an_account_is_only_for_who_is_signed_in(stranger: Browser, ada: Person, page: str) -> None:
    assert (await stranger.open(page)).headers["location"].startswith("/signin?next=")
    await stranger.sign_in(ada)
    shown = await stranger.open(page)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    ids = [part.partition('"')[0] for part in shown.text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


async def test_name_username_and_time_zone_are_changed(browser: Browser, ada: Person) -> None:
    saved = await browser.submit(
        await browser.open("/account"), "/account", full_name="Ada <b>L</b>", username="ada", time_zone="Europe/Berlin"
    )
    assert "Saved." in text_of(await browser.follow(saved))
    me = await ada.me()
    assert (me["full_name"], me["username"], me["time_zone"]) == ("Ada <b>L</b>", "ada", "Europe/Berlin")
    assert fields_of(await browser.open("/account"), "/account")["full_name"] == "Ada <b>L</b>"


async def test_a_field_that_is_emptied_is_cleared(browser: Browser, ada: Person) -> None:
    ok(await ada.patch("/users/me", json={"full_name": "Ada", "username": "ada"}))
    await browser.submit(await browser.open("/account"), "/account", full_name="", username=" ")
    me = await ada.me()
    assert (me["full_name"], me["username"]) == (None, None)


async def test_what_is_wrong_with_a_profile_stands_beside_its_field(browser: Browser) -> None:
    refused = await browser.submit(
        await browser.open("/account"), "/account", full_name="Ada", time_zone="Mars/Olympus"
    )
    assert refused.status_code == 422
    assert 'id="time_zone-error"' in refused.text
    assert fields_of(refused, "/account")["time_zone"] == "Mars/Olympus"
    assert fields_of(refused, "/account")["full_name"] == "Ada"


async def test_a_profile_that_was_changed_elsewhere_meanwhile_is_not_overwritten(browser: Browser, ada: Person) -> None:
    page = await browser.open("/account")
    ok(await ada.patch("/users/me", json={"full_name": "Ada the first"}))
    refused = await browser.submit(page, "/account", full_name="Ada the second")
    assert refused.status_code == 412
    assert (await ada.me())["full_name"] == "Ada the first"
    assert fields_of(refused, "/account")["full_name"] == "Ada the second"


async def test_a_new_address_is_pending_and_can_be_taken_back(browser: Browser, ada: Person) -> None:
    page = await browser.open("/account/email")
    asked = await browser.submit(page, "/account/email", email="new@example.com", current_password=PASSWORD)
    shown = await browser.follow(asked)
    assert "new@example.com" in text_of(shown)
    assert (await ada.me())["pending_email"] == "new@example.com"
    await browser.follow(await browser.submit(shown, "/account/email/take-back"))
    assert (await ada.me())["pending_email"] is None


async def test_a_new_address_needs_the_right_password(browser: Browser, ada: Person) -> None:
    page = await browser.open("/account/email")
    refused = await browser.submit(page, "/account/email", email="new@example.com", current_password="wrong")
    assert refused.status_code == 403
    assert "Current password is wrong" in text_of(refused)
    assert fields_of(refused, "/account/email") | {"form_token": ""} == {
        "form_token": "",
        "email": "new@example.com",
        "current_password": "",
    }
    assert (await ada.me())["pending_email"] is None


async def test_a_new_address_needs_a_password_some_time_after_the_sign_in(
    app: FastAPI, browser: Browser, ada: Person
) -> None:
    clock_of(app).move(timedelta(minutes=16))
    refused = await browser.submit(await browser.open("/account/email"), "/account/email", email="new@example.com")
    assert refused.status_code == 403
    assert 'id="current_password-error"' in refused.text


async def test_the_mail_that_confirms_the_address_is_sent_again(browser: Browser) -> None:
    sent = await browser.submit(await browser.open("/account/email"), "/account/email/send")
    assert "on its way" in text_of(await browser.follow(sent))
