"""Delivery of queued mails. Sending one twice does no harm, and no request waits for it."""

import asyncio
import logging
from datetime import timedelta

from auth.opaque_tokens import OpaqueTokens, digest
from database.commit import commit_atomically
from models.accounts.one_time_token import OneTimeToken, Purpose
from models.accounts.user import User
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold
from planner.clock import Clock
from planner.domain import mail_templates
from planner.services.mail.transports import DeliveryFailed, MailTransport

log = logging.getLogger("planner.mail")
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)


class MailDelivery:
    """Sends queued mails; `wake` is set when this process has queued one."""

    def __init__(
        self, transport: MailTransport, from_address: str, base_url: str, opaque_tokens: OpaqueTokens, clock: Clock
    ) -> None:
        self._transport = transport
        self._from_address = from_address
        self._opaque_tokens = opaque_tokens
        self._base_url = base_url
        self._clock = clock
        self.wake = asyncio.Event()

    async def send_due(self) -> int:
        """Send every mail that is due; return how many were sent, or dropped because nobody needs them any more."""
        count = 0
        while mail := await QueuedMail.claim(self._clock.now()):
            try:
                await self.send(mail)
            except DeliveryFailed as error:
                pause = min(FIRST_PAUSE * 2 ** min(mail.attempts - 1, 16), LONGEST_PAUSE)
                log.warning("a mail could not be sent (%s); trying again in %s", error, pause)
                await QueuedMail.postpone(mail.id, self._clock.now() + pause)
            else:
                await commit_atomically([QueuedMail.delete_write(mail.id)])
                count += 1
        return count

    async def send(self, mail: QueuedMail) -> None:
        """Send a mail, unless nobody needs it any more; raises `DeliveryFailed`."""
        addressed = await self._write_reset_letter(mail) if mail.kind == "reset" else await self._write_letter(mail)
        if addressed is not None:
            letter, recipient = addressed
            await self._transport.send(mail_templates.compose_message(letter, self._from_address, recipient))

    async def _write_reset_letter(self, mail: QueuedMail) -> tuple[mail_templates.MailContent, str] | None:
        """Return a recovery letter and its recipient; None when the address has no account that may act."""
        # This is checked here and not in the request, so that no response or response time depends on it.
        user = await User.by_login(mail.email)
        if user is None or user.disabled:
            return None
        letter = mail_templates.build_recovery_mail(await self._create_link(user, "reset", "reset-password"))
        # To the address of the account: the one in the request may differ in letter case.
        return letter, user.email

    async def _write_letter(self, mail: QueuedMail) -> tuple[mail_templates.MailContent, str] | None:
        """Return the letter to an account and its recipient; None when there is nothing to say any more."""
        if mail.kind == "password-changed":
            return mail_templates.build_password_changed_mail(), mail.email
        user = None if mail.user is None else await User.by_id(mail.user)
        if user is None:
            return None
        if mail.kind == "email-changed":
            return mail_templates.build_address_changed_mail(user.email), mail.email
        if user.email_verified or user.email_key != fold(mail.email):
            return None
        return mail_templates.build_verification_mail(
            await self._create_link(user, "verify", "verify-email")
        ), mail.email

    async def _create_link(self, user: User, purpose: Purpose, path: str) -> str:
        """Return a link with a new one-time token, which is stored."""
        token = self._opaque_tokens.new_secret()
        now = self._clock.now()
        await commit_atomically([OneTimeToken.insert_write(digest(token), purpose, user.id, user.email_key, now)])
        # A fragment is not sent to any server, so it does not get into logs; only the page that it opens reads it.
        return f"{self._base_url}/{path}#token={token}"
