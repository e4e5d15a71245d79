"""Whose account somebody gets who signs in with a provider, and what a code of ours is worth."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from auth.oidc_client import ProviderClaims
from database.commit import commit_atomically
from database.connection import bound_database
from models.accounts.oidc_login import CODE_LIFETIME, LOGIN_LIFETIME
from models.accounts.user import ProviderIdentity, User
from planner.errors import Conflict, GrantRefused, SignInRefused
from planner.services.accounts.oidc_attempts import START_ADDRESS
from planner.services.accounts.oidc_linking import OidcLinking
from planner.services.shared.client_info import ClientInfo
from planner.settings import Settings
from tests.support.clients import Person, Planner, ok, sign_in
from tests.support.clocks import clock_of
from tests.support.oidc.browser import Browser, SignInPage, query_of
from tests.support.oidc.provider import RunningProvider, running_provider
from tests.support.oidc.settings import known_providers
from tests.support.services import services_of
from tests.support.sessions import get_me

ISSUER = "https://accounts.example.com"
IDENTITY = ProviderIdentity(issuer=ISSUER, subject="1")
VISIT = ClientInfo("203.0.113.7", "a test")
PAGE = "http://planner.test/signed-in"


def somebody(subject: str = "1", **changed: Any) -> ProviderClaims:
    who = ProviderClaims(ISSUER, subject, "ada@example.com", True, "Ada Lovelace")
    return who._replace(**changed)


@pytest.fixture(scope="module")
def process() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def settings(settings: Settings, process: RunningProvider) -> Settings:
    """The settings, with a provider and a page on an origin of its own."""
    return settings.model_copy(
        update={
            "oidc": known_providers(process),
            "cors_origins": "https://app.example.com",
            "app_schemes": "com.example.planner",
        }
    )


@pytest.fixture
def linking(app: FastAPI) -> OidcLinking:
    return services_of(app).oidc_linking


async def account(linking: OidcLinking, who: ProviderClaims) -> User:
    return await linking.find_or_create_account(who, "acme", VISIT)


async def change(person: Person, **fields: Any) -> None:
    await bound_database().handle["users"].update_one({"email_key": person.email}, {"$set": fields})


async def count(collection: str, **match: Any) -> int:
    return int(await bound_database().handle[collection].count_documents(match))


async def test_a_sign_in_with_an_unknown_identity_creates_an_account_without_a_password(
    linking: OidcLinking, api: Planner
) -> None:
    made = await account(linking, somebody())
    assert (made.email, made.full_name, made.email_verified) == ("ada@example.com", "Ada Lovelace", True)
    assert await User.by_id(made.id) == made
    assert (await sign_in(api, "ada@example.com", "None")).status_code == 401
    assert (await sign_in(api, "ada@example.com", "")).status_code == 401
    assert await count("audit", event="sign-up", account=made.id) == 1


async def test_a_known_identity_signs_in_to_its_account_though_its_address_changed(linking: OidcLinking) -> None:
    made = await account(linking, somebody())
    for changed in ({"email": "new@example.com"}, {"email": None}, {"email_verified": False}, {"name": None}):
        assert (await account(linking, somebody(**changed))).id == made.id
    assert await count("users") == 1


async def test_the_same_subject_at_another_provider_is_another_identity(linking: OidcLinking) -> None:
    one = await account(linking, somebody())
    other = await account(linking, somebody(issuer="https://other.example.com", email="eve@example.com"))
    assert one.id != other.id


async def test_an_address_that_both_sides_verified_is_linked_and_the_password_stays(
    linking: OidcLinking, ada: Person, api: Planner
) -> None:
    await change(ada, email_verified=True)
    for who in (somebody("1", email="ADA@Example.com"), somebody("2")):
        assert str((await account(linking, who)).id) == ada.id
    assert (await account(linking, somebody("1"))).identities == [
        {"issuer": ISSUER, "subject": "1"},
        {"issuer": ISSUER, "subject": "2"},
    ]
    ok(await sign_in(api, ada.email))
    assert await count("audit", event="provider-linked", detail="acme") == 2
    assert await count("users") == 1


@pytest.mark.parametrize("here", [True, False])
async def test_an_address_that_the_provider_has_not_verified_is_not_linked(
    linking: OidcLinking, ada: Person, here: bool
) -> None:
    await change(ada, email_verified=here)
    with pytest.raises(Conflict, match="password"):
        await account(linking, somebody(email_verified=False))
    assert await User.by_identity(IDENTITY) is None
    await change(ada, email_verified=True)
    assert str((await account(linking, somebody())).id) == ada.id


async def test_an_address_that_the_provider_has_not_verified_is_not_verified_in_the_new_account(
    linking: OidcLinking,
) -> None:
    made = await account(linking, somebody(email_verified=False))
    assert made.email_verified is False
    assert await count("queued_mails", kind="verify") == 1


@pytest.mark.parametrize("fields", [{"email_verified": False}, {"disabled": True}, {"email_key": "new@example.com"}])
async def test_an_account_that_was_changed_since_it_was_read_is_not_linked(ada: Person, fields: dict[str, Any]) -> None:
    await change(ada, email_verified=True)
    before = await User.by_login(ada.email)
    assert before is not None
    await change(ada, **fields)
    assert not await commit_atomically([User.link_identity_write(before, IDENTITY, before.updated_at)])
    assert await User.by_identity(IDENTITY) is None
    assert await count("audit", event="provider-linked") == 0


@pytest.mark.parametrize("known", [True, False])
async def test_an_identity_cannot_sign_in_to_a_disabled_account(linking: OidcLinking, ada: Person, known: bool) -> None:
    await change(ada, email_verified=True)
    if known:
        await account(linking, somebody())
    await change(ada, disabled=True)
    with pytest.raises(SignInRefused):
        await account(linking, somebody())
    assert (await User.by_identity(IDENTITY) is not None) is known


@pytest.mark.parametrize(
    "email", [None, "", "nobody", "a@b", "a\0@example.com", "x" * 300 + "@example.com", "\ud800@x.de"]
)
async def test_without_a_valid_address_no_account_is_created(linking: OidcLinking, email: str | None) -> None:
    with pytest.raises(SignInRefused, match="address"):
        await account(linking, somebody(email=email))
    assert await count("users") == 0


@pytest.mark.parametrize(
    ("name", "kept"),
    [(" Ada\0\n ", "Ada"), ("x" * 300, "x" * 200), ("\ud800", None), ("", None), (None, None), ("Åsa 李", "Åsa 李")],
)
async def test_a_name_of_the_provider_is_cleaned_for_the_account(
    linking: OidcLinking, name: str | None, kept: str | None
) -> None:
    assert (await account(linking, somebody(name=name))).full_name == kept


@pytest.mark.real_server("the mock does nothing at once")
async def test_20_first_sign_ins_at_once_make_one_account(linking: OidcLinking) -> None:
    found = await asyncio.gather(*(account(linking, somebody()) for _ in range(20)))
    assert len({user.id for user in found}) == 1
    assert await count("users") == 1
    assert await count("audit", event="sign-up") == 1


@pytest.mark.real_server("the mock does nothing at once")
async def test_20_first_sign_ins_at_once_link_an_account_once(linking: OidcLinking, ada: Person) -> None:
    await change(ada, email_verified=True)
    found = await asyncio.gather(*(account(linking, somebody()) for _ in range(20)))
    assert {str(user.id) for user in found} == {ada.id}
    assert (await account(linking, somebody())).identities == [{"issuer": ISSUER, "subject": "1"}]
    assert await count("audit", event="provider-linked") == 1


@pytest.mark.real_server("the mock does nothing at once")
async def test_two_identities_with_one_address_make_one_account_between_them(linking: OidcLinking) -> None:
    found = await asyncio.gather(*(account(linking, somebody(str(n % 2))) for n in range(20)))
    assert len({user.id for user in found}) == 1
    assert await count("users") == 1


@pytest.mark.real_server("the mock explains nothing")
async def test_an_identity_is_found_by_an_index(linking: OidcLinking) -> None:
    await account(linking, somebody())
    plan = (
        await bound_database()
        .handle["users"]
        .find({"identities": {"$elemMatch": IDENTITY}, "identities.subject": "1"})
        .explain()
    )
    assert "identities" in str(plan["queryPlanner"]["winningPlan"]) and "COLLSCAN" not in str(plan)
    assert plan["executionStats"]["totalDocsExamined"] == 1


async def a_code(api: Planner, page: SignInPage) -> str:
    """A code for a page, as the callback hands it out."""
    back = await Browser(api).go_through_sign_in("grace", **page.query)
    assert back.status_code == 302, back.text
    return query_of(back.headers["location"])["code"]


@pytest.fixture
def page() -> SignInPage:
    return SignInPage(PAGE)


async def test_a_code_can_be_redeemed_once_by_the_page_that_requested_it(api: Planner, page: SignInPage) -> None:
    code = await a_code(api, page)
    tokens = ok(await page.redeem(api, code))
    me = ok(await get_me(api, tokens["access_token"]))
    assert me["email"] == "grace@example.com"
    again = await page.redeem(api, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "instead",
    [{"code_verifier": "w" * 43}, {"code_verifier": "short"}, {"redirect_uri": f"{PAGE}/"}, {"redirect_uri": "x"}],
)
async def test_a_code_is_used_up_by_a_redemption_with_another_verifier_or_page(
    api: Planner, page: SignInPage, instead: dict[str, str]
) -> None:
    code = await a_code(api, page)
    for attempt in (instead, {}):
        answer = await page.redeem(api, code, **attempt)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert answer.headers["cache-control"] == "no-store"


async def test_only_the_hash_of_a_code_is_stored(api: Planner, page: SignInPage) -> None:
    code = await a_code(api, page)
    stored = await bound_database().handle["authorization_codes"].find_one()
    assert stored is not None and code not in str(stored)
    assert len(stored["_id"]) == 64


async def test_a_code_of_an_account_that_was_disabled_since_is_refused(api: Planner, page: SignInPage) -> None:
    code = await a_code(api, page)
    await bound_database().handle["users"].update_one({}, {"$set": {"disabled": True}})
    assert (await page.redeem(api, code)).json()["error"] == "invalid_grant"


async def test_a_code_expires_after_a_minute(app: FastAPI, api: Planner, page: SignInPage) -> None:
    code = await a_code(api, page)
    clock_of(app).move(CODE_LIFETIME)
    with pytest.raises(GrantRefused):
        await services_of(app).oidc_login.exchange_code(code, page.verifier, page.redirect_uri, VISIT)


@pytest.mark.parametrize("address", ["http://127.0.0.1:51004/callback?x=1", "com.example.planner:/signed-in"])
async def test_a_native_app_gets_a_code_and_redeems_it(api: Planner, address: str) -> None:
    app = SignInPage(address)
    back = await Browser(api).go_through_sign_in("grace", **app.query)
    assert back.headers["location"].startswith(address)
    ok(await app.redeem(api, query_of(back.headers["location"])["code"]))


async def test_a_sign_in_that_began_with_one_provider_cannot_be_finished_with_another(api: Planner) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), "grace")
    assert (await browser.finish_sign_in(back.replace("/acme/", "/gone/"))).status_code == 401
    ok(await browser.finish_sign_in(back))


async def test_a_sign_in_that_takes_too_long_has_to_be_started_again(app: FastAPI, api: Planner) -> None:
    browser = Browser(api)
    back = await browser.consent(await browser.start_sign_in(), "grace")
    clock_of(app).move(LOGIN_LIFETIME)
    assert (await browser.finish_sign_in(back)).status_code == 401


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://planner.test/x",
        "https://app.example.com",
        "https://app.example.com:443/",
        "http://127.0.0.1:51004/callback",
        "http://[::1]:51004/",
        "com.example.planner:/signed-in",
        "com.example.planner://signed-in",
    ],
)
async def test_a_page_on_our_origin_or_a_configured_one_or_a_native_app_may_start_a_sign_in(
    api: Planner, redirect_uri: str
) -> None:
    assert (await Browser(api).start_sign_in(**SignInPage(redirect_uri).query)).status_code == 302


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"redirect_uri": "https://evil.example.com/"}, "/redirect_uri"),
        ({"redirect_uri": "https://app.example.com.evil.example.com/"}, "/redirect_uri"),
        ({"redirect_uri": "http://app.example.com/"}, "/redirect_uri"),
        ({"redirect_uri": "https://app.example.com:8443/"}, "/redirect_uri"),
        ({"redirect_uri": "https://app.example.com/#x"}, "/redirect_uri"),
        ({"redirect_uri": "/signed-in"}, "/redirect_uri"),
        ({"redirect_uri": "http://localhost:51004/"}, "/redirect_uri"),
        ({"redirect_uri": "com.example.other:/signed-in"}, "/redirect_uri"),
        ({"redirect_uri": "javascript:alert(1)"}, "/redirect_uri"),
        ({"redirect_uri": ""}, "/redirect_uri"),
        ({"redirect_uri": "https://app.example.com/" + "x" * 2000}, "/redirect_uri"),
        ({"code_challenge": None}, "/code_challenge"),
        ({"code_challenge": "x" * 42}, "/code_challenge"),
        ({"code_challenge": "x" * 129}, "/code_challenge"),
        ({"code_challenge": "x" * 42 + "+"}, "/code_challenge"),
        ({"code_challenge_method": None}, "/code_challenge_method"),
        ({"code_challenge_method": "plain"}, "/code_challenge_method"),
        ({"state": "x" * 1025}, "/state"),
        ({"state": "a\0b"}, "/state"),
        ({"redirect_uri": None, "code_challenge": None, "code_challenge_method": None}, "/state"),
    ],
)
async def test_a_page_of_another_origin_or_without_pkce_is_refused(
    api: Planner, changed: dict[str, str | None], pointer: str
) -> None:
    query = SignInPage(PAGE).query | changed
    answer = await Browser(api).start_sign_in(**{name: value for name, value in query.items() if value is not None})
    assert pointer in [error["pointer"] for error in ok(answer, 422)["errors"]]
    assert await count("oidc_login_attempts") == 0


async def test_an_unreachable_provider_is_reported_to_the_page_or_as_a_problem(api: Planner, page: SignInPage) -> None:
    assert (await api.get("/auth/gone/signin")).status_code == 502
    sent = await api.get("/auth/gone/signin", params=page.query)
    assert sent.headers["location"].startswith(f"{PAGE}?error=server_error&")
    assert query_of(sent.headers["location"])["state"] == page.state
    assert "set-cookie" not in sent.headers
    assert await count("oidc_login_attempts") == 0


@pytest.mark.parametrize("settings_changes", [{"rate_limits": "on"}])
async def test_the_sign_ins_that_one_network_address_can_start_are_limited(api: Planner) -> None:
    answers = [(await api.get("/auth/acme/signin")) for _ in range(START_ADDRESS.max_count + 1)]
    assert [answer.status_code for answer in answers] == [302] * START_ADDRESS.max_count + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert await count("oidc_login_attempts") == START_ADDRESS.max_count


@pytest.mark.parametrize("settings_changes", [{"public_url": "https://planner.test"}])
async def test_with_https_the_cookie_is_secure_and_bound_to_the_host(api: Planner) -> None:
    cookie = (await Browser(api).start_sign_in()).headers["set-cookie"]
    assert cookie.startswith("__Host-planner-signin-")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("settings_changes", "same_site"),
    [({"public_url": "https://planner.test"}, {"SameSite=none", "Secure"}), ({}, set())],
)
async def test_the_cookie_comes_back_with_the_form_of_a_provider_that_sends_one(
    api: Planner, process: RunningProvider, same_site: set[str]
) -> None:
    process.control(faults=["only_form_post"])
    try:
        sent = await Browser(api).start_sign_in()
    finally:
        process.control(faults=[])
    assert query_of(sent.headers["location"])["response_mode"] == "form_post"
    attributes = set(sent.headers["set-cookie"].split("; ")[1:])
    assert {one for one in attributes if one in ("Secure",) or one.startswith("SameSite")} == same_site


async def test_the_providers_are_listed_in_pages(api: Planner) -> None:
    listed = ok(await api.get("/auth/providers"))
    assert listed == {
        "items": [
            {"name": name, "signin": f"http://planner.test/api/v1/auth/{name}/signin"} for name in ("acme", "gone")
        ],
        "next": None,
    }
    first = ok(await api.get("/auth/providers?limit=1"))
    rest = ok(await api.get("/auth/providers", params={"limit": 1, "cursor": first["next"]}))
    assert [one["name"] for one in first["items"] + rest["items"]] == ["acme", "gone"]
    assert rest["next"] is None
    ok(await api.get("/auth/providers?cursor=nonsense!"), 422)
