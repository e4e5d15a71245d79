"""Opaque tokens: random strings, of which only the hash is stored.

A fast hash is enough, because 256 random bits cannot be guessed.
"""

import hashlib
import hmac

from auth.secret_keys import SecretKeys, derive, encode_base64url
from database.queries import Id, parse_id
from planner.randomness import RandomBytes

BITS = 256
# The prefixes let scanners recognise a token that was published by accident.
PERSONAL = "planner_pat_"
REFRESH = "planner_rt_"
FEED = "planner_feed_"
_TAG_BYTES = 16


def digest(token: str) -> str:
    """Return the hash of a token, which is what is stored of it."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


class OpaqueTokens:
    """Issues opaque tokens, and recognises its own refresh tokens.

    Each refresh token carries the id of its session and a tag that is made with the server's secret.
    So a token that is not the current one of its session is known to have been used (RFC 9700 §4.14.2), although
    used tokens are not stored, and a forged token cannot end a session.
    """

    def __init__(self, secrets: SecretKeys, random_bytes: RandomBytes) -> None:
        self.secrets = secrets
        self._random_bytes = random_bytes

    def new_secret(self) -> str:
        """Return 256 random bits as 43 characters of base64url."""
        return encode_base64url(self._random_bytes(BITS // 8))

    def personal_token(self, material: str | None = None) -> str:
        """Return a personal access token: random, or made of `material`."""
        return PERSONAL + (material or self.new_secret())

    def feed_token(self, material: str | None = None) -> str:
        """Return the token of a feed's address: random, or made of `material`."""
        return FEED + (material or self.new_secret())

    def refresh_token(self, session: Id) -> str:
        """Return the first refresh token of a session."""
        return _join_refresh_token(self.secrets.current, session, self.new_secret())

    def successors_of(self, refresh_token: str, session: Id) -> list[str]:
        """Return the refresh tokens that may replace this one of a session: always the same, although none is stored.

        There is one for each secret that is accepted; the first one is that of the current secret.
        """
        return [
            _join_refresh_token(secret, session, derive(secret, "successor", refresh_token))
            for secret in self.secrets.accepted
        ]

    def session_of(self, token: str) -> Id | None:
        """Return the id of the session for which a refresh token was issued, or None for one that is not ours."""
        if not token.startswith(REFRESH) or len(token) > 256 or not token.isascii():
            return None
        body, _, tag = token.removeprefix(REFRESH).rpartition(".")
        session = parse_id(body.partition(".")[0])
        is_ours = any(hmac.compare_digest(tag, _tag(secret, body)) for secret in self.secrets.accepted)
        return session if is_ours else None


def _join_refresh_token(server_secret: str, session: Id, secret: str) -> str:
    body = f"{session}.{secret}"
    return f"{REFRESH}{body}.{_tag(server_secret, body)}"


def _tag(server_secret: str, body: str) -> str:
    return derive(server_secret, "refresh", body)[: _TAG_BYTES * 4 // 3]
