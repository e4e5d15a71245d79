"""Signing in with OpenID Connect providers: where they are, the exchange of a code, the ID token.

The only module that names Authlib and what it stands on (httpx2 and joserfc). Authlib makes
the authorization URL with its PKCE challenge, exchanges the code and checks the claims;
what it leaves open is closed here: how long an answer may take and how large it may be,
which algorithms and keys count, and how a client's secret is written (RFC 6749 §2.3.1).
Whatever is wrong with a provider ends in `ProviderFailed`.
"""

import asyncio
import base64
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from ssl import SSLContext
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote_plus

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from planner.errors import ProviderFailed, SignInRefused
from planner.oidc_settings import OidcProviderSettings, is_safe

log = logging.getLogger("planner.providers")
T = TypeVar("T")

SCOPE = "openid email profile"
DISCOVERY = "/.well-known/openid-configuration"
# How long a provider may take for one step, all of its answer included.
SECONDS = 5.0
MOST_BYTES = 512 * 1024
MOST_TOKEN = 32 * 1024
MOST_HEADER = 4096
LEEWAY_SECONDS = 60
KEPT_SECONDS = 3600.0
# A token with an unknown key id makes the keys be read anew, unless that was just done.
FRESH_SECONDS = 1.0
LEAST_RSA_BITS = 2048
# Signatures that only the provider can make; with HS256 whoever knows a public key could.
KEY_TYPES = {
    f"{kind}{bits}": key for kind, key in (("RS", "RSA"), ("PS", "RSA"), ("ES", "EC")) for bits in (256, 384, 512)
}
CHECKED = ("iss", "aud", "azp", "sub", "exp", "iat", "nbf", "nonce", "at_hash")
_ERROR_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)


class ProviderIdentity(NamedTuple):
    """Who somebody is to a provider, and what it says about them."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None


class _Metadata(NamedTuple):
    """What we use of a provider's discovery document."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: frozenset[str]
    secret_in_body: bool
    says_issuer: bool


class OidcClient:
    """One provider; `clock` tells the time in seconds since 1970."""

    def __init__(self, name: str, settings: OidcProviderSettings, clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._metadata = _Kept(self._discover)
        self._keys = _Kept(self._fetch_keys)

    async def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where to send somebody; raises `ProviderFailed`."""
        metadata = await self._metadata.get(KEPT_SECONDS)
        client = OAuth2Client(
            None, self._settings.client_id, scope=SCOPE, redirect_uri=redirect_uri, code_challenge_method="S256"
        )
        url, _ = client.create_authorization_url(
            metadata.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
        )
        return str(url)

    async def check_issuer(self, said: str | None) -> None:
        """Raises `SignInRefused` when an answer came from another provider (RFC 9207 §2.4)."""
        metadata = await self._metadata.get(KEPT_SECONDS)
        if said != self._settings.issuer and (said is not None or metadata.says_issuer):
            raise SignInRefused("The answer does not come from the provider that was asked.")

    async def identify(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> ProviderIdentity:
        """Who the provider's code stands for.

        Raises `SignInRefused` when the provider does not accept the code, `ProviderFailed`
        when it does not answer, or when its ID token does not hold.
        """
        metadata = await self._metadata.get(KEPT_SECONDS)
        async with self._asking("the tokens"), self._client(metadata.secret_in_body) as client:
            answer = await client.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=verifier,
            )
            claims = await self._claims(answer, nonce, metadata.algorithms)
            if "email" not in claims and metadata.userinfo_endpoint is not None:
                # OpenID Connect Core 1.0 §5.4: a provider may keep them out of the ID token.
                claims |= await self._userinfo(
                    client, metadata.userinfo_endpoint, answer["access_token"], claims["sub"]
                )
        email, name = claims.get("email"), claims.get("name")
        return ProviderIdentity(
            self._settings.issuer,
            claims["sub"],
            email if isinstance(email, str) else None,
            claims.get("email_verified") is True,
            name if isinstance(name, str) else None,
        )

    async def _claims(self, answer: dict[str, Any], nonce: str, algorithms: frozenset[str]) -> dict[str, Any]:
        """The claims of an ID token that holds (OpenID Connect Core 1.0 §3.1.3.7)."""
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > MOST_TOKEN:
            raise _Unfit("no ID token")
        # Providers put parameters of their own into the header; `crit` is heeded all the same.
        registry = jws.JWSRegistry(algorithms=sorted(algorithms), strict_check_header=False)
        registry.max_header_length = MOST_HEADER
        header = jws.extract_compact(token.encode(), registry=registry).headers()
        if header.get("alg") not in algorithms:
            raise _Unfit("an ID token with an algorithm that is not accepted")
        key = _key_for(header, await self._keys.get(KEPT_SECONDS))
        key = key or _key_for(header, await self._keys.get(FRESH_SECONDS))
        if key is None:
            raise _Unfit("an ID token with an unknown key")
        signed = jwt.decode(token, key, registry=registry)
        expected = {"iss": self._settings.issuer, "aud": self._settings.client_id}
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {claim: {"essential": True, "value": value} for claim, value in expected.items()}
            | {claim: {"essential": True} for claim in ("sub", "exp", "iat", "nonce")},
            {"nonce": nonce, "client_id": self._settings.client_id, "access_token": answer.get("access_token")},
        )
        claims.validate(now=int(self._clock()), leeway=LEEWAY_SECONDS)
        # §2: at most 255 ASCII characters.
        if not claims["sub"].isascii() or len(claims["sub"]) > 255:
            raise _Unfit("a subject that is none")
        return dict(claims)

    async def _userinfo(self, client: AsyncOAuth2Client, endpoint: str, token: str, subject: str) -> dict[str, Any]:
        """What the provider says besides the ID token, if it is about the same person (§5.3.2)."""
        headers = {"authorization": f"Bearer {token}"}
        said = _object(await client.request("GET", endpoint, headers=headers, withhold_token=True))
        if said.get("sub") != subject:
            raise _Unfit("a userinfo of somebody else")
        return {claim: said[claim] for claim in ("email", "email_verified", "name") if claim in said}

    async def _discover(self) -> _Metadata:
        async with self._asking("the discovery document"), self._client() as client:
            url = self._settings.issuer.removesuffix("/") + DISCOVERY
            found = _object(await client.request("GET", url, withhold_token=True))
            if found.get("issuer") != self._settings.issuer:
                raise _Unfit("another issuer")
            methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            algorithms = frozenset(KEY_TYPES).intersection(
                found.get("id_token_signing_alg_values_supported", ["RS256"])
            )
            if not algorithms or not {"client_secret_basic", "client_secret_post"}.intersection(methods):
                raise _Unfit("no algorithm, or no way to show a secret, that we know")
            return _Metadata(
                self._endpoint(found["authorization_endpoint"]),
                self._endpoint(found["token_endpoint"]),
                self._endpoint(found["jwks_uri"]),
                self._endpoint(found["userinfo_endpoint"]) if "userinfo_endpoint" in found else None,
                algorithms,
                "client_secret_basic" not in methods,
                found.get("authorization_response_iss_parameter_supported") is True,
            )

    async def _fetch_keys(self) -> list[Key]:
        metadata = await self._metadata.get(KEPT_SECONDS)
        async with self._asking("the keys"), self._client() as client:
            found = _object(await client.request("GET", metadata.jwks_uri, withhold_token=True))["keys"]
            if not isinstance(found, list):
                raise _Unfit("no list of keys")
            return [key for key in map(_read_key, found) if key is not None]

    def _endpoint(self, url: Any) -> str:
        known = isinstance(url, str) and is_safe(url)
        if not known or self._settings.issuer.startswith("https:") > url.startswith("https:"):
            raise _Unfit("an endpoint that others could read")
        return str(url)

    def _client(self, secret_in_body: bool = False) -> AsyncOAuth2Client:
        client_id, secret = self._settings.client_id, self._settings.client_secret.get_secret_value()
        if not secret_in_body:
            # RFC 6749 §2.3.1 wants them encoded before they are put together; Authlib does not.
            client_id, secret = quote_plus(client_id), quote_plus(secret)
        return AsyncOAuth2Client(
            client_id,
            secret,
            token_endpoint_auth_method="client_secret_post" if secret_in_body else "client_secret_basic",
            timeout=SECONDS,
            verify=_tls(),
            follow_redirects=False,
            headers={"accept": "application/json", "accept-encoding": "identity"},
            event_hooks={"response": [_bound]},
        )

    @asynccontextmanager
    async def _asking(self, for_what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(SECONDS):
                yield
        except (ProviderFailed, SignInRefused):
            raise
        except AuthlibBaseError as error:
            said = error.error if isinstance(error.error, str) and _ERROR_CODE.fullmatch(error.error) else "an error"
            if said == "invalid_grant":
                raise SignInRefused("The provider does not accept the code it gave.") from None
            log.warning("the provider %s answered %s when asked for %s", self.name, said, for_what)
            raise ProviderFailed(f"The provider {self.name} refused to answer.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            log.warning("the provider %s, asked for %s: %s", self.name, for_what, type(error).__name__)
            raise ProviderFailed(f"The provider {self.name} does not answer as it should. Try again.") from None
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            log.warning("the provider %s, asked for %s, answered %s", self.name, for_what, _reason(error))
            raise ProviderFailed(f"What the provider {self.name} answered does not hold.") from None


class _Unfit(ValueError):
    """Something in an answer that we do not accept; its message is for the log."""


def _reason(error: Exception) -> str:
    """What is wrong with an answer, without anything of the answer itself."""
    if isinstance(error, _Unfit):
        return str(error)
    claim = getattr(error, "claim", None)
    return (
        f"a token that does not hold: {claim}" if claim in CHECKED else f"what cannot be used: {type(error).__name__}"
    )


class _Kept(Generic[T]):
    """Something fetched once for all who wait for it, and kept for a while."""

    def __init__(self, fetch: Callable[[], Awaitable[T]]) -> None:
        self._fetch = fetch
        self._value: tuple[T, float] | None = None
        self._task: asyncio.Task[T] | None = None

    async def get(self, seconds: float) -> T:
        """What was fetched in the last `seconds`, or is fetched now."""
        if self._value is not None and time.monotonic() - self._value[1] < seconds:
            return self._value[0]
        if self._task is None:
            self._task = asyncio.create_task(self._renew())
            self._task.add_done_callback(self._done)
        # Shielded: a caller who hangs up must not cancel it for those who wait along.
        return await asyncio.shield(self._task)

    async def _renew(self) -> T:
        value = await self._fetch()
        self._value = value, time.monotonic()
        return value

    def _done(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # Seen, even when every caller has hung up.


class _Bounded(httpx2.AsyncByteStream):
    """A response's bytes, as many as we are willing to read."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MOST_BYTES:
                raise httpx2.RemoteProtocolError("an answer that is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    """Bound a response before it is read: its bytes, and nothing that would grow out of them."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.RemoteProtocolError("an answer that was not to be compressed")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Bounded(response.stream)


@lru_cache(maxsize=1)
def _tls() -> SSLContext:
    # Reading the machine's certificates takes some 40 ms: once is enough.
    return httpx2.create_ssl_context()


def _object(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object in an answer; raises for any other answer."""
    response.raise_for_status()
    value = response.json()
    if not isinstance(value, dict):
        raise _Unfit("no object")
    return value


def _read_key(data: Any) -> Key | None:
    """A public key that signatures can be checked with, or None for anything else."""
    if not isinstance(data, dict) or data.get("kty") not in ("RSA", "EC") or data.get("use", "sig") != "sig":
        return None
    try:
        if data["kty"] == "EC":
            return ECKey.import_key(data)
        modulus = int.from_bytes(base64.urlsafe_b64decode(data["n"] + "=="))
        return RSAKey.import_key(data) if modulus.bit_length() >= LEAST_RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None  # RFC 7517 §5: one key that we do not understand must not spoil the others.


def _key_for(header: dict[str, Any], keys: list[Key]) -> Key | None:
    """The key that a token's header asks for; without a `kid`, the only one there is."""
    algorithm, kid = header["alg"], header.get("kid")
    fitting = [
        key
        for key in keys
        if key.key_type == KEY_TYPES[algorithm] and key.alg in (None, algorithm) and kid in (None, key.kid)
    ]
    return fitting[0] if fitting and (kid is not None or len(fitting) == 1) else None
