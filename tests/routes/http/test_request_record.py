"""Every response has an id and security headers, and every request is a line of the log."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from planner.app import create_app
from planner.settings import Settings
from tests.support.clients import Planner, sign_up
from tests.support.services import services_of

OPAQUE = "unguessable"


class LoggedRequests(list[dict[str, Any]]):
    """A request log that stores the fields of each line."""

    def __call__(self, **fields: Any) -> None:
        self.append(fields)


@pytest.fixture
async def logged(settings: Settings, open_database_for_test: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of a planner, and the lines that the planner logs."""
    lines = LoggedRequests()
    app = create_app(settings, open_database=open_database_for_test, request_log=lines)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as client:
            yield client, lines, app


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/events", 401), ("GET", "/nothing/here", 404), ("TRACE", "/events", 405), ("POST", "/auth/signup", 422)],
)
async def test_an_error_has_an_id_and_security_headers(api: Planner, method: str, path: str, status: int) -> None:
    response = await api.request(method, path)
    assert response.status_code == status
    assert len(response.headers["x-request-id"]) == 32
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("sent", ["a", "0f8b-17", "a/b:c.d_e=f+g@h", "x" * 128])
async def test_the_id_of_the_client_is_used(api: Planner, sent: str) -> None:
    assert (await api.get("/events", headers={"X-Request-ID": sent})).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "two words", "a\tb", 'say "x"', "é", "-x", "a,b"])
async def test_an_id_that_could_be_confusing_is_replaced(api: Planner, sent: str) -> None:
    response = await api.get("/events", headers={b"X-Request-ID": sent.encode()})
    assert len(response.headers["x-request-id"]) == 32


async def test_a_page_has_the_policy_of_its_own(api: Planner) -> None:
    page = await api.get("http://planner.test/docs")
    assert page.headers.get_list("content-security-policy") == [page.headers["content-security-policy"]]
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "x-request-id" in page.headers


async def test_a_request_is_one_line_with_the_route_and_the_account(logged: Any) -> None:
    client, lines, _ = logged
    ada = await sign_up(client, "ada@example.com")
    event = await ada.event()
    lines.clear()
    await ada.get(f"/events/{event['id']}?q={OPAQUE}")
    await ada.request("HEAD", f"/events/{event['id']}")
    await client.get(f"/feeds/{OPAQUE}.ics")
    await client.get(f"/{OPAQUE}")
    fields = [(line["method"], line["route"], line["status"], line["account"]) for line in lines]
    assert fields == [
        ("GET", "/api/v1/events/{id}", 200, ada.id),
        ("HEAD", "/api/v1/events/{id}", 200, ada.id),
        ("GET", "/api/v1/feeds/{token}.ics", 404, None),
        ("GET", "none", 404, None),
    ]
    assert all(line["milliseconds"] > 0 for line in lines)
    assert OPAQUE not in repr(lines)


async def test_a_failure_of_the_planner_is_a_problem_with_an_id_and_a_line(
    logged: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client, lines, app = logged
    ada = await sign_up(client, "ada@example.com")

    async def fail(*_: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(type(services_of(app).events), "get_page", fail)
    response = await ada.get("/events", headers={"X-Request-ID": "mine"})
    assert (response.status_code, response.json()["status"]) == (500, 500)
    assert response.headers["x-request-id"] == "mine"
    assert (lines[-1]["route"], lines[-1]["status"]) == ("/api/v1/events", 500)
    assert "a defect" in caplog.text


async def test_a_browser_is_told_to_use_https_only_if_the_planner_has_an_https_address(
    app: FastAPI, api: Planner, settings: Settings, open_database_for_test: Callable[[], Any]
) -> None:
    assert "strict-transport-security" not in (await api.get("/events")).headers
    secure = settings.model_copy(update={"public_url": "https://planner.test"})
    transport = httpx.ASGITransport(app=create_app(secure, open_database=open_database_for_test))
    async with httpx.AsyncClient(transport=transport, base_url="https://planner.test") as client:
        assert "max-age=" in (await client.get("/nothing")).headers["strict-transport-security"]
