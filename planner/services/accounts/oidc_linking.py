"""Whose account somebody has who signed in with a provider."""

from pydantic import TypeAdapter, ValidationError

from auth.oidc_client import ProviderIdentity
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Stored
from models.accounts.user import User, identity
from models.shared.fields import Email
from planner.clock import Clock
from planner.errors import Conflict, SignInRefused, Unavailable
from planner.services.accounts.accounts import Accounts, new_account
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo

# Each loss against another request means that the next look finds what that one made.
ATTEMPTS = 5
LONGEST_NAME = 200
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


class OidcLinking:
    """Finds the account of a provider's identity, or makes one.

    An e-mail address decides only where both sides proved it: whoever registers somebody
    else's address, here or at a provider, must not find the other one in their account.
    See docs/decisions/0008-provider-identities.md.
    """

    def __init__(self, accounts: Accounts, audit: AuditLog, clock: Clock) -> None:
        self._accounts = accounts
        self._audit = audit
        self._clock = clock

    async def account(self, who: ProviderIdentity, provider: str, client: ClientInfo) -> Stored:
        """The account's document.

        Raises `Conflict` when the address is taken and not proved on both sides,
        `SignInRefused` when the provider names no address or the account is disabled.
        """
        for _ in range(ATTEMPTS):
            user = await self._found(who, provider, client)
            if user is not None:
                return user
        raise Unavailable("Your account is being changed by many at once. Try again.")

    async def _found(self, who: ProviderIdentity, provider: str, client: ClientInfo) -> Stored | None:
        """The account, or None when another request has just changed what was read."""
        user = await User.by_identity(who.issuer, who.subject)
        if user is not None:
            return _enabled(user)
        email = _email(who)
        user = await User.by_login(email)
        try:
            if user is None:
                return await self._new(who, email, client)
            return await self._linked(_provable(user, who), who, provider, client)
        except DuplicateKey:
            return None

    async def _new(self, who: ProviderIdentity, email: str, client: ClientInfo) -> Stored:
        stored = new_account(email, self._clock.now()) | {
            "full_name": _name(who),
            "email_verified": who.email_verified,
            "identities": [identity(who.issuer, who.subject)],
        }
        await commit_atomically(self._accounts.founding(stored, client))
        return stored

    async def _linked(self, user: Stored, who: ProviderIdentity, provider: str, client: ClientInfo) -> Stored | None:
        id = user["_id"]
        link = User.linking(user, who.issuer, who.subject, self._clock.now())
        note = self._audit.entry("provider-linked", client, id, id, provider)
        return await User.stored(id) if await commit_atomically([link, note]) else None


def _provable(user: Stored, who: ProviderIdentity) -> Stored:
    """The account, if both it and the provider have proved the address."""
    if not who.email_verified:
        raise Conflict(
            "There is an account with your e-mail address, and the provider has not verified that it is yours. "
            "Sign in with your password."
        )
    if not user["email_verified"]:
        raise Conflict(
            "There is an account with your e-mail address, but nobody has proved there that it is theirs. "
            "Sign in with your password and verify the address, or ask for a new password by mail; then try again."
        )
    return _enabled(user)


def _enabled(user: Stored) -> Stored:
    if user["disabled"]:
        raise SignInRefused("This sign-in is refused.")
    return user


def _email(who: ProviderIdentity) -> str:
    if who.email is None:
        raise SignInRefused("The provider does not tell your e-mail address; an account needs one.")
    try:
        return _EMAIL.validate_python(who.email)
    except ValidationError:
        raise SignInRefused("The provider tells no e-mail address that could be used.") from None


def _name(who: ProviderIdentity) -> str | None:
    """The name as an account may have it: no control characters, nothing that is not text."""
    name = "".join(c for c in who.name or "" if c.isprintable()).strip()[:LONGEST_NAME]
    return name or None
