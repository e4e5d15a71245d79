"""Transports of mail: an SMTP server, or a folder."""

import asyncio
import logging
import os
import tempfile
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

log = logging.getLogger("planner.mail")
SMTP_SECONDS = 20.0


class DeliveryFailed(Exception):
    """The mail could not be sent; it may be tried again."""


class MailTransport(Protocol):
    """A way to send mails."""

    async def send(self, message: EmailMessage) -> None:
        """Send a mail; raises `DeliveryFailed`."""


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
        """Send a mail; raises `DeliveryFailed`."""
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._implicit,
                timeout=SMTP_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(f"{self._host}:{self._port}: {type(error).__name__}") from error


class OutboxTransport:
    """Writes each mail to a file in a folder, and logs its path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        """Write the mail; raises `DeliveryFailed`."""
        try:
            path = await asyncio.to_thread(self._write, bytes(message))
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
