"""Recovery of accounts whose password is forgotten."""

from auth.hash_password import PasswordHasher
from auth.opaque_tokens import digest
from auth.principal import Principals
from database.commit import commit_atomically
from database.writes import Write
from models.accounts.one_time_token import OneTimeToken
from models.accounts.user import User
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold_email
from planner.clock import Clock
from planner.services.accounts.email_addresses import INVALID_TOKEN
from planner.services.accounts.grants import recover_account_writes
from planner.services.accounts.password_policy import require_strong
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.rate_limiter import (
    MAIL_NETWORK,
    MAIL_TARGET,
    Counted,
    RateLimiter,
    failed_sign_ins,
    network,
)


class Recovery:
    """The use cases of recovery."""

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

        Whoever can read the mail has proved that the address is theirs, and is left alone in the account: every grant
        is ended, because somebody else may have made it. Raises `Invalid` for an invalid token, and for a weak
        password, which does not use the token up.
        """
        key, now = digest(token), self._clock.now()
        found = await OneTimeToken.find_valid(key, "reset", now)
        user = None if found is None else await User.by_id(found.user)
        if found is None or user is None:
            raise INVALID_TOKEN
        await require_strong(self._hasher, password, "/password", user.email, user.username, user.full_name)
        hashed = await self._hasher.hash(password)
        match = {User.email_key: found.email_key}
        writes: list[Write] = [
            OneTimeToken.delete_write(key),
            *recover_account_writes(user, now, match, password=hashed),
            self._audit.entry_write("password-reset", client, user.id),
            QueuedMail.insert_write("password-changed", user.id, user.email, now),
            # Others may have locked the account with wrong passwords: whoever recovers it can sign in at once.
            self._rate_limiter.clear_write(*map(failed_sign_ins, user.login_keys)),
        ]
        if not await commit_atomically(writes):
            raise INVALID_TOKEN
        self._principals.forget_user(user.id)
