"""Delivery of queued mails. Sending one twice does no harm, and no request waits for it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from auth.opaque_tokens import OpaqueTokens, digest
from database.commit import commit_atomically
from database.errors import is_unavailable
from database.queries import Id
from database.writes import Require
from models.accounts.one_time_token import OneTimeToken, Purpose
from models.accounts.user import User
from models.mail.queued_mail import LIFETIME, QueuedMail
from models.shared.fields import fold_email, to_ascii_sender
from planner.clock import Clock
from planner.domain import mail_templates
from planner.errors import TooMany
from planner.services.mail.transports import DeliveryFailed, DeliveryRefused, MailTransport
from planner.services.shared.audit import AuditLog
from planner.services.shared.rate_limiter import MAILS_TO_ADDRESS, Counted, RateLimiter
from planner.services.shared.retry import compute_pause

log = logging.getLogger("planner.mail")
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
# The letters that say what has happened, whatever became of it since.
NEWS: dict[str, Callable[[], mail_templates.MailContent]] = {
    "password-changed": mail_templates.build_password_changed_mail,
    "password-removed": mail_templates.build_password_removed_mail,
    "sign-in-ways-changed": mail_templates.build_sign_in_ways_changed_mail,
}


class MailDelivery:
    """Sends queued mails; `wake` is set when this process has queued one."""

    def __init__(
        self,
        transport: MailTransport,
        from_address: str,
        base_url: str,
        opaque_tokens: OpaqueTokens,
        rate_limiter: RateLimiter,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._sender = to_ascii_sender(from_address)
        self._opaque_tokens = opaque_tokens
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._base_url = base_url
        self._clock = clock
        self.wake = asyncio.Event()

    async def send_due(self) -> int:
        """Send every mail that is due; return how many were sent, or dropped because nobody needs them any more.

        Whatever a single mail raises, the others are sent. It is tried again after a pause, or given up: at once when
        it is refused permanently, and otherwise when the next time would be after its lifetime.
        """
        count = 0
        while mail := await QueuedMail.claim(self._clock.now()):
            try:
                await self.send(mail)
            except DeliveryRefused as error:
                await self._give_up(mail, str(error))
            except DeliveryFailed as error:
                await self._postpone(mail, str(error))
            except TooMany as error:
                await QueuedMail.postpone(mail.id, self._clock.now() + timedelta(seconds=error.retry_after))
            except Exception as error:  # Nothing else that a mail raises may stop the others.
                if is_unavailable(error):
                    raise
                log.exception("a mail of the kind %s could not be sent", mail.kind)
                await self._postpone(mail, type(error).__name__)
            else:
                await commit_atomically([QueuedMail.delete_write(mail.id)])
                count += 1
        return count

    async def send(self, mail: QueuedMail) -> None:
        """Send a mail, unless nobody needs it any more.

        Raises `DeliveryFailed`, and `TooMany` while too many mails were sent to its recipient.
        """
        counted = Counted(MAILS_TO_ADDRESS, "mails to address", fold_email(mail.email))
        await self._rate_limiter.check(counted)
        addressed = await self._write_reset_letter(mail) if mail.kind == "reset" else await self._write_letter(mail)
        if addressed is None:
            return
        letter, recipient = addressed
        try:
            message = mail_templates.compose_message(
                letter,
                self._sender,
                recipient,
                date=self._clock.now(),
                message_id=self._opaque_tokens.new_secret(),
            )
        except mail_templates.UnusableAddress as error:
            raise DeliveryRefused(str(error)) from None
        await self._transport.send(message)
        with suppress(TooMany):  # Another process has just sent the last one that is allowed.
            await self._rate_limiter.count(counted)

    async def _postpone(self, mail: QueuedMail, reason: str) -> None:
        """Make a mail due again after a pause, or give it up when it would expire meanwhile."""
        pause = compute_pause(mail.attempts, FIRST_PAUSE, LONGEST_PAUSE)
        due_at = self._clock.now() + pause
        if due_at >= mail.expires_at:
            await self._give_up(mail, f"{reason}, for {LIFETIME.days} days")
            return
        log.warning("a mail could not be sent (%s); trying again in %s", reason, pause)
        await QueuedMail.postpone(mail.id, due_at)

    async def _give_up(self, mail: QueuedMail, reason: str) -> None:
        """Remove a mail from the queue that cannot be sent, and tell the operator: in the log, and in the audit."""
        account = await self._find_account(mail)
        log.error("a mail of the kind %s to the account %s was given up: %s", mail.kind, account, reason)
        removal = QueuedMail.delete_write(mail.id)
        if account is not None:
            entry = self._audit.entry_write("mail-given-up", None, account, detail=f"{mail.kind}: {reason}")
            if await commit_atomically([entry, removal, Require(User, {User.id: account})]):
                return
        await commit_atomically([removal])

    async def _find_account(self, mail: QueuedMail) -> Id | None:
        if mail.kind != "reset":
            return mail.user
        user = await User.by_login(mail.email)
        return None if user is None else user.id

    async def _write_reset_letter(self, mail: QueuedMail) -> tuple[mail_templates.MailContent, str] | None:
        """Return a recovery letter and its recipient; None when the address has no account that may act."""
        # This is checked here and not in the request, so that no response or response time depends on it.
        user = await User.by_login(mail.email)
        if user is None or user.disabled:
            return None
        letter = mail_templates.build_recovery_mail(
            await self._create_link(user, "reset", "reset-password", user.email_key)
        )
        # To the address of the account: the one in the request may differ in letter case.
        return letter, user.email

    async def _write_letter(self, mail: QueuedMail) -> tuple[mail_templates.MailContent, str] | None:
        """Return the letter to an account and its recipient; None when there is nothing to say any more."""
        if mail.kind in NEWS:
            return NEWS[mail.kind](), mail.email
        user = None if mail.user is None else await User.by_id(mail.user)
        if user is None:
            return None
        if mail.kind == "email-changed":
            return mail_templates.build_address_changed_mail(user.email), mail.email
        if mail.kind == "email-change-requested":
            if user.pending_email is None:
                return None
            return mail_templates.build_address_change_requested_mail(user.pending_email), mail.email
        if not _remains_to_be_proved(user, mail.email):
            return None
        link = await self._create_link(user, "verify", "verify-email", fold_email(mail.email))
        return mail_templates.build_verification_mail(link), mail.email

    async def _create_link(self, user: User, purpose: Purpose, path: str, email_key: str) -> str:
        """Return a link with a new one-time token, which is stored, for the address that it is sent to."""
        token = self._opaque_tokens.new_secret()
        now = self._clock.now()
        await commit_atomically([OneTimeToken.insert_write(digest(token), purpose, user.id, email_key, now)])
        # A fragment is not sent to any server, so it does not get into logs; only the page that it opens reads it.
        return f"{self._base_url}/{path}#token={token}"


def _remains_to_be_proved(user: User, address: str) -> bool:
    """Return whether this is the pending address of the account, or its present one and not verified."""
    if user.pending_email is not None and fold_email(user.pending_email) == fold_email(address):
        return True
    return not user.email_verified and user.email_key == fold_email(address)
