"""What pages of other origins may do: those that are named everything, the others nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from database.connection import Database
from planner.app import create_app
from planner.errors import ConfigurationError
from planner.settings import Settings, load
from tests.support.clients import Planner, ok, sign_up

APP, OTHER = "https://app.example.com", "https://elsewhere.example.com"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
HEADERS = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer"]
HEADERS += ["x-request-id", "traceparent", "tracestate", "baggage"]
Open = Callable[[], Awaitable[Database]]


@pytest.fixture
def origins() -> str:
    """The origins that are named."""
    return f"{APP}, http://localhost:5173"


@pytest.fixture
async def api(settings: Settings, open_database_for_test: Open, origins: str) -> AsyncIterator[Planner]:
    """A planner that these origins may call."""
    app = create_app(settings.model_copy(update={"cors_origins": origins}), open_database=open_database_for_test)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as client,
    ):
        yield client


async def preflight(
    api: Planner, origin: str, method: str = "PATCH", headers: str = "authorization, if-match", path: str = "/events/x"
) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return await api.options(path, headers=asked)


def words(response: httpx.Response, name: str) -> set[str]:
    return {word.strip().lower() for word in response.headers[name].split(",")}


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173"])
async def test_a_page_of_a_configured_origin_may_use_the_whole_api(api: Planner, origin: str) -> None:
    for method in METHODS:
        answer = await preflight(api, origin, method, ", ".join(HEADERS))
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert words(answer, "access-control-allow-methods") >= {known.lower() for known in METHODS}
        assert words(answer, "access-control-allow-headers") >= set(HEADERS)
        assert "origin" in words(answer, "vary")


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "https://app.example.com.elsewhere.example", "http://app.example.com", f"{APP}:8443"]
)
async def test_a_preflight_of_another_origin_is_refused_with_a_problem(api: Planner, origin: str) -> None:
    answer = await preflight(api, origin)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert "access-control-allow-origin" not in answer.headers
    assert origin not in answer.text


@pytest.mark.parametrize(("method", "headers"), [("TRACE", "authorization"), ("GET", "x-elsewhere")])
async def test_a_preflight_for_an_unknown_method_or_header_is_refused(api: Planner, method: str, headers: str) -> None:
    answer = await preflight(api, APP, method, headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_page_may_read_the_headers_of_responses(api: Planner) -> None:
    ada = await sign_up(api, "ada@example.com")
    for answer in (
        await ada.get("/users/me", headers={"Origin": APP}),
        await ada.post("/events", json={"title": "x"}, headers={"Origin": APP}),
        await ada.get("/events/nowhere", headers={"Origin": APP}),
        await api.get("/users/me", headers={"Origin": APP}),
        await ada.post("/events", content=b"{", headers={"Origin": APP, "Content-Type": "application/json"}),
    ):
        assert answer.headers["access-control-allow-origin"] == APP
        exposed = words(answer, "access-control-expose-headers")
        assert exposed >= {"etag", "link", "location", "retry-after", "www-authenticate"}
        assert "origin" in words(answer, "vary")


async def test_a_page_of_another_origin_may_not_read_the_response(api: Planner) -> None:
    ada = await sign_up(api, "ada@example.com")
    answer = await ada.get("/users/me", headers={"Origin": OTHER})
    assert ok(answer)["id"] == ada.id
    assert "access-control-allow-origin" not in answer.headers


async def test_a_request_without_an_origin_gets_no_cors_headers(api: Planner) -> None:
    answer = await api.get("/users/me")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origins", [""])
async def test_without_configured_origins_there_are_no_cors_headers(api: Planner) -> None:
    ada = await sign_up(api, "ada@example.com")
    for answer in (await preflight(api, APP), await ada.get("/users/me", headers={"Origin": APP})):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert (await preflight(api, APP)).status_code == 405


@pytest.mark.parametrize("starred", ["*", f"{APP}, *", "https://*.example.com"])
def test_a_wildcard_origin_is_refused_at_start(monkeypatch: pytest.MonkeyPatch, starred: str) -> None:
    monkeypatch.setenv("CORS_ORIGINS", starred)
    with pytest.raises(ConfigurationError, match="CORS_ORIGINS: '\\*' cannot be used"):
        load()
