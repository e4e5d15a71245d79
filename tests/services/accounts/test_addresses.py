"""E-mail addresses: each is one, however it is written."""

import pytest

from planner.services.mail.transports import MailTransport
from tests.support.clients import PASSWORD, Planner, ok, sign_in, sign_up
from tests.support.mailbox import Mailbox


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> MailTransport:
    return mailbox


async def test_an_address_in_unicode_and_in_punycode_are_one(api: Planner, mailbox: Mailbox) -> None:
    await sign_up(api, "ada@xn--bcher-kva.example")
    for spelling in ("ada@bücher.example", "ADA@XN--BCHER-KVA.EXAMPLE", " \u00a0ada@bu\u0308cher.example\u200b\n"):
        ok(await sign_in(api, spelling))
        form = {"grant_type": "password", "username": spelling, "password": PASSWORD}
        ok(await api.post("/auth/token", data=form))
        ok(await api.post("/auth/signup", json={"email": spelling, "password": PASSWORD}), 409)
        await mailbox.deliver_due()
        ok(await api.post("/auth/password/forgot", json={"email": spelling}), 202)
        (mail,) = await mailbox.deliver_due()
        assert "password" in mail["Subject"]


async def test_a_blank_inside_an_address_is_named(api: Planner) -> None:
    for address, name in (("a da@example.com", "U+0020"), ("ada@exa\u200bmple.com", "U+200B")):
        (error,) = ok(await api.post("/auth/signup", json={"email": address, "password": PASSWORD}), 422)["errors"]
        assert (error["pointer"], name in error["message"]) == ("/email", True)
