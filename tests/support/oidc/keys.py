"""The keys of `provider.py`, and how it signs: with nothing of what the planner checks with."""

import base64
import secrets

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8))


class Keys:
    """A key of each kind, under ids of their own."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        # Too short to be trusted (NIST SP 800-131A).
        self.short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.rsa_id, self.ec_id, self.short_id = (secrets.token_hex(4) for _ in range(3))

    def published(self) -> list[dict[str, str]]:
        public, point = self.rsa.public_key().public_numbers(), self.ec.public_key().public_numbers()
        return [
            {"kty": "RSA", "kid": self.rsa_id, "use": "sig", "n": number(public.n), "e": number(public.e)},
            {
                "kty": "EC",
                "kid": self.ec_id,
                "alg": "ES256",
                "crv": "P-256",
                "x": number(point.x, 32),
                "y": number(point.y, 32),
            },
        ]

    def published_short(self) -> dict[str, str]:
        public = self.short.public_key().public_numbers()
        return {"kty": "RSA", "kid": self.short_id, "use": "sig", "n": number(public.n), "e": number(public.e)}

    def pem(self) -> bytes:
        return self.rsa.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, algorithm: str, data: bytes) -> bytes:
        match algorithm:
            case "RS256":
                return self.rsa.sign(data, padding.PKCS1v15(), hashes.SHA256())
            case "short":
                return self.short.sign(data, padding.PKCS1v15(), hashes.SHA256())
            case "PS256":
                return self.rsa.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
            case "ES256":
                r, s = decode_dss_signature(self.ec.sign(data, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32) + s.to_bytes(32)
            case "HS256":
                # The confusion: the public key, which everybody knows, as a shared secret.
                mac = hmac.HMAC(self.pem(), hashes.SHA256())
                mac.update(data)
                return mac.finalize()
            case _:
                return b""
