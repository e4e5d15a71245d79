"""Mails that are due are delivered: without a request that waits, after a crash, and again when one cannot be sent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage

import httpx
import pytest
from fastapi import FastAPI

from database.connection import Database
from models.mail.queued_mail import LEASE, QueuedMail
from planner import background
from planner.app import create_app
from planner.clock import SystemClock
from planner.services.mail.delivery import FIRST_PAUSE, LONGEST_PAUSE
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
    mailbox.refused.add(ada.email)
    await sign_up(ada.api, "ben@example.com")
    assert [mail["To"] for mail in await mailbox.deliver_due()] == ["ben@example.com"]
