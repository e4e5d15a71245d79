"""The pages that mailed links open: with them, one proves an address and sets a forgotten password."""

import re

import httpx
import pytest

from tests.routes.pages.browsing import Browser, text_of
from tests.support.clients import PASSWORD, Person, ok, sign_in, sign_up
from tests.support.mailbox import Mailbox
from tests.support.mailbox import text_of as text_of_mail

PAGES = ("/verify-email", "/reset-password", "/forgot-password")
NEW = "another long and unusual one"
pytestmark = pytest.mark.usefixtures("without_background_work")


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_only_scripts_of_the_planner_and_cannot_be_framed(stranger: Browser, path: str) -> None:
    page = await stranger.open(path)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?! type=\"module\" src=\"/assets/)|\son\w+=", page.text)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_not_cached_and_sends_its_address_to_no_other_site(stranger: Browser, path: str) -> None:
    headers = (await stranger.open(path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"


async def test_a_mailed_link_has_its_token_in_the_fragment_and_opens_one_of_the_pages(
    stranger: Browser, ada: Person, mailbox: Mailbox
) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    mails = await mailbox.deliver_due()
    for path in PAGES[:2]:
        (mail,) = [mail for mail in mails if path in text_of_mail(mail)]
        (link,) = re.findall(r"https?://\S+", text_of_mail(mail))
        url = httpx.URL(link)
        assert (url.path, url.query) == (path, b"")
        assert url.fragment.startswith("token=") and len(url.fragment) > 40
        # What a browser asks the server for is the address without its fragment.
        assert url.fragment.removeprefix("token=") not in str(url.copy_with(fragment=None))
        assert (await stranger.open(url.path)).status_code == 200


async def test_a_forgotten_password_is_set_anew_by_mail(stranger: Browser, ada: Person, mailbox: Mailbox) -> None:
    asked = await stranger.submit(await stranger.open("/forgot-password"), "/forgot-password", email=ada.email)
    assert "on its way" in text_of(await stranger.follow(asked))
    token = await mailbox.recovery_token()
    page = await stranger.open("/reset-password")
    done = await stranger.submit(page, "/reset-password", token=token, password=NEW)
    assert "Your password is set" in text_of(await stranger.follow(done))
    assert (await sign_in(ada.api, ada.email, PASSWORD)).status_code == 401
    ok(await sign_in(ada.api, ada.email, NEW))


async def test_the_answer_is_the_same_for_an_address_without_an_account(stranger: Browser, ada: Person) -> None:
    page = await stranger.open("/forgot-password")
    known = await stranger.submit(page, "/forgot-password", email=ada.email)
    unknown = await stranger.submit(page, "/forgot-password", email="nobody@example.com")
    assert known.headers["location"] == unknown.headers["location"]


async def test_something_that_is_no_address_is_said_beside_the_field(stranger: Browser) -> None:
    refused = await stranger.submit(await stranger.open("/forgot-password"), "/forgot-password", email="no address")
    assert refused.status_code == 422
    assert 'id="email-error"' in refused.text


async def test_without_scripts_the_whole_link_is_copied_into_the_form(
    stranger: Browser, ada: Person, mailbox: Mailbox
) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    link = f"http://planner.test/reset-password#token={await mailbox.recovery_token()}"
    done = await stranger.submit(await stranger.open("/reset-password"), "/reset-password", token=link, password=NEW)
    assert done.status_code == 303


async def test_a_weak_password_keeps_the_token_and_a_used_one_offers_another_mail(
    stranger: Browser, ada: Person, mailbox: Mailbox
) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    token = await mailbox.recovery_token()
    # A token in the query is taken as well.
    page = await stranger.open(f"/reset-password?token={token}")
    weak = await stranger.submit(page, "/reset-password", password="password")
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    assert (await stranger.submit(weak, "/reset-password", password=NEW)).status_code == 303
    used = await stranger.submit(page, "/reset-password", password=NEW)
    assert used.status_code == 422
    assert 'href="/forgot-password">Request another' in used.text


async def test_an_address_is_confirmed_by_who_is_signed_in(browser: Browser, ada: Person, mailbox: Mailbox) -> None:
    page = await browser.open("/verify-email")
    assert 'name="password"' not in page.text
    done = await browser.submit(page, "/verify-email", token=await mailbox.verification_token())
    assert "is confirmed" in text_of(await browser.follow(done))
    assert (await ada.me())["email_verified"] is True


async def test_an_address_is_confirmed_with_the_password(stranger: Browser, ada: Person, mailbox: Mailbox) -> None:
    token = await mailbox.verification_token()
    page = await stranger.open("/verify-email")
    for wrong in ("", "wrong"):
        refused = await stranger.submit(page, "/verify-email", token=token, password=wrong)
        assert refused.status_code == 403
        assert 'id="password-error"' in refused.text
    assert (await ada.me())["email_verified"] is False
    done = await stranger.submit(page, "/verify-email", token=token, password=PASSWORD)
    assert "is confirmed" in text_of(await stranger.follow(done))
    assert (await ada.me())["email_verified"] is True


async def test_somebody_else_who_is_signed_in_is_asked_for_the_password(
    browser: Browser, mailbox: Mailbox, ada: Person
) -> None:
    await mailbox.deliver_due()
    eve = await sign_up(ada.api, "eve@example.com")
    token = await mailbox.verification_token()
    refused = await browser.submit(await browser.open("/verify-email"), "/verify-email", token=token)
    assert refused.status_code == 403
    assert (await eve.me())["email_verified"] is False
    assert (await browser.submit(refused, "/verify-email", password=PASSWORD)).status_code == 303
    assert (await eve.me())["email_verified"] is True
