"""Sign-in with an OpenID Connect provider: start, return of the browser, exchange of the code."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from auth.oidc_client import OidcClient
from auth.opaque_tokens import OpaqueTokens, digest
from database.commit import commit_atomically
from database.reads import Slice
from database.writes import Insert
from models.accounts.oidc_login import (
    CODE_LIFETIME,
    LOGIN_LIFETIME,
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
from planner.domain.rate_limits import RateLimit
from planner.domain.urls import add_query, parse_origin
from planner.errors import Conflict, GrantRefused, Invalid, NotFound, PlannerError, ProviderFailed, SignInRefused
from planner.oidc_settings import NAME, OidcProviderSettings
from planner.services.accounts.oidc_linking import OidcLinking
from planner.services.accounts.sessions import Sessions, SignedIn
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_of
from planner.services.shared.rate_limiter import Counted, RateLimiter, network
from planner.services.shared.views import Page

# Each start is stored for a while, whoever makes the request.
START_ADDRESS = RateLimit(60, timedelta(minutes=15))
# The errors that a page gets when a sign-in fails (RFC 6749 §4.1.2.1).
ERROR_CODES: dict[type[Exception], str] = {
    SignInRefused: "access_denied",
    Conflict: "access_denied",
    ProviderFailed: "server_error",
}
INVALID_ATTEMPT = "This sign-in has expired, was finished already, or was started in another browser. Start it again."


class ProviderRedirect(NamedTuple):
    """The address of a provider to which the browser is sent, and the cookie by which it is recognised again.

    `attempt` is part of the name of the cookie, `secret` is its value.
    """

    url: str
    attempt: str
    secret: str


def attempt_of(state: str) -> str:
    """Return what distinguishes the cookies of several sign-ins in one browser."""
    return digest(state)[:16]


def _error_url(page: str, state: str | None, error: PlannerError) -> str:
    """Return the address by which a page learns why a sign-in failed (RFC 6749 §4.1.2.1)."""
    return add_query(page, {"error": ERROR_CODES[type(error)], "error_description": error.detail, "state": state})


class OidcLogin:
    """The use cases of sign-in with a provider."""

    def __init__(
        self,
        settings: Mapping[str, OidcProviderSettings],
        sessions: Sessions,
        linking: OidcLinking,
        rate_limiter: RateLimiter,
        audit: AuditLog,
        opaque_tokens: OpaqueTokens,
        base_url: str,
        pages: Sequence[str],
        clock: Clock,
    ) -> None:
        """Take the public address of the planner, and the origins of pages that may start sign-ins."""
        self._providers = {name: OidcClient(name, one, clock) for name, one in settings.items()}
        self._sessions = sessions
        self._opaque_tokens = opaque_tokens
        self._linking = linking
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._base_url = base_url
        self._origins = {parse_origin(page) for page in (base_url, *pages)} - {None}
        self._clock = clock

    def get_provider_page(self, query: PageQuery) -> Page:
        """Return a page of the providers, by name."""
        after = decode_cursor(query.cursor, NAME) or ""
        names = [name for name in sorted(self._providers) if name > after]
        return page_of(Slice(names[: query.limit], len(names) > query.limit), self._render_provider, lambda name: name)

    def find_sign_in_url(self) -> str | None:
        """Return where a sign-in with the first provider begins; None without providers."""
        return next((self._url(name, "signin") for name in sorted(self._providers)), None)

    def _render_provider(self, name: str) -> bytes:
        return ProviderRead(name=name, signin=self._url(name, "signin")).to_json()

    def _url(self, provider: str, route: str) -> str:
        return f"{self._base_url}/api/v1/auth/{provider}/{route}"

    async def start(self, provider_name: str, query: SignInQuery, client: ClientInfo) -> ProviderRedirect | str:
        """Start a sign-in, and return where to send the browser.

        That is the provider; or, when the provider does not respond, the address of the page that started the
        sign-in, with an error. Without such a page, `ProviderFailed` is raised instead.

        Raises `NotFound` for an unknown provider, `Invalid` for a page that may not start sign-ins or sends no
        code challenge, and `TooMany`.
        """
        provider = self._find_provider(provider_name)
        self._check(query)
        await self._rate_limiter.count(Counted(START_ADDRESS, "provider", network(client.address)))
        state, nonce, verifier, secret = (self._opaque_tokens.new_secret() for _ in range(4))
        callback = self._url(provider.name, "callback")
        try:
            url = await provider.authorization_url(callback, state, nonce, verifier)
        except ProviderFailed as error:
            if query.redirect_uri is None:
                raise
            return _error_url(query.redirect_uri, query.state, error)
        attempt = OidcLoginAttempt(
            id=digest(state),
            provider=provider.name,
            browser=digest(secret),
            nonce=nonce,
            verifier=verifier,
            redirect_uri=query.redirect_uri,
            page_state=query.state,
            code_challenge=query.code_challenge,
            expires_at=self._clock.now() + LOGIN_LIFETIME,
        )
        await commit_atomically([Insert(attempt)])
        return ProviderRedirect(url, attempt_of(state), secret)

    async def finish(
        self, provider_name: str, query: CallbackQuery, secret: str | None, client: ClientInfo
    ) -> SignedIn | str:
        """Finish a sign-in when the provider has sent the browser back; `secret` is the value of its cookie.

        Returns the new session. When a page has started the sign-in, returns the address of that page instead, with
        an authorization code or with an error. Raises `NotFound`, `SignInRefused`, `Conflict` and `ProviderFailed`.
        """
        provider = self._find_provider(provider_name)
        attempt = await self._use_attempt(provider.name, query.state, secret)
        page, state = attempt.redirect_uri, attempt.page_state
        try:
            user = await self._authenticate(provider, attempt, query, client)
        except (SignInRefused, Conflict, ProviderFailed) as error:
            await self._audit.record("sign-in-failed", client, None, detail=provider.name)
            if page is None:
                raise
            return _error_url(page, state, error)
        if page is None:
            return await self._sessions.open(user, client, provider=provider.name)
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
        return add_query(page, {"code": code, "state": state})

    async def exchange_code(self, code: str, verifier: str, redirect_uri: str, client: ClientInfo) -> SignedIn:
        """Open a session for a page that has an authorization code of ours, and the verifier of its challenge.

        The code is used up, also when it is refused. Raises `GrantRefused`.
        """
        refusal = GrantRefused("invalid_grant", "The code has expired, was used already, or is not for this page.")
        key = digest(code)
        found = await AuthorizationCode.find_valid(key, self._clock.now())
        if found is None or not await commit_atomically([AuthorizationCode.delete_write(key)]):
            raise refusal
        if not verify_challenge(verifier, found.code_challenge) or redirect_uri != found.redirect_uri:
            raise refusal
        user = await User.by_id(found.user)
        if user is None or user.disabled:
            raise refusal
        return await self._sessions.open(user, client, provider=found.provider)

    def _find_provider(self, name: str) -> OidcClient:
        if name not in self._providers:
            raise NotFound
        return self._providers[name]

    def _check(self, query: SignInQuery) -> None:
        """Raise `Invalid` unless the page that starts a sign-in is one of ours, and sends a code challenge."""
        if query.redirect_uri is None:
            for field in ("state", "code_challenge", "code_challenge_method"):
                if getattr(query, field) is not None:
                    raise Invalid.field(f"/{field}", "must be sent together with redirect_uri")
            return
        if parse_origin(query.redirect_uri) not in self._origins:
            raise Invalid.field(
                "/redirect_uri", "must be a page on the origin of PUBLIC_URL or of CORS_ORIGINS, without a fragment"
            )
        if query.code_challenge is None:
            raise Invalid.field("/code_challenge", "is required with redirect_uri")
        if query.code_challenge_method is None:
            raise Invalid.field("/code_challenge_method", "must be S256")

    async def _use_attempt(self, provider: str, state: str | None, secret: str | None) -> OidcLoginAttempt:
        """Use up and return the attempt with this state, if it was made in this browser; raises `SignInRefused`."""
        if not state or not secret:
            raise SignInRefused(INVALID_ATTEMPT)
        key = digest(state)
        attempt = await OidcLoginAttempt.find_pending(key, provider, digest(secret), self._clock.now())
        if attempt is None or not await commit_atomically([OidcLoginAttempt.delete_write(key)]):
            raise SignInRefused(INVALID_ATTEMPT)
        return attempt

    async def _authenticate(
        self, provider: OidcClient, attempt: OidcLoginAttempt, query: CallbackQuery, client: ClientInfo
    ) -> User:
        """Return the account of the person whom the provider has authenticated."""
        await provider.check_issuer(query.iss)
        if query.error in ("temporarily_unavailable", "server_error"):
            raise ProviderFailed(f"The provider {provider.name} is temporarily unavailable. Try again.")
        if query.error or not query.code:
            raise SignInRefused("The provider refused the sign-in.")
        callback = self._url(provider.name, "callback")
        claims = await provider.fetch_claims(query.code, callback, attempt.nonce, attempt.verifier)
        return await self._linking.find_or_create_account(claims, provider.name, client)
