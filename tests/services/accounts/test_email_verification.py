"""An account proves its address with a token that is mailed there."""

from datetime import timedelta

import pytest
from fastapi import FastAPI

from tests.support.clients import Person, Planner, ok, sign_up
from tests.support.clocks import MovableClock, clock_of
from tests.support.mailbox import Mailbox, text_of, token_in
from tests.support.recovery import assert_refused, forget_password, order_recovery_token, reset_password, verify_email


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


async def test_a_changed_address_must_be_verified_and_the_old_one_gets_a_mail(ada: Person, mailbox: Mailbox) -> None:
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)
    changed = ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    assert changed["email_verified"] is False
    arrived = {mail["To"]: mail for mail in await mailbox.deliver_due()}
    assert arrived.keys() == {"ada@example.com", "countess@example.com"}
    assert "countess@example.com" in text_of(arrived["ada@example.com"])
    assert "#token=" not in text_of(arrived["ada@example.com"])
    ok(await verify_email(ada.api, token_in(arrived["countess@example.com"])), 204)
    assert (await ada.me())["email_verified"] is True


async def test_a_token_for_the_old_address_does_not_verify_the_new_one(ada: Person, mailbox: Mailbox) -> None:
    old = await mailbox.verification_token()
    ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    assert_refused(await verify_email(ada.api, old))
    assert (await ada.me())["email_verified"] is False


async def test_a_recovery_token_for_the_old_address_is_refused_after_a_change(ada: Person, mailbox: Mailbox) -> None:
    token = await order_recovery_token(ada.api, mailbox, ada)
    ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    assert_refused(await reset_password(ada.api, token))


async def test_a_queued_mail_to_an_address_that_was_changed_is_not_sent(ada: Person, mailbox: Mailbox) -> None:
    ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    arrived = [(mail["To"], mail["Subject"]) for mail in await mailbox.deliver_due()]
    assert ("ada@example.com", "Confirm your e-mail address") not in arrived
    assert ("countess@example.com", "Confirm your e-mail address") in arrived


async def test_only_the_letter_case_of_an_address_may_change_without_a_new_verification(
    ada: Person, mailbox: Mailbox
) -> None:
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)
    assert ok(await ada.patch("/users/me", json={"email": "ADA@example.com"}))["email_verified"] is True


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
    ok(await ada.api.post("/auth/email/verify", json={"token": token_in(mail)}), 204)
    ok(await admin.post(f"/users/{ada.id}/verification"), 409)
