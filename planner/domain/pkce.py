"""Proof Key for Code Exchange (RFC 7636): who redeems a code is who asked for it."""

import base64
import hashlib
import hmac
import re

# The shape of verifiers and challenges alike (RFC 7636 §4.1, §4.2).
SHAPE = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


def challenge_of(verifier: str) -> str:
    """The S256 challenge that belongs to a verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def proves(verifier: str, challenge: str) -> bool:
    """Whether the verifier is the one that the challenge was made from (RFC 7636 §4.6)."""
    return bool(SHAPE.fullmatch(verifier)) and hmac.compare_digest(challenge_of(verifier), challenge)
