"""How mails leave: over SMTP to a server that listens, or into the outbox for a newcomer to open."""

import asyncio
import base64
import email
import email.policy
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from planner.domain import mail_templates as mails
from planner.services.mail.transports import DeliveryFailed, MailTransport, OutboxTransport, SmtpTransport
from tests.support.mailbox import html_of, text_of, token_in

USER, PASSWORD = "post@example.com", "a p@ss/word: of the mail server"
LINK = "https://planner.example.com/reset-password#token=" + "Ab3_-" * 8 + "xyz"


@dataclass
class MailServer:
    """An SMTP server (RFC 5321, with RFC 4954 when it has a password) that keeps what it is given."""

    password: str | None = None
    refusal: bytes | None = None
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    conversations: list[asyncio.Task[None]] = field(default_factory=list)

    def url(self, login: str = "") -> str:
        return f"smtp://{login}127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.conversations.append(task)
        try:
            await self.converse(reader, writer)
        except ConnectionError:
            pass  # Who speaks with us may leave without a word.
        finally:
            writer.close()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        known, sender = self.password is None, ""
        while line := (await reader.readline()).decode(errors="replace").rstrip("\r\n"):
            verb = line.partition(" ")[0].upper()
            self.commands.append(verb)
            match verb:
                case "EHLO":
                    offers = b"250-AUTH PLAIN\r\n" if self.password else b""
                    writer.write(b"250-mail.example.com\r\n" + offers + b"250 8BITMIME\r\n")
                case "AUTH":
                    given = base64.b64decode(line.split()[-1]).decode().split("\0")
                    known = given == ["", USER, self.password]
                    writer.write(b"235 welcome\r\n" if known else b"535 no\r\n")
                case "MAIL" if self.refusal or not known:
                    writer.write((self.refusal or b"530 who are you?") + b"\r\n")
                case "MAIL":
                    sender = line
                    writer.write(b"250 go on\r\n")
                case "RCPT":
                    self.envelopes.append((sender.split("<")[1].split(">")[0], line.split("<")[1].split(">")[0]))
                    writer.write(b"250 go on\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    content = (await reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
                    message = email.message_from_bytes(content, policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    self.mails.append(message)
                    writer.write(b"250 thank you\r\n")
                case "QUIT":
                    writer.write(b"221 goodbye\r\n")
                    break
                case _:
                    writer.write(b"250 fine\r\n")
        await writer.drain()


@asynccontextmanager
async def listening(password: str | None = None, refusal: bytes | None = None) -> AsyncIterator[MailServer]:
    """A mail server on the loopback, for the time being."""
    mail_server = MailServer(password, refusal)
    server = await asyncio.start_server(mail_server.serve, "127.0.0.1", 0)
    mail_server.port = server.sockets[0].getsockname()[1]
    try:
        yield mail_server
    finally:
        server.close()
        await asyncio.gather(*mail_server.conversations)


LETTERS = {
    "verification": mails.build_verification_mail(LINK),
    "recovery": mails.build_recovery_mail(LINK),
    "address_changed": mails.build_address_changed_mail("countess+<new>@exämple.com"),
    "password_changed": mails.build_password_changed_mail(),
}


def mail(letter: mails.MailContent = LETTERS["recovery"], to: str = "ada@example.com") -> EmailMessage:
    return mails.compose_message(letter, "planner@example.com", to)


def written(outbox: Path) -> list[bytes]:
    """The contents of an outbox, which holds nothing but whole mails."""
    paths = list(outbox.iterdir())
    assert {path.suffix for path in paths} == {".eml"}
    return [path.read_bytes() for path in paths]


async def test_a_mail_is_sent_to_a_server_without_authentication() -> None:
    async with listening() as server:
        await SmtpTransport(server.url()).send(mail())
    assert server.envelopes == [("planner@example.com", "ada@example.com")]
    assert "AUTH" not in server.commands
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
    assert "AUTH" not in server.commands


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
