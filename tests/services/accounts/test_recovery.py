"""Proving an address, and getting back into an account: tokens that work once, and mails that are not lost."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from database import connection
from database.connection import Database
from models.mail.queued_mail import LEASE, QueuedMail
from planner import background
from planner.app import create_app
from planner.clock import utc_now
from planner.services.mail.delivery import FIRST_PAUSE, LONGEST_PAUSE
from planner.settings import Settings
from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in, sign_up
from tests.support.post import Postbox, TurnedClock, keep_time, nobody_works, text_of, token_in
from tests.support.servers import running
from tests.support.traces import everything, traces

NEW_PASSWORD = "nine quiet otters"


@pytest.fixture
def post() -> Postbox:
    return Postbox()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def app(
    settings: Settings,
    open_database_for_test: Callable[[], Awaitable[Database]],
    post: Postbox,
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FastAPI]:
    """The planner, sending mails only when told to."""
    monkeypatch.setattr(background, "work", nobody_works)
    application = create_app(settings, open_database_for_test, post)
    async with application.router.lifespan_context(application):
        post.mailing = application.state.mailing
        keep_time(application, clock)
        yield application


async def verify(api: Planner, token: str) -> httpx.Response:
    return await api.post("/auth/email/verify", json={"token": token})


async def forget(api: Planner, address: str) -> httpx.Response:
    return await api.post("/auth/password/forgot", json={"email": address})


async def reset(api: Planner, token: str, password: str = NEW_PASSWORD) -> httpx.Response:
    return await api.post("/auth/password/reset", json={"token": token, "password": password})


async def change_password(person: Person, current: str = PASSWORD, new: str = NEW_PASSWORD) -> httpx.Response:
    return await person.post("/auth/password", json={"current_password": current, "new_password": new})


async def recovery_token(api: Planner, post: Postbox, person: Person) -> str:
    await post.emptied()
    ok(await forget(api, person.email), 202)
    return await post.recovery()


def refused(response: httpx.Response, pointer: str = "/token") -> None:
    assert [error["pointer"] for error in ok(response, 422)["errors"]] == [pointer]


async def test_whoever_signs_up_is_sent_a_mail_that_proves_the_address(ada: Person, post: Postbox) -> None:
    mail = await post.only("Confirm your e-mail address")
    assert mail["To"] == "ada@example.com"
    assert f"http://planner.test/verify-email#token={token_in(mail)}" in text_of(mail)
    assert (await ada.me())["email_verified"] is False
    assert ok(await verify(ada.api, token_in(mail)), 204) is None
    assert (await ada.me())["email_verified"] is True


async def test_a_changed_address_has_to_be_proved_and_the_old_one_is_told(ada: Person, post: Postbox) -> None:
    ok(await verify(ada.api, await post.verification()), 204)
    changed = ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    assert changed["email_verified"] is False
    arrived = {mail["To"]: mail for mail in await post.emptied()}
    assert arrived.keys() == {"ada@example.com", "countess@example.com"}
    assert "countess@example.com" in text_of(arrived["ada@example.com"])
    assert "#token=" not in text_of(arrived["ada@example.com"])
    ok(await verify(ada.api, token_in(arrived["countess@example.com"])), 204)
    assert (await ada.me())["email_verified"] is True


async def test_a_token_for_the_old_address_does_not_verify_the_new_one(ada: Person, post: Postbox) -> None:
    old = await post.verification()
    ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    refused(await verify(ada.api, old))
    assert (await ada.me())["email_verified"] is False


async def test_a_recovery_token_sent_to_the_old_address_is_worthless_after_a_change(ada: Person, post: Postbox) -> None:
    token = await recovery_token(ada.api, post, ada)
    ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    refused(await reset(ada.api, token))


async def test_a_mail_ordered_for_an_address_that_was_changed_meanwhile_is_not_sent(ada: Person, post: Postbox) -> None:
    ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    arrived = [(mail["To"], mail["Subject"]) for mail in await post.emptied()]
    assert ("ada@example.com", "Confirm your e-mail address") not in arrived
    assert ("countess@example.com", "Confirm your e-mail address") in arrived


async def test_only_the_letter_case_of_a_proved_address_may_change_without_proving_it_again(
    ada: Person, post: Postbox
) -> None:
    ok(await verify(ada.api, await post.verification()), 204)
    assert ok(await ada.patch("/users/me", json={"email": "ADA@example.com"}))["email_verified"] is True


async def test_addresses_that_are_only_spelled_alike_get_no_mail_of_one_another(api: Planner, post: Postbox) -> None:
    await sign_up(api, "bob@fass.example")
    await post.emptied()
    for lookalike in ("bob@faß.example", "boß@fass.example", "bob@faſs.example"):
        await forget(api, lookalike)
    assert {mail["To"] for mail in await post.emptied()} <= {"bob@fass.example"}


async def test_the_verification_mail_is_sent_again_for_the_asking_until_the_address_is_proved(
    ada: Person, post: Postbox
) -> None:
    first = await post.verification()
    ok(await ada.post("/auth/email/verification"), 202)
    second = await post.verification()
    assert first != second
    ok(await verify(ada.api, second), 204)
    ok(await ada.post("/auth/email/verification"), 409)


async def test_a_forgotten_password_is_replaced_with_the_mailed_token(ada: Person, post: Postbox) -> None:
    token = await recovery_token(ada.api, post, ada)
    ok(await reset(ada.api, token), 204)
    ok(await sign_in(ada.api, ada.email), 401)
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD), 200)
    assert [mail["Subject"] for mail in await post.emptied()] == ["Your password was changed"]


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Origin", "Referer"])
async def test_no_header_of_a_request_changes_where_a_mailed_link_leads(ada: Person, post: Postbox, name: str) -> None:
    await post.emptied()
    headers = {name: "host=evil.example" if name == "Forwarded" else "evil.example"}
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}, headers=headers), 202)
    text = text_of(await post.only("Set a new password"))
    assert "http://planner.test/reset-password#token=" in text
    assert "evil" not in text


async def test_an_account_that_reads_its_recovery_mail_has_proved_its_address(ada: Person, post: Postbox) -> None:
    ok(await reset(ada.api, await recovery_token(ada.api, post, ada)), 204)
    assert ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))["user"]["email_verified"] is True


async def test_each_mailed_token_works_once(ada: Person, post: Postbox) -> None:
    verification, recovery = await post.verification(), await recovery_token(ada.api, post, ada)
    ok(await verify(ada.api, verification), 204)
    refused(await verify(ada.api, verification))
    ok(await reset(ada.api, recovery), 204)
    refused(await reset(ada.api, recovery, "another quiet otter"))
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))


async def test_a_token_serves_only_what_it_was_sent_for(ada: Person, post: Postbox) -> None:
    verification, recovery = await post.verification(), await recovery_token(ada.api, post, ada)
    refused(await reset(ada.api, verification))
    refused(await verify(ada.api, recovery))
    ok(await verify(ada.api, verification), 204)
    ok(await reset(ada.api, recovery), 204)


async def test_a_refused_password_does_not_use_the_token_up(ada: Person, post: Postbox) -> None:
    token = await recovery_token(ada.api, post, ada)
    refused(await reset(ada.api, token, "password"), "/password")
    ok(await reset(ada.api, token), 204)


@pytest.mark.parametrize("token", ["x", "A" * 43, "planner_pat_x", "é" * 50, "'; drop", "%00", "a" * 200])
async def test_a_token_that_was_made_up_is_refused_like_one_that_is_spent(ada: Person, token: str) -> None:
    refused(await verify(ada.api, token))
    refused(await reset(ada.api, token))


async def test_the_database_holds_no_mailed_token(ada: Person, app: FastAPI, post: Postbox) -> None:
    tokens = [await post.verification(), await recovery_token(ada.api, post, ada)]
    assert await traces(app.state.database.handle, *tokens) == []
    assert len((await everything(app.state.database.handle))["one_time_tokens"]) == 2


async def test_a_verification_token_holds_for_24_hours(ada: Person, post: Postbox, clock: TurnedClock) -> None:
    token = await post.verification()
    clock.turn(hours=24, minutes=1)
    refused(await verify(ada.api, token))
    clock.turn(minutes=-2)
    ok(await verify(ada.api, token), 204)


async def test_a_recovery_token_holds_for_one_hour(ada: Person, post: Postbox, clock: TurnedClock) -> None:
    token = await recovery_token(ada.api, post, ada)
    clock.turn(hours=1, minutes=1)
    refused(await reset(ada.api, token))
    clock.turn(minutes=-2)
    ok(await reset(ada.api, token), 204)


async def test_every_mailed_token_is_dead_after_a_password_change(ada: Person, post: Postbox) -> None:
    verification, recovery = await post.verification(), await recovery_token(ada.api, post, ada)
    ok(await change_password(ada), 204)
    refused(await verify(ada.api, verification))
    refused(await reset(ada.api, recovery, "another quiet otter"))


async def test_every_other_mailed_token_is_dead_after_a_reset(ada: Person, post: Postbox) -> None:
    one, other = await recovery_token(ada.api, post, ada), await recovery_token(ada.api, post, ada)
    ok(await reset(ada.api, other), 204)
    refused(await reset(ada.api, one, "another quiet otter"))


async def test_changing_a_password_needs_the_current_one(ada: Person) -> None:
    ok(await change_password(ada, current="not my password"), 403)
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD), 401)
    ok(await change_password(ada), 204)
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD), 200)
    ok(await sign_in(ada.api, ada.email), 401)


async def test_changing_a_password_ends_every_other_session_at_once(ada: Person) -> None:
    other = ok(await sign_in(ada.api, ada.email))
    headers = {"Authorization": f"Bearer {other['access_token']}"}
    ok(await ada.api.get("/users/me", headers=headers))
    ok(await change_password(ada), 204)
    ok(await ada.api.get("/users/me", headers=headers), 401)
    form = {"grant_type": "refresh_token", "refresh_token": other["refresh_token"]}
    assert ok(await ada.api.post("/auth/token", data=form), 400)["error"] == "invalid_grant"
    assert (await ada.me())["id"] == ada.id


async def test_a_reset_ends_every_session_and_every_personal_token(ada: Person, post: Postbox) -> None:
    signed_in = ok(await sign_in(ada.api, ada.email))
    body = {"name": "script", "scopes": ["account:read"]}
    personal = ok(await ada.post("/auth/tokens", json=body), 201)["token"]
    tokens = [ada.token, signed_in["access_token"], personal]
    for token in tokens:
        ok(await ada.api.get("/users/me", headers={"Authorization": f"Bearer {token}"}))
    ok(await reset(ada.api, await recovery_token(ada.api, post, ada)), 204)
    for token in tokens:
        ok(await ada.api.get("/users/me", headers={"Authorization": f"Bearer {token}"}), 401)
    form = {"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"]}
    ok(await ada.api.post("/auth/token", data=form), 400)


async def test_a_reset_removes_every_feed(ada: Person, post: Postbox) -> None:
    url = ok(await ada.post("/feeds", json={"name": "On my phone"}), 201)["url"]
    path = "/feeds/" + str(url).rpartition("/")[2]
    assert (await ada.api.get(path)).status_code == 200
    ok(await reset(ada.api, await recovery_token(ada.api, post, ada)), 204)
    assert (await ada.api.get(path)).status_code == 404


async def test_nobody_gets_a_mail_who_has_no_account_or_a_disabled_one(
    ada: Person, app: FastAPI, post: Postbox
) -> None:
    await app.state.database.handle["users"].update_one({"email": ada.email}, {"$set": {"disabled": True}})
    await post.emptied()
    for address in (ada.email, "nobody@example.com"):
        ok(await forget(ada.api, address), 202)
    assert await post.emptied() == []
    assert (await everything(app.state.database.handle)).get("mails", []) == []


async def test_the_answer_to_a_forgotten_password_does_not_tell_whether_there_is_an_account(ada: Person) -> None:
    answers = [await forget(ada.api, address) for address in (ada.email, "nobody@example.com")]
    known, unknown = [(answer.status_code, answer.content, answer.headers.multi_items()) for answer in answers]
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
    monkeypatch.setattr(connection, "AsyncIOMotorClient", partial(AsyncIOMotorClient, event_listeners=[listener]))
    return listener


@pytest.mark.real_server("its driver is asked what it sends")
async def test_a_forgotten_password_is_the_same_work_for_the_database_with_and_without_an_account(
    commands: Commands, app: FastAPI, ada: Person
) -> None:
    # The limit is part of the work.
    app.state.recovery._limiter._on = True
    sent = []
    for address in (ada.email, "nobody@example.com", "no.body@example.org", ada.email.upper()):
        commands.noted.clear()
        ok(await forget(ada.api, address), 202)
        sent.append([name for name, _ in commands.noted if name not in ("hello", "ping")])
    assert "insert" in sent[0]
    assert sent[0] == sent[1] == sent[2] == sent[3]


class Stuck:
    """A mail server that never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def send(self, message: EmailMessage) -> None:
        self.asked.set()
        await asyncio.Event().wait()


async def test_no_request_waits_for_a_mail_to_leave(
    settings: Settings, open_database_for_test: Callable[[], Awaitable[Database]]
) -> None:
    stuck = Stuck()
    application = create_app(settings, open_database_for_test, stuck)
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as api,
    ):
        ada = await sign_up(api, "ada@example.com")
        await asyncio.wait_for(stuck.asked.wait(), 20)
        ok(await forget(api, ada.email), 202)
        assert (await ada.me())["id"] == ada.id


async def test_the_running_planner_sends_what_was_ordered_before_it_crashed(
    settings: Settings, open_database_for_test: Callable[[], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(background, "work", nobody_works)
        crashed = create_app(settings, open_database_for_test, Postbox())
        async with crashed.router.lifespan_context(crashed):
            transport = httpx.ASGITransport(app=crashed)
            async with httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as api:
                await sign_up(api, "ada@example.com")
    arrived = asyncio.Event()

    class Doorbell(Postbox):
        async def send(self, message: EmailMessage) -> None:
            await super().send(message)
            arrived.set()

    box = Doorbell()
    again = create_app(settings, open_database_for_test, box)
    async with again.router.lifespan_context(again):
        await asyncio.wait_for(arrived.wait(), 20)
    assert [mail["Subject"] for mail in box.sent] == ["Confirm your e-mail address"]


async def test_a_mail_that_a_crashed_process_had_claimed_is_sent_when_its_lease_is_over(
    ada: Person, post: Postbox, clock: TurnedClock
) -> None:
    assert await QueuedMail.claim(clock()) is not None
    assert await post.emptied() == []
    clock.turn(seconds=LEASE.total_seconds() + 1)
    ok(await verify(ada.api, await post.verification()), 204)


async def test_a_mail_that_was_sent_twice_does_no_harm(ada: Person, post: Postbox, clock: TurnedClock) -> None:
    await post.emptied()
    ok(await forget(ada.api, ada.email), 202)
    # As if the process had crashed after sending and before striking it off.
    claimed = await QueuedMail.claim(clock())
    assert claimed is not None and post.mailing is not None
    await post.mailing._send(claimed)
    first = token_in(post.sent.pop())
    clock.turn(seconds=LEASE.total_seconds() + 1)
    second = await post.recovery()
    ok(await reset(ada.api, second), 204)
    refused(await reset(ada.api, first, "another quiet otter"))


async def test_two_processes_never_hold_the_same_mail(ada: Person, app: FastAPI, post: Postbox) -> None:
    for _ in range(5):
        ok(await forget(ada.api, ada.email), 202)
    now = utc_now()
    claimed = await asyncio.gather(*(QueuedMail.claim(now) for _ in range(20)))
    ids = [mail["_id"] for mail in claimed if mail is not None]
    assert len(ids) == len(set(ids)) == 6


async def test_a_mail_that_cannot_be_sent_is_tried_again_each_time_later(
    ada: Person, app: FastAPI, post: Postbox, clock: TurnedClock
) -> None:
    post.broken = True
    pauses = []
    for _ in range(12):
        assert await post.emptied() == []
        (mail,) = (await everything(app.state.database.handle))["mails"]
        pause = (mail["due_at"] - clock()).total_seconds()
        pauses.append(round(pause / 5) * 5)
        clock.turn(seconds=pause - 5)
        post.broken = False
        assert await post.emptied() == []
        post.broken = True
        clock.turn(seconds=6)
    first, longest = FIRST_PAUSE.total_seconds(), LONGEST_PAUSE.total_seconds()
    assert pauses == [min(first * 2**tried, longest) for tried in range(12)]
    post.broken = False
    ok(await verify(ada.api, await post.verification()), 204)


async def test_one_mail_that_cannot_be_sent_does_not_hold_up_the_others(ada: Person, post: Postbox) -> None:
    class Picky(Postbox):
        async def send(self, message: EmailMessage) -> None:
            self.broken = message["To"] == ada.email
            await super().send(message)

    await sign_up(ada.api, "ben@example.com")
    picky = Picky()
    assert post.mailing is not None
    post.mailing._sender = picky
    picky.mailing = post.mailing
    assert [mail["To"] for mail in await picky.emptied()] == ["ben@example.com"]


async def fact(look: Callable[[], Any]) -> Any:
    """What `look` answers, once it answers something."""
    async with asyncio.timeout(30):
        while not (found := look()):  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.02)
    return found


def mails_in(outbox: Path, subject: str) -> list[EmailMessage]:
    read = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in outbox.glob("*.eml")]
    return [mail for mail in read if isinstance(mail, EmailMessage) and mail["Subject"] == subject]


@pytest.mark.real_server("the planner is a process of its own")
async def test_of_twenty_uses_of_one_recovery_token_at_once_one_succeeds(mongo_url: str, tmp_path: Path) -> None:
    url = url_of(mongo_url, f"test_{uuid4().hex[:12]}")
    data = tmp_path / "data"
    with running(data, ("--workers", "2"), DATABASE_URL=url, SECRET_KEY=SECRET) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
            ada = await sign_up(api, "ada@example.com")
            ok(await forget(api, ada.email), 202)
            (mail,) = await fact(lambda: mails_in(data / "outbox", "Set a new password"))
            passwords = [f"{NEW_PASSWORD} {number}" for number in range(20)]
            answers = await asyncio.gather(*(reset(api, token_in(mail), password) for password in passwords))
            assert sorted(answer.status_code for answer in answers) == [204] + [422] * 19
            won = passwords[[answer.status_code for answer in answers].index(204)]
            ok(await sign_in(api, ada.email, won))
            changed = await fact(lambda: mails_in(data / "outbox", "Your password was changed"))
            assert len(changed) == 1


async def test_an_identity_linked_before_the_address_was_proved_does_not_outlive_recovery(
    api: Planner, app: FastAPI, ada: Person, post: Postbox
) -> None:
    users = app.state.database.handle["users"]
    identity = {"issuer": "https://provider.example", "subject": "somebody else"}
    await users.update_one({"email_key": ada.email}, {"$set": {"identities": [identity]}})
    ok(await reset(api, await recovery_token(api, post, ada)), 204)
    stored = await users.find_one({"email_key": ada.email})
    assert stored["identities"] == []
