"""Verification of e-mail addresses, and recovery of accounts whose password is forgotten."""

from auth.hash_password import PasswordHasher
from auth.opaque_tokens import digest
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.queries import assign
from database.writes import Write
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import User
from models.files.feed import Feed
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold_email
from planner.clock import Clock
from planner.errors import Conflict, Invalid
from planner.services.accounts.accounts import read_own
from planner.services.accounts.password_policy import require_strong
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.rate_limiter import (
    MAIL_ACCOUNT,
    MAIL_NETWORK,
    MAIL_TARGET,
    Counted,
    RateLimiter,
    failed_sign_ins,
    network,
)

INVALID_TOKEN = Invalid.field("/token", "is not valid, was used, or has expired; request a new e-mail")


class Recovery:
    """The use cases of verification and recovery."""

    def __init__(
        self,
        hasher: PasswordHasher,
        principals: Principals,
        rate_limiter: RateLimiter,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._hasher = hasher
        self._principals = principals
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._clock = clock

    async def send_verification(self, caller: Principal) -> None:
        """Queue another verification mail.

        Raises `Conflict` when the address is verified already, and `TooMany`.
        """
        await self.send_verification_to(await read_own(caller))

    async def send_verification_to(self, user: User, *writes: Write) -> None:
        """Queue another verification mail for an account, and do the `writes` with it; raises as above."""
        if user.email_verified:
            raise Conflict("The e-mail address is verified already.")
        await self._rate_limiter.count(Counted(MAIL_ACCOUNT, "e-mails for this account", str(user.id)))
        await commit_atomically([QueuedMail.insert_write("verify", user.id, user.email, self._clock.now()), *writes])

    async def verify_email(self, token: str, client: ClientInfo) -> None:
        """Use up a verification token, and mark the address as verified; raises `Invalid` for an invalid token."""
        key, now = digest(token), self._clock.now()
        found = await OneTimeToken.find_valid(key, "verify", now)
        if found is None:
            raise INVALID_TOKEN
        # A token proves the address that it was sent to, and not the one that the account has since then.
        match = {User.email_key: found.email_key}
        writes: list[Write] = [
            OneTimeToken.delete_write(key),
            User.update_write(found.user, now, assign(User.email_verified, True), match=match),
            self._audit.entry_write("email-verified", client, found.user, found.user),
        ]
        if not await commit_atomically(writes):
            raise INVALID_TOKEN

    async def request_reset(self, email: str, client: ClientInfo) -> None:
        """Queue a recovery mail.

        Whether there is an account with this address is checked when the mail is sent, so that neither the response
        nor its time reveals it. Raises `TooMany`.
        """
        await self._rate_limiter.count(
            Counted(MAIL_TARGET, "recovery e-mails to this address", fold_email(email)),
            Counted(MAIL_NETWORK, "e-mails asked for from this network address", network(client.address)),
        )
        await commit_atomically(
            [
                QueuedMail.insert_write("reset", None, fold_email(email), self._clock.now()),
                self._audit.entry_write("password-forgotten", client, None),
            ]
        )

    async def reset_password(self, token: str, password: str, client: ClientInfo) -> None:
        """Set a new password with a recovery token.

        Every session, personal access token, feed and mailed token of the account is revoked, because somebody else
        may have it. Raises `Invalid` for an invalid token, and for a weak password, which does not use the token up.
        """
        key, now = digest(token), self._clock.now()
        found = await OneTimeToken.find_valid(key, "reset", now)
        user = None if found is None else await User.by_id(found.user)
        if found is None or user is None:
            raise INVALID_TOKEN
        await require_strong(self._hasher, password, "/password", user.email, user.username, user.full_name)
        hashed = await self._hasher.hash(password)
        # Whoever can read the mail has proved that the address is theirs.
        changes = assign(User.password, hashed) | assign(User.email_verified, True)
        if not user.email_verified:
            # An account at a provider that was linked before the address was proved may be somebody else's.
            changes |= assign(User.identities, [])
        writes: list[Write] = [
            OneTimeToken.delete_write(key),
            User.update_write(user.id, now, changes, match={User.email_key: found.email_key}),
            self._audit.entry_write("password-reset", client, user.id),
            QueuedMail.insert_write("password-changed", user.id, user.email, now),
            OneTimeToken.delete_all_write(user.id),
            # Others may have locked the account with wrong passwords: whoever recovers it can sign in at once.
            self._rate_limiter.clear_write(*map(failed_sign_ins, user.login_keys)),
            Session.delete_all_write(user.id),
            PersonalToken.delete_all_write(user.id),
            Feed.delete_all_write(user.id),
        ]
        if not await commit_atomically(writes):
            raise INVALID_TOKEN
        self._principals.forget_user(user.id)
