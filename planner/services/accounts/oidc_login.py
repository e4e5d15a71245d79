"""Sign-in with an OpenID Connect provider: start, return of the browser, exchange of the code."""

from auth.oidc_client import OidcClient
from auth.opaque_tokens import OpaqueTokens, digest
from database.commit import commit_atomically
from database.reads import Slice
from database.writes import Insert
from models.accounts.identity_schema import IdentityRead
from models.accounts.oidc_login import (
    CODE_LIFETIME,
    AuthorizationCode,
    CallbackQuery,
    OidcLoginAttempt,
    ProviderRead,
    SignInQuery,
)
from models.accounts.user import User
from models.shared.schema import PageQuery
from planner.clock import Clock
from planner.domain.cursors import decode_cursor
from planner.domain.pkce import verify_challenge
from planner.domain.urls import add_query
from planner.errors import Conflict, GrantRefused, Invalid, PlannerError, ProviderFailed, SignInRefused
from planner.oidc_settings import NAME
from planner.services.accounts.identities import Identities
from planner.services.accounts.oidc_attempts import OidcAttempts, ProviderRedirect, ReturnPage
from planner.services.accounts.oidc_linking import OidcLinking
from planner.services.accounts.sessions import Sessions, SignedIn
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_of
from planner.services.shared.views import Page

# The errors that a page gets when a sign-in fails (RFC 6749 §4.1.2.1).
ERROR_CODES: dict[type[Exception], str] = {
    SignInRefused: "access_denied",
    Conflict: "access_denied",
    ProviderFailed: "server_error",
}


def _error_url(page: str, state: str | None, error: PlannerError) -> str:
    """Return the address by which a page learns why a sign-in failed (RFC 6749 §4.1.2.1)."""
    return add_query(page, {"error": ERROR_CODES[type(error)], "error_description": error.detail, "state": state})


class OidcLogin:
    """The use cases of sign-in with a provider."""

    def __init__(
        self,
        attempts: OidcAttempts,
        sessions: Sessions,
        linking: OidcLinking,
        identities: Identities,
        audit: AuditLog,
        opaque_tokens: OpaqueTokens,
        clock: Clock,
    ) -> None:
        self._attempts = attempts
        self._sessions = sessions
        self._linking = linking
        self._identities = identities
        self._audit = audit
        self._opaque_tokens = opaque_tokens
        self._clock = clock

    def get_provider_page(self, query: PageQuery) -> Page:
        """Return a page of the providers, by name."""
        after = decode_cursor(query.cursor, NAME) or ""
        names = [name for name in sorted(self._attempts.providers) if name > after]
        return page_of(Slice(names[: query.limit], len(names) > query.limit), self._render_provider, lambda name: name)

    def find_sign_in_url(self) -> str | None:
        """Return where a sign-in with the first provider begins; None without providers."""
        return next((self._attempts.url(name, "signin") for name in sorted(self._attempts.providers)), None)

    def _render_provider(self, name: str) -> bytes:
        return ProviderRead(name=name, signin=self._attempts.url(name, "signin")).to_json()

    async def start(self, provider_name: str, query: SignInQuery, client: ClientInfo) -> ProviderRedirect | str:
        """Start a sign-in, and return where to send the browser.

        That is the provider; or, when the provider does not respond, the address of the page that started the
        sign-in, with an error. Without such a page, `ProviderFailed` is raised instead.

        Raises `NotFound` for an unknown provider, `Invalid` for a page that may not start sign-ins or sends no
        code challenge, and `TooMany`.
        """
        provider = self._attempts.find_provider(provider_name)
        page = self._read_page(query)
        try:
            return await self._attempts.begin(provider, page, client)
        except ProviderFailed as error:
            if page is None:
                raise
            return _error_url(page.redirect_uri, page.state, error)

    async def finish(
        self, provider_name: str, query: CallbackQuery, secret: str | None, client: ClientInfo
    ) -> SignedIn | IdentityRead | str:
        """Finish what was started when the provider has sent the browser back; `secret` is the value of its cookie.

        Returns the new session, or the identity that was linked. When a page has started it, returns the address of
        that page instead: after a sign-in with an authorization code, or with an error. Raises `NotFound`,
        `SignInRefused`, `Conflict` and `ProviderFailed`.
        """
        provider = self._attempts.find_provider(provider_name)
        attempt = await self._attempts.use(provider, query.state, secret)
        try:
            claims = await self._attempts.fetch_claims(provider, attempt, query)
            if attempt.user is not None:
                identity = await self._identities.link(attempt, claims, provider.name, client)
                return identity if attempt.redirect_uri is None else _linked_url(attempt, provider)
            user = await self._linking.find_or_create_account(claims, provider.name, client)
        except (SignInRefused, Conflict, ProviderFailed) as error:
            event = "sign-in-failed" if attempt.user is None else "provider-not-linked"
            await self._audit.record(event, client, attempt.user, detail=provider.name)
            if attempt.redirect_uri is None:
                raise
            return _error_url(attempt.redirect_uri, attempt.page_state, error)
        if attempt.redirect_uri is None:
            return await self._sessions.open(user, client, provider=provider.name)
        return await self._issue_code(user, provider, attempt, attempt.redirect_uri)

    async def _issue_code(self, user: User, provider: OidcClient, attempt: OidcLoginAttempt, page: str) -> str:
        """Return the address of the page that started a sign-in, with an authorization code for it."""
        assert attempt.code_challenge is not None, "a page must send a code challenge"
        code = self._opaque_tokens.new_secret()
        stored_code = AuthorizationCode(
            id=digest(code),
            user=user.id,
            provider=provider.name,
            redirect_uri=page,
            code_challenge=attempt.code_challenge,
            expires_at=self._clock.now() + CODE_LIFETIME,
        )
        await commit_atomically([Insert(stored_code)])
        return add_query(page, {"code": code, "state": attempt.page_state})

    async def exchange_code(self, code: str, verifier: str, redirect_uri: str, client: ClientInfo) -> SignedIn:
        """Open a session for a page that has an authorization code of ours, and the verifier of its challenge.

        The code is used up, also when it is refused. Raises `GrantRefused`.
        """
        refusal = GrantRefused("invalid_grant", "The code has expired, was used already, or is not for this page.")
        key = digest(code)
        found = await AuthorizationCode.find_valid(key, self._clock.now())
        # Read before the code is used up: a recovery of the account in between ends what the code stands for.
        user = None if found is None else await User.by_id(found.user)
        if found is None or not await commit_atomically([AuthorizationCode.delete_write(key)]):
            raise refusal
        if not verify_challenge(verifier, found.code_challenge) or redirect_uri != found.redirect_uri:
            raise refusal
        if user is None or user.disabled:
            raise refusal
        return await self._sessions.open(user, client, provider=found.provider)

    def _read_page(self, query: SignInQuery) -> ReturnPage | None:
        """Return the page that starts a sign-in, or None without one.

        Raises `Invalid` unless it may, and sends a code challenge.
        """
        if query.redirect_uri is None:
            for field in ("state", "code_challenge", "code_challenge_method"):
                if getattr(query, field) is not None:
                    raise Invalid.field(f"/{field}", "must be sent together with redirect_uri")
            return None
        self._attempts.require_return_address(query.redirect_uri)
        if query.code_challenge is None:
            raise Invalid.field("/code_challenge", "is required with redirect_uri")
        if query.code_challenge_method is None:
            raise Invalid.field("/code_challenge_method", "must be S256")
        return ReturnPage(query.redirect_uri, query.state, query.code_challenge)


def _linked_url(attempt: OidcLoginAttempt, provider: OidcClient) -> str:
    """Return the address by which a page learns that the identity was linked."""
    assert attempt.redirect_uri is not None
    return add_query(attempt.redirect_uri, {"linked": provider.name, "state": attempt.page_state})
