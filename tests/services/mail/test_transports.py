"""How mails leave: over SMTP to a server that listens, or into the outbox for a newcomer to open."""

import asyncio
import base64
import email
import email.policy
import logging
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from planner.domain import mail_templates as mails
from planner.services.mail.transports import (
    DeliveryFailed,
    DeliveryRefused,
    MailTransport,
    OutboxTransport,
    SmtpTransport,
)
from tests.support.mailbox import html_of, text_of, token_in
from tests.support.smtp.server import PASSWORD, USER, listening

LINK = "https://planner.example.com/reset-password#token=" + "Ab3_-" * 8 + "xyz"


LETTERS = {
    "verification": mails.build_verification_mail(LINK),
    "recovery": mails.build_recovery_mail(LINK),
    "address_changed": mails.build_address_changed_mail("countess+<new>@exämple.com"),
    "password_changed": mails.build_password_changed_mail(),
}


def mail(letter: mails.MailContent = LETTERS["recovery"], to: str = "ada@example.com") -> EmailMessage:
    date = datetime(2026, 12, 1, 18, tzinfo=UTC)
    return mails.compose_message(letter, "Planner <planner@example.com>", to, date=date, message_id="one-of-a-kind")


def written(outbox: Path) -> list[bytes]:
    """The contents of an outbox, which holds nothing but whole mails."""
    paths = list(outbox.iterdir())
    assert {path.suffix for path in paths} == {".eml"}
    return [path.read_bytes() for path in paths]


async def test_a_mail_is_sent_to_a_server_without_authentication() -> None:
    async with listening() as server:
        await SmtpTransport(server.url()).send(mail())
    assert server.envelopes == [("planner@example.com", "ada@example.com")]
    assert not [line for line in server.commands if line.startswith("AUTH")]
    (arrived,) = server.mails
    assert (arrived["Subject"], arrived["To"]) == ("Set a new password", "ada@example.com")
    assert token_in(arrived) == LINK.partition("token=")[2]


async def test_a_mail_is_sent_to_a_server_with_authentication() -> None:
    async with listening(PASSWORD) as server:
        await SmtpTransport(server.url(f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@")).send(mail())
    assert len(server.mails) == 1


@pytest.mark.parametrize("login", ["", f"{quote(USER, safe='')}:wrong@"])
async def test_a_server_that_refuses_the_credentials_gets_no_mail(login: str) -> None:
    async with listening(PASSWORD) as server:
        with pytest.raises(DeliveryFailed):
            await SmtpTransport(server.url(login)).send(mail())
    assert server.mails == []


@pytest.mark.parametrize("refusal", [b"451 later", b"550 never"])
async def test_a_mail_that_the_server_refuses_can_be_tried_again(refusal: bytes) -> None:
    async with listening(refusal=refusal) as server:
        sender = SmtpTransport(server.url())
        with pytest.raises(DeliveryFailed):
            await sender.send(mail())
        server.refusal = None
        await sender.send(mail())
    assert len(server.mails) == 1


@pytest.mark.parametrize("answer", [b"550 5.1.1 no such user", b"553 never", b"571 not here"])
async def test_a_recipient_that_the_server_refuses_for_good_is_not_tried_again(answer: bytes) -> None:
    async with listening() as server:
        server.refused["ada@example.com"] = answer
        with pytest.raises(DeliveryRefused, match=rf"refuses the recipient with the code {answer[:3].decode()}"):
            await SmtpTransport(server.url()).send(mail())


async def test_a_mail_that_the_server_refuses_for_good_is_not_tried_again() -> None:
    async with listening() as server:
        server.data_refusal = b"554 5.6.0 never"
        with pytest.raises(DeliveryRefused, match="refuses the mail with the code 554"):
            await SmtpTransport(server.url()).send(mail())


@pytest.mark.parametrize("answer", [b"450 greylisted", b"452 too many recipients"])
async def test_a_recipient_that_is_refused_for_the_time_being_can_be_tried_again(answer: bytes) -> None:
    async with listening() as server:
        server.refused["ada@example.com"] = answer
        with pytest.raises(DeliveryFailed) as caught:
            await SmtpTransport(server.url()).send(mail())
        assert not isinstance(caught.value, DeliveryRefused)
        server.refused.clear()
        await SmtpTransport(server.url()).send(mail())
    assert server.asked == ["ada@example.com", "ada@example.com"]


@pytest.mark.parametrize("smtputf8", [True, False])
async def test_a_domain_in_unicode_is_sent_as_punycode(smtputf8: bool) -> None:
    message = mail(to="ada@straße.example")
    async with listening() as server:
        server.smtputf8 = smtputf8
        await SmtpTransport(server.url()).send(message)
    assert server.envelopes == [("planner@example.com", "ada@xn--strae-oqa.example")]
    assert server.mails[0]["To"] == "ada@xn--strae-oqa.example"
    assert message["To"] == "ada@straße.example"


async def test_an_address_with_other_letters_can_be_read_from_the_outbox(tmp_path: Path) -> None:
    await OutboxTransport(tmp_path).send(mail(to="grün@bücher.example"))
    (content,) = written(tmp_path)
    assert "To: grün@bücher.example".encode() in content


async def test_an_address_that_needs_smtputf8_is_sent_with_it_or_refused() -> None:
    async with listening() as server:
        with pytest.raises(DeliveryRefused, match="SMTPUTF8"):
            await SmtpTransport(server.url()).send(mail(to="grün@example.com"))
        assert server.mails == []
        server.smtputf8 = True
        await SmtpTransport(server.url()).send(mail(to="grün@example.com"))
    assert server.envelopes == [("planner@example.com", "grün@example.com")]
    assert "To: grün@example.com".encode() in server.contents[0]


async def test_a_mail_has_a_date_and_a_message_id_of_the_senders_domain() -> None:
    async with listening() as server:
        await SmtpTransport(server.url()).send(mail())
    (arrived,) = server.mails
    assert arrived["Date"] == "Tue, 01 Dec 2026 18:00:00 +0000"
    assert arrived["Message-ID"] == "<one-of-a-kind@example.com>"
    assert len(arrived.get_all("Date", [])) == len(arrived.get_all("Message-ID", [])) == 1


@pytest.mark.parametrize("address", ["=?utf-8?q?victim?=@example.com", "=?utf-8?b?eDAK?=@corp.example", "a@b, c@d.com"])
def test_no_mail_is_composed_for_an_address_that_mail_programs_read_as_another(address: str) -> None:
    with pytest.raises(mails.UnusableAddress):
        mail(to=address)


async def test_an_unreachable_server_is_a_failed_delivery() -> None:
    async with listening() as server:
        gone = server.url()
    with pytest.raises(DeliveryFailed):
        await SmtpTransport(gone).send(mail())


async def test_a_server_without_tls_gets_nothing_over_smtps() -> None:
    async with listening(PASSWORD) as server:
        url = server.url(f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@").replace("smtp:", "smtps:")
        with pytest.raises(DeliveryFailed):
            await SmtpTransport(url).send(mail())
    assert server.mails == []
    assert not [line for line in server.commands if "AUTH" in line]


async def test_no_log_line_and_no_error_repeats_the_credentials_of_the_mail_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    words = [USER, PASSWORD, quote(PASSWORD, safe=""), base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()]
    said = []
    for refusal in (None, b"550 never"):
        async with listening(PASSWORD, refusal) as server:
            sender = SmtpTransport(server.url(f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"))
            try:
                await sender.send(mail())
            except DeliveryFailed as error:
                said.append(str(error))
    async with listening("another password") as server:
        with pytest.raises(DeliveryFailed) as refused:
            await SmtpTransport(server.url(f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@")).send(mail())
    said += [str(refused.value), caplog.text]
    assert len(said) == 3
    assert not [word for word in words for text in said if word in text]


@pytest.mark.parametrize("name", LETTERS)
def test_the_text_and_the_html_of_a_mail_say_the_same(name: str) -> None:
    letter, message = LETTERS[name], mail(LETTERS[name])
    text, html = text_of(message), html_of(message)
    said = [unescape(re.sub(r"<[^>]+>", "", part)) for part in re.findall(r"<p>(.*?)</p>", html, re.S)]
    assert [part.replace(f":\n{letter.link}", "").strip() for part in text.split("\n\n")] == said
    assert [unescape(link) for link in re.findall(r'href="([^"]*)"', html)] == ([letter.link] if letter.link else [])
    assert (letter.link or "") in text


def test_an_address_is_escaped_in_the_html_of_a_mail() -> None:
    html = html_of(mail(LETTERS["address_changed"]))
    assert "countess+&lt;new&gt;@" in html and "<new>" not in html


@pytest.mark.parametrize("name", LETTERS)
async def test_the_outbox_has_complete_mails_and_their_paths_are_logged(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await OutboxTransport(tmp_path / "outbox").send(mail(LETTERS[name]))
    (path,) = (tmp_path / "outbox").iterdir()
    assert path.suffix == ".eml"
    assert str(path) in caplog.text
    read = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert text_of(read) == text_of(mail(LETTERS[name]))
    assert html_of(read) == html_of(mail(LETTERS[name]))


async def test_no_log_line_contains_the_token_of_a_mail_in_the_outbox(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await OutboxTransport(tmp_path).send(mail())
    assert f"{tmp_path}/" in caplog.text
    assert LINK.partition("token=")[2] not in caplog.text


async def test_the_link_can_be_read_as_one_line_of_the_file(tmp_path: Path) -> None:
    long = LINK.replace("planner.example.com", "planner.of-a-department." + "and-another." * 12 + "example.com")
    await OutboxTransport(tmp_path).send(mail(mails.build_recovery_mail(long)))
    (content,) = written(tmp_path)
    assert long in content.decode().splitlines()


async def test_only_the_owner_can_read_the_outbox(tmp_path: Path) -> None:
    await OutboxTransport(tmp_path / "outbox").send(mail())
    (path,) = (tmp_path / "outbox").iterdir()
    assert (tmp_path / "outbox").stat().st_mode & 0o077 == 0
    assert path.stat().st_mode & 0o077 == 0


async def test_many_mails_at_once_each_get_a_file_of_their_own(tmp_path: Path) -> None:
    sender = OutboxTransport(tmp_path)
    await asyncio.gather(*(sender.send(mail(to=f"{number}@example.com")) for number in range(20)))
    read = [email.message_from_bytes(content) for content in written(tmp_path)]
    assert {message["To"] for message in read} == {f"{number}@example.com" for number in range(20)}


async def test_an_outbox_that_cannot_be_written_is_no_other_kind_of_error(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    sender: MailTransport = OutboxTransport(tmp_path / "outbox")
    with pytest.raises(DeliveryFailed):
        await sender.send(mail())
