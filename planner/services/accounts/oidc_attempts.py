"""The way to an OpenID Connect provider and back, which belongs to one browser and can be finished once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from auth.oidc_client import OidcClient, ProviderClaims
from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import Principal
from database.commit import commit_atomically
from database.writes import Insert
from models.accounts.oidc_login import LOGIN_LIFETIME, CallbackQuery, OidcLoginAttempt
from planner.clock import Clock
from planner.domain.rate_limits import RateLimit
from planner.domain.urls import is_loopback_redirect, parse_app_scheme, parse_origin
from planner.errors import Invalid, NotFound, ProviderFailed, SignInRefused
from planner.oidc_settings import OidcProviderSettings
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.rate_limiter import Counted, RateLimiter, network

# Each start is stored for a while, whoever makes the request.
START_ADDRESS = RateLimit(60, timedelta(minutes=15))
INVALID_ATTEMPT = "This sign-in has expired, was finished already, or was started in another browser. Start it again."


class ProviderRedirect(NamedTuple):
    """The address of a provider to which the browser is sent, and the cookie by which it is recognised again.

    `attempt` is part of the name of the cookie, `secret` is its value. With `by_form`, the provider will make the
    browser send a form from its own site.
    """

    url: str
    attempt: str
    secret: str
    by_form: bool


class ReturnPage(NamedTuple):
    """The page, or the address of a native app, to which the browser returns; its state and its code challenge."""

    redirect_uri: str
    state: str | None = None
    code_challenge: str | None = None


def attempt_of(state: str) -> str:
    """Return what distinguishes the cookies of several sign-ins in one browser."""
    return digest(state)[:16]


class OidcAttempts:
    """Sends browsers to providers, and takes them back."""

    def __init__(
        self,
        settings: Mapping[str, OidcProviderSettings],
        rate_limiter: RateLimiter,
        opaque_tokens: OpaqueTokens,
        base_url: str,
        pages: Sequence[str],
        app_schemes: Sequence[str],
        clock: Clock,
    ) -> None:
        """Take the public address of the planner, the origins of pages, and the schemes of native apps."""
        self.providers = {name: OidcClient(name, one, clock) for name, one in settings.items()}
        self._opaque_tokens = opaque_tokens
        self._rate_limiter = rate_limiter
        self._base_url = base_url
        self._origins = {parse_origin(page) for page in (base_url, *pages)} - {None}
        self._app_schemes = {scheme.lower() for scheme in app_schemes}
        self._clock = clock

    def url(self, provider: str, route: str) -> str:
        """Return the address of a route of ours that belongs to a provider."""
        return f"{self._base_url}/api/v1/auth/{provider}/{route}"

    def find_provider(self, name: str) -> OidcClient:
        """Return the provider with this name; raises `NotFound`."""
        if name not in self.providers:
            raise NotFound
        return self.providers[name]

    def require_return_address(self, address: str) -> None:
        """Raise `Invalid` unless the browser may return to this address.

        That is a page of ours or of a configured origin, or a native app: at a loopback address with any port (RFC
        8252 §7.3), or under a scheme that the operator has named (§7.1).
        """
        if parse_origin(address) in self._origins or is_loopback_redirect(address):
            return
        if parse_app_scheme(address) in self._app_schemes:
            return
        raise Invalid.field(
            "/redirect_uri",
            "must be, without a fragment, a page on the origin of PUBLIC_URL or of CORS_ORIGINS, http://127.0.0.1 or "
            "http://[::1] with any port, or an address with a scheme of APP_SCHEMES",
        )

    async def begin(
        self, provider: OidcClient, page: ReturnPage | None, client: ClientInfo, linked_to: Principal | None = None
    ) -> ProviderRedirect:
        """Store an attempt, to sign in or to link an identity to the account of `linked_to`.

        Raises `TooMany`, and `ProviderFailed` when the provider does not respond.
        """
        await self._rate_limiter.count(
            Counted(START_ADDRESS, "sign-ins with a provider from this network address", network(client.address))
        )
        state, nonce, verifier, secret = (self._opaque_tokens.new_secret() for _ in range(4))
        url = await provider.authorization_url(self.url(provider.name, "callback"), state, nonce, verifier)
        attempt = OidcLoginAttempt(
            id=digest(state),
            provider=provider.name,
            browser=digest(secret),
            nonce=nonce,
            verifier=verifier,
            user=None if linked_to is None else linked_to.id,
            session=None if linked_to is None else linked_to.session,
            redirect_uri=None if page is None else page.redirect_uri,
            page_state=None if page is None else page.state,
            code_challenge=None if page is None else page.code_challenge,
            expires_at=self._clock.now() + LOGIN_LIFETIME,
        )
        await commit_atomically([Insert(attempt)])
        return ProviderRedirect(url, attempt_of(state), secret, await provider.returns_by_form())

    async def use(self, provider: OidcClient, state: str | None, secret: str | None) -> OidcLoginAttempt:
        """Use up and return the attempt with this state, if it was made in this browser; raises `SignInRefused`."""
        if not state or not secret:
            raise SignInRefused(INVALID_ATTEMPT)
        key = digest(state)
        attempt = await OidcLoginAttempt.find_pending(key, provider.name, digest(secret), self._clock.now())
        if attempt is None or not await commit_atomically([OidcLoginAttempt.delete_write(key)]):
            raise SignInRefused(INVALID_ATTEMPT)
        return attempt

    async def fetch_claims(
        self, provider: OidcClient, attempt: OidcLoginAttempt, query: CallbackQuery
    ) -> ProviderClaims:
        """Return what the provider claims about the person whom it has authenticated.

        Raises `SignInRefused` and `ProviderFailed`.
        """
        await provider.check_issuer(query.iss)
        if query.error in ("temporarily_unavailable", "server_error"):
            raise ProviderFailed(f"The provider {provider.name} is temporarily unavailable. Try again.")
        if query.error or not query.code:
            raise SignInRefused("The provider refused the sign-in.")
        callback = self.url(provider.name, "callback")
        return await provider.fetch_claims(query.code, callback, attempt.nonce, attempt.verifier)
