"""An account proves its address with a token that is mailed there."""

from datetime import timedelta

import pytest
from fastapi import FastAPI

from tests.support.clients import PASSWORD, Person, Planner, bearer, ok, sign_up
from tests.support.clocks import MovableClock, clock_of
from tests.support.mailbox import Mailbox, text_of, token_in
from tests.support.recovery import assert_refused, forget_password, verify_email


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


@pytest.fixture
def clock(app: FastAPI) -> MovableClock:
    return clock_of(app)


async def test_signing_up_sends_a_mail_that_verifies_the_address(ada: Person, mailbox: Mailbox) -> None:
    mail = await mailbox.deliver_only("Confirm your e-mail address")
    assert mail["To"] == "ada@example.com"
    assert f"http://planner.test/verify-email#token={token_in(mail)}" in text_of(mail)
    assert (await ada.me())["email_verified"] is False
    assert ok(await verify_email(ada.api, token_in(mail)), 204) is None
    assert (await ada.me())["email_verified"] is True


async def test_a_squatter_is_not_verified_by_the_owner_of_the_mail(ada: Person, ben: Person, mailbox: Mailbox) -> None:
    token = (await sent_tokens(mailbox))[ada.email]
    for answer in (
        await verify_email(ada.api, token, None),
        await verify_email(ada.api, token, "a guess of the owner of the mail"),
        await ben.post("/auth/email/verify", json={"token": token}),
        await ben.post("/auth/email/verify", json={"token": token, "password": "a guess"}),
    ):
        assert ok(answer, 403)["type"] == "/problems/forbidden"
    assert (await ada.me())["email_verified"] is False
    ok(await verify_email(ada.api, token), 204)


async def test_the_access_token_of_the_account_serves_instead_of_its_password(ada: Person, mailbox: Mailbox) -> None:
    token = await mailbox.verification_token()
    ok(await ada.post("/auth/email/verify", json={"token": token}), 204)
    assert (await ada.me())["email_verified"] is True


async def test_the_password_serves_also_for_who_is_signed_in_to_another_account(
    ada: Person, ben: Person, mailbox: Mailbox
) -> None:
    token = (await sent_tokens(mailbox))[ada.email]
    ok(await ben.post("/auth/email/verify", json={"token": token, "password": PASSWORD}), 204)
    assert ((await ada.me())["email_verified"], (await ben.me())["email_verified"]) == (True, False)


async def test_a_token_with_scopes_or_an_invalid_one_proves_nothing(ada: Person, mailbox: Mailbox) -> None:
    token = await mailbox.verification_token()
    draft = {"name": "script", "scopes": ["account:read"]}
    personal = ok(await ada.post("/auth/tokens", json=draft), 201)["token"]
    for bearer_token, status in ((personal, 403), ("x.y.z", 401)):
        answer = await ada.api.post("/auth/email/verify", json={"token": token}, headers=bearer(bearer_token))
        assert answer.status_code == status
    assert (await ada.me())["email_verified"] is False


@pytest.mark.parametrize("settings_changes", [{"rate_limits": "on"}])
async def test_guessing_the_password_with_a_mailed_token_is_limited(ada: Person, mailbox: Mailbox) -> None:
    token = await mailbox.verification_token()
    statuses = [(await verify_email(ada.api, token, f"guess {number}")).status_code for number in range(11)]
    assert statuses == [403] * 10 + [429]
    ok(await ada.post("/auth/email/verify", json={"token": token}), 204)


async def sent_tokens(mailbox: Mailbox) -> dict[str, str]:
    """Return the token of each verification mail that arrives, by its recipient."""
    mails = await mailbox.deliver_due()
    return {mail["To"]: token_in(mail) for mail in mails if mail["Subject"] == "Confirm your e-mail address"}


@pytest.mark.parametrize("lookalike", ["bob@faß.example", "boß@fass.example", "bobſ@fass.example"])
async def test_an_address_that_only_looks_alike_gets_no_mail_of_another_account(
    api: Planner, mailbox: Mailbox, lookalike: str
) -> None:
    await sign_up(api, "bob@fass.example")
    await sign_up(api, "bobs@fass.example")
    await mailbox.deliver_due()
    ok(await forget_password(api, lookalike), 202)
    assert await mailbox.deliver_due() == []
    await sign_up(api, lookalike)
    await mailbox.deliver_due()
    ok(await forget_password(api, lookalike), 202)
    assert [mail["To"] for mail in await mailbox.deliver_due()] == [lookalike]
    ok(await forget_password(api, "bob@fass.example"), 202)
    assert [mail["To"] for mail in await mailbox.deliver_due()] == ["bob@fass.example"]


@pytest.mark.parametrize("spelling", ["bob@faſs.example", "BOB@Fass.Example"])
async def test_another_spelling_of_the_same_address_gets_the_mail_at_the_stored_one(
    api: Planner, mailbox: Mailbox, spelling: str
) -> None:
    await sign_up(api, "bob@fass.example")
    await mailbox.deliver_due()
    ok(await forget_password(api, spelling), 202)
    assert [mail["To"] for mail in await mailbox.deliver_due()] == ["bob@fass.example"]


async def test_the_verification_mail_can_be_requested_again_until_the_address_is_verified(
    ada: Person, mailbox: Mailbox
) -> None:
    first = await mailbox.verification_token()
    ok(await ada.post("/auth/email/verification"), 202)
    second = await mailbox.verification_token()
    assert first != second
    ok(await verify_email(ada.api, second), 204)
    ok(await ada.post("/auth/email/verification"), 409)


async def test_a_verification_token_expires_after_24_hours(ada: Person, mailbox: Mailbox, clock: MovableClock) -> None:
    token = await mailbox.verification_token()
    clock.move(timedelta(hours=24, minutes=1))
    assert_refused(await verify_email(ada.api, token))
    clock.move(timedelta(minutes=-2))
    ok(await verify_email(ada.api, token), 204)


async def test_an_admin_sends_the_verification_mail_again(admin: Person, ada: Person, mailbox: Mailbox) -> None:
    await mailbox.deliver_due()
    ok(await admin.post(f"/users/{ada.id}/verification"), 202)
    (mail,) = await mailbox.deliver_due()
    assert mail["To"] == ada.email
    (entry,) = ok(await admin.get("/audit?event=verification-sent"))["items"]
    assert (entry["account"], entry["actor"]) == (ada.id, admin.id)
    ok(await ada.api.post("/auth/email/verify", json={"token": token_in(mail), "password": PASSWORD}), 204)
    ok(await admin.post(f"/users/{ada.id}/verification"), 409)
