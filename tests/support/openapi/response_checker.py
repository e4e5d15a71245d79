"""The check of responses against the OpenAPI document: the status, the media type, the body, the headers."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker
from starlette.routing import Match, Route

from routes.http.headers import HEADERS as DESCRIBED_HEADERS
from routes.http.problems import status_phrase
from tests.support.openapi.operations import TOKEN_ENDPOINT, Operation, operations_of

PROBLEM = "application/problem+json"
# Their forms are refused as the token endpoint's are (RFC 7009 §2.2.1, RFC 7662 §2.3).
OAUTH = ("/api/v1/auth/revoke", "/api/v1/auth/introspect")
# The headers that the document describes; others, such as Content-Type, follow from the rest.
HEADERS = [name.lower() for name in DESCRIBED_HEADERS]
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", ValueError)
def _date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def media_type(response: httpx.Response) -> str:
    """Return the media type of a response, without its parameters."""
    return str(response.headers.get("content-type", "")).partition(";")[0]


class ResponseChecker:
    """A hook for a client's responses, which raises AssertionError for one that the document does not describe.

    A test that makes the server fail sets `may_fail`.
    """

    def __init__(self, app: FastAPI) -> None:
        self._routes = [route for route in app.routes if isinstance(route, Route)]
        self._operations = {str(operation): operation for operation in operations_of(app)}
        self._components = app.openapi()["components"]
        self._validator = lru_cache(self._make_validator)
        self._valid_bodies: set[tuple[str, bytes]] = set()
        self.may_fail = False

    async def __call__(self, response: httpx.Response) -> None:
        await response.aread()
        request = response.request
        said = f"{request.method} {str(request.url)[:200]} answered {response.status_code}: {response.text[:500]}"
        assert self.may_fail or response.status_code < 500, said
        if response.status_code >= 400:
            assert_is_problem(response, said)
        operation = self.operation(request)
        if operation is not None:
            self._check(operation, response, said)

    def operation(self, request: httpx.Request) -> Operation | None:
        """Return the operation that serves a request, or None when the document describes none."""
        scope = {"type": "http", "path": request.url.path, "method": request.method, "root_path": "", "headers": []}
        for route in self._routes:
            if route.matches(scope)[0] is Match.FULL:
                return self._operations.get(f"{request.method} {route.path_format}")
        return None

    def _check(self, operation: Operation, response: httpx.Response, said: str) -> None:
        documented = operation.spec["responses"]
        status = str(response.status_code)
        assert status in documented, f"{operation} does not document {status}; {said}"
        content = documented[status].get("content", {})
        kind = media_type(response)
        if not content:
            assert not response.content, f"{operation} documents no body with {status}; {said}"
        else:
            assert kind in content, f"{operation} does not document {kind!r} with {status}; {said}"
        if kind in content and kind.endswith("json"):
            self._check_body(content[kind].get("schema", {}), response, said)
        for name in HEADERS:
            if name in response.headers:
                known = operation.response_headers(response.status_code)
                assert name in known, f"{operation} does not document the header {name} with {status}"

    def _check_body(self, schema: Any, response: httpx.Response, said: str) -> None:
        """Raise for a JSON body that is not as the schema says; one that was found valid is not checked again."""
        key = json.dumps(schema), response.content
        if key not in self._valid_bodies:
            self.check_value(schema, response.json(), said)
            self._valid_bodies.add(key)

    def check_value(self, schema: Any, value: Any, said: str) -> None:
        """Raise AssertionError for a value that does not match the schema."""
        for error in self._validator(json.dumps(schema)).iter_errors(value):
            raise AssertionError(f"{error.json_path}: {error.message[:200]}; {said}")

    def _make_validator(self, schema: str) -> Draft202012Validator:
        whole = json.loads(schema) | {"components": self._components}
        return Draft202012Validator(whole, format_checker=FORMATS)


def uses_oauth_errors(path: str, status: int) -> bool:
    """Return whether errors of this status have the shape of RFC 6749 §5.2 there."""
    return path == TOKEN_ENDPOINT or (path in OAUTH and status == 400)


def assert_is_problem(response: httpx.Response, said: str) -> None:
    """Raise AssertionError for an error response that does not have the shape of all errors."""
    status = response.status_code
    if status == 401:
        assert response.headers.get("www-authenticate", "").split(" ")[0] in ("Bearer", "Basic"), said
    if response.request.method == "POST" and uses_oauth_errors(response.request.url.path, status):
        assert media_type(response) == "application/json", said
        assert set(response.json()) == {"error", "error_description"}, said
        assert response.headers["cache-control"] == "no-store", said
        return
    assert media_type(response) == PROBLEM, said
    if response.request.method == "HEAD":
        return
    body = response.json()
    assert set(body) - {"errors"} == {"type", "title", "status", "detail"}, said
    assert (body["status"], body["title"]) == (status, status_phrase(status)), said
    assert body["type"].startswith("/problems/"), said
    assert isinstance(body["detail"], str) and body["detail"], said
    assert ("errors" in body) == (status == 422), said
    for error in body.get("errors", ()):
        assert set(error) == {"pointer", "message"}, said
        assert error["pointer"] == "" or error["pointer"].startswith("/"), said
        assert isinstance(error["message"], str) and error["message"], said
    if status == 422:
        assert body["errors"], said
    if status == 405:
        assert response.headers["allow"], said
    if status == 503:
        assert response.headers["retry-after"].isdigit(), said
