"""The mails of a planner that sends them only when a test says so, and a clock that a test turns."""

import asyncio
import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from fastapi import FastAPI

from planner.clock import utc_now
from planner.services.mail.delivery import MailDelivery
from planner.services.mail.transports import RecordingTransport

_LINK = re.compile(r"https?://\S+#token=(\S+)")


class TurnedClock:
    """Tells the real time, plus as much as it was turned on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self._ahead

    def turn(self, **time: float) -> None:
        self._ahead += timedelta(**time)


class Postbox(RecordingTransport):
    """Where the mails of an application arrive once somebody has them sent."""

    def __init__(self) -> None:
        super().__init__()
        self.mailing: MailDelivery | None = None

    async def emptied(self) -> list[EmailMessage]:
        """What arrives when everything that is due is sent; each mail is answered once."""
        assert self.mailing is not None
        await self.mailing.send_due()
        arrived, self.sent = self.sent, []
        return arrived

    async def only(self, subject: str) -> EmailMessage:
        """The one mail with this subject among those that arrive."""
        found = [mail for mail in await self.emptied() if mail["Subject"] == subject]
        assert len(found) == 1, [(mail["To"], mail["Subject"]) for mail in found]
        return found[0]

    async def verification(self) -> str:
        """The token of the verification mail that arrives."""
        return token_in(await self.only("Confirm your e-mail address"))

    async def recovery(self) -> str:
        """The token of the recovery mail that arrives."""
        return token_in(await self.only("Set a new password"))


def text_of(message: EmailMessage) -> str:
    """The text part of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(message: EmailMessage) -> str:
    """The HTML part of a mail."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def token_in(message: EmailMessage) -> str:
    """The token in the link of a mail."""
    found = _LINK.search(text_of(message))
    assert found is not None, text_of(message)
    return found[1]


def keep_time(app: FastAPI, clock: TurnedClock) -> None:
    """Have every service of an application read this clock."""
    for service in vars(app.state)["_state"].values():
        # Access tokens are judged by a clock of another kind, in seconds.
        if hasattr(service, "_clock") and isinstance(service._clock(), datetime):
            service._clock = clock


async def nobody_works(*_: Any, **__: Any) -> None:
    """What stands in for the background loop where a test decides when mails leave."""
    await asyncio.Event().wait()
