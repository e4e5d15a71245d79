"""The secrets of the server: the one that everything new is made with, and the one before it."""

import base64
import hashlib
import hmac
from typing import NamedTuple


class SecretKeys(NamedTuple):
    """The secret of the server, and the previous one while it is replaced.

    What the previous one has made is accepted, and nothing new is made with it.
    """

    current: str
    previous: str | None = None

    @property
    def accepted(self) -> tuple[str, ...]:
        """The secrets with which what is sent may be made, the current one first."""
        return (self.current,) if self.previous is None else (self.current, self.previous)


def derive(secret: str, purpose: str, message: str) -> str:
    """Return 256 bits as base64url that are derived from the message and a secret of the server."""
    mac = hmac.digest(secret.encode(), f"{purpose}\0{message}".encode(), hashlib.sha256)
    return encode_base64url(mac)


def is_derived(sent: str, secrets: SecretKeys, purpose: str, message: str) -> bool:
    """Return whether what was sent is derived from the message and a secret that is accepted."""
    return any(hmac.compare_digest(sent.encode(), derive(one, purpose, message).encode()) for one in secrets.accepted)


def encode_base64url(data: bytes) -> str:
    """Return the bytes as base64url, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
