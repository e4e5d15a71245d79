"""The whole way to a provider and back, between a planner process and a provider process."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import SECRET, url_of
from tests.support.clients import Planner, bearer, ok, sign_in, sign_up
from tests.support.oidc.browser import Browser, SignInPage, query_of
from tests.support.oidc.provider import RunningProvider, running_provider
from tests.support.servers import RunningServer, running
from tests.support.sessions import get_me, refresh
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.real_server("the planner is a process of its own")
PAGE = "https://app.example.com/signed-in?from=planner"


@pytest.fixture(scope="module")
def process() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def server(
    process: RunningProvider, mongo_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    with running(
        tmp_path_factory.mktemp("planner") / "data",
        DATABASE_URL=url_of(mongo_url, f"test_{uuid4().hex[:12]}"),
        SECRET_KEY=SECRET,
        CORS_ORIGINS="https://app.example.com",
        **process.environment("acme"),
    ) as server:
        yield server


@pytest.fixture
async def api(server: RunningServer) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=server.url, timeout=20, verify=False) as client:
        yield client


@pytest.fixture
def acme(process: RunningProvider) -> Iterator[RunningProvider]:
    """The provider, without faults."""
    yield process
    process.control(faults=[])


@pytest.fixture
def mary(acme: RunningProvider) -> str:
    """Somebody new whom the provider knows."""
    name = f"mary{uuid4().hex[:8]}"
    return acme.knows(name, email=f"{name}@example.com", email_verified=True, name="Mary Jackson")


@pytest.fixture
def page() -> SignInPage:
    return SignInPage(PAGE)


async def account(api: Planner, tokens: dict[str, Any]) -> Any:
    return ok(await get_me(api, tokens["access_token"]))


async def test_without_a_page_the_callback_returns_the_account_and_its_tokens(api: Planner, mary: str) -> None:
    answer = await Browser(api).go_through_sign_in(mary)
    body = ok(answer)
    assert (body["user"]["email"], body["user"]["full_name"]) == (f"{mary}@example.com", "Mary Jackson")
    assert body["user"]["email_verified"] is True
    assert await account(api, body) == body["user"] | {"events": []}
    assert answer.headers["cache-control"] == "no-store"
    fresh = ok(await refresh(api, body["refresh_token"]))
    assert (await account(api, fresh))["id"] == body["user"]["id"]
    again = ok(await Browser(api).go_through_sign_in(mary))
    assert again["user"]["id"] == body["user"]["id"]


async def test_a_page_gets_a_code_and_its_state_and_redeems_it(api: Planner, mary: str, page: SignInPage) -> None:
    back = await Browser(api).go_through_sign_in(mary, **page.query)
    assert back.status_code == 302
    assert back.headers["location"].startswith(f"{PAGE}&code=")
    assert (back.headers["cache-control"], back.headers["referrer-policy"]) == ("no-store", "no-referrer")
    told = query_of(back.headers["location"])
    assert (set(told), told["state"]) == ({"from", "code", "state"}, page.state)
    assert len(told["code"]) == 43
    answer = await page.redeem(api, told["code"])
    tokens = ok(answer)
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert answer.headers["cache-control"] == "no-store"
    assert (await account(api, tokens))["email"] == f"{mary}@example.com"


async def test_the_session_shows_the_device_that_signed_in(api: Planner, mary: str) -> None:
    signed_in = ok(await Browser(api).go_through_sign_in(mary))
    headers = bearer(signed_in["access_token"])
    (session,) = ok(await api.get("/auth/sessions", headers=headers))["items"]
    assert session["device"].startswith("python-httpx")
    assert session["current"] is True


async def test_the_sign_in_cookie_is_http_only_and_deleted_by_the_callback(api: Planner, mary: str) -> None:
    browser = Browser(api)
    sent = await browser.start_sign_in()
    cookie = sent.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert sent.headers["cache-control"] == "no-store"
    secret = cookie.partition("=")[2].partition(";")[0]
    assert len(secret) == 43 and secret not in sent.headers["location"]
    back = await browser.finish_sign_in(await browser.consent(sent, mary))
    assert "Max-Age=0" in back.headers["set-cookie"]


async def test_several_sign_ins_at_once_in_one_browser_all_succeed(api: Planner, mary: str) -> None:
    browser = Browser(api)
    sent = [await browser.start_sign_in() for _ in range(3)]
    for one in reversed(sent):
        ok(await browser.finish_sign_in(await browser.consent(one, mary)))


async def test_another_browser_cannot_finish_the_sign_in_of_this_one(api: Planner, mary: str) -> None:
    mine, other = Browser(api), Browser(api)
    back = await mine.consent(await mine.start_sign_in(), mary)
    refused = await other.finish_sign_in(back)
    assert refused.status_code == 401
    assert refused.json()["type"] == "/problems/sign-in-refused"
    await other.start_sign_in()
    assert (await other.finish_sign_in(back)).status_code == 401
    other.cookies = dict.fromkeys(mine.cookies, "x" * 43)
    assert (await other.finish_sign_in(back)).status_code == 401
    ok(await mine.finish_sign_in(back))


@pytest.mark.parametrize("state", [None, "", "x" * 43])
async def test_a_state_that_is_not_ours_is_refused(api: Planner, mary: str, state: str | None) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    assert (await browser.finish_sign_in(back, state=state)).status_code == 401


async def test_a_state_can_be_used_once(api: Planner, mary: str) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    ok(await browser.finish_sign_in(back))
    assert (await browser.finish_sign_in(back)).status_code == 401


async def post_form(api: Planner, browser: Browser, address: str, cookies: bool = True, **more: str) -> httpx.Response:
    """Send the parameters of an address as a form, as a provider's page makes the browser do."""
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())} if cookies else {}
    api.cookies.clear()
    return await api.post(address.partition("?")[0], data=query_of(address) | more, headers=headers)


async def test_a_provider_may_send_the_browser_back_with_a_form(api: Planner, mary: str, page: SignInPage) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    body = ok(await post_form(api, browser, back, user='{"name": "Mary"}'))
    assert body["user"]["email"] == f"{mary}@example.com"
    ok(await post_form(api, browser, back), 401)
    back = await browser.consent(await browser.start_sign_in(**page.query), mary)
    sent = await post_form(api, browser, back)
    assert sent.status_code == 302
    ok(await page.redeem(api, query_of(sent.headers["location"])["code"]))


async def test_a_form_in_another_browser_signs_nobody_in(api: Planner, mary: str) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    ok(await post_form(api, browser, back, cookies=False), 401)
    ok(await post_form(api, browser, back))


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"state=a&state=b", 400), (b"state=%FF", 400), (b"code=x", 400), (b"state=" + b"x" * 201, 422)],
)
async def test_a_malformed_form_is_refused(api: Planner, content: bytes, status: int) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await api.post("/auth/acme/callback", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    ok(await api.post("/auth/nobody/callback", content=b"state=x", headers=headers), 404)
    ok(await api.post("/auth/acme/callback", json={"state": "x"}), 400)


async def test_of_20_uses_of_one_state_one_succeeds(api: Planner, mary: str) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    answers = await asyncio.gather(*(browser.finish_sign_in(back) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_20_first_sign_ins_of_one_identity_make_one_account(api: Planner, mary: str) -> None:
    answers = await asyncio.gather(*(Browser(api).go_through_sign_in(mary) for _ in range(20)))
    assert len({ok(answer)["user"]["id"] for answer in answers}) == 1


async def test_of_20_redemptions_of_one_code_one_succeeds(api: Planner, mary: str, page: SignInPage) -> None:
    back = await Browser(api).go_through_sign_in(mary, **page.query)
    code = query_of(back.headers["location"])["code"]
    answers = await asyncio.gather(*(page.redeem(api, code) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


@pytest.mark.parametrize("missing", ["code", "code_verifier", "redirect_uri"])
async def test_a_code_is_not_redeemed_when_a_parameter_is_missing(api: Planner, page: SignInPage, missing: str) -> None:
    answer = await page.redeem(api, "x" * 43, **{missing: ""})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


BAD_TOKENS = [
    "wrong_iss",
    "wrong_aud",
    "wrong_azp",
    "wrong_nonce",
    "no_nonce",
    "expired",
    "from_the_future",
    "alg_none",
    "hs256",
    "foreign_key",
    "bad_signature",
    "unknown_kid",
    "no_id_token",
    "failing",
    "huge",
    "compressed",
    "not_json",
    "userinfo_of_another",
]


@pytest.mark.parametrize("fault", BAD_TOKENS)
async def test_a_response_of_the_provider_that_fails_validation_signs_nobody_in(
    api: Planner, acme: RunningProvider, mary: str, page: SignInPage, fault: str
) -> None:
    ok(await Browser(api).go_through_sign_in(mary))
    acme.control(faults=[fault])
    failed = await Browser(api).go_through_sign_in(mary)
    assert failed.status_code == 502
    assert failed.headers["content-type"] == "application/problem+json"
    assert failed.json()["type"] == "/problems/provider-failed"
    told = query_of((await Browser(api).go_through_sign_in(mary, **page.query)).headers["location"])
    assert (told["error"], told["state"]) == ("server_error", page.state)
    assert "code" not in told


REFUSALS = [
    ("deny", 401, "access_denied"),
    ("unavailable", 502, "server_error"),
    ("wrong_iss_parameter", 401, "access_denied"),
]


@pytest.mark.parametrize(("fault", "status", "error"), REFUSALS)
async def test_a_refusal_is_passed_to_the_page_or_returned_as_a_problem(
    api: Planner, acme: RunningProvider, mary: str, page: SignInPage, fault: str, status: int, error: str
) -> None:
    acme.control(faults=[fault])
    assert (await Browser(api).go_through_sign_in(mary)).status_code == status
    back = await Browser(api).go_through_sign_in(mary, **page.query)
    told = query_of(back.headers["location"])
    assert back.headers["location"].startswith(f"{PAGE}&error=")
    assert (told["error"], told["state"]) == (error, page.state)
    # RFC 6749 §4.1.2.1.
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", told["error_description"])


async def test_after_an_error_the_state_cannot_be_used_again(api: Planner, mary: str) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    for error in ("access_denied", None):
        assert (await browser.finish_sign_in(back, error=error)).status_code == 401


async def test_an_address_that_the_provider_has_not_verified_signs_nobody_in(
    api: Planner, acme: RunningProvider, page: SignInPage
) -> None:
    victim = await sign_up(api, f"victim{uuid4().hex[:8]}@example.com")
    for verified in (False, None, 1, "yes", "false"):
        name = acme.knows(f"mallory{uuid4().hex[:8]}", email=victim.email.upper(), email_verified=verified)
        refused = await Browser(api).go_through_sign_in(name)
        assert refused.status_code == 409
        assert "password" in refused.json()["detail"]
        told = query_of((await Browser(api).go_through_sign_in(name, **page.query)).headers["location"])
        assert told["error"] == "access_denied" and "password" in told["error_description"]
        assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", told["error_description"])


@pytest.mark.parametrize("fault", ["userinfo_only", "verified_in_userinfo"])
async def test_people_can_sign_in_whose_claims_come_from_userinfo(
    api: Planner, acme: RunningProvider, mary: str, fault: str
) -> None:
    acme.control(faults=[fault])
    user = (await Browser(api).sign_in(mary))["user"]
    assert (user["email"], user["email_verified"], user["full_name"]) == (f"{mary}@example.com", True, "Mary Jackson")


async def test_a_provider_that_says_with_a_string_that_an_address_is_verified_is_understood(
    api: Planner, acme: RunningProvider
) -> None:
    name = acme.knows(f"tim{uuid4().hex[:8]}", email=f"tim{uuid4().hex[:8]}@example.com", email_verified="true")
    assert (await Browser(api).sign_in(name))["user"]["email_verified"] is True


async def test_a_provider_that_is_slow_holds_up_nobody_for_long(api: Planner, acme: RunningProvider, mary: str) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    acme.control(faults=["slow"])
    waiting = asyncio.create_task(browser.finish_sign_in(back))
    ok(await api.get("/auth/providers"))
    assert (await waiting).status_code == 502


async def test_the_owner_of_an_address_gets_the_account_that_a_squatter_made_and_the_squatter_is_out(
    api: Planner, mary: str
) -> None:
    squatter = await sign_up(api, f"{mary}@example.com")
    token = ok(await squatter.post("/auth/tokens", json={"name": "script", "scopes": ["account:read"]}), 201)["token"]
    owner = ok(await Browser(api).go_through_sign_in(mary))
    assert (owner["user"]["id"], owner["user"]["email_verified"]) == (squatter.id, True)
    for stolen in (squatter.token, token):
        ok(await get_me(api, stolen), 401)
    ok(await sign_in(api, squatter.email), 401)
    ok(await get_me(api, owner["access_token"]))


async def test_a_provider_that_gives_no_address_creates_no_account(api: Planner, acme: RunningProvider) -> None:
    name = acme.knows(f"nobody{uuid4().hex[:8]}", name="Nobody")
    refused = await Browser(api).go_through_sign_in(name)
    assert refused.status_code == 401
    assert "e-mail address" in refused.json()["detail"]


async def test_people_can_sign_in_after_the_provider_rotated_its_keys(
    api: Planner, acme: RunningProvider, mary: str
) -> None:
    ok(await Browser(api).go_through_sign_in(mary))
    acme.control(rotate=True)

    async def can_sign_in() -> bool:
        return (await Browser(api).go_through_sign_in(mary)).status_code == 200

    # Keys that were fetched within the last second are not fetched again.
    await wait_until_async(can_sign_in)


async def test_an_unknown_provider_is_not_found(api: Planner) -> None:
    for path in ("/auth/nobody/signin", "/auth/nobody/callback", "/auth/ACME/signin"):
        assert (await api.get(path)).status_code == 404


async def test_plain_challenges_and_pages_of_unknown_origins_are_refused(api: Planner, page: SignInPage) -> None:
    for changed in ({"code_challenge_method": "plain"}, {"redirect_uri": "https://evil.example.com/"}):
        refused = await api.get("/auth/acme/signin", params=page.query | changed)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(changed))}"


async def test_no_secret_of_a_sign_in_is_logged(
    api: Planner, server: RunningServer, acme: RunningProvider, mary: str
) -> None:
    acme.control(faults=["wrong_nonce"])
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), mary)
    await browser.finish_sign_in(back)
    assert "a wrong claim: nonce" in server.output
    for secret in (*query_of(back).values(), *browser.cookies.values(), acme.settings["client_secret"], mary):
        if len(secret) > 10:
            assert secret not in server.output
