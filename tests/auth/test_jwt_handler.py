"""Access tokens: ours are valid until they expire, and everything else is refused with one and the same error."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import jose.jwt
import pytest

from auth import jwt_handler
from auth.jwt_handler import TokenSigner
from auth.secret_keys import SecretKeys
from planner.clock import Clock
from planner.errors import InvalidToken
from planner.randomness import system_random_bytes
from tests.support.clocks import MovableClock

SECRET, ISSUER, AUDIENCE, NOW = "a key of this test alone: 5d2c0a77", "http://planner.test", "planner", 1_800_000_000
SUBJECT, SESSION = "692000000000000000000001", "692000000000000000000002"
HEADER: dict[str, Any] = {"alg": "HS256", "typ": "at+jwt"}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": SUBJECT,
    "iat": NOW,
    "exp": NOW + 900,
    "jti": "one",
    "sid": SESSION,
}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime.fromtimestamp(NOW, UTC))


@pytest.fixture
def signer(clock: MovableClock) -> TokenSigner:
    return signer_of(clock)


def signer_of(clock: Clock, secret: str = SECRET, issuer: str = ISSUER, audience: str = AUDIENCE) -> TokenSigner:
    return TokenSigner(SecretKeys(secret), issuer, audience, 15, clock, system_random_bytes)


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def jwt(header: Any = HEADER, claims: Any = CLAIMS, *, secret: str = SECRET, hash: Any = hashlib.sha256) -> str:
    """A token signed right, whatever it says; bytes are taken for JSON as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signed = ".".join(encoded(part) for part in parts)
    return f"{signed}.{encoded(hmac.digest(secret.encode(), signed.encode(), hash))}"


def refused(signer: TokenSigner, token: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        signer.verify(token)
    assert type(caught.value) is InvalidToken
    assert len(token) < 3 or token[:40] not in caught.value.detail
    assert caught.value.__cause__ is None


def test_a_signed_token_is_verified_to_its_claims(signer: TokenSigner) -> None:
    claims = signer.verify(signer.sign(SUBJECT, SESSION))
    assert (claims.subject, claims.session, claims.expires) == (SUBJECT, SESSION, NOW + 900)
    assert claims.token_id


def test_a_token_has_the_header_and_claims_of_rfc_9068(signer: TokenSigner) -> None:
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + "==")) for part in signer.sign(SUBJECT, SESSION).split(".")[:2]
    )
    assert header == HEADER
    assert set(claims) >= set(CLAIMS)
    assert claims["exp"] - claims["iat"] == signer.lifetime == 900


def test_each_token_has_its_own_id(signer: TokenSigner) -> None:
    one, other = (signer.verify(signer.sign(SUBJECT, SESSION)) for _ in range(2))
    assert one.token_id != other.token_id


def test_a_token_that_these_tests_sign_like_ours_is_valid(signer: TokenSigner) -> None:
    # Without this, each refusal below might have quite another reason.
    assert signer.verify(jwt()).subject == SUBJECT


def test_a_token_expires_at_the_second_it_names(signer: TokenSigner, clock: MovableClock) -> None:
    token = signer.sign(SUBJECT, SESSION)
    clock.move_to(NOW + 899.9)
    signer.verify(token)
    clock.move_to(NOW + 900)
    refused(signer, token)
    refused(signer_of(clock), token)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "at+jwt"},
        {"alg": "None", "typ": "at+jwt"},
        {"alg": "HS384", "typ": "at+jwt"},
        {"alg": "RS256", "typ": "at+jwt"},
        {"alg": "hs256", "typ": "at+jwt"},
        {"alg": ["HS256"], "typ": "at+jwt"},
        {"alg": None, "typ": "at+jwt"},
        {"alg": {}, "typ": "at+jwt"},
        {"alg": "HS256"},
        {"typ": "at+jwt"},
        {"alg": "HS256", "typ": "JWT"},
        {"alg": "HS256", "typ": "application/at+jwt; x"},
        {"alg": "HS256", "typ": ["at+jwt"]},
        HEADER | {"crit": ["exp"], "exp": 1},
        HEADER | {"crit": []},
        HEADER | {"kid": "../../dev/null"},
        HEADER | {"jwk": {"kty": "oct", "k": "AA"}},
        HEADER | {"jku": "https://example.com/keys"},
        HEADER | {"zip": "DEF"},
        {},
        [],
        None,
        "HS256",
        b"",
        b"{",
        b"\xff",
        b'{"alg":"HS256","alg":"none","typ":"at+jwt"}',
    ],
)
def test_a_header_that_is_not_ours_is_refused_even_under_a_right_signature(signer: TokenSigner, header: Any) -> None:
    refused(signer, jwt(header))


def test_a_token_signed_with_another_hash_of_the_same_family_is_refused(signer: TokenSigner) -> None:
    refused(signer, jwt({"alg": "HS512", "typ": "at+jwt"}, hash=hashlib.sha512))
    refused(signer, jwt(hash=hashlib.sha512))


def test_a_token_without_a_signature_is_refused(signer: TokenSigner) -> None:
    head, body, _ = jwt().split(".")
    unsigned = encoded(b'{"alg":"none","typ":"at+jwt"}')
    for token in (f"{head}.{body}.", f"{head}.{body}", f"{unsigned}.{body}.", f"{unsigned}.{body}"):
        refused(signer, token)


def test_an_hmac_with_a_public_key_is_refused(clock: MovableClock) -> None:
    # The confusion of RS256 with HS256 needs a key that everybody knows: such a key is no secret of ours.
    public = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL\n-----END PUBLIC KEY-----\n"
    signer = signer_of(clock)
    for header in (HEADER, {"alg": "RS256", "typ": "at+jwt"}):
        refused(signer, jwt(header, secret=public))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "iat", "exp", "jti", "sid"])
def test_a_token_that_lacks_a_claim_is_refused(signer: TokenSigner, name: str) -> None:
    refused(signer, jwt(claims={key: value for key, value in CLAIMS.items() if key != name}))
    refused(signer, jwt(claims=CLAIMS | {name: None}))


WRONG: list[tuple[str, Any]] = [
    ("iss", "http://elsewhere.test"),
    ("iss", ISSUER + "/"),
    ("iss", [ISSUER]),
    ("aud", "elsewhere"),
    ("aud", ["elsewhere"]),
    ("aud", [AUDIENCE]),
    ("aud", [AUDIENCE, "elsewhere"]),
    ("aud", {AUDIENCE: 1}),
    ("sub", 7),
    ("sub", [SUBJECT]),
    ("jti", 7),
    ("jti", {}),
    ("sid", 7),
    ("sid", []),
    ("exp", NOW - 1),
    ("exp", NOW),
    ("exp", -1),
    ("exp", True),
    ("exp", NOW + 900.5),
    ("exp", str(NOW + 900)),
    ("exp", [NOW + 900]),
    ("exp", float("nan")),
    ("exp", float("inf")),
    ("iat", NOW + 3600),
    ("iat", True),
    ("iat", NOW - 0.5),
    ("iat", str(NOW)),
    ("iat", float("-inf")),
    ("nbf", NOW + 3600),
    ("nbf", "soon"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_claim_that_is_not_as_we_write_it_is_refused(signer: TokenSigner, name: str, value: Any) -> None:
    refused(signer, jwt(claims=CLAIMS | {name: value}))


@pytest.mark.parametrize("exponent", [20, 308, 400, 4000])
def test_a_token_with_a_huge_lifetime_is_refused(signer: TokenSigner, exponent: int) -> None:
    refused(signer, jwt(claims=json.dumps(CLAIMS).replace(str(NOW + 900), f"1e{exponent}").encode()))
    refused(signer, jwt(claims=json.dumps(CLAIMS).replace(str(NOW + 900), "9" * exponent).encode()))


@pytest.mark.parametrize("claims", [b"", b"{", b"null", b"[]", b'"text"', b"7", b"\xff\xfe", b"[" * 2500])
def test_claims_that_are_no_json_object_are_refused(signer: TokenSigner, claims: bytes) -> None:
    refused(signer, jwt(claims=claims))


def test_a_header_or_claims_nested_3000_deep_are_refused(signer: TokenSigner) -> None:
    deep = b'{"a":' * 3000 + b"1" + b"}" * 3000
    refused(signer, jwt(header=deep))
    refused(signer, jwt(claims=deep))
    refused(signer, jwt(header=b"[" * 3000))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a" * 100_000,
        "." * 100_000,
        "é.é.é",
        "\u2603" * 3,
        "\ud800",
        "\x00.\x00.\x00",
        " ",
        "null",
        jwt() + "\n",
        jwt() + "!",
        " " + jwt(),
        jwt() + "=",
        jwt() + ".x",
        jwt().replace(".", ","),
    ],
)
def test_a_malformed_token_is_refused(signer: TokenSigner, token: str) -> None:
    refused(signer, token)


def test_a_token_of_100_kilobytes_is_refused_even_under_a_right_signature(signer: TokenSigner) -> None:
    refused(signer, jwt(claims=CLAIMS | {"padding": "x" * 100_000}))


def test_a_token_changed_in_any_one_character_is_refused(signer: TokenSigner) -> None:
    token = jwt()
    for position, character in enumerate(token):
        for other in ("A" if character != "A" else "B", "!", "\n", ""):
            refused(signer, token[:position] + other + token[position + 1 :])


def test_a_token_of_another_planner_is_refused(signer: TokenSigner, clock: MovableClock) -> None:
    refused(signer, jwt(secret="another key, just as long as the first"))
    for issuer, audience in (("http://elsewhere.test", AUDIENCE), (ISSUER, "elsewhere")):
        refused(signer, signer_of(clock, SECRET, issuer, audience).sign(SUBJECT, SESSION))


def test_a_refused_token_is_refused_again(signer: TokenSigner) -> None:
    forged = jwt(secret="another key, just as long as the first")
    refused(signer, forged)
    refused(signer, forged)


def test_only_so_many_verified_tokens_are_cached(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwt_handler, "MAX_CACHED", 2)
    signer = signer_of(clock)
    decoded: list[str] = []
    decode = jose.jwt.decode

    def counted(token: str, *arguments: Any, **options: Any) -> Any:
        decoded.append(token)
        return decode(token, *arguments, **options)

    monkeypatch.setattr(jose.jwt, "decode", counted)
    first, *others = (jwt(claims=CLAIMS | {"jti": str(number)}) for number in range(3))
    for token in (first, first, *others, first):
        signer.verify(token)
    assert decoded == [first, *others, first]
