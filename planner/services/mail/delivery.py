"""Sending the mails that are due. Doing it twice does no harm, and no request waits for it."""

import asyncio
import logging
from datetime import timedelta

from auth.opaque_tokens import OpaqueTokens, digest
from database.commit import commit_atomically
from database.queries import Stored
from models.accounts.one_time_token import OneTimeToken, Purpose
from models.accounts.user import User
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold
from planner.clock import Clock
from planner.domain import mail_templates as mails
from planner.services.mail.transports import DeliveryFailed, MailTransport

log = logging.getLogger("planner.mail")
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)


class MailDelivery:
    """Sends what is due; `wake` tells the loop that something is."""

    def __init__(
        self, transport: MailTransport, from_address: str, base_url: str, tokens: OpaqueTokens, clock: Clock
    ) -> None:
        self._transport = transport
        self._from = from_address
        self._tokens = tokens
        self._base_url = base_url
        self._clock = clock
        self.wake = asyncio.Event()

    async def send_due(self) -> int:
        """Send every mail that is due; returns how many have been sent or dropped."""
        count = 0
        while mail := await QueuedMail.claim(self._clock.now()):
            try:
                await self._send(mail)
            except DeliveryFailed as error:
                pause = min(FIRST_PAUSE * 2 ** min(mail["attempts"] - 1, 16), LONGEST_PAUSE)
                log.warning("a mail could not be sent (%s); trying again in %s", error, pause)
                await QueuedMail.put_off(mail["_id"], self._clock.now() + pause)
            else:
                await commit_atomically([QueuedMail.sent(mail["_id"])])
                count += 1
        return count

    async def _send(self, mail: Stored) -> None:
        if mail["kind"] == "reset":
            # Whether the address has an account is found out here, where nobody is waiting. The mail
            # goes to the account's own: the one that was asked for may only be written alike.
            user = await User.by_login(mail["address"])
            if user is None or user["disabled"]:
                return
            letter, address = (
                mails.build_recovery_mail(await self._link(user, "reset", "reset-password")),
                user["email"],
            )
        else:
            known, address = await self._letter(mail), mail["address"]
            if known is None:
                return
            letter = known
        await self._transport.send(mails.compose_message(letter, self._from, address))

    async def _letter(self, mail: Stored) -> mails.MailContent | None:
        """What the mail to an account says; None when there is nobody any more to say it to."""
        match mail["kind"]:
            case "verify":
                user = await User.stored(mail["user"])
                if user is None or user["email_key"] != fold(mail["address"]) or user["email_verified"]:
                    return None
                return mails.build_verification_mail(await self._link(user, "verify", "verify-email"))
            case "email-changed":
                user = await User.stored(mail["user"])
                return None if user is None else mails.build_address_changed_mail(user["email"])
            case _:
                return mails.build_password_changed_mail()

    async def _link(self, user: Stored, purpose: Purpose, path: str) -> str:
        token = self._tokens.new_secret()
        await commit_atomically(
            [OneTimeToken.issue(digest(token), purpose, user["_id"], user["email_key"], self._clock.now())]
        )
        # After the # it reaches no server, and so no log: only the page that it opens reads it.
        return f"{self._base_url}/{path}#token={token}"
