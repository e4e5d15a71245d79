"""What is believed of a provider, and what is not, against a provider process."""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from auth import oidc_client as providers
from auth.oidc_client import OidcClient, ProviderClaims
from planner.clock import SystemClock
from planner.errors import ProviderFailed, SignInRefused
from planner.oidc_settings import OidcProviderSettings
from tests.support.oidc.browser import query_of
from tests.support.oidc.provider import CLIENT_SECRET, GRACE, RunningProvider, running_provider
from tests.support.waiting import DEADLINE_SECONDS

BACK = "http://planner.test/api/v1/auth/acme/callback"


@pytest.fixture(scope="module")
def process() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def acme(process: RunningProvider) -> Iterator[RunningProvider]:
    """The provider, without faults."""
    yield process
    process.control(faults=[], algorithm="RS256")


@pytest.fixture
def client(acme: RunningProvider) -> OidcClient:
    return OidcClient("acme", OidcProviderSettings.model_validate(acme.settings), SystemClock())


async def sign_in(client: OidcClient, user: str = "grace", **changed: Any) -> ProviderClaims:
    """Go there, let oneself be sent back, and have the code exchanged."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = await client.authorization_url(BACK, state, nonce, verifier)
    async with httpx.AsyncClient(verify=False) as browser:
        answer = await browser.get(f"{url}&login_hint={user}")
    assert answer.status_code == 302, answer.text
    back = query_of(answer.headers["location"])
    assert back["state"] == state
    given = {"code": back["code"], "redirect_uri": BACK, "nonce": nonce, "verifier": verifier} | changed
    return await client.fetch_claims(**given)


async def test_the_provider_is_asked_with_pkce_state_and_nonce(client: OidcClient, acme: RunningProvider) -> None:
    url = await client.authorization_url(BACK, "the state", "the nonce", "v" * 43)
    assert url.startswith(f"{acme.issuer}/authorize?")
    assert query_of(url) == {
        "response_type": "code",
        "client_id": "planner",
        "redirect_uri": BACK,
        "scope": "openid email profile",
        "state": "the state",
        "nonce": "the nonce",
        "code_challenge_method": "S256",
        # printf 'v%.0s' $(seq 43) | openssl dgst -sha256 -binary | basenc --base64url
        "code_challenge": "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM",
    }


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_somebody_signs_in_with_each_algorithm(client: OidcClient, acme: RunningProvider, algorithm: str) -> None:
    acme.control(algorithm=algorithm)
    assert await sign_in(client) == ProviderClaims(acme.issuer, GRACE["sub"], GRACE["email"], True, GRACE["name"])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("wrong_iss", "iss"),
        ("wrong_aud", "aud"),
        ("many_audiences", "azp"),
        ("wrong_azp", "azp"),
        ("wrong_nonce", "nonce"),
        ("no_nonce", "nonce"),
        ("expired", "exp"),
        ("no_exp", "exp"),
        ("from_the_future", "iat"),
        ("no_iat", "iat"),
        ("no_sub", "sub"),
        ("wrong_hash", "at_hash"),
        ("alg_none", "algorithm"),
        ("hs256", "algorithm"),
        ("foreign_key", "BadSignatureError"),
        ("bad_signature", "BadSignatureError"),
        ("unknown_kid", "unknown key"),
        ("short_key", "unknown key"),
        ("not_a_token", "DecodeError"),
        ("deep_json", "RecursionError"),
        ("no_id_token", "no ID token"),
        ("userinfo_of_another", "userinfo of another subject"),
        ("invalid_client", "invalid_client"),
    ],
)
async def test_a_response_that_fails_validation_is_refused_and_the_reason_is_logged(
    client: OidcClient, acme: RunningProvider, caplog: pytest.LogCaptureFixture, fault: str, said: str
) -> None:
    acme.control(faults=[fault])
    with pytest.raises(ProviderFailed), caplog.at_level(logging.WARNING):
        await sign_in(client)
    assert said in caplog.text
    assert CLIENT_SECRET not in caplog.text and "eyJ" not in caplog.text


@pytest.mark.parametrize("fault", ["huge", "compressed", "not_json", "failing"])
async def test_a_malformed_response_of_the_provider_is_a_failure_of_the_provider(
    client: OidcClient, acme: RunningProvider, fault: str
) -> None:
    await client.authorization_url(BACK, "state", "nonce", "v" * 43)
    acme.control(faults=[fault])
    with pytest.raises(ProviderFailed):
        await sign_in(client)
    acme.control(faults=[])
    assert (await sign_in(client)).subject == GRACE["sub"]


@pytest.mark.parametrize(
    "fault",
    ["other_issuer", "no_discovery", "insecure_endpoint", "only_hs256", "huge", "compressed", "not_json", "failing"],
)
async def test_an_invalid_discovery_document_is_refused_and_requested_again(
    client: OidcClient, acme: RunningProvider, fault: str
) -> None:
    acme.control(faults=[fault])
    with pytest.raises(ProviderFailed):
        await client.authorization_url(BACK, "state", "nonce", "v" * 43)
    acme.control(faults=[])
    assert await client.authorization_url(BACK, "state", "nonce", "v" * 43)


async def test_a_provider_that_sends_a_byte_at_a_time_is_given_up_after_the_time_limit(
    client: OidcClient, acme: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "TIMEOUT_SECONDS", 0.7)
    acme.control(faults=["slow"])
    # Whoever waited for all of it would wait for minutes.
    async with asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(ProviderFailed):
            await client.authorization_url(BACK, "state", "nonce", "v" * 43)


async def test_a_provider_that_is_not_there_has_failed(acme: RunningProvider) -> None:
    nobody = OidcProviderSettings.model_validate(acme.settings | {"issuer": "http://127.0.0.1:1"})
    with pytest.raises(ProviderFailed):
        await OidcClient("acme", nobody, SystemClock()).authorization_url(BACK, "state", "nonce", "v" * 43)


async def test_the_issuer_must_match_to_the_letter(acme: RunningProvider) -> None:
    other = OidcProviderSettings.model_validate(acme.settings | {"issuer": f"{acme.issuer}/"})
    with pytest.raises(ProviderFailed):
        await OidcClient("acme", other, SystemClock()).authorization_url(BACK, "state", "nonce", "v" * 43)


@pytest.mark.parametrize(
    "changed", [{"code": "made up"}, {"verifier": "w" * 43}, {"redirect_uri": "http://planner.test/elsewhere"}]
)
async def test_a_code_that_the_provider_does_not_accept_is_refused(client: OidcClient, changed: dict[str, str]) -> None:
    with pytest.raises(SignInRefused):
        await sign_in(client, **changed)


async def test_a_wrong_client_secret_is_a_failure_of_the_provider(acme: RunningProvider) -> None:
    wrong = OidcProviderSettings.model_validate(acme.settings | {"client_secret": "wrong"})
    with pytest.raises(ProviderFailed):
        await sign_in(OidcClient("acme", wrong, SystemClock()))


async def test_a_secret_is_sent_in_the_body_where_the_provider_wants_it_so(
    client: OidcClient, acme: RunningProvider
) -> None:
    acme.control(faults=["secret_in_body"])
    assert (await sign_in(client)).subject == GRACE["sub"]


async def test_an_address_that_is_only_in_userinfo_is_read_from_there(
    client: OidcClient, acme: RunningProvider
) -> None:
    acme.control(faults=["userinfo_only"])
    assert (await sign_in(client)).email == GRACE["email"]


async def test_claims_that_are_partly_in_userinfo_are_read_from_there(
    client: OidcClient, acme: RunningProvider
) -> None:
    acme.control(faults=["verified_in_userinfo"])
    assert await sign_in(client) == ProviderClaims(acme.issuer, GRACE["sub"], GRACE["email"], True, GRACE["name"])


@pytest.mark.parametrize(
    ("claims", "userinfo", "email", "verified"),
    [
        ({"email": "a@x.example"}, {"email": "a@x.example", "email_verified": True}, "a@x.example", True),
        ({"email": "a@x.example"}, {"email_verified": True}, "a@x.example", True),
        ({"email": "a@x.example"}, {"email": "b@x.example", "email_verified": True}, "a@x.example", None),
        ({"email": "a@x.example", "email_verified": False}, {"email_verified": True}, "a@x.example", False),
        ({"email_verified": True}, {"email": "b@x.example"}, "b@x.example", None),
        ({}, {"email": "b@x.example", "email_verified": "true"}, "b@x.example", "true"),
        ({}, {}, None, None),
    ],
)
def test_what_was_said_of_one_address_is_not_believed_of_another(
    claims: dict[str, Any], userinfo: dict[str, Any], email: str | None, verified: object
) -> None:
    merged = providers.add_userinfo(claims, userinfo)
    assert (merged.get("email"), merged.get("email_verified")) == (email, verified)


@pytest.mark.parametrize("said", [True, "true", "True", "TRUE"])
async def test_an_address_counts_as_verified_with_true_also_as_a_string(
    client: OidcClient, acme: RunningProvider, said: object
) -> None:
    acme.knows("apple", email="grace@example.com", email_verified=said)
    assert (await sign_in(client, "apple")).email_verified is True


@pytest.mark.parametrize("said", [False, "false", "yes", "1", "", 1, None, ["true"], {}])
async def test_an_address_counts_as_verified_with_nothing_else(
    client: OidcClient, acme: RunningProvider, said: object
) -> None:
    acme.knows("mallory", email="grace@example.com", email_verified=said)
    assert (await sign_in(client, "mallory")).email_verified is False


async def test_a_provider_that_returns_by_form_only_is_asked_to(client: OidcClient, acme: RunningProvider) -> None:
    acme.control(faults=["only_form_post"])
    assert query_of(await client.authorization_url(BACK, "state", "nonce", "v" * 43))["response_mode"] == "form_post"


@pytest.mark.parametrize(("mode", "asked"), [("form_post", "form_post"), ("query", None), (None, None)])
async def test_the_operator_chooses_how_the_browser_comes_back(
    acme: RunningProvider, mode: str | None, asked: str | None
) -> None:
    settings = OidcProviderSettings.model_validate(acme.settings | {"response_mode": mode})
    url = await OidcClient("acme", settings, SystemClock()).authorization_url(BACK, "state", "nonce", "v" * 43)
    assert query_of(url).get("response_mode") == asked


@pytest.mark.parametrize("subject", [7, "", "ü", "x" * 256, None, ["grace-1"]])
async def test_a_malformed_subject_is_refused(client: OidcClient, acme: RunningProvider, subject: object) -> None:
    acme.control(users={"odd": GRACE | {"sub": subject}})
    with pytest.raises(ProviderFailed):
        await sign_in(client, "odd")


async def test_keys_are_fetched_again_for_an_unknown_key_id_but_not_more_often_than_allowed(
    client: OidcClient, acme: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "MIN_REFETCH_SECONDS", 0.0)
    await sign_in(client)
    before = acme.asked("/jwks")
    await sign_in(client)
    assert acme.asked("/jwks") == before, "keys that are known are not asked for again"
    acme.control(rotate=True)
    await sign_in(client)
    assert acme.asked("/jwks") == before + 1
    monkeypatch.setattr(providers, "MIN_REFETCH_SECONDS", 60.0)
    acme.control(faults=["unknown_kid"])
    for _ in range(5):
        with pytest.raises(ProviderFailed):
            await sign_in(client)
    assert acme.asked("/jwks") == before + 1


async def test_a_token_without_a_key_id_is_checked_with_the_only_key(client: OidcClient, acme: RunningProvider) -> None:
    acme.control(faults=["no_kid"])
    assert (await sign_in(client)).subject == GRACE["sub"]


async def test_sign_ins_at_once_share_one_request_for_the_discovery_document(acme: RunningProvider) -> None:
    client = OidcClient("acme", OidcProviderSettings.model_validate(acme.settings), SystemClock())
    path = "/.well-known/openid-configuration"
    before, keys = acme.asked(path), acme.asked("/jwks")
    await asyncio.gather(*(sign_in(client) for _ in range(20)))
    assert (acme.asked(path), acme.asked("/jwks")) == (before + 1, keys + 1)


async def test_an_answer_of_another_provider_is_refused(client: OidcClient, acme: RunningProvider) -> None:
    await client.check_issuer(None)
    await client.check_issuer(acme.issuer)
    with pytest.raises(SignInRefused):
        await client.check_issuer("https://other.example.com")


async def test_a_provider_that_promises_the_iss_parameter_must_send_it(acme: RunningProvider) -> None:
    acme.control(faults=["iss_parameter"])
    client = OidcClient("acme", OidcProviderSettings.model_validate(acme.settings), SystemClock())
    await client.check_issuer(acme.issuer)
    with pytest.raises(SignInRefused):
        await client.check_issuer(None)
