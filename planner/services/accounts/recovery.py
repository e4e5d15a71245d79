"""Proving an e-mail address, and getting back into an account by it."""

from typing import Any

from auth.hash_password import PasswordHasher
from auth.opaque_tokens import digest
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.writes import Write
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import User
from models.files.feed import Feed
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold
from planner.clock import Clock
from planner.errors import Conflict, Invalid, InvalidToken
from planner.services.accounts.password_policy import require_strong
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.rate_limiter import MAIL_ACCOUNT, Counted, RateLimiter

SPENT = Invalid.field("/token", "is not valid, or no longer: ask for a new mail")


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

    async def ask_verification(self, caller: Principal) -> None:
        """Have another verification mail sent; raises `Conflict` when there is nothing to verify."""
        user = await User.stored(caller.id)
        if user is None:
            raise InvalidToken("The account of this access token is gone.")
        if user["email_verified"]:
            raise Conflict("Your e-mail address is verified already.")
        await self._rate_limiter.count(Counted(MAIL_ACCOUNT, "mail", user["email_key"]))
        await commit_atomically([QueuedMail.ordering("verify", caller.id, user["email"], self._clock.now())])

    async def verify(self, token: str, client: ClientInfo) -> None:
        """Use a verification token up; raises `Invalid` for one that is not good (any more)."""
        key, now = digest(token), self._clock.now()
        found = await OneTimeToken.good(key, "verify", now)
        if found is None:
            raise SPENT
        user = found["user"]
        writes: list[Write] = [
            OneTimeToken.use(key),
            # A token proves the address it was sent to, not the one the account has since.
            User.changing(user, now, {"email_key": found["email_key"]}, email_verified=True),
            self._audit.entry("email-verified", client, user, user),
        ]
        if not await commit_atomically(writes):
            raise SPENT

    async def forget(self, email: str, client: ClientInfo) -> None:
        """Have a recovery mail sent, if there is such an account; nothing tells whether there is."""
        await self._rate_limiter.count(Counted(MAIL_ACCOUNT, "mail", fold(email)))
        await commit_atomically(
            [
                QueuedMail.ordering("reset", None, fold(email), self._clock.now()),
                self._audit.entry("password-forgotten", client, None),
            ]
        )

    async def reset(self, token: str, password: str, client: ClientInfo) -> None:
        """Set a new password by a recovery token.

        Every session, personal token and mailed token of the account ends: whoever had them may
        be why it is done. Raises `Invalid` for a token that is not good (any more) and for a
        password that is refused; a refused password does not use the token up.
        """
        key, now = digest(token), self._clock.now()
        found = await OneTimeToken.good(key, "reset", now)
        user = None if found is None else await User.stored(found["user"])
        if found is None or user is None:
            raise SPENT
        await require_strong(self._hasher, password, "/password", user)
        hashed = await self._hasher.hash(password)
        id = user["_id"]
        # A provider's identity that was linked before the address was proved may be somebody else's.
        unlinked: dict[str, Any] = {} if user["email_verified"] else {"identities": []}
        writes: list[Write] = [
            OneTimeToken.use(key),
            # Whoever reads the mail proves the address by it.
            User.changing(id, now, {"email_key": found["email_key"]}, password=hashed, email_verified=True, **unlinked),
            self._audit.entry("password-reset", client, id),
            QueuedMail.ordering("password-changed", id, user["email"], now),
            OneTimeToken.delete_all_of(id),
            Session.ending_all(id),
            PersonalToken.delete_all_of(id),
            Feed.delete_all_write(id),
        ]
        if not await commit_atomically(writes):
            raise SPENT
        self._principals.forget_user(id)
