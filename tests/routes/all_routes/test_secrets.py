"""No error, header or log line repeats what only its sender should know."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import SECRET, url_of
from tests.routes.all_routes.hostile_values import MIB
from tests.routes.all_routes.request_factory import RequestFactory, SampleRequest, fill_path, path_prefixes
from tests.support.clients import Person
from tests.support.openapi.operations import FORM, JSON, ROOT, TOKEN_ENDPOINT, Operation
from tests.support.servers import running
from tests.support.services import database_of

CANARY = "Canary-7f3a91c2-sings"
# What is sent as a user name: no error repeats it, but the driver logs the query that looks it up.
LOGIN = "Login-51d0be7e-sings"
# Fields that hold a secret, whatever their schema says of them.
NAMES = {
    "password",
    "current_password",
    "new_password",
    "token",
    "access_token",
    "refresh_token",
    "client_secret",
    "code",
    "code_verifier",
    "assertion",
    "secret",
}


def secret_fields(operation: Operation) -> list[str]:
    """Return the fields of the body that hold a secret."""
    if not operation.content:
        return []
    found = [
        name
        for name, schema in operation.properties.items()
        if name in NAMES or operation.resolve(schema).get("format") == "password"
    ]
    if operation.path == TOKEN_ENDPOINT:
        found += ["client_secret", "refresh_token", "code", "code_verifier", "username"]
    return sorted(set(found))


def spoiled_bodies(sample: SampleRequest, name: str, word: str = CANARY) -> Iterator[tuple[str, bytes, str]]:
    """Yield bodies with `word` in a field, most of them wrong in some way: what, the bytes, the media type."""
    if sample.kind == FORM:
        good = {**sample.body, name: word}
        others = urlencode([pair for pair in sample.body.items() if pair[0] != name])
        yield "as it is", urlencode(good).encode(), FORM
        yield "twice", urlencode([*good.items(), (name, word)]).encode(), FORM
        yield "without a name", f"{others}&{word}".encode(), FORM
        yield "as a parameter's name", f"{others}&parameter-{word}".encode(), FORM
        yield "with a NUL", f"{others}&{name}={word}%00".encode(), FORM
        yield "with other bytes", f"{others}&{name}={word}%ff".encode(), FORM
        yield "very long", urlencode({**good, name: word * 1000}).encode(), FORM
        yield "of another media type", urlencode(good).encode(), "text/plain"
        yield "too large", urlencode(good).encode() + b"&" * MIB, FORM
        yield "as another grant", urlencode({**good, "grant_type": word}).encode(), FORM
        return
    good = {**sample.body, name: word}
    changes: dict[str, dict[str, Any]] = {
        "as it is": {},
        "beside an unknown field": {"surprise": word},
        "beside wrong types": dict.fromkeys(sample.body, 5) | {name: word},
        "very long": {name: word * 1000},
        "in a list": {name: [word]},
        "in an object": {name: {word: word}},
        "with a NUL": {name: word + "\0"},
    }
    for what, fields in changes.items():
        yield what, json.dumps(good | fields).encode(), JSON
    whole = json.dumps(good).encode()
    yield "cut short", whole[: whole.index(word.encode()) + len(word)], JSON
    yield "with a lone surrogate", whole.replace(word.encode(), word.encode() + rb"\ud800"), JSON
    yield "with other bytes", whole.replace(word.encode(), word.encode() + b"\xff"), JSON
    yield "of another media type", whole, "text/plain"
    yield "as a form", urlencode(good).encode(), JSON
    yield "too large", whole + b" " * MIB, JSON
    yield "as the whole body", json.dumps(word).encode(), JSON
    yield "in a list of its own", json.dumps([good]).encode(), JSON


def hides_secret(response: httpx.Response) -> bool:
    """Return whether neither the secret nor the login is anywhere in the response."""
    text = (str(response.headers.multi_items()) + response.text).lower()
    return CANARY.lower() not in text and LOGIN.lower() not in text


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that is logged, the driver's own lines as well, but not the lines of the tests' HTTP client."""
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.CRITICAL, name)
    # The last call decides what is captured at all.
    caplog.set_level(logging.DEBUG)
    # The planner may have nothing to log; that its lines would be seen is shown by one of the test's own.
    logging.getLogger("planner.test").debug("this line is captured")
    assert "this line is captured" in caplog.text
    return caplog


async def send_secrets(
    operations: list[Operation], requests: RequestFactory
) -> AsyncIterator[tuple[str, httpx.Response]]:
    """Send every request that can hold a secret with the canary in it; yield what it was and the response."""
    for operation in operations:
        for name in secret_fields(operation):
            sample = await requests.sample(operation)
            word = LOGIN if name == "username" else CANARY
            for what, content, kind in spoiled_bodies(sample, name, word):
                yield f"{operation}: {name}, {what}", await sample.send_raw(content, kind)
        if not operation.public:
            sample = await requests.sample(operation)
            for scheme in ("Bearer", "Basic", "Token", "Bearer a.b."):
                authorization = f"{scheme} {CANARY}" if "." not in scheme else scheme + CANARY
                yield f"{operation}: {scheme}", await sample.with_headers(authorization=authorization).send()
        for name in {*NAMES, "state"} & set(operation.parameters("query")):
            sample = await requests.sample(operation)
            for more in ("", "%00", "%ff", f"&{name}={CANARY}", CANARY * 200):
                query = f"{name}={CANARY}{more}"
                yield f"{operation}: {name} in the query", await sample.with_query(query).send()
        if path_prefixes(operation) and "token" in operation.path.rpartition("{")[2]:
            secret = fill_path(operation, *[CANARY] * len(path_prefixes(operation)))
            yield f"{operation}: in the path", await (await requests.sample(operation, url=secret)).send()
        if operation.creates:
            sample = (await requests.sample(operation)).with_headers(idempotency_key=CANARY)
            yield f"{operation}: a key", await sample.send_raw(b"{}", JSON)


async def test_no_error_header_or_log_line_repeats_a_secret(
    operations: list[Operation], requests: RequestFactory, log: pytest.LogCaptureFixture, subtests: pytest.Subtests
) -> None:
    sent = 0
    async for name, response in send_secrets(operations, requests):
        with subtests.test(name):
            assert hides_secret(response), f"{response.headers} {response.text}"
            sent += 1
    assert sent > 50
    assert CANARY.lower() not in log.text.lower()


async def test_no_log_line_contains_the_password_or_the_token_of_a_sign_in(
    ada: Person, log: pytest.LogCaptureFixture
) -> None:
    form = {"grant_type": "password", "username": ada.email, "password": ada.password}
    token = (await ada.api.post("/auth/token", data=form)).json()["access_token"]
    await ada.event()
    for secret in (ada.password, ada.token, token, SECRET):
        assert secret not in log.text


@pytest.mark.real_server("starts a planner of its own")
async def test_a_running_planner_prints_no_secret(
    app: FastAPI, operations: list[Operation], ada: Person, mongo_url: str, tmp_path: Path
) -> None:
    name = f"test_{uuid4().hex[:12]}"
    settings = {"SECRET_KEY": SECRET, "RATE_LIMITS": "off", "DATABASE_URL": url_of(mongo_url, name)}
    account = {"email": ada.email, "password": ada.password}
    with running(tmp_path / "planner", **settings) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.post("/auth/signup", json=account)).status_code == 201
            for operation in operations:
                path = fill_path(operation, *["x"] * len(path_prefixes(operation))).replace(ROOT, server.root)
                for field in secret_fields(operation):
                    kind = next(iter(operation.content))
                    sample = SampleRequest(operation, ada, path, {**account, "grant_type": "password"}, kind)
                    for what, content, sent in spoiled_bodies(sample, field, LOGIN if field == "username" else CANARY):
                        headers = {"content-type": sent, "authorization": f"Bearer {CANARY}"}
                        response = await client.request(operation.method, path, content=content, headers=headers)
                        assert response.status_code < 500, what
                        assert hides_secret(response), what
        assert server.output, "nothing was printed that could hold it"
        for secret in (CANARY, SECRET, ada.password):
            assert secret.lower() not in server.output.lower()
    await database_of(app).client.drop_database(name)
