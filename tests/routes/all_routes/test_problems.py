"""Every error has one shape (RFC 9457), also where no route answers."""

import re
from collections import defaultdict
from typing import Any

import pytest

from models.shared.heartbeat import Heartbeat
from planner.services.events.events import Events
from routes.http.problems import status_phrase
from tests.routes.all_routes.request_factory import RequestFactory
from tests.support.clients import Person, Planner
from tests.support.openapi.operations import ROOT, Operation
from tests.support.openapi.response_checker import PROBLEM, ResponseChecker, assert_is_problem, media_type

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


async def test_an_unknown_address_is_not_found_in_the_usual_shape(api: Planner, subtests: pytest.Subtests) -> None:
    unknown = (
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/events",
        "/api/v1/events/",
        "/API/v1/events",
        "//api/v1/events",
        "/api/v1/users/me/",
        "/healthz/",
        "/%00",
        "/api/v1/%ff",
        "/.env",
        "/problems",
        "/problems/of-mine",
        "/robots.txt",
    )
    for path in unknown:
        for method in METHODS:
            with subtests.test(f"{method} {path}"):
                response = await api.request(method, ROOT + path)
                known = path == "/problems/of-mine" and method not in ("GET", "HEAD")
                assert response.status_code == (405 if known else 404)
                if method == "HEAD":
                    assert (response.headers["content-type"], response.content) == ("application/problem+json", b"")
                    continue
                assert_is_problem(response, response.text)


async def test_a_method_that_a_path_does_not_have_is_refused_with_those_it_has(
    operations: list[Operation], response_checker: ResponseChecker, requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    paths: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        paths[operation.path].append(operation)
    for path, known in paths.items():
        answered = {operation.method for operation in known}
        answered |= {"HEAD"} if "GET" in answered else set()
        url = await requests.url(known[0], requests.person)
        for method in METHODS:
            if method in answered:
                continue
            with subtests.test(f"{method} {path}"):
                response = await requests.person.api.request(method, url, headers=requests.person.headers)
                if method == "OPTIONS" and response.status_code < 300:
                    continue
                assert response.status_code == 405
                assert set(re.split(r", *", response.headers["allow"])) == answered


async def test_an_unexpected_error_is_a_500_in_the_usual_shape_without_its_message(
    response_checker: ResponseChecker, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: Any) -> None:
        raise RuntimeError("of no concern to anybody: " + ada.token)

    monkeypatch.setattr(Events, "get_page", fail)
    response_checker.may_fail = True
    response = await ada.get("/events")
    assert response.status_code == 500
    assert response.json()["type"] == "/problems/internal-server-error"
    assert "no concern" not in response.text and ada.token not in response.text


async def test_an_unavailable_database_is_a_503_that_says_when_to_retry(
    response_checker: ResponseChecker, api: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(now: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Heartbeat, "beat", fail)
    response_checker.may_fail = True
    assert (await api.get(f"{ROOT}/healthz")).status_code == 200
    response = await api.get(f"{ROOT}/readyz")
    assert response.status_code == 503
    assert_is_problem(response, response.text)


async def test_health_and_readiness_are_ok(api: Planner) -> None:
    for path in ("/healthz", "/readyz"):
        response = await api.get(ROOT + path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_the_address_of_every_kind_of_problem_explains_it(
    operations: list[Operation], api: Planner, subtests: pytest.Subtests
) -> None:
    kinds = {"invalid-token", "insufficient-scope"}
    for status in set().union(*(operation.statuses for operation in operations)):
        if status >= 400:
            kinds.add(re.sub(r"[^a-z]+", "-", status_phrase(status).lower()))
    for kind in sorted(kinds):
        with subtests.test(kind):
            response = await api.get(f"{ROOT}/problems/{kind}")
            assert response.status_code == 200
            assert len(response.text) > 10


async def test_a_wrong_field_is_named_by_a_pointer_to_it(ada: Person, subtests: pytest.Subtests) -> None:
    wrong: dict[str, Any] = {
        "/title": {"title": ""},
        "/geo/lat": {"title": "x", "geo": {"lat": 91, "lon": 0}},
        "/geo/lon": {"title": "x", "geo": {"lat": 1}},
        "/tags/1": {"title": "x", "tags": ["a", 5]},
        "/end": {"title": "x", "start": "2026-01-02", "end": "2026-01-01"},
        "/a~1b~0c": {"title": "x", "a/b~c": 1},
        "": [],
    }
    for pointer, body in wrong.items():
        with subtests.test(pointer):
            response = await ada.post("/events", json=body)
            assert response.status_code == 422
            assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_every_wrong_field_is_named_at_once(ada: Person) -> None:
    body = {"title": "", "status": "over", "url": "x", "surprise": 1}
    response = await ada.post("/events", json=body)
    assert {error["pointer"] for error in response.json()["errors"]} == {"/title", "/status", "/url", "/surprise"}


async def test_an_error_is_json_whatever_the_accept_header_says(api: Planner) -> None:
    response = await api.get("/users/me", headers={"accept": "text/html"})
    assert media_type(response) == PROBLEM
