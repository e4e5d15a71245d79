"""A new address is pending until it is proved; the present one is told, and needs a proof of who asks."""

from datetime import timedelta

import pytest
from fastapi import FastAPI

from tests.services.accounts.holding.test_email_verification import sent_tokens
from tests.support.clients import PASSWORD, Person, ok, sign_in, sign_up
from tests.support.clocks import MovableClock, clock_of
from tests.support.mailbox import Mailbox, text_of
from tests.support.recovery import (
    NEW_PASSWORD,
    assert_refused,
    forget_password,
    order_recovery_token,
    reset_password,
    verify_email,
)
from tests.support.services import database_of
from tests.support.sessions import refresh

NEW = "countess@example.com"


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


@pytest.fixture
def clock(app: FastAPI) -> MovableClock:
    return clock_of(app)


async def request_change(person: Person, email: str | None = NEW, password: str | None = PASSWORD) -> None:
    ok(await person.patch("/users/me", json={"email": email, "current_password": password}))


async def addresses(person: Person) -> tuple[str, str | None, bool]:
    me = await person.me()
    return me["email"], me["pending_email"], me["email_verified"]


async def test_a_new_address_is_pending_until_it_is_proved(ada: Person, mailbox: Mailbox) -> None:
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)
    changed = ok(await ada.patch("/users/me", json={"email": NEW, "current_password": PASSWORD}))
    assert (changed["email"], changed["pending_email"], changed["email_verified"]) == (ada.email, NEW, True)
    ok(await sign_in(ada.api, ada.email))
    ok(await sign_in(ada.api, NEW), 401)
    token = (await sent_tokens(mailbox))[NEW]
    ok(await verify_email(ada.api, token, None), 403)
    ok(await verify_email(ada.api, token), 204)
    assert await addresses(ada) == (NEW, None, True)
    ok(await sign_in(ada.api, NEW))
    ok(await sign_in(ada.api, ada.email), 401)


async def test_the_old_address_is_told_when_a_change_is_asked_for_and_when_it_is_done(
    ada: Person, mailbox: Mailbox
) -> None:
    await mailbox.deliver_due()
    await request_change(ada)
    arrived = {mail["To"]: mail for mail in await mailbox.deliver_due()}
    assert arrived.keys() == {ada.email, NEW}
    asked = arrived[ada.email]
    assert asked["Subject"] == "Your e-mail address is to be changed"
    assert NEW in text_of(asked) and "#token=" not in text_of(asked)
    token = text_of(arrived[NEW]).partition("#token=")[2].split()[0]
    ok(await verify_email(ada.api, token), 204)
    (done,) = await mailbox.deliver_due()
    assert (done["To"], done["Subject"]) == (ada.email, "Your e-mail address was changed")
    assert NEW in text_of(done)


async def test_a_change_can_be_taken_back_and_then_its_token_proves_nothing(ada: Person, mailbox: Mailbox) -> None:
    await mailbox.deliver_due()
    await request_change(ada)
    token = (await sent_tokens(mailbox))[NEW]
    taken_back = ok(await ada.patch("/users/me", json={"email": None}))
    assert (taken_back["email"], taken_back["pending_email"]) == (ada.email, None)
    assert_refused(await verify_email(ada.api, token))
    await request_change(ada)
    assert_refused(await verify_email(ada.api, token))
    ok(await ada.patch("/users/me", json={"email": None}))
    ok(await ada.patch("/users/me", json={"email": None}))
    assert await addresses(ada) == (ada.email, None, False)


async def test_a_mail_to_an_address_that_was_taken_back_is_not_sent(ada: Person, mailbox: Mailbox) -> None:
    await mailbox.deliver_due()
    await request_change(ada)
    await request_change(ada, "third@example.com")
    ok(await ada.patch("/users/me", json={"email": None}))
    assert await mailbox.deliver_due() == []


async def test_only_the_latest_address_that_was_asked_for_can_be_proved(ada: Person, mailbox: Mailbox) -> None:
    await request_change(ada)
    first = (await sent_tokens(mailbox))[NEW]
    await request_change(ada, "third@example.com")
    second = (await sent_tokens(mailbox))["third@example.com"]
    assert_refused(await verify_email(ada.api, first))
    ok(await verify_email(ada.api, second), 204)
    assert await addresses(ada) == ("third@example.com", None, True)


async def test_the_present_address_can_still_be_proved_while_another_one_is_pending(
    ada: Person, mailbox: Mailbox
) -> None:
    token = await mailbox.verification_token()
    await request_change(ada)
    ok(await verify_email(ada.api, token), 204)
    assert await addresses(ada) == (ada.email, NEW, True)


async def test_the_verification_mail_that_is_requested_again_goes_to_the_pending_address(
    ada: Person, mailbox: Mailbox
) -> None:
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)
    await request_change(ada)
    await mailbox.deliver_due()
    ok(await ada.post("/auth/email/verification"), 202)
    assert (await sent_tokens(mailbox)).keys() == {NEW}


@pytest.mark.parametrize("proof", [{}, {"current_password": None}])
async def test_a_recent_sign_in_serves_instead_of_the_password(
    ada: Person, clock: MovableClock, proof: dict[str, None]
) -> None:
    clock.move(timedelta(minutes=14))
    ok(await ada.patch("/users/me", json={"email": NEW} | proof))


async def test_an_older_session_needs_the_password_also_after_a_refresh(ada: Person, clock: MovableClock) -> None:
    tokens = ok(await sign_in(ada.api, ada.email))
    clock.move(timedelta(minutes=16))
    ada.token = ok(await refresh(ada.api, tokens["refresh_token"]))["access_token"]
    refused = ok(await ada.patch("/users/me", json={"email": NEW}), 403)
    assert "current_password" in refused["detail"]
    ok(await ada.patch("/users/me", json={"email": NEW, "current_password": "not the password"}), 403)
    assert await addresses(ada) == (ada.email, None, False)
    ok(await ada.patch("/users/me", json={"full_name": "Ada"}))
    ok(await ada.patch("/users/me", json={"email": ada.email}))
    await request_change(ada)


async def test_a_wrong_password_is_refused_also_after_a_recent_sign_in(ada: Person) -> None:
    ok(await ada.patch("/users/me", json={"email": NEW, "current_password": "not the password"}), 403)
    assert await addresses(ada) == (ada.email, None, False)


async def test_an_address_of_another_account_is_refused_when_asked_for_and_when_proved(
    ada: Person, ben: Person, mailbox: Mailbox
) -> None:
    for taken in (ben.email, ben.email.upper()):
        ok(await ada.patch("/users/me", json={"email": taken, "current_password": PASSWORD}), 409)
    await request_change(ada)
    token = (await sent_tokens(mailbox))[NEW]
    other = await sign_up(ada.api, NEW)
    ok(await verify_email(ada.api, token), 409)
    assert (await addresses(ada))[0] == ada.email
    assert (await addresses(other))[0] == NEW


async def test_only_the_spelling_of_an_address_may_change_without_a_new_proof(ada: Person, mailbox: Mailbox) -> None:
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)
    await request_change(ada, "ADA@example.com")
    assert await addresses(ada) == ("ADA@example.com", None, True)


async def test_until_a_new_address_is_proved_the_present_one_recovers_the_account(
    ada: Person, mailbox: Mailbox
) -> None:
    await request_change(ada)
    stolen = (await sent_tokens(mailbox))[NEW]
    ok(await reset_password(ada.api, await order_recovery_token(ada.api, mailbox, ada)), 204)
    assert_refused(await verify_email(ada.api, stolen, NEW_PASSWORD))
    ada.token = ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))["access_token"]
    assert await addresses(ada) == (ada.email, None, True)


async def test_a_pending_address_recovers_no_account(ada: Person, mailbox: Mailbox) -> None:
    await request_change(ada)
    await mailbox.deliver_due()
    ok(await forget_password(ada.api, NEW), 202)
    assert await mailbox.deliver_due() == []


async def test_a_recovery_token_for_the_old_address_is_refused_after_a_change(ada: Person, mailbox: Mailbox) -> None:
    recovery = await order_recovery_token(ada.api, mailbox, ada)
    await request_change(ada)
    ok(await verify_email(ada.api, (await sent_tokens(mailbox))[NEW]), 204)
    assert_refused(await reset_password(ada.api, recovery))


async def test_an_account_without_a_password_changes_its_address_after_a_recent_sign_in(
    ada: Person, app: FastAPI, mailbox: Mailbox, clock: MovableClock
) -> None:
    await database_of(app)["users"].update_one({}, {"$unset": {"password": ""}})
    await request_change(ada, password=None)
    token = (await sent_tokens(mailbox))[NEW]
    ok(await verify_email(ada.api, token), 403)
    ok(await ada.post("/auth/email/verify", json={"token": token}), 204)
    assert await addresses(ada) == (NEW, None, True)
