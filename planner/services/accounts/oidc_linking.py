"""Which account a person has who signs in with an OpenID Connect provider."""

from pydantic import TypeAdapter, ValidationError

from auth.oidc_client import ProviderClaims
from auth.principal import Principals
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.writes import Write
from models.accounts.user import ProviderIdentity, User
from models.mail.queued_mail import QueuedMail
from models.shared.fields import Email
from planner.clock import Clock
from planner.errors import Conflict, SignInRefused, Unavailable
from planner.services.accounts.accounts import Accounts
from planner.services.accounts.grants import recover_account_writes
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.retry import retry

# When another request is faster, the next attempt finds the account that it has created or linked.
ATTEMPTS = 5
MAX_NAME_LENGTH = 200
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


class OidcLinking:
    """Finds the account that is linked to an account at a provider, links one, or creates one.

    An e-mail address decides only if the provider has verified it: whoever names the address of somebody else at a
    provider must not get into the account of that person. If it is not verified here, the account may have been made
    by somebody else: then its password and everything by which they could get into it is ended.
    See docs/decisions/0008-provider-identities.md.
    """

    def __init__(self, accounts: Accounts, principals: Principals, audit: AuditLog, clock: Clock) -> None:
        self._accounts = accounts
        self._principals = principals
        self._audit = audit
        self._clock = clock

    async def find_or_create_account(self, claims: ProviderClaims, provider: str, client: ClientInfo) -> User:
        """Return the account of the person about whom a provider makes these claims.

        Raises `Conflict` when there is an account with the e-mail address, which the provider has not verified, and
        `SignInRefused` when the provider gives no usable address, or the account is disabled.
        """
        exhausted = Unavailable("Other requests are changing your account at the same time. Try again.")
        return await retry(
            lambda: self._find_or_create(claims, provider, client), exhausted=exhausted, attempts=ATTEMPTS
        )

    async def _find_or_create(self, claims: ProviderClaims, provider: str, client: ClientInfo) -> User | None:
        """Return the account, or None when another request has changed what was read."""
        identity = ProviderIdentity(issuer=claims.issuer, subject=claims.subject)
        user = await User.by_identity(identity)
        if user is not None:
            return _require_enabled(user)
        email = _parse_email(claims)
        user = await User.by_login(email)
        try:
            if user is None:
                return await self._create(claims, identity, email, client)
            _require_verified(claims)
            return await self._link(_require_enabled(user), identity, provider, client)
        except DuplicateKey:
            return None

    async def _create(self, claims: ProviderClaims, identity: ProviderIdentity, email: str, client: ClientInfo) -> User:
        user = User.new(
            email,
            self._clock.now(),
            full_name=_clean_name(claims),
            email_verified=claims.email_verified,
            identities=[identity],
        )
        await commit_atomically(self._accounts.insert_writes(user, client))
        return user

    async def _link(self, user: User, identity: ProviderIdentity, provider: str, client: ClientInfo) -> User | None:
        now = self._clock.now()
        writes: list[Write] = [self._audit.entry_write("provider-linked", client, user.id, user.id, provider)]
        if user.email_verified:
            writes.append(User.link_identity_write(user, identity, now))
        else:
            # Of the account as it was read: what was added to it meanwhile is ended by the next attempt.
            match = {User.revision: user.revision, User.disabled: False}
            writes += recover_account_writes(user, now, match, identities=[identity])
            writes.append(self._audit.entry_write("account-recovered", client, user.id, user.id, provider))
            if user.password is not None:
                writes.append(QueuedMail.insert_write("password-removed", user.id, user.email, now))
        if not await commit_atomically(writes):
            return None
        self._principals.forget_user(user.id)
        return await User.by_id(user.id)


def _require_verified(claims: ProviderClaims) -> None:
    """Raise `Conflict` unless the provider has verified the e-mail address, with which there is an account."""
    if not claims.email_verified:
        raise Conflict(
            "There is an account with your e-mail address, and the provider has not verified that the address is "
            "yours. Sign in with your password."
        )


def _require_enabled(user: User) -> User:
    if user.disabled:
        raise SignInRefused("This sign-in is refused.")
    return user


def _parse_email(claims: ProviderClaims) -> str:
    if claims.email is None:
        raise SignInRefused("The provider did not send your e-mail address, which an account needs.")
    try:
        return _EMAIL.validate_python(claims.email)
    except ValidationError:
        raise SignInRefused("The provider sent an e-mail address that cannot be used.") from None


def _clean_name(claims: ProviderClaims) -> str | None:
    """Return the name without control characters and surrounding blanks; None if nothing is left of it."""
    name = "".join(c for c in claims.name or "" if c.isprintable()).strip()[:MAX_NAME_LENGTH]
    return name or None
