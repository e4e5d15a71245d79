"""Access tokens: JSON Web Tokens as RFC 9068 profiles them, signed with HS256.

The only module that names `jose`. On its own, `jose` accepts tokens without `exp` or `aud`, ignores `crit`, and
raises RecursionError for some headers. This module refuses all such tokens: whatever is wrong with a token, the error
is `InvalidToken`.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from cachetools import LRUCache
from jose import jwt
from jose.exceptions import JOSEError

from auth.secret_keys import SecretKeys
from planner.clock import Clock
from planner.errors import InvalidToken
from planner.randomness import RandomBytes

ALGORITHM = "HS256"
TYPE = "at+jwt"
# Our tokens have about 400 bytes. A header of this size cannot be nested deeply enough to do harm.
MAX_TOKEN_LENGTH = 4096
MAX_HEADER_LENGTH = 256
MAX_CACHED = 4096
# The longest lifetime that the settings allow, in seconds. A token with a longer one is not ours.
MAX_LIFETIME = 24 * 60 * 60
_HEADER = {"alg": ALGORITHM, "typ": TYPE}
# Base64 is often decoded leniently; each token must have only one accepted spelling.
_SHAPE = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]", re.ASCII)


class Claims(NamedTuple):
    """The claims of a valid token: user, times of expiry and issue (seconds since 1970), token id, session, scopes.

    `scopes` is None unless the token has fewer rights than its session.
    """

    subject: str
    expires: int
    issued: int
    token_id: str
    session: str
    scopes: frozenset[str] | None = None


class TokenSigner:
    """Signs access tokens and verifies them, for one issuer and one audience."""

    def __init__(
        self,
        secrets: SecretKeys,
        issuer: str,
        audience: str,
        minutes: int,
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        self._secrets = secrets
        self.issuer = issuer
        self.audience = audience
        self.lifetime = minutes * 60
        self._clock = clock
        self._random_bytes = random_bytes
        self._verified: LRUCache[str, Claims] = LRUCache(MAX_CACHED)

    def sign(self, subject: str, session: str, lifetime: int | None = None, scopes: Sequence[str] | None = None) -> str:
        """Return a token for a session of the account `subject`, valid for `lifetime` seconds (default: a setting).

        With `scopes`, it has only those rights (RFC 9068 §2.2.3); without, all rights of the session.
        """
        now = int(self._clock.timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "iat": now,
            "exp": now + (self.lifetime if lifetime is None else lifetime),
            "jti": base64.urlsafe_b64encode(self._random_bytes(12)).decode(),
            "sid": session,
        }
        if scopes is not None:
            claims["scope"] = " ".join(scopes)
        return str(jwt.encode(claims, self._secrets.current, algorithm=ALGORITHM, headers={"typ": TYPE}))

    def verify(self, token: str) -> Claims:
        """Return the claims of a token; raises `InvalidToken` for one that is not ours or has expired.

        The claims of valid tokens are cached, so that their signatures are checked only once.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._decode(token)
            self._verified[token] = claims
        if claims.expires <= self._clock.timestamp():
            self._verified.pop(token, None)
            raise InvalidToken("The access token has expired.")
        return claims

    def _decode(self, token: str) -> Claims:
        refusal = InvalidToken("The access token is not valid.")
        if len(token) > MAX_TOKEN_LENGTH or not _SHAPE.fullmatch(token) or not _is_our_header(token.partition(".")[0]):
            raise refusal
        try:
            claims = jwt.decode(
                token,
                self._secrets.accepted,
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                options={f"require_{name}": True for name in ("iss", "aud", "sub", "iat", "exp", "jti")},
            )
        except (JOSEError, ValueError, TypeError, RecursionError, AttributeError, OverflowError):
            raise refusal from None
        subject, expires = claims.get("sub"), claims.get("exp")
        issued, token_id, session = claims.get("iat"), claims.get("jti"), claims.get("sid")
        scope = claims.get("scope")
        if (
            claims.get("aud") != self.audience
            or claims.get("iss") != self.issuer
            or type(expires) is not int
            or type(issued) is not int
            or issued > self._clock.timestamp() + 60
            or expires - issued > MAX_LIFETIME
            or not isinstance(subject, str)
            or not isinstance(token_id, str)
            or not isinstance(session, str)
            or not isinstance(scope, str | None)
        ):
            raise refusal
        scopes = None if scope is None else frozenset(scope.split())
        return Claims(subject, expires, issued, token_id, session, scopes)


def _is_our_header(part: str) -> bool:
    """Return whether a header is exactly that of our tokens: no other algorithm, no `crit`, no `kid`."""
    if len(part) > MAX_HEADER_LENGTH:
        return False
    try:
        header = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        return bool(json.loads(header) == _HEADER)
    except (binascii.Error, ValueError, RecursionError):
        return False
