"""A mailbox for the mails of a planner that delivers them only when a test asks for it."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from planner.services.mail.delivery import MailDelivery
from planner.services.mail.transports import DeliveryFailed

_LINK = re.compile(r"https?://\S+#token=(\S+)")


class Mailbox:
    """A transport that keeps mails, and has those that are due delivered to it.

    The fixture `app` sets `delivery` when the planner has started.
    """

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.broken = False
        self.delivery: MailDelivery | None = None
        self.errors: dict[str, Exception] = {}

    async def send(self, message: EmailMessage) -> None:
        """Keep a mail; raises `DeliveryFailed` while `broken`, and what `errors` has for the address."""
        if message["To"] in self.errors:
            raise self.errors[message["To"]]
        if self.broken:
            raise DeliveryFailed("the transport is broken")
        self.sent.append(message)

    async def deliver_due(self) -> list[EmailMessage]:
        """Have everything that is due sent, and return the mails that arrived since the last call."""
        assert self.delivery is not None
        await self.delivery.send_due()
        arrived, self.sent = self.sent, []
        return arrived

    async def deliver_only(self, subject: str) -> EmailMessage:
        """Have everything that is due sent, and return the one mail with this subject, which must arrive."""
        found = [mail for mail in await self.deliver_due() if mail["Subject"] == subject]
        assert len(found) == 1, [(mail["To"], mail["Subject"]) for mail in found]
        return found[0]

    async def verification_token(self) -> str:
        """Return the token of the one verification mail that must arrive."""
        return token_in(await self.deliver_only("Confirm your e-mail address"))

    async def recovery_token(self) -> str:
        """Return the token of the one recovery mail that must arrive."""
        return token_in(await self.deliver_only("Set a new password"))


def text_of(message: EmailMessage) -> str:
    """Return the text part of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(message: EmailMessage) -> str:
    """Return the HTML part of a mail."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def token_in(message: EmailMessage) -> str:
    """Return the token in the link of a mail, which must have one."""
    found = _LINK.search(text_of(message))
    assert found is not None, text_of(message)
    return found[1]


def read_outbox(data_dir: Path, subject: str) -> list[EmailMessage]:
    """Return the mails with this subject in the outbox of the planner that has its data there."""
    files = (data_dir / "outbox").glob("*.eml")
    mails = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    return [mail for mail in mails if isinstance(mail, EmailMessage) and mail["Subject"] == subject]
