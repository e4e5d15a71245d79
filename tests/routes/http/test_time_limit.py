"""Every request ends: with a response that says so if it takes too long."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from pymongo.errors import ExecutionTimeout, NetworkTimeout

from planner.services.events.events import Events
from planner.services.operation.readiness import Readiness
from routes.http.time_limit import TimeLimit
from tests.support.clients import Person, ok


def find_time_limit(app: FastAPI) -> TimeLimit:
    """Return the middleware of an application that has handled a request."""
    found: Any = app.middleware_stack
    while not isinstance(found, TimeLimit):
        found = getattr(found, "app", None) or found._app
    return found


async def test_a_request_that_takes_too_long_is_ended_and_told_so(
    app: FastAPI, ada: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    event = await ada.event()

    async def wait_forever(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(Events, "get_page", wait_forever)
        patch.setattr(find_time_limit(app), "_seconds", 0.25)
        response = await ada.get("/events")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.headers["x-request-id"]
    assert "longer than 0.25 s" in response.json()["detail"]
    assert "longer than 0.25 s" in caplog.text
    ok(await ada.get(f"/events/{event['id']}"))


async def respond_in_parts(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(5):
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def never_receive() -> Any:
    await asyncio.Event().wait()


async def test_a_client_that_takes_no_part_of_its_response_is_left() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3:
            await asyncio.Event().wait()

    await TimeLimit(respond_in_parts, 0.05)({"type": "http"}, never_receive, send)
    assert len(sent) == 3


async def test_a_response_may_take_long_as_long_as_its_client_takes_its_parts() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        await asyncio.sleep(0.4)

    await TimeLimit(respond_in_parts, 2)({"type": "http"}, never_receive, send)
    assert len(sent) == 7


async def test_another_cancellation_is_not_taken_for_the_end_of_the_time() -> None:
    async def wait_forever(*_: Any) -> None:
        await asyncio.Event().wait()

    request = asyncio.ensure_future(TimeLimit(wait_forever, 60)({"type": "http"}, never_receive, wait_forever))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


@pytest.mark.parametrize(
    ("error", "is_away"),
    [(ExecutionTimeout("operation exceeded time limit", 50), False), (NetworkTimeout("timed out"), True)],
    ids=["slow", "away"],
)
async def test_a_slow_operation_is_not_called_a_database_that_is_away(
    ada: Person, monkeypatch: pytest.MonkeyPatch, error: Exception, is_away: bool
) -> None:
    noted: list[BaseException] = []

    async def fail(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Events, "get_page", fail)
        patch.setattr(Readiness, "note_failure", lambda _, failure: noted.append(failure))
        response = await ada.get("/events")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert ("unavailable" in response.json()["detail"]) is is_away
    assert bool(noted) is is_away


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_no_failure_of_the_planner(
    app: FastAPI, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"a"), (b"content-type", b"application/json"), (b"content-length", b"9")]
    path = {"path": "/api/v1/auth/signin", "raw_path": b"", "root_path": "", "query_string": b""}
    scope = {"type": "http", "method": "POST", "headers": headers, "scheme": "http", "client": None, "server": None}
    await app(scope | path, receive, send)
    assert [message.get("status") for message in sent][:1] == [400]
    assert "Traceback" not in caplog.text
