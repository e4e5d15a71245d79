"""Mails that are due are delivered: without a request that waits, after a crash, and again when one cannot be sent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from database.commit import commit_atomically
from database.connection import Database
from models.mail.queued_mail import LEASE, QueuedMail
from planner import background
from planner.app import create_app
from planner.clock import SystemClock
from planner.services.mail.delivery import FIRST_PAUSE, LONGEST_PAUSE
from planner.services.mail.transports import DeliveryFailed, DeliveryRefused
from planner.settings import Settings
from tests.support.clients import Person, ok, sign_up
from tests.support.clocks import MovableClock, clock_of
from tests.support.mailbox import Mailbox, token_in
from tests.support.recovery import assert_refused, forget_password, reset_password, verify_email
from tests.support.services import database_of
from tests.support.stored_data import read_all_documents
from tests.support.waiting import DEADLINE_SECONDS


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


@pytest.fixture
def clock(app: FastAPI) -> MovableClock:
    return clock_of(app)


class Stuck:
    """A mail server that never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def send(self, message: EmailMessage) -> None:
        self.asked.set()
        await asyncio.Event().wait()


async def test_no_request_waits_until_a_mail_is_sent(
    settings: Settings, open_database_for_test: Callable[[], Awaitable[Database]]
) -> None:
    stuck = Stuck()
    application = create_app(settings, open_database=open_database_for_test, mail_transport=stuck)
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as api,
    ):
        ada = await sign_up(api, "ada@example.com")
        await asyncio.wait_for(stuck.asked.wait(), DEADLINE_SECONDS)
        ok(await forget_password(api, ada.email), 202)
        assert (await ada.me())["id"] == ada.id


async def test_mails_that_were_queued_before_a_crash_are_sent_after_it(
    settings: Settings, open_database_for_test: Callable[[], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(background, "run_due_work", lambda *_: asyncio.Event().wait())
        crashed = create_app(settings, open_database=open_database_for_test, mail_transport=Mailbox())
        async with crashed.router.lifespan_context(crashed):
            transport = httpx.ASGITransport(app=crashed)
            async with httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as api:
                await sign_up(api, "ada@example.com")
    arrived = asyncio.Event()

    class Doorbell(Mailbox):
        async def send(self, message: EmailMessage) -> None:
            await super().send(message)
            arrived.set()

    box = Doorbell()
    again = create_app(settings, open_database=open_database_for_test, mail_transport=box)
    async with again.router.lifespan_context(again):
        await asyncio.wait_for(arrived.wait(), DEADLINE_SECONDS)
    assert [mail["Subject"] for mail in box.sent] == ["Confirm your e-mail address"]


async def test_a_mail_that_a_crashed_process_had_leased_is_sent_when_the_lease_expires(
    ada: Person, mailbox: Mailbox, clock: MovableClock
) -> None:
    assert await QueuedMail.claim(clock.now()) is not None
    assert await mailbox.deliver_due() == []
    clock.move(timedelta(seconds=LEASE.total_seconds() + 1))
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)


async def test_of_a_mail_that_was_sent_twice_only_one_token_can_be_used(
    ada: Person, mailbox: Mailbox, clock: MovableClock
) -> None:
    await mailbox.deliver_due()
    ok(await forget_password(ada.api, ada.email), 202)
    # As if the process had crashed after sending and before striking it off.
    claimed = await QueuedMail.claim(clock.now())
    assert claimed is not None and mailbox.delivery is not None
    await mailbox.delivery.send(claimed)
    first = token_in(mailbox.sent.pop())
    clock.move(timedelta(seconds=LEASE.total_seconds() + 1))
    second = await mailbox.recovery_token()
    ok(await reset_password(ada.api, second), 204)
    assert_refused(await reset_password(ada.api, first, "another quiet otter"))


async def test_no_mail_is_leased_by_two_processes(ada: Person, app: FastAPI, mailbox: Mailbox) -> None:
    for _ in range(5):
        ok(await forget_password(ada.api, ada.email), 202)
    now = SystemClock().now()
    claimed = await asyncio.gather(*(QueuedMail.claim(now) for _ in range(20)))
    ids = [mail.id for mail in claimed if mail is not None]
    assert len(ids) == len(set(ids)) == 6


async def test_a_mail_that_cannot_be_sent_is_retried_with_growing_pauses(
    ada: Person, app: FastAPI, mailbox: Mailbox, clock: MovableClock
) -> None:
    mailbox.broken = True
    pauses = []
    for _ in range(12):
        assert await mailbox.deliver_due() == []
        (mail,) = (await read_all_documents(database_of(app)))["queued_mails"]
        pause = (mail["due_at"] - clock.now()).total_seconds()
        pauses.append(round(pause / 5) * 5)
        clock.move(timedelta(seconds=pause - 5))
        mailbox.broken = False
        assert await mailbox.deliver_due() == []
        mailbox.broken = True
        clock.move(timedelta(seconds=6))
    first, longest = FIRST_PAUSE.total_seconds(), LONGEST_PAUSE.total_seconds()
    assert pauses == [min(first * 2**tried, longest) for tried in range(12)]
    mailbox.broken = False
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)


async def test_one_mail_that_cannot_be_sent_does_not_delay_the_others(ada: Person, mailbox: Mailbox) -> None:
    mailbox.errors[ada.email] = DeliveryFailed("the address is refused")
    await sign_up(ada.api, "ben@example.com")
    assert [mail["To"] for mail in await mailbox.deliver_due()] == ["ben@example.com"]


async def read_queue(app: FastAPI) -> list[dict[str, Any]]:
    queue: list[dict[str, Any]] = (await read_all_documents(database_of(app))).get("queued_mails", [])
    return queue


async def test_whatever_one_mail_raises_the_others_are_sent_in_the_same_round(
    ada: Person, app: FastAPI, mailbox: Mailbox, clock: MovableClock
) -> None:
    mailbox.errors[ada.email] = RecursionError("whatever a library may raise")
    await sign_up(ada.api, "ben@example.com")
    assert [mail["To"] for mail in await mailbox.deliver_due()] == ["ben@example.com"]
    (kept,) = await read_queue(app)
    assert kept["due_at"] > clock.now()
    clock.move(FIRST_PAUSE)
    mailbox.errors.clear()
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)


async def test_an_address_that_was_stored_before_and_mail_programs_decode_is_given_up_alone(
    ada: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    poison = "=?utf-8?b?eDAK?=@corp.example"
    await database_of(app)["users"].update_one({}, {"$set": {"email": poison, "email_key": poison}})
    await database_of(app)["queued_mails"].update_one({}, {"$set": {"email": poison}})
    await sign_up(ada.api, "ben@example.com")
    assert [mail["To"] for mail in await mailbox.deliver_due()] == ["ben@example.com"]
    assert await read_queue(app) == []


async def test_a_mail_that_is_refused_for_good_is_given_up_at_once_and_the_operator_is_told(
    ada: Person, app: FastAPI, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.errors[ada.email] = DeliveryRefused("mail.example.com:25 refuses the recipient with the code 550")
    assert await mailbox.deliver_due() == []
    assert await read_queue(app) == []
    (entry,) = [one for one in (await read_all_documents(database_of(app)))["audit"] if one["event"] == "mail-given-up"]
    assert str(entry["account"]) == ada.id
    assert entry["detail"] == "verify: mail.example.com:25 refuses the recipient with the code 550"
    (line,) = [record.getMessage() for record in caplog.records if "given up" in record.getMessage()]
    assert ada.id in line and "code 550" in line and ada.email not in line


async def test_a_mail_is_given_up_when_the_next_try_would_be_after_its_lifetime(
    ada: Person, app: FastAPI, mailbox: Mailbox, clock: MovableClock
) -> None:
    mailbox.broken = True
    tries = 0
    while queue := await read_queue(app):
        clock.move(max(queue[0]["due_at"] - clock.now(), timedelta()))
        assert await mailbox.deliver_due() == []
        tries += 1
    assert 15 < tries < 30
    events = [one["event"] for one in (await read_all_documents(database_of(app)))["audit"]]
    assert events.count("mail-given-up") == 1


@pytest.mark.parametrize("settings_changes", [{"rate_limits": "on"}])
async def test_no_address_gets_more_than_twenty_mails_an_hour_whatever_asked_for_them(
    ada: Person, app: FastAPI, mailbox: Mailbox, clock: MovableClock
) -> None:
    clock.freeze()
    now = clock.now()
    writes = [QueuedMail.insert_write("password-changed", None, spelling, now) for spelling in [ada.email] * 15]
    writes += [QueuedMail.insert_write("password-changed", None, ada.email.upper(), now) for _ in range(15)]
    writes.append(QueuedMail.insert_write("password-changed", None, "ben@example.com", now))
    await commit_atomically(writes)
    arrived = [mail["To"].lower() for mail in await mailbox.deliver_due()]
    assert (arrived.count(ada.email), arrived.count("ben@example.com")) == (20, 1)
    clock.move(timedelta(hours=1))
    assert len(await mailbox.deliver_due()) == 11, "with the mail of the sign-up, none is lost"
