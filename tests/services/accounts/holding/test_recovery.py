"""A forgotten password is replaced with a mailed token that works once."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from database.drivers.choice import driver
from tests.conftest import SECRET, url_of
from tests.support.clients import Person, Planner, headers_of, ok, sign_in, sign_up
from tests.support.clocks import MovableClock, clock_of
from tests.support.mailbox import Mailbox, read_outbox, text_of, token_in
from tests.support.recovery import (
    NEW_PASSWORD,
    assert_refused,
    forget_password,
    order_recovery_token,
    reset_password,
    verify_email,
)
from tests.support.servers import running
from tests.support.services import database_of
from tests.support.sessions import get_me, refresh
from tests.support.stored_data import find_words, read_all_documents
from tests.support.waiting import wait_until_async


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


@pytest.fixture
def clock(app: FastAPI) -> MovableClock:
    return clock_of(app)


async def test_a_forgotten_password_is_replaced_with_the_mailed_token(ada: Person, mailbox: Mailbox) -> None:
    token = await order_recovery_token(ada.api, mailbox, ada)
    ok(await reset_password(ada.api, token), 204)
    ok(await sign_in(ada.api, ada.email), 401)
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD), 200)
    assert [mail["Subject"] for mail in await mailbox.deliver_due()] == ["Your password was changed"]


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Origin", "Referer"])
async def test_no_header_of_a_request_changes_where_a_mailed_link_leads(
    ada: Person, mailbox: Mailbox, name: str
) -> None:
    await mailbox.deliver_due()
    headers = {name: "host=evil.example" if name == "Forwarded" else "evil.example"}
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}, headers=headers), 202)
    text = text_of(await mailbox.deliver_only("Set a new password"))
    assert "http://planner.test/reset-password#token=" in text
    assert "evil" not in text


async def test_a_password_reset_verifies_the_address(ada: Person, mailbox: Mailbox) -> None:
    ok(await reset_password(ada.api, await order_recovery_token(ada.api, mailbox, ada)), 204)
    assert ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))["user"]["email_verified"] is True


async def test_each_mailed_token_works_once(ada: Person, mailbox: Mailbox) -> None:
    verification, recovery = await mailbox.verification_token(), await order_recovery_token(ada.api, mailbox, ada)
    ok(await verify_email(ada.api, verification), 204)
    assert_refused(await verify_email(ada.api, verification))
    ok(await reset_password(ada.api, recovery), 204)
    assert_refused(await reset_password(ada.api, recovery, "another quiet otter"))
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))


async def test_a_mailed_token_is_accepted_only_for_its_purpose(ada: Person, mailbox: Mailbox) -> None:
    verification, recovery = await mailbox.verification_token(), await order_recovery_token(ada.api, mailbox, ada)
    assert_refused(await reset_password(ada.api, verification))
    assert_refused(await verify_email(ada.api, recovery))
    ok(await verify_email(ada.api, verification), 204)
    ok(await reset_password(ada.api, recovery), 204)


async def test_a_refused_password_does_not_use_up_the_token(ada: Person, mailbox: Mailbox) -> None:
    token = await order_recovery_token(ada.api, mailbox, ada)
    assert_refused(await reset_password(ada.api, token, "password"), "/password")
    ok(await reset_password(ada.api, token), 204)


@pytest.mark.parametrize("token", ["x", "A" * 43, "planner_pat_x", "é" * 50, "'; drop", "%00", "a" * 200])
async def test_a_made_up_token_is_refused_like_a_used_one(ada: Person, token: str) -> None:
    assert_refused(await verify_email(ada.api, token))
    assert_refused(await reset_password(ada.api, token))


async def test_no_mailed_token_is_stored(ada: Person, app: FastAPI, mailbox: Mailbox) -> None:
    tokens = [await mailbox.verification_token(), await order_recovery_token(ada.api, mailbox, ada)]
    assert await find_words(database_of(app), *tokens) == []
    assert len((await read_all_documents(database_of(app)))["one_time_tokens"]) == 2


async def test_a_recovery_token_expires_after_one_hour(ada: Person, mailbox: Mailbox, clock: MovableClock) -> None:
    token = await order_recovery_token(ada.api, mailbox, ada)
    clock.move(timedelta(hours=1, minutes=1))
    assert_refused(await reset_password(ada.api, token))
    clock.move(timedelta(minutes=-2))
    ok(await reset_password(ada.api, token), 204)


async def test_every_other_mailed_token_is_revoked_by_a_reset(ada: Person, mailbox: Mailbox) -> None:
    one, other = await order_recovery_token(ada.api, mailbox, ada), await order_recovery_token(ada.api, mailbox, ada)
    ok(await reset_password(ada.api, other), 204)
    assert_refused(await reset_password(ada.api, one, "another quiet otter"))


async def test_a_reset_revokes_every_session_and_every_personal_token(ada: Person, mailbox: Mailbox) -> None:
    signed_in = ok(await sign_in(ada.api, ada.email))
    body = {"name": "script", "scopes": ["account:read"]}
    personal = ok(await ada.post("/auth/tokens", json=body), 201)["token"]
    tokens = [ada.token, signed_in["access_token"], personal]
    for token in tokens:
        ok(await get_me(ada.api, token))
    ok(await reset_password(ada.api, await order_recovery_token(ada.api, mailbox, ada)), 204)
    for token in tokens:
        ok(await get_me(ada.api, token), 401)
    ok(await refresh(ada.api, signed_in["refresh_token"]), 400)


async def test_a_reset_deletes_every_feed(ada: Person, mailbox: Mailbox) -> None:
    url = ok(await ada.post("/feeds", json={"name": "On my phone"}), 201)["url"]
    path = "/feeds/" + str(url).rpartition("/")[2]
    assert (await ada.api.get(path)).status_code == 200
    ok(await reset_password(ada.api, await order_recovery_token(ada.api, mailbox, ada)), 204)
    assert (await ada.api.get(path)).status_code == 404


async def test_no_mail_is_sent_without_an_account_or_to_a_disabled_one(
    ada: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    await database_of(app)["users"].update_one({"email": ada.email}, {"$set": {"disabled": True}})
    await mailbox.deliver_due()
    for address in (ada.email, "nobody@example.com"):
        ok(await forget_password(ada.api, address), 202)
    assert await mailbox.deliver_due() == []
    assert (await read_all_documents(database_of(app))).get("queued_mails", []) == []


async def test_the_response_to_a_forgotten_password_is_the_same_with_and_without_an_account(ada: Person) -> None:
    answers = [await forget_password(ada.api, address) for address in (ada.email, "nobody@example.com")]
    known, unknown = [(answer.status_code, answer.content, headers_of(answer)) for answer in answers]
    assert known == unknown
    assert known[0] == 202


class Commands(CommandListener):
    """Notes each command a driver sends: its name, and what it is about."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.noted.append((event.command_name, event.command.get(event.command_name)))

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


@pytest.fixture
def commands(  # Asked for before the application, so that it is in place when the database is opened.
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    listener = Commands()
    monkeypatch.setattr(driver, "connect", partial(driver.connect, event_listeners=[listener]))
    return listener


@pytest.mark.real_server("its driver is asked what it sends")
@pytest.mark.parametrize("settings_changes", [{"rate_limits": "on"}])
async def test_a_forgotten_password_sends_the_same_database_commands_with_and_without_an_account(
    commands: Commands, ada: Person
) -> None:
    sent = []
    for address in (ada.email, "nobody@example.com", "no.body@example.org", ada.email.upper()):
        commands.noted.clear()
        ok(await forget_password(ada.api, address), 202)
        sent.append([name for name, _ in commands.noted if name not in ("hello", "ping")])
    assert "insert" in sent[0]
    assert sent[0] == sent[1] == sent[2] == sent[3]


@pytest.mark.real_server("the planner is a process of its own")
async def test_of_twenty_uses_of_one_recovery_token_at_once_one_succeeds(mongo_url: str, tmp_path: Path) -> None:
    url = url_of(mongo_url, f"test_{uuid4().hex[:12]}")
    data = tmp_path / "data"
    with running(data, ("--workers", "2"), DATABASE_URL=url, SECRET_KEY=SECRET) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
            ada = await sign_up(api, "ada@example.com")
            ok(await forget_password(api, ada.email), 202)
            (mail,) = await wait_until_async(lambda: read_outbox(data, "Set a new password"))
            passwords = [f"{NEW_PASSWORD} {number}" for number in range(20)]
            answers = await asyncio.gather(*(reset_password(api, token_in(mail), password) for password in passwords))
            assert sorted(answer.status_code for answer in answers) == [204] + [422] * 19
            won = passwords[[answer.status_code for answer in answers].index(204)]
            ok(await sign_in(api, ada.email, won))
            changed = await wait_until_async(lambda: read_outbox(data, "Your password was changed"))
            assert len(changed) == 1


async def test_a_reset_removes_identities_that_were_linked_before_the_address_was_verified(
    api: Planner, app: FastAPI, ada: Person, mailbox: Mailbox
) -> None:
    users = database_of(app)["users"]
    identity = {"issuer": "https://provider.example", "subject": "somebody else"}
    await users.update_one({"email_key": ada.email}, {"$set": {"identities": [identity]}})
    ok(await reset_password(api, await order_recovery_token(api, mailbox, ada)), 204)
    stored = await users.find_one({"email_key": ada.email})
    assert stored["identities"] == []
