"""A client of an OpenID Connect provider: discovery, the exchange of a code, the ID token.

The only module that names Authlib and the libraries that it uses (httpx2 and joserfc). Authlib builds the
authorization URL with its PKCE challenge, exchanges the code and checks the claims. This module adds what Authlib
leaves open: how long a response may take and how large it may be, which algorithms and keys are accepted, and how a
client's secret is encoded (RFC 6749 §2.3.1). Whatever is wrong with a provider ends in `ProviderFailed`.
"""

import asyncio
import base64
import logging
import re
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

from database.connection import extend_request_limit
from database.single_flight import SingleFlight
from planner.clock import Clock
from planner.errors import ProviderFailed, SignInRefused
from planner.oidc_settings import OidcProviderSettings, is_safe

log = logging.getLogger("planner.providers")
T = TypeVar("T")

SCOPE = "openid email profile"
DISCOVERY = "/.well-known/openid-configuration"
# The time that a provider has for one step, with all of its response.
TIMEOUT_SECONDS = 5.0
MAX_RESPONSE_BYTES = 512 * 1024
MAX_TOKEN_LENGTH = 32 * 1024
MAX_HEADER_LENGTH = 4096
LEEWAY_SECONDS = 60
CACHED_SECONDS = 3600.0
# A token with an unknown key id makes the client fetch the keys again, unless they are younger than this.
MIN_REFETCH_SECONDS = 1.0
MIN_RSA_BITS = 2048
# Algorithms with which only the provider can sign. With HS256, everybody who knows a public key could.
KEY_TYPES = {
    f"{kind}{bits}": key for kind, key in (("RS", "RSA"), ("PS", "RSA"), ("ES", "EC")) for bits in (256, 384, 512)
}
PERSONAL_CLAIMS = ("email", "email_verified", "name")
CHECKED_CLAIMS = ("iss", "aud", "azp", "sub", "exp", "iat", "nbf", "nonce", "at_hash")
_ERROR_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)


class ProviderClaims(NamedTuple):
    """What a provider claims about a person: who it is (`issuer` and `subject`), e-mail address and name."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None


class _Metadata(NamedTuple):
    """The part of a provider's discovery document that we use."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: frozenset[str]
    secret_in_body: bool
    sends_issuer: bool
    returns_by_form: bool


class OidcClient:
    """A client of one provider."""

    def __init__(self, name: str, settings: OidcProviderSettings, clock: Clock) -> None:
        self.name = name
        self.issuer = settings.issuer
        self._settings = settings
        self._clock = clock
        self._metadata = _CachedFetch(self._discover, clock)
        self._keys = _CachedFetch(self._fetch_keys, clock)

    async def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return the address to which the browser is sent; raises `ProviderFailed`."""
        metadata = await self._metadata.get(CACHED_SECONDS)
        client = OAuth2Client(
            None, self._settings.client_id, scope=SCOPE, redirect_uri=redirect_uri, code_challenge_method="S256"
        )
        mode = {"response_mode": "form_post"} if await self.returns_by_form() else {}
        url, _ = client.create_authorization_url(
            metadata.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier, **mode
        )
        return str(url)

    async def returns_by_form(self) -> bool:
        """Return whether the provider is asked to send the browser back with a form, or can do nothing else.

        See OAuth 2.0 Form Post Response Mode. Raises `ProviderFailed`.
        """
        if self._settings.response_mode is not None:
            return self._settings.response_mode == "form_post"
        return (await self._metadata.get(CACHED_SECONDS)).returns_by_form

    async def check_issuer(self, issuer: str | None) -> None:
        """Raise `SignInRefused` when a response came from another provider (RFC 9207 §2.4)."""
        metadata = await self._metadata.get(CACHED_SECONDS)
        if issuer != self._settings.issuer and (issuer is not None or metadata.sends_issuer):
            raise SignInRefused("The response does not come from the provider with which the sign-in was started.")

    async def fetch_claims(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> ProviderClaims:
        """Exchange a code, and return the claims about the person for whom the provider issued it.

        Raises `SignInRefused` when the provider does not accept the code, and `ProviderFailed` when it does not
        respond, or its ID token is not valid.
        """
        metadata = await self._metadata.get(CACHED_SECONDS)
        async with self._errors_of("the tokens"), self._client(metadata.secret_in_body) as client:
            response = await client.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=verifier,
            )
            claims = await self._check_id_token(response, nonce, metadata.algorithms)
            if not claims.keys() >= {*PERSONAL_CLAIMS} and metadata.userinfo_endpoint is not None:
                # A provider may leave them out of the ID token (OpenID Connect Core 1.0 §5.4).
                claims = add_userinfo(
                    claims,
                    await self._fetch_userinfo(
                        client, metadata.userinfo_endpoint, response["access_token"], claims["sub"]
                    ),
                )
        email, name = claims.get("email"), claims.get("name")
        return ProviderClaims(
            self._settings.issuer,
            claims["sub"],
            email if isinstance(email, str) else None,
            _is_true(claims.get("email_verified")),
            name if isinstance(name, str) else None,
        )

    async def _check_id_token(self, response: dict[str, Any], nonce: str, algorithms: frozenset[str]) -> dict[str, Any]:
        """Validate the ID token of a token response (OpenID Connect Core 1.0 §3.1.3.7), and return its claims."""
        token = response.get("id_token")
        if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH:
            raise _UnacceptableResponse("no ID token")
        # Providers add header parameters of their own; `crit` is respected nevertheless.
        registry = jws.JWSRegistry(algorithms=sorted(algorithms), strict_check_header=False)
        registry.max_header_length = MAX_HEADER_LENGTH
        header = jws.extract_compact(token.encode(), registry=registry).headers()
        if header.get("alg") not in algorithms:
            raise _UnacceptableResponse("an ID token with an algorithm that is not accepted")
        key = _find_key(header, await self._keys.get(CACHED_SECONDS))
        key = key or _find_key(header, await self._keys.get(MIN_REFETCH_SECONDS))
        if key is None:
            raise _UnacceptableResponse("an ID token with an unknown key")
        signed = jwt.decode(token, key, registry=registry)
        expected = {"iss": self._settings.issuer, "aud": self._settings.client_id}
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {claim: {"essential": True, "value": value} for claim, value in expected.items()}
            | {claim: {"essential": True} for claim in ("sub", "exp", "iat", "nonce")},
            {"nonce": nonce, "client_id": self._settings.client_id, "access_token": response.get("access_token")},
        )
        claims.validate(now=int(self._clock.timestamp()), leeway=LEEWAY_SECONDS)
        # §2: at most 255 ASCII characters.
        if not claims["sub"].isascii() or len(claims["sub"]) > 255:
            raise _UnacceptableResponse("an invalid subject")
        return dict(claims)

    async def _fetch_userinfo(
        self, client: AsyncOAuth2Client, endpoint: str, token: str, subject: str
    ) -> dict[str, Any]:
        """Return the claims of the userinfo endpoint, which must be about the same subject (§5.3.2)."""
        headers = {"authorization": f"Bearer {token}"}
        claims = _parse_object(await client.request("GET", endpoint, headers=headers, withhold_token=True))
        if claims.get("sub") != subject:
            raise _UnacceptableResponse("a userinfo of another subject")
        return {claim: claims[claim] for claim in PERSONAL_CLAIMS if claim in claims}

    async def _discover(self) -> _Metadata:
        async with self._errors_of("the discovery document"), self._client() as client:
            url = self._settings.issuer.removesuffix("/") + DISCOVERY
            found = _parse_object(await client.request("GET", url, withhold_token=True))
            if found.get("issuer") != self._settings.issuer:
                raise _UnacceptableResponse("another issuer")
            methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            algorithms = frozenset(KEY_TYPES).intersection(
                found.get("id_token_signing_alg_values_supported", ["RS256"])
            )
            if not algorithms or not {"client_secret_basic", "client_secret_post"}.intersection(methods):
                raise _UnacceptableResponse("no signing algorithm, or no client authentication, that we support")
            return _Metadata(
                self._endpoint(found["authorization_endpoint"]),
                self._endpoint(found["token_endpoint"]),
                self._endpoint(found["jwks_uri"]),
                self._endpoint(found["userinfo_endpoint"]) if "userinfo_endpoint" in found else None,
                algorithms,
                "client_secret_basic" not in methods,
                found.get("authorization_response_iss_parameter_supported") is True,
                "query" not in found.get("response_modes_supported", ["query"]),
            )

    async def _fetch_keys(self) -> list[Key]:
        metadata = await self._metadata.get(CACHED_SECONDS)
        async with self._errors_of("the keys"), self._client() as client:
            found = _parse_object(await client.request("GET", metadata.jwks_uri, withhold_token=True))["keys"]
            if not isinstance(found, list):
                raise _UnacceptableResponse("no list of keys")
            return [key for key in map(_read_key, found) if key is not None]

    def _endpoint(self, url: Any) -> str:
        # Never from an encrypted issuer to an endpoint that is not.
        must_be_https = self._settings.issuer.startswith("https:")
        if not isinstance(url, str) or not is_safe(url) or (must_be_https and not url.startswith("https:")):
            raise _UnacceptableResponse("an endpoint that is not encrypted")
        return url

    def _client(self, secret_in_body: bool = False) -> AsyncOAuth2Client:
        client_id, secret = self._settings.client_id, self._settings.client_secret.get_secret_value()
        if not secret_in_body:
            # RFC 6749 §2.3.1 requires that each is encoded before they are joined, which Authlib does not do.
            client_id, secret = quote_plus(client_id), quote_plus(secret)
        return AsyncOAuth2Client(
            client_id,
            secret,
            token_endpoint_auth_method="client_secret_post" if secret_in_body else "client_secret_basic",
            timeout=TIMEOUT_SECONDS,
            verify=_tls_context(),
            follow_redirects=False,
            headers={"accept": "application/json", "accept-encoding": "identity"},
            event_hooks={"response": [_limit_response]},
        )

    @asynccontextmanager
    async def _errors_of(self, subject: str) -> AsyncIterator[None]:
        """Turn every error of a request for `subject` into one of ours, and bound the time of the request."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                yield
        except (ProviderFailed, SignInRefused):
            raise
        except AuthlibBaseError as error:
            code = error.error if isinstance(error.error, str) and _ERROR_CODE.fullmatch(error.error) else "an error"
            if code == "invalid_grant":
                raise SignInRefused("The provider does not accept its code.") from None
            log.warning("the provider %s responded with %s to the request for %s", self.name, code, subject)
            raise ProviderFailed(f"The provider {self.name} refused the request.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            log.warning("the request to the provider %s for %s failed: %s", self.name, subject, type(error).__name__)
            raise ProviderFailed(f"The provider {self.name} does not respond correctly. Try again.") from None
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            log.warning("the provider %s responded to the request for %s with %s", self.name, subject, _reason(error))
            raise ProviderFailed(f"The response of the provider {self.name} is not valid.") from None
        finally:
            # The time of the provider is not that of the database.
            extend_request_limit()


def add_userinfo(claims: dict[str, Any], userinfo: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of an ID token, with what it lacks taken from the userinfo endpoint.

    Whether an address is verified counts only for the address that it was said of.
    """
    merged = userinfo | claims
    if "email" not in claims:
        merged["email_verified"] = userinfo.get("email_verified")
    elif userinfo.get("email", claims["email"]) != claims["email"]:
        merged["email_verified"] = claims.get("email_verified")
    return merged


def _is_true(value: Any) -> bool:
    """Return whether a claim is true; some providers send it as a string (§5.1 requires a boolean)."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


class _UnacceptableResponse(ValueError):
    """Part of a response is not acceptable; the message is for the log."""


def _reason(error: Exception) -> str:
    """Return what is wrong with a response, without any part of the response itself."""
    if isinstance(error, _UnacceptableResponse):
        return str(error)
    claim = getattr(error, "claim", None)
    if claim in CHECKED_CLAIMS:
        return f"a token with a wrong claim: {claim}"
    return f"something that cannot be used: {type(error).__name__}"


class _CachedFetch(Generic[T]):
    """Something that is fetched once for all callers that wait for it, and cached."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._cached: tuple[T, float] | None = None
        self._fetches: SingleFlight[T] = SingleFlight(join_running=True)

    async def get(self, max_age: float) -> T:
        """Return what was fetched in the last `max_age` seconds, or is fetched now."""
        if self._cached is not None and self._clock.monotonic() - self._cached[1] < max_age:
            return self._cached[0]
        return await self._fetches.run("", self._fetch_and_cache)

    async def _fetch_and_cache(self) -> T:
        value = await self._fetch()
        self._cached = value, self._clock.monotonic()
        return value


class _LimitedStream(httpx2.AsyncByteStream):
    """The bytes of a response, up to `MAX_RESPONSE_BYTES`; raises `RemoteProtocolError` for more."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise httpx2.RemoteProtocolError("the response is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _limit_response(response: httpx2.Response) -> None:
    """Limit the size of a response before it is read, and refuse a compressed one, which could grow."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.RemoteProtocolError("the response is compressed, although the request forbids it")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _LimitedStream(response.stream)


@lru_cache(maxsize=1)
def _tls_context() -> SSLContext:
    # Reading the certificates of the machine takes about 40 ms, so it is done once.
    return httpx2.create_ssl_context()


def _parse_object(response: httpx2.Response) -> dict[str, Any]:
    """Return the JSON object in a response; raises for any other response."""
    response.raise_for_status()
    value = response.json()
    if not isinstance(value, dict):
        raise _UnacceptableResponse("no JSON object")
    return value


def _read_key(data: Any) -> Key | None:
    """Return a public key with which signatures can be verified, or None for anything else."""
    if not isinstance(data, dict) or data.get("kty") not in ("RSA", "EC") or data.get("use", "sig") != "sig":
        return None
    try:
        if data["kty"] == "EC":
            return ECKey.import_key(data)
        modulus = int.from_bytes(base64.urlsafe_b64decode(data["n"] + "=="))
        return RSAKey.import_key(data) if modulus.bit_length() >= MIN_RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None  # A key that we do not understand must not make the others unusable (RFC 7517 §5).


def _find_key(header: dict[str, Any], keys: list[Key]) -> Key | None:
    """Return the key that the header of a token names; without a `kid`, the only key that fits; or None."""
    algorithm, kid = header["alg"], header.get("kid")
    fitting = [
        key
        for key in keys
        if key.key_type == KEY_TYPES[algorithm] and key.alg in (None, algorithm) and kid in (None, key.kid)
    ]
    return fitting[0] if fitting and (kid is not None or len(fitting) == 1) else None
