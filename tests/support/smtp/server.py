"""An SMTP server that keeps what it is given, for the time being."""

import asyncio
import base64
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

USER, PASSWORD = "post@example.com", "a p@ss/word: of the mail server"


@dataclass
class MailServer:
    """An SMTP server (RFC 5321, with RFC 4954 when it has a password) that keeps what it is given.

    `refusal` is its answer to MAIL, `refused` its answers to RCPT by recipient, and `data_refusal` that to a mail.
    """

    password: str | None = None
    refusal: bytes | None = None
    data_refusal: bytes | None = None
    smtputf8: bool = False
    refused: dict[str, bytes] = field(default_factory=dict)
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
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
            self.commands.append(line)
            match verb:
                case "AUTH":
                    given = base64.b64decode(line.split()[-1]).decode().split("\0")
                    known = given == ["", USER, self.password]
                    answer = b"235 welcome" if known else b"535 no"
                case "MAIL":
                    sender = _address_in(line)
                    answer = self.refusal or (b"250 go on" if known else b"530 who are you?")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    answer = self._keep((await reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n."))
                case _:
                    answer = self._answer(verb, line, sender)
            writer.write(answer + b"\r\n")
            if verb == "QUIT":
                break
        await writer.drain()

    def _answer(self, verb: str, line: str, sender: str) -> bytes:
        match verb:
            case "EHLO":
                offers = [b"AUTH PLAIN"] if self.password else []
                offers += [b"SMTPUTF8"] if self.smtputf8 else []
                return b"\r\n".join(b"250-" + offer for offer in [b"mail.example.com", *offers]) + b"\r\n250 8BITMIME"
            case "RCPT":
                recipient = _address_in(line)
                self.asked.append(recipient)
                if recipient in self.refused:
                    return self.refused[recipient]
                self.envelopes.append((sender, recipient))
                return b"250 go on"
            case "QUIT":
                return b"221 goodbye"
            case _:
                return b"250 fine"

    def _keep(self, content: bytes) -> bytes:
        if self.data_refusal is not None:
            return self.data_refusal
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.contents.append(content)
        self.mails.append(message)
        return b"250 thank you"


def _address_in(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


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
