"""Proving an e-mail address, and getting back into an account by it."""

from typing import Any

from auth.hash_password import PasswordHasher
from auth.identity import Identities, Identity
from auth.opaque_tokens import digest
from database.groups import together
from database.writes import Write
from models.access_token import AccessToken
from models.feed import Feed
from models.fields import fold
from models.mail import Mail
from models.one_time_token import OneTimeToken
from models.session import Session
from models.user import User
from planner.errors import Conflict, Invalid, InvalidToken
from planner.services.audit import AuditLog, Visit
from planner.services.clock import Clock, utc_now
from planner.services.limiter import MAIL_ACCOUNT, Counted, Limiter
from planner.services.mailing import Mailing
from planner.services.password_rules import require_strong

SPENT = Invalid.field("/token", "is not valid, or no longer: ask for a new mail")


class Recovery:
    """The use cases of verification and recovery."""

    def __init__(
        self,
        hasher: PasswordHasher,
        identities: Identities,
        limiter: Limiter,
        mailing: Mailing,
        audit: AuditLog,
        clock: Clock = utc_now,
    ) -> None:
        self._hasher = hasher
        self._identities = identities
        self._limiter = limiter
        self._mailing = mailing
        self._audit = audit
        self._clock = clock

    async def ask_verification(self, caller: Identity) -> None:
        """Have another verification mail sent; raises `Conflict` when there is nothing to verify."""
        user = await User.stored(caller.id)
        if user is None:
            raise InvalidToken("The account of this access token is gone.")
        if user["email_verified"]:
            raise Conflict("Your e-mail address is verified already.")
        await self._limiter.count(Counted(MAIL_ACCOUNT, "mail", user["email_key"]))
        await together([Mail.ordering("verify", caller.id, user["email"], self._clock())])
        self._mailing.wake.set()

    async def verify(self, token: str, visit: Visit) -> None:
        """Use a verification token up; raises `Invalid` for one that is not good (any more)."""
        key, now = digest(token), self._clock()
        found = await OneTimeToken.good(key, "verify", now)
        if found is None:
            raise SPENT
        user = found["user"]
        writes: list[Write] = [
            OneTimeToken.use(key),
            # A token proves the address it was sent to, not the one the account has since.
            User.changing(user, now, {"email_key": found["email_key"]}, email_verified=True),
            self._audit.entry("email-verified", visit, user, user),
        ]
        if not await together(writes):
            raise SPENT

    async def forget(self, email: str, visit: Visit) -> None:
        """Have a recovery mail sent, if there is such an account; nothing tells whether there is."""
        await self._limiter.count(Counted(MAIL_ACCOUNT, "mail", fold(email)))
        await together(
            [
                Mail.ordering("reset", None, fold(email), self._clock()),
                self._audit.entry("password-forgotten", visit, None),
            ]
        )
        self._mailing.wake.set()

    async def reset(self, token: str, password: str, visit: Visit) -> None:
        """Set a new password by a recovery token.

        Every session, personal token and mailed token of the account ends: whoever had them may
        be why it is done. Raises `Invalid` for a token that is not good (any more) and for a
        password that is refused; a refused password does not use the token up.
        """
        key, now = digest(token), self._clock()
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
            self._audit.entry("password-reset", visit, id),
            Mail.ordering("password-changed", id, user["email"], now),
            OneTimeToken.dropping(id),
            Session.ending_all(id),
            AccessToken.dropping(id),
            Feed.dropping(id),
        ]
        if not await together(writes):
            raise SPENT
        self._identities.forget_user(id)
        self._mailing.wake.set()
