"""Transports of mail: an SMTP server, or a folder."""

import asyncio
import logging
import os
import tempfile
from copy import deepcopy
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from models.shared.fields import to_ascii_domain

log = logging.getLogger("planner.mail")
SMTP_SECONDS = 20.0


class DeliveryFailed(Exception):
    """The mail could not be sent; it may be tried again."""


class DeliveryRefused(DeliveryFailed):
    """The mail server refuses the mail permanently: sending it again would have the same result (RFC 5321 §4.2.1)."""


class MailTransport(Protocol):
    """A way to send mails."""

    async def send(self, message: EmailMessage) -> None:
        """Send a mail to the address in its `To`; raises `DeliveryFailed` and `DeliveryRefused`."""


class SmtpTransport:
    """Sends by SMTP: with `smtps://` encrypted from the start, with `smtp://` as soon as the server offers it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._implicit = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (465 if self._implicit else 25 if parts.username is None else 587)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, message: EmailMessage) -> None:
        """Send a mail; raises `DeliveryFailed`, and `DeliveryRefused` when the server refuses the recipient or mail.

        Other refusals, such as of the credentials or of the sender, are up to the operator, who may correct them.
        """
        message = _with_ascii_domain(message)
        try:
            # The envelope is given, because the library would read the headers once more, and decode them.
            await aiosmtplib.send(
                message,
                sender=message["From"].addresses[0].addr_spec,
                recipients=[message["To"].addresses[0].addr_spec],
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._implicit,
                timeout=SMTP_SECONDS,
            )
        except aiosmtplib.SMTPNotSupported as error:
            raise DeliveryRefused(f"{self._server} does not support SMTPUTF8, which the address needs") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise self._refusal("the recipient", error.recipients[0].code) from error
        except aiosmtplib.SMTPDataError as error:
            raise self._refusal("the mail", error.code) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(f"{self._server}: {type(error).__name__}") from error

    @property
    def _server(self) -> str:
        return f"{self._host}:{self._port}"

    def _refusal(self, refused: str, code: int) -> DeliveryFailed:
        # The text of the server often repeats the address, so only its code is passed on.
        kind = DeliveryRefused if 500 <= code < 600 else DeliveryFailed
        return kind(f"{self._server} refuses {refused} with the code {code}")


def _with_ascii_domain(message: EmailMessage) -> EmailMessage:
    """Return the message with the domain of its recipient in ASCII (RFC 5891).

    Then no server on the way must support SMTPUTF8 (RFC 6531), unless the part before the @ needs it.
    """
    sent = deepcopy(message)
    sent.replace_header("To", to_ascii_domain(message["To"].addresses[0].addr_spec))
    return sent


class OutboxTransport:
    """Writes each mail to a file in a folder, and logs its path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        """Write the mail; raises `DeliveryFailed`."""
        try:
            # UTF-8 in the headers (RFC 6532): otherwise an address with other letters could not be read from the file.
            path = await asyncio.to_thread(self._write, message.as_bytes(policy=policy.default.clone(utf8=True)))
        except OSError as error:
            raise DeliveryFailed(f"{self._folder}: {error.strerror}") from error
        log.info("a mail is in the file %s", path)

    def _write(self, content: bytes) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        # The names are in the order of writing. Renaming makes only complete files visible.
        count = sum(1 for _ in self._folder.glob("*.eml")) + 1
        path = self._folder / f"{count:04}-{Path(name).stem}.eml"
        Path(name).rename(path)
        return path
