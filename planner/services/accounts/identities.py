"""The identities of one's account: listed, linked and removed."""

from auth.oidc_client import ProviderClaims
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, assign
from database.reads import Slice
from database.writes import Write
from models.accounts.identity_schema import MAX_IDENTITIES, IdentityRead, LinkRequest, id_of
from models.accounts.oidc_login import OidcLoginAttempt
from models.accounts.session import Session
from models.accounts.user import ProviderIdentity, User
from models.mail.queued_mail import QueuedMail
from models.shared.schema import PageQuery
from planner.clock import Clock
from planner.errors import Conflict, Invalid, NotFound, SignInRefused
from planner.services.accounts.accounts import Accounts, read_own
from planner.services.accounts.oidc_attempts import OidcAttempts, ProviderRedirect, ReturnPage
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_of, parse_id_cursor
from planner.services.shared.retry import retry
from planner.services.shared.views import Page

LINKED_ELSEWHERE = "This account at the provider is linked to another account here. Remove it there first."


class Identities:
    """The use cases of the identities of one's account."""

    def __init__(
        self, attempts: OidcAttempts, accounts: Accounts, principals: Principals, audit: AuditLog, clock: Clock
    ) -> None:
        self._attempts = attempts
        self._accounts = accounts
        self._principals = principals
        self._audit = audit
        self._clock = clock
        self._names = {provider.issuer: name for name, provider in attempts.providers.items()}

    async def get_page(self, caller: Principal, query: PageQuery) -> Page:
        """Return a page of the caller's identities, in order of their ids; raises `Invalid` for a wrong cursor."""
        after = parse_id_cursor(query.cursor)
        user = await read_own(caller)
        shown = sorted((self._render(identity) for identity in user.identities), key=lambda identity: identity.id)
        found = [identity for identity in shown if after is None or identity.id > str(after)]
        page = Slice(found[: query.limit], len(found) > query.limit)
        return page_of(page, lambda identity: identity.to_json(), lambda identity: identity.id)

    def _render(self, identity: ProviderIdentity) -> IdentityRead:
        return IdentityRead(
            id=id_of(identity),
            provider=self._names.get(identity["issuer"]),
            issuer=identity["issuer"],
            subject=identity["subject"],
        )

    async def start(
        self, caller: Principal, provider_name: str, body: LinkRequest, client: ClientInfo
    ) -> ProviderRedirect:
        """Start to link an identity at a provider, and return where to send the browser.

        Raises `NotFound` for an unknown provider, `Invalid` for a page to which the browser may not return,
        `Forbidden` unless the caller has just proved who they are, `TooMany` and `ProviderFailed`.
        """
        provider = self._attempts.find_provider(provider_name)
        page = None
        if body.redirect_uri is not None:
            self._attempts.require_return_address(body.redirect_uri)
            page = ReturnPage(body.redirect_uri, body.state)
        elif body.state is not None:
            raise Invalid.field("/state", "must be sent together with redirect_uri")
        await self._accounts.require_recent_proof(caller, await read_own(caller), body.current_password, client)
        return await self._attempts.begin(provider, page, client, caller)

    async def link(
        self, attempt: OidcLoginAttempt, claims: ProviderClaims, provider: str, client: ClientInfo
    ) -> IdentityRead:
        """Link an identity to the account that has started to, while its session goes on, and return it.

        Raises `Conflict` when another account has the identity, or this one has `MAX_IDENTITIES`, and `SignInRefused`
        when the session has ended meanwhile.
        """
        assert attempt.user is not None and attempt.session is not None
        identity = ProviderIdentity(issuer=claims.issuer, subject=claims.subject)
        user, now = await User.by_id(attempt.user), self._clock.now()
        if user is None:
            raise SignInRefused("The account was deleted meanwhile.")
        if identity in user.identities:
            return self._render(identity)
        if len(user.identities) >= MAX_IDENTITIES:
            raise Conflict(f"Your account has {MAX_IDENTITIES} linked accounts, which is the maximum.")
        writes: list[Write] = [
            User.add_identity_write(user.id, identity, now),
            Session.require_write(attempt.session, user.id, now),
            self._audit.entry_write("provider-linked", client, user.id, user.id, provider),
            QueuedMail.insert_write("sign-in-ways-changed", user.id, user.email, now),
        ]
        try:
            if not await commit_atomically(writes):
                raise SignInRefused("The session in which this was started has ended. Sign in, and start again.")
        except DuplicateKey:
            raise Conflict(LINKED_ELSEWHERE) from None
        return self._render(identity)

    async def unlink(self, caller: Principal, id: str, client: ClientInfo) -> None:
        """Remove one of the caller's identities. Raises `NotFound`, and `Conflict` for the last way to sign in."""

        async def attempt() -> Id | None:
            user = await read_own(caller)
            removed = [identity for identity in user.identities if id_of(identity) == id.lower()]
            if not removed:
                raise NotFound
            others = [identity for identity in user.identities if identity not in removed]
            # With a provider that is not configured any more, nobody can sign in.
            if user.password is None and not any(other["issuer"] in self._names for other in others):
                raise Conflict(
                    "This is your last way to sign in. Set a password or link another provider first, and remove it "
                    "then."
                )
            name = self._names.get(removed[0]["issuer"])
            now = self._clock.now()
            writes: list[Write] = [
                User.update_write(user.id, now, assign(User.identities, others), match={User.revision: user.revision}),
                self._audit.entry_write("provider-unlinked", client, user.id, user.id, name),
                QueuedMail.insert_write("sign-in-ways-changed", user.id, user.email, now),
            ]
            return user.id if await commit_atomically(writes) else None

        await retry(attempt, exhausted=Conflict("Your account was changed by other requests. Try again."))
