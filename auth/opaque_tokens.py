"""Opaque tokens: random words that mean something only to our database, which keeps their hash.

A fast hash is enough at rest: with 256 random bits there is nothing to guess.
"""

import base64
import hashlib
import hmac
import secrets
from typing import NamedTuple

from database.queries import Id, as_id

BITS = 256
# Prefixes by which a scanner can recognise a token that was left lying about.
PERSONAL = "planner_pat_"
REFRESH = "planner_rt_"
FEED = "planner_feed_"
_TAG_BYTES = 16


def new_secret() -> str:
    """256 random bits as a word of 43 characters."""
    return secrets.token_urlsafe(BITS // 8)


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def personal_secret(material: str | None = None) -> str:
    """The secret of a personal access token; the same again for the same `material`."""
    return PERSONAL + (material or new_secret())


def feed_secret(material: str | None = None) -> str:
    """The secret in the address of a feed; the same again for the same `material`."""
    return FEED + (material or new_secret())


def derived(secret: str, purpose: str, message: str) -> str:
    """A word of 256 bits that only who knows the server's secret can make."""
    mac = hmac.digest(secret.encode(), f"{purpose}\0{message}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


class RefreshToken(NamedTuple):
    """A refresh token that we issued: whose session it belongs to, and what is stored of it."""

    session: Id
    digest: str


class RefreshTokens:
    """Makes refresh tokens, and recognises its own.

    Each carries its session's id and a tag made with the server's secret. So a token that
    is no longer the current one is known to have been used (RFC 9700 §4.14.2), without
    keeping any that were, and a made-up one cannot end a session.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def new(self, session: Id) -> str:
        """A fresh token for a session."""
        body = f"{session}.{new_secret()}"
        return f"{REFRESH}{body}.{self._tag(body)}"

    def read(self, token: str) -> RefreshToken | None:
        """What a token says, or None for one that is not ours."""
        if not token.startswith(REFRESH) or len(token) > 256 or not token.isascii():
            return None
        body, _, tag = token.removeprefix(REFRESH).rpartition(".")
        session = as_id(body.partition(".")[0])
        if session is None or not hmac.compare_digest(tag, self._tag(body)):
            return None
        return RefreshToken(session, digest(token))

    def _tag(self, body: str) -> str:
        return derived(self._secret, "refresh", body)[: _TAG_BYTES * 4 // 3]
