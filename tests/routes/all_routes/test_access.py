"""Who may call what: 401, 403, and the 404 that tells nothing."""

import base64
import json
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI

from auth.jwt_handler import TokenSigner
from auth.secret_keys import SecretKeys
from models.accounts.user import Role
from planner.randomness import system_random_bytes
from planner.wiring import AUDIENCE
from tests.conftest import SECRET
from tests.routes.all_routes.hostile_values import BAD_TOKENS, BODY_LIMITS, MALFORMED_IDS
from tests.routes.all_routes.request_factory import UNKNOWN_ID, RequestFactory, fill_path, path_prefixes, resource_of
from tests.routes.all_routes.resources import (
    ADD_LIST_ITEM,
    BODIES,
    CONFIGURED_LISTS,
    OPTIONAL_BODIES,
    PATH_VALUES,
    PREPARED_REQUESTS,
    RESOURCES,
    ROLES,
    SCOPES,
    SINGLE_USE,
)
from tests.support.clients import Person, headers_of, ok
from tests.support.clocks import MovableClock
from tests.support.openapi.operations import PUBLIC, ROOT, Operation

ISSUER = ROOT


async def test_every_route_but_the_public_ones_refuses_a_request_without_a_token(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        with subtests.test(str(operation)):
            response = await (await requests.sample(operation)).without_token().send()
            if operation.public:
                assert response.status_code < 400, response.text
                continue
            assert response.status_code == 401, f"{operation} is open to everyone; if it is meant to be, name it public"
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["type"] == "/problems/unauthorized"


async def test_every_route_refuses_an_invalid_token(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        if operation.public:
            continue
        with subtests.test(str(operation)):
            response = await (await requests.sample(operation)).with_headers(authorization="Bearer x.y.z").send()
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_the_document_says_which_routes_need_a_token(
    operations: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in operations:
        with subtests.test(str(operation)):
            security = operation.spec.get("security", [{}])
            assert ({} not in security) == (not operation.public), "{}: nothing is needed"
            assert operation.public or {401, 403} <= operation.statuses


async def test_every_kind_of_bad_token_is_an_invalid_token(ada: Person, subtests: pytest.Subtests) -> None:
    for name, token in BAD_TOKENS.items():
        with subtests.test(name):
            headers = [(b"authorization", f"Bearer {token}".encode("latin-1"))]
            response = await ada.api.get("/users/me", headers=headers)
            assert response.status_code == 401
            assert 'error="invalid_token"' in response.headers["www-authenticate"]


def signer(
    secret: str = SECRET, issuer: str = ISSUER, audience: str = AUDIENCE, clock: MovableClock | None = None
) -> TokenSigner:
    return TokenSigner(SecretKeys(secret), issuer, audience, 15, clock or MovableClock(), system_random_bytes)


async def test_only_a_token_signed_here_for_this_service_and_an_existing_account_is_valid(
    ada: Person, ben: Person, subtests: pytest.Subtests
) -> None:
    elsewhere = "another key, which is long enough for HS256: 5d1c"
    claims = ada.token.split(".")[1]
    session = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sid"]
    signers = {
        "another key": signer(secret=elsewhere),
        "another issuer": signer(issuer="https://elsewhere.example"),
        "another audience": signer(audience="elsewhere"),
        "over": signer(clock=MovableClock(datetime(2001, 9, 9, tzinfo=UTC))),
        "not yet made": signer(clock=MovableClock(datetime(2096, 10, 2, tzinfo=UTC))),
    }
    tokens = {name: made_by.sign(ada.id, session) for name, made_by in signers.items()}
    ours = signer()
    tokens["no such account"] = ours.sign(UNKNOWN_ID, session)
    tokens["no account id"] = ours.sign("ada", session)
    tokens["no such session"] = ours.sign(ada.id, UNKNOWN_ID)
    tokens["another's session"] = ours.sign(ben.id, session)
    tokens["no session id"] = ours.sign(ada.id, "")
    tokens["changed"] = ada.token[:-4] + ("AAAA" if ada.token[-4:] != "AAAA" else "BBBB")
    tokens["longer"] = ada.token + "A"
    for name, token in tokens.items():
        with subtests.test(name):
            response = await ada.api.get("/users/me", headers={"authorization": f"Bearer {token}"})
            assert response.status_code == 401
            assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_another_scheme_counts_as_no_token_and_bearer_may_have_any_letter_case(
    ada: Person, subtests: pytest.Subtests
) -> None:
    for header in ("Basic YTpi", "Token x", "Bearer", "bearer", "Bearer ", f"Bearer{ada.token}", ada.token):
        with subtests.test(header[:20]):
            response = await ada.api.get("/users/me", headers={"authorization": header})
            assert response.status_code == 401
            bare = header.lower().strip() != "bearer"
            assert (response.headers["www-authenticate"] == "Bearer") == bare
    for scheme in ("bearer", "BEARER"):
        response = await ada.api.get("/users/me", headers={"authorization": f"{scheme} {ada.token}"})
        assert response.status_code == 200


async def test_a_token_in_the_query_is_not_accepted(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        if operation.public:
            continue
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).without_token()
            response = await sample.with_more_query(f"access_token={requests.person.token}").send()
            assert response.status_code == 401


async def test_a_missing_resource_and_one_that_the_caller_may_not_see_get_the_same_404(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    about_private_resources = [
        operation
        for operation in operations
        if not operation.public and (resource := resource_of(operation)) is not None and not resource.is_for_all
    ]
    assert about_private_resources
    for operation in about_private_resources:
        with subtests.test(str(operation)):
            hidden = await requests.sample(operation, url=await requests.private_url(operation, requests.other))
            parts = len(path_prefixes(operation))
            missing = hidden.with_changes(url=fill_path(operation, *[UNKNOWN_ID] * parts))
            first, second = await hidden.send(), await missing.send()
            assert (first.status_code, second.status_code) == (404, 404)
            assert first.content == second.content
            assert headers_of(first) == headers_of(second)


async def test_changing_a_resource_that_the_caller_may_only_see_is_forbidden(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    checked = 0
    for operation in operations:
        resource = resource_of(operation)
        if operation.method not in ("PUT", "PATCH", "DELETE") or resource is None or resource.create_public is None:
            continue
        checked += 1
        with subtests.test(str(operation)):
            values = [await resource.create_public(requests, requests.other)]
            sample = await requests.sample(operation, person=requests.person, url=fill_path(operation, *values))
            address = fill_path(path_prefixes(operation)[-1], *values)
            before = await requests.api.get(address, headers=requests.person.headers)
            assert before.status_code == 200, "it is not seen"
            response = await sample.send()
            assert response.status_code == 403
            assert response.json()["type"] == "/problems/forbidden"
            after = await requests.api.get(address, headers=requests.person.headers)
            assert after.content == before.content
    assert checked


async def test_a_malformed_id_is_refused_with_a_client_error(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        for position, _ in enumerate(path_prefixes(operation)):
            for name, encoded in MALFORMED_IDS.items():
                with subtests.test(f"{operation}: {name}"):
                    sample = await requests.sample(operation, url=ROOT + path_with(operation, position, encoded))
                    response = await sample.send()
                    assert 400 <= response.status_code < 500, response.text


def path_with(operation: Operation, position: int, encoded: str) -> str:
    """Return the path with this value for one parameter, and ids that name nothing for the others."""
    path = operation.path
    for number in range(len(path_prefixes(operation))):
        before, _, rest = path.partition("{")
        path = before + (encoded if number == position else UNKNOWN_ID) + rest.partition("}")[2]
    return path


async def test_a_route_for_a_role_is_forbidden_to_lower_roles(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    lower: dict[Role, tuple[Role, ...]] = {"user": (), "moderator": ("user",), "admin": ("user", "moderator")}
    for operation in operations:
        for role in lower[ROLES.get(str(operation), "user")]:
            with subtests.test(f"{operation} as {role}"):
                url = await requests.url(operation, await requests.caller(operation))
                response = await (
                    await requests.sample(operation, person=await requests.with_role(role), url=url)
                ).send()
                assert response.status_code == 403
                assert response.json()["type"] == "/problems/forbidden"


async def test_a_token_with_scopes_is_accepted_only_where_they_suffice(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    scopes = sorted(set(SCOPES.values()))
    for operation in operations:
        if operation.public:
            continue
        enough = SCOPES.get(str(operation))
        for given in (*([scope] for scope in scopes), scopes):
            with subtests.test(f"{operation} with {' '.join(given)}"):
                sample = await requests.sample(operation)
                token = ok(await sample.person.post("/auth/tokens", json={"name": "x", "scopes": given}), 201)["token"]
                response = await sample.with_headers(authorization=f"Bearer {token}").send()
                if enough in given:
                    assert response.status_code < 400, response.text
                    continue
                assert response.status_code == 403, "the route can be reached; if it is meant to, name its scope"
                challenge = f'Bearer error="insufficient_scope", scope="{enough or "account"}"'
                assert response.headers["www-authenticate"] == challenge
                assert response.json()["type"] == "/problems/insufficient-scope"


async def test_the_tables_of_these_tests_name_only_routes_that_exist(operations: list[Operation]) -> None:
    named = {*PUBLIC, *ROLES, *SCOPES, *OPTIONAL_BODIES, *SINGLE_USE, *PATH_VALUES, *PREPARED_REQUESTS, *BODIES}
    named |= {*CONFIGURED_LISTS, *ADD_LIST_ITEM, *BODY_LIMITS}
    assert named - {str(operation) for operation in operations} == set()
    assert set(RESOURCES) == {prefix for operation in operations for prefix in path_prefixes(operation)}


async def test_every_route_is_described_or_serves_the_description(
    app: FastAPI, operations: list[Operation], subtests: pytest.Subtests
) -> None:
    described = {str(operation) for operation in operations}
    for route in app.routes:
        for method in sorted(getattr(route, "methods", None) or ["?"]):
            path = getattr(route, "path_format", getattr(route, "path", repr(route)))
            with subtests.test(f"{method} {path}"):
                serving = path in ("/openapi.json", "/metrics", "/.well-known/oauth-authorization-server{path}")
                is_page = getattr(route, "endpoint", None).__module__.startswith("routes.pages.")
                assert serving or is_page or method == "HEAD" or f"{method} {path}" in described
