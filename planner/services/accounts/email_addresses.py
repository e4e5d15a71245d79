"""The proof of e-mail addresses: by who holds both the mail and the account."""

from auth.opaque_tokens import digest
from auth.principal import Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import assign
from database.writes import Write
from models.accounts.one_time_token import OneTimeToken
from models.accounts.user import User
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold_email
from planner.clock import Clock
from planner.errors import Conflict, Forbidden, Invalid
from planner.services.accounts.accounts import EXISTS, Accounts, read_own
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.rate_limiter import MAIL_ACCOUNT, MAIL_TARGET, PASSWORD_PROMPT, Counted, RateLimiter

INVALID_TOKEN = Invalid.field("/token", "is not valid, was used, or has expired; request a new e-mail")


class EmailAddresses:
    """The use cases of proving an e-mail address."""

    def __init__(self, accounts: Accounts, rate_limiter: RateLimiter, audit: AuditLog, clock: Clock) -> None:
        self._accounts = accounts
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._clock = clock

    async def send_verification(self, caller: Principal) -> None:
        """Queue another mail to the caller's address that remains to be proved.

        That is the pending one, or else the present one. Raises `Conflict` when there is none, and `TooMany`.
        """
        await self.send_verification_to(await read_own(caller))

    async def send_verification_to(self, user: User, *writes: Write) -> None:
        """Queue such a mail for an account, and do the `writes` with it; raises as above."""
        address = user.pending_email or (None if user.email_verified else user.email)
        if address is None:
            raise Conflict("The e-mail address is verified already.")
        counted = [Counted(MAIL_ACCOUNT, "e-mails for this account", str(user.id))]
        if user.pending_email:
            counted.append(Counted(MAIL_TARGET, "e-mails to this address", fold_email(user.pending_email)))
        await self._rate_limiter.count(*counted)
        await commit_atomically([QueuedMail.insert_write("verify", user.id, address, self._clock.now()), *writes])

    async def verify(self, token: str, password: str | None, caller: Principal | None, client: ClientInfo) -> None:
        """Use up a verification token, and mark the address that it was sent to as verified.

        A pending address becomes the address of the account. Who holds the mail must hold the account as well: be
        signed in to it as `caller`, or know its password. Raises `Invalid` for an invalid token, `Forbidden` for
        somebody without the account, and `TooMany`; then nothing changes. Raises `Conflict` when another account has
        the address by now.
        """
        key, now = digest(token), self._clock.now()
        found = await OneTimeToken.find_valid(key, "verify", now)
        user = None if found is None else await User.by_id(found.user)
        if found is None or user is None:
            raise INVALID_TOKEN
        # A token proves the address that it was sent to, and no other that the account has since then.
        if found.email_key == user.email_key:
            proof = self._verify_writes(user, client)
        elif user.pending_email is not None and found.email_key == fold_email(user.pending_email):
            proof = self._change_writes(user, user.pending_email, client)
        else:
            raise INVALID_TOKEN
        if caller is None or caller.id != user.id:
            await self._require_password(user, password, client)
        try:
            if not await commit_atomically([OneTimeToken.delete_write(key), *proof]):
                raise INVALID_TOKEN
        except DuplicateKey:
            raise Conflict(EXISTS) from None

    async def _require_password(self, user: User, password: str | None, client: ClientInfo) -> None:
        if password is None or user.password is None:
            raise Forbidden(
                "Only who holds the account can confirm its address: send its password, or its access token. For an "
                "account without a password, sign in or request an e-mail for a forgotten password."
            )
        counted = Counted(PASSWORD_PROMPT, "wrong passwords with a token from an e-mail", str(user.id))
        await self._accounts.check_password(user, password, client, counted)

    def _verify_writes(self, user: User, client: ClientInfo) -> list[Write]:
        match = {User.email_key: user.email_key}
        return [
            User.update_write(user.id, self._clock.now(), assign(User.email_verified, True), match=match),
            self._audit.entry_write("email-verified", client, user.id, user.id),
        ]

    def _change_writes(self, user: User, address: str, client: ClientInfo) -> list[Write]:
        now = self._clock.now()
        changes = User.email_changes(address, verified=True)
        match = {User.email_key: user.email_key, User.pending_email: user.pending_email}
        return [
            User.update_write(user.id, now, changes, match=match, cleared=[User.pending_email]),
            OneTimeToken.delete_all_write(user.id),
            QueuedMail.insert_write("email-changed", user.id, user.email, now),
            self._audit.entry_write("email-changed", client, user.id, user.id),
        ]
