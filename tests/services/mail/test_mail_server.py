"""Mails between a planner process and a mail server: of all mails, the poisonous ones alone are not sent."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, ok, sign_up
from tests.support.mailbox import token_in
from tests.support.recovery import forget_password, reset_password
from tests.support.servers import running
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
