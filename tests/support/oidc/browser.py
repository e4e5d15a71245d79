"""A browser that signs in with a provider: it follows redirects and keeps cookies, as one does."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from planner.domain.pkce import compute_challenge
from tests.support.clients import Planner, ok


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


@dataclass
class SignInPage:
    """A page that sends people to a provider, and keeps a verifier for the code it gets back."""

    redirect_uri: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def query(self) -> dict[str, str]:
        return {
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": compute_challenge(self.verifier),
            "code_challenge_method": "S256",
        }

    async def redeem(self, api: Planner, code: str, /, **instead: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": self.verifier,
            "redirect_uri": self.redirect_uri,
        }
        return await api.post("/auth/token", data=form | instead)


class Browser:
    """Somebody's browser. `cookies` are the planner's."""

    def __init__(self, api: Planner, provider: str = "acme") -> None:
        self._api = api
        self._provider = provider
        self.cookies: dict[str, str] = {}

    async def start_sign_in(self, **query: str) -> httpx.Response:
        """Request a sign-in, and return the redirect to the provider."""
        response = await self._api.get(f"/auth/{self._provider}/signin", params=query)
        self.cookies |= dict(response.cookies)
        return response

    async def consent(self, sent: httpx.Response, user: str) -> str:
        """Follow the redirect and consent as `user`; return the address that the provider redirects to."""
        assert sent.status_code == 302, sent.text
        async with httpx.AsyncClient(verify=False) as anywhere:
            answer = await anywhere.get(sent.headers["location"] + f"&login_hint={user}")
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    async def finish_sign_in(self, address: str, **instead: str | None) -> httpx.Response:
        """Follow the redirect back to the planner, with some parameters changed or, when None, left out."""
        query: dict[str, Any] = query_of(address) | instead
        path = urlsplit(address).path.removeprefix("/api/v1")
        given = {name: value for name, value in query.items() if value is not None}
        request = self._api.build_request("GET", path, params=given)
        # The client is shared by browsers and stores cookies itself: only those of this browser may be sent.
        request.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return await self._api.send(request)

    async def go_through_sign_in(self, user: str, **query: str) -> httpx.Response:
        """Go to the provider and back, and return the response of the planner's callback."""
        return await self.finish_sign_in(await self.consent(await self.start_sign_in(**query), user))

    async def sign_in(self, user: str) -> Any:
        """Sign in, which must succeed, and return the body of the response."""
        return ok(await self.go_through_sign_in(user))
