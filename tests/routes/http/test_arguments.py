"""The arguments of a route's function: what FastAPI would find, and every other answer is FastAPI's own."""

from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from models.shared import schema
from models.shared.json_rendering import to_json
from routes.api import ROUTES
from routes.http import route
from routes.http.route import PlannerRoute

# Of these routes FastAPI calls the functions itself: a body that may be absent, and a page of the browser's.
LEFT_TO_FASTAPI = {"/api/v1/auth/{provider}/link", "/problems/{kind}"}


@pytest.fixture(autouse=True)
def without_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no database here, and nothing to confirm."""

    async def confirm() -> None:
        pass

    monkeypatch.setattr(route, "confirm_reads", confirm)


class Filter(schema.Query):
    """Parameters of the query as a model."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    since: Annotated[str | None, Field(alias="from")] = None
    only: Annotated[Literal["new", "old"] | None, Field(max_length=5)] = None


class Draft(schema.Request):
    """A body."""

    title: Annotated[str, Field(max_length=10)]
    priority: int = 0


calls: list[str] = []


async def caller(request: Request) -> str:
    """Return who is calling; raises 401."""
    calls.append("caller")
    if not (name := request.headers.get("authorization")):
        raise HTTPException(401, "Who is calling?")
    return name


Caller = Annotated[str, Depends(caller)]


async def owned(caller: Caller, id: str, part: Annotated[int | None, Query(ge=0)] = None) -> list[Any]:
    """Return something of the caller's."""
    calls.append("owned")
    return [caller, id, part]


async def precondition(if_match: Annotated[str | None, Header(pattern=r"^\d*$")] = None) -> str | None:
    """Return a header."""
    return if_match


def answer(**arguments: Any) -> Response:
    """Return the arguments as JSON."""
    calls.append("answer")
    return Response(to_json(arguments), media_type="application/json")


router = APIRouter(route_class=PlannerRoute)


@router.get("/things")
async def list_things(request: Request, caller: Caller, filter: Annotated[Filter, Query()]) -> Response:
    """List things."""
    return answer(method=request.method, caller=caller, **filter.model_dump())


@router.put("/things/{id}")
async def put_thing(
    caller: Caller,
    thing: Annotated[list[Any], Depends(owned)],
    condition: Annotated[str | None, Depends(precondition)],
    scope: Annotated[Literal["this", "all"], Query()],
    draft: Draft,
) -> Response:
    """Put a thing."""
    return answer(caller=caller, thing=thing, condition=condition, scope=scope, draft=draft.model_dump())


@router.get("/others")
async def list_others(tags: Annotated[list[str], Query()]) -> Response:
    """List other things: a parameter that may be repeated is left to FastAPI."""
    return answer(tags=tags)


def build_app(*, by_fastapi: bool) -> FastAPI:
    """Return an application with these routes, all of whose functions FastAPI calls itself if `by_fastapi`."""
    app = FastAPI()
    routes = APIRouter(route_class=PlannerRoute)
    for each in router.routes:
        assert isinstance(each, PlannerRoute)
        routes.add_api_route(each.path, each.endpoint, methods=list(each.methods or ()))
    for each in routes.routes:
        assert isinstance(each, PlannerRoute)
        if by_fastapi:
            each._call = None
    app.router.routes.extend(routes.routes)

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})
        await app(scope, receive, send)

    return with_state  # type: ignore[return-value]


async def ask(by_fastapi: bool, method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[Any, ...]:
    """Return the answer, and the functions that were called for it."""
    calls.clear()
    transport = httpx.ASGITransport(app=build_app(by_fastapi=by_fastapi))
    async with httpx.AsyncClient(transport=transport, base_url="http://planner.test") as client:
        response = await client.request(method, url, headers={"authorization": "ada", **headers}, content=body)
    return response.status_code, dict(response.headers), response.content, list(calls)


JSON = {"content-type": "application/json"}
THING = b'{"title": "Walk"}'
QUERIES = [
    "",
    "?limit=7",
    "?limit=0",
    "?limit=x",
    "?limit=",
    "?limit=3&limit=4",
    "?from=x&since=y",
    "?more=1",
    "?only=new",
]
QUERIES += ["?only=", "?only=all", "?limit=%37", "?limit=5&", "?from=a+b%20c%C3%A4", "?limit", "?=1", "?from=%ff"]
BODIES = [
    *((JSON, body) for body in (THING, b"", b"{}", b"null", b"[1]", b'{"title": 1}', b'{"title": "Walk", "more": 1}')),
    *(
        (JSON, body)
        for body in (b'{"title": "Walk", "priority": null}', b"{", b'{"title": NaN}', b'{"title": "\\ud800"}')
    ),
    ({}, THING),
    ({"content-type": "application/json; charset=utf-8"}, THING),
    ({"content-type": "application/merge-patch+json"}, THING),
    ({"content-type": "text/plain"}, THING),
    ({"content-type": "APPLICATION/JSON"}, THING),
    (JSON | {"content-encoding": "gzip"}, THING),
]


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_is_answered_as_by_fastapi(query: str) -> None:
    ours, theirs = [await ask(by_fastapi, "GET", f"/things{query}", {}, b"") for by_fastapi in (False, True)]
    assert ours == theirs


@pytest.mark.parametrize(("headers", "body"), BODIES)
async def test_a_body_is_answered_as_by_fastapi(headers: dict[str, str], body: bytes) -> None:
    url = "/things/7?scope=this"
    ours, theirs = [await ask(by_fastapi, "PUT", url, headers, body) for by_fastapi in (False, True)]
    assert ours == theirs


@pytest.mark.parametrize("query", ["scope=all", "", "scope=none", "scope=", "scope=all&part=3", "scope=all&part=-1"])
@pytest.mark.parametrize("headers", [{}, {"if-match": "3"}, {"IF-MATCH": "x"}, {"authorization": ""}])
async def test_parameters_of_dependencies_are_answered_as_by_fastapi(query: str, headers: dict[str, str]) -> None:
    ours, theirs = [
        await ask(by_fastapi, "PUT", f"/things/7?{query}", JSON | headers, THING) for by_fastapi in (False, True)
    ]
    assert ours == theirs


@pytest.mark.parametrize(("method", "url"), [("POST", "/things"), ("GET", "/others?tags=a&tags=b"), ("GET", "/others")])
async def test_other_methods_and_declarations_are_answered_as_by_fastapi(method: str, url: str) -> None:
    ours, theirs = [await ask(by_fastapi, method, url, {}, b"") for by_fastapi in (False, True)]
    assert ours == theirs


async def test_a_function_that_several_depend_on_is_called_once() -> None:
    *_, called = await ask(False, "PUT", "/things/7?scope=all", JSON, THING)
    assert called == ["caller", "owned", "answer"]


@pytest.mark.parametrize(("method", "url"), [("GET", "/things?limit=7"), ("PUT", "/things/7?scope=all&part=3")])
async def test_a_plainly_valid_request_is_answered_without_fastapi(
    monkeypatch: pytest.MonkeyPatch, method: str, url: str
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("FastAPI was asked")

    monkeypatch.setattr(APIRoute, "handle", refuse)
    status, *_ = await ask(False, method, url, JSON, THING)
    assert status == 200


def test_the_functions_of_all_routes_but_these_are_called_without_fastapi() -> None:
    routes = [each for each in ROUTES if isinstance(each, PlannerRoute)]
    assert {each.path for each in routes if each._call is None} == LEFT_TO_FASTAPI
