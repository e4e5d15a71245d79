"""Proof Key for Code Exchange (RFC 7636): only the client that requested an authorization code can redeem it."""

import base64
import hashlib
import hmac
import re

# The form of both a code verifier and a code challenge (RFC 7636 §4.1, §4.2).
CODE_PATTERN = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


def compute_challenge(verifier: str) -> str:
    """Return the S256 code challenge of a code verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def verify_challenge(verifier: str, challenge: str) -> bool:
    """Return whether the challenge is the one of this verifier (RFC 7636 §4.6)."""
    return bool(CODE_PATTERN.fullmatch(verifier)) and hmac.compare_digest(compute_challenge(verifier), challenge)
