"""Mails between a planner process and a mail server: of all mails, the poisonous ones alone are not sent."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from uuid import uuid4

import httpx
import pytest

from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, ok, sign_in, sign_up
from tests.support.mailbox import token_in
from tests.support.recovery import NEW_PASSWORD, assert_refused, forget_password, reset_password, verify_email
from tests.support.servers import running
from tests.support.sessions import get_me
from tests.support.smtp.server import MailServer, listening
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.real_server("the planner is a process of its own")


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    async with listening() as mail_server:
        yield mail_server


@pytest.fixture
async def api(
    mail_server: MailServer, mongo_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    name = f"test_{uuid4().hex[:12]}"
    with running(
        tmp_path_factory.mktemp("planner") / "data",
        DATABASE_URL=url_of(mongo_url, name),
        SECRET_KEY=SECRET,
        SMTP_URL=mail_server.url(),
        MAIL_FROM="Planner <planner@bücher.example>",
    ) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            yield client


POISONOUS = ["=?utf-8?b?eDAK?=@corp.example", "=?utf-8?q?victim?=@example.com", "x=?us-ascii?q?y?=@example.com"]


@pytest.mark.parametrize("address", POISONOUS)
async def test_an_address_that_mail_programs_decode_is_refused_everywhere(
    api: httpx.AsyncClient, mail_server: MailServer, address: str
) -> None:
    ada = await sign_up(api, "ada@example.com")
    answers = [
        await api.post("/auth/signup", json={"email": address, "password": PASSWORD}),
        await ada.patch("/users/me", json={"email": address, "current_password": PASSWORD}),
        await forget_password(api, address),
    ]
    for answer in answers:
        (error,) = ok(answer, 422)["errors"]
        assert error["pointer"] == "/email" and "RFC 2047" in error["message"]
        assert address not in answer.text


async def test_a_recovery_mail_arrives_though_another_recipient_is_refused_for_good(
    api: httpx.AsyncClient, mail_server: MailServer
) -> None:
    mail_server.refused["gone@example.com"] = b"550 5.1.1 no such user"
    await sign_up(api, "gone@example.com")
    ada = await sign_up(api, "ada@example.com")
    await wait_until_async(lambda: len(mail_server.mails) == 1)
    ok(await forget_password(api, ada.email), 202)
    await wait_until_async(lambda: len(mail_server.mails) == 2)
    ok(await reset_password(api, token_in(mail_server.mails[1])), 204)
    assert mail_server.asked.count("gone@example.com") == 1


async def test_the_envelope_and_the_header_have_the_address_of_the_account(
    api: httpx.AsyncClient, mail_server: MailServer
) -> None:
    await sign_up(api, "Ada+x=1@Bücher.example")
    await wait_until_async(lambda: mail_server.mails)
    address = "Ada+x=1@xn--bcher-kva.example"
    assert mail_server.envelopes == [("planner@xn--bcher-kva.example", address)]
    (mail,) = mail_server.mails
    assert (mail["To"], mail["From"]) == (address, "Planner <planner@xn--bcher-kva.example>")
    assert mail["Date"] and mail["Message-ID"].endswith("@xn--bcher-kva.example>")


async def token_of_next_mail(mail_server: MailServer, subject: str, number: int = 1) -> str:
    """Return the token in the mail with this subject, of which so many must have arrived."""

    def arrived() -> list[EmailMessage]:
        return [mail for mail in mail_server.mails if mail["Subject"] == subject]

    await wait_until_async(lambda: len(arrived()) == number)
    return token_in(arrived()[-1])


async def test_a_squatter_keeps_nothing_of_the_account_that_the_owner_of_the_address_recovers(
    api: httpx.AsyncClient, mail_server: MailServer
) -> None:
    squatter = await sign_up(api, "victim@example.com")
    draft = {"name": "script", "scopes": ["account:read"]}
    personal = ok(await squatter.post("/auth/tokens", json=draft), 201)["token"]
    feed = str(ok(await squatter.post("/feeds", json={"name": "phone"}), 201)["url"]).partition("/api/v1")[2]
    ok(await squatter.patch("/users/me", json={"email": "squatter@example.com", "current_password": PASSWORD}))
    mailed = await token_of_next_mail(mail_server, "Confirm your e-mail address", 2)
    # The owner of the address follows the link of the first mail, and has no password for the page.
    first = token_in(next(mail for mail in mail_server.mails if mail["To"] == "victim@example.com"))
    ok(await verify_email(api, first, None), 403)
    assert (await squatter.me())["email_verified"] is False
    ok(await forget_password(api, "victim@example.com"), 202)
    ok(await reset_password(api, await token_of_next_mail(mail_server, "Set a new password")), 204)
    ok(await squatter.get("/users/me"), 401)
    ok(await get_me(api, personal), 401)
    assert (await api.get(feed)).status_code == 404
    ok(await sign_in(api, "victim@example.com"), 401)
    assert_refused(await verify_email(api, mailed, NEW_PASSWORD))
    owner = ok(await sign_in(api, "victim@example.com", NEW_PASSWORD))["user"]
    assert (owner["email"], owner["pending_email"], owner["email_verified"]) == ("victim@example.com", None, True)
