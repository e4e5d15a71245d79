"""Signing in with an OpenID Connect provider: going there, coming back, redeeming the code."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from auth.oidc_client import OidcClient
from auth.opaque_tokens import OpaqueTokens, digest
from database.commit import commit_atomically
from database.queries import Stored
from models.accounts.oidc_login import AuthorizationCode, CallbackQuery, OidcLoginAttempt, SignInQuery
from models.accounts.user import User
from models.shared.schema import PageQuery
from models.shared.views import Page, to_json
from planner.clock import Clock
from planner.domain.cursors import decode_cursor, encode_cursor
from planner.domain.pkce import verify_challenge
from planner.domain.rate_limits import RateLimit
from planner.domain.urls import add_query, parse_origin
from planner.errors import Conflict, GrantRefused, Invalid, NotFound, PlannerError, ProviderFailed, SignInRefused
from planner.oidc_settings import NAME, OidcProviderSettings
from planner.services.accounts.oidc_linking import OidcLinking
from planner.services.accounts.sessions import Sessions, SignedIn
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.rate_limiter import Counted, RateLimiter, network

# Each departure is remembered for a while, whoever asks for it.
BEGIN_ADDRESS = RateLimit(60, timedelta(minutes=15))
# What a page is told when a sign-in fails.
REASONS: dict[type[Exception], str] = {
    SignInRefused: "access_denied",
    Conflict: "access_denied",
    ProviderFailed: "server_error",
}
DEAD = "This sign-in is over, was used, or was begun in another browser. Begin it anew."


class Departure(NamedTuple):
    """Somebody who is to be sent to `address`, with a cookie by which their browser is known again."""

    address: str
    ticket: str
    secret: str


def ticket(state: str) -> str:
    """What tells the cookies of several sign-ins in one browser apart."""
    return digest(state)[:16]


def _told(page: str, state: str | None, error: PlannerError) -> str:
    """The address by which a page learns what went wrong (RFC 6749 §4.1.2.1)."""
    return add_query(page, {"error": REASONS[type(error)], "error_description": error.detail, "state": state})


class OidcLogin:
    """The use cases of providers."""

    def __init__(
        self,
        settings: Mapping[str, OidcProviderSettings],
        sessions: Sessions,
        linking: OidcLinking,
        rate_limiter: RateLimiter,
        audit: AuditLog,
        tokens: OpaqueTokens,
        base_url: str,
        pages: Sequence[str],
        clock: Clock,
    ) -> None:
        """`base_url` is ours, and `pages` are the origins of pages that may send people."""
        self._providers = {name: OidcClient(name, one, clock.timestamp) for name, one in settings.items()}
        self._sessions = sessions
        self._tokens = tokens
        self._linking = linking
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._base_url = base_url
        self._origins = {parse_origin(page) for page in (base_url, *pages)} - {None}
        self._clock = clock

    def listed(self, wanted: PageQuery) -> Page:
        """A page of the providers there are, by name."""
        after = decode_cursor(wanted.cursor, NAME) or ""
        names = [name for name in sorted(self._providers) if name > after]
        shown = names[: wanted.limit]
        items = [to_json({"name": name, "signin": self.address(name, "signin")}) for name in shown]
        return Page(items, encode_cursor(shown[-1]) if len(names) > len(shown) else None)

    def address(self, name: str, what: str) -> str:
        """The address of one of our own routes for a provider."""
        return f"{self._base_url}/api/v1/auth/{name}/{what}"

    async def begin(self, name: str, wanted: SignInQuery, client: ClientInfo) -> Departure | str:
        """Send somebody to a provider; or back to the page that sent them, told what went wrong.

        Raises `NotFound` for a provider that is not, `Invalid` for a page that may not send
        people or that will not prove itself, `TooMany`, and without a page `ProviderFailed`.
        """
        provider = self._provider(name)
        self._check(wanted)
        await self._rate_limiter.count(Counted(BEGIN_ADDRESS, "provider", network(client.address)))
        state, nonce, verifier, secret = (self._tokens.new_secret() for _ in range(4))
        try:
            address = await provider.authorization_url(self.address(name, "callback"), state, nonce, verifier)
        except ProviderFailed as error:
            if wanted.redirect_uri is None:
                raise
            return _told(wanted.redirect_uri, wanted.state, error)
        login: Stored = {
            "_id": digest(state),
            "provider": name,
            "browser": digest(secret),
            "nonce": nonce,
            "verifier": verifier,
            "redirect_uri": wanted.redirect_uri,
            "page_state": wanted.state,
            "code_challenge": wanted.code_challenge,
        }
        await commit_atomically([OidcLoginAttempt.beginning(login, self._clock.now())])
        return Departure(address, ticket(state), secret)

    async def finish(
        self, name: str, returned: CallbackQuery, secret: str | None, client: ClientInfo
    ) -> SignedIn | str:
        """Take somebody back who was at a provider; `secret` is what their browser was given.

        Answers their session; or, when a page had sent them, the address of that page with a
        code for it, or with what went wrong. Raises `NotFound`, `SignInRefused`, `Conflict`
        and `ProviderFailed`.
        """
        provider = self._provider(name)
        login = await self._login(name, returned.state, secret)
        page = login["redirect_uri"]
        try:
            user = await self._arrived(provider, login, returned, client)
        except (SignInRefused, Conflict, ProviderFailed) as error:
            await self._audit.note("sign-in-failed", client, None, detail=name)
            if page is None:
                raise
            return _told(page, login["page_state"], error)
        if page is None:
            return await self._sessions.open(user, client, how=name)
        code = self._tokens.new_secret()
        await commit_atomically([AuthorizationCode.issue(digest(code), user["_id"], login, self._clock.now())])
        return add_query(page, {"code": code, "state": login["page_state"]})

    async def redeem(self, code: str, verifier: str, redirect_uri: str, client: ClientInfo) -> SignedIn:
        """A session for the page that has a code of ours and can prove that it sent for it.

        Raises `GrantRefused`; whatever was wrong, the code is used up.
        """
        refusal = GrantRefused("invalid_grant", "The code is over, was used, or is not for this page.")
        key = digest(code)
        found = await AuthorizationCode.good(key, self._clock.now())
        if found is None or not await commit_atomically([AuthorizationCode.use(key)]):
            raise refusal
        if not verify_challenge(verifier, found["code_challenge"]) or redirect_uri != found["redirect_uri"]:
            raise refusal
        user = await User.stored(found["user"])
        if user is None or user["disabled"]:
            raise refusal
        return await self._sessions.open(user, client, how=found["provider"])

    def _provider(self, name: str) -> OidcClient:
        if name not in self._providers:
            raise NotFound
        return self._providers[name]

    def _check(self, wanted: SignInQuery) -> None:
        if wanted.redirect_uri is None:
            for field in ("state", "code_challenge", "code_challenge_method"):
                if getattr(wanted, field) is not None:
                    raise Invalid.field(f"/{field}", "needs a redirect_uri")
            return
        if parse_origin(wanted.redirect_uri) not in self._origins:
            raise Invalid.field(
                "/redirect_uri", "must be a page on the origin of PUBLIC_URL or of CORS_ORIGINS, without a fragment"
            )
        if wanted.code_challenge is None:
            raise Invalid.field("/code_challenge", "is required with a redirect_uri")
        if wanted.code_challenge_method is None:
            raise Invalid.field("/code_challenge_method", "must be S256")

    async def _login(self, name: str, state: str | None, secret: str | None) -> Stored:
        """What is remembered of somebody who went away; it can be had once, and by their browser only."""
        if not state or not secret:
            raise SignInRefused(DEAD)
        key = digest(state)
        login = await OidcLoginAttempt.standing(key, name, digest(secret), self._clock.now())
        if login is None or not await commit_atomically([OidcLoginAttempt.use(key)]):
            raise SignInRefused(DEAD)
        return login

    async def _arrived(
        self, provider: OidcClient, login: Stored, returned: CallbackQuery, client: ClientInfo
    ) -> Stored:
        """The account of somebody who is back."""
        await provider.check_issuer(returned.iss)
        if returned.error == "temporarily_unavailable" or returned.error == "server_error":
            raise ProviderFailed(f"The provider {provider.name} cannot sign you in at the moment. Try again.")
        if returned.error or not returned.code:
            raise SignInRefused("The provider did not sign you in.")
        who = await provider.identify(
            returned.code, self.address(provider.name, "callback"), login["nonce"], login["verifier"]
        )
        return await self._linking.account(who, provider.name, client)
