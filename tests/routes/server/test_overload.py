"""A server of which more is asked than it answers at the same time: who is served, who is refused, and how."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState as UvicornState

from planner.load.admission import Admission
from planner.telemetry.metrics import Metrics
from routes.server.connections import Connections
from routes.server.protocol import BoundedProtocol, ServerState
from tests.support.waiting import wait_until_async

HALF_A_BODY = b"POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"


def build_request(path: str, method: str = "GET", *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: planner.test", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self, *, has_body: bool = True) -> Response:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): (.*?)\r$", head, re.MULTILINE)}
        body = await self._reader.readexactly(int(headers["content-length"])) if has_body else b""
        return Response(int(head.split()[1]), headers, body)

    async def ask(self, path: str, method: str = "GET", *headers: str, body: bytes = b"") -> Response:
        await self.send(build_request(path, method, *headers, body=body))
        return await self.receive(has_body=method != "HEAD")

    async def is_closed(self) -> bool:
        return await self._reader.read() == b""

    def close(self) -> None:
        self._writer.close()


class Served:
    """A server that answers one request at a time; one for `/wait` takes until `go` is set."""

    def __init__(self) -> None:
        self.go, self.has_begun = asyncio.Event(), asyncio.Event()
        self.metrics = Metrics()
        self.shared = ServerState(Connections(100, self.metrics), Admission(1, self.metrics))
        config = uvicorn.Config(self._app, http=BoundedProtocol, interface="asgi3", lifespan="off", log_config=None)
        config.load()
        state, loop = UvicornState(), asyncio.get_running_loop()
        self._make = lambda: BoundedProtocol(config, state, self.shared.to_lifespan(), loop)
        self._clients: list[Client] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(self._make, "127.0.0.1", 0)

    async def connect(self) -> Client:
        assert self._server is not None
        client = Client(*await asyncio.open_connection(*self._server.sockets[0].getsockname()))
        self._clients.append(client)
        return client

    async def stop(self) -> None:
        self.go.set()
        for client in self._clients:
            client.close()
        assert self._server is not None
        self._server.close()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wait":
            self.has_begun.set()
            await self.go.wait()
        body = b""
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def busy(served: Served) -> Client:
    """The connection whose request is being answered."""
    client = await served.connect()
    await client.send(build_request("/wait"))
    await served.has_begun.wait()
    return client


async def test_a_request_beyond_the_limit_gets_503_that_says_why_and_when_to_try_again(
    served: Served, busy: Client
) -> None:
    response = await (await served.connect()).ask("/api/v1/events", "GET", "X-Request-ID: mine")
    assert response.status == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) > 0
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["x-content-type-options"] == "nosniff"
    problem = json.loads(response.body)
    assert (problem["type"], problem["status"]) == ("/problems/busy", 503)
    assert "database" not in problem["detail"]


async def test_the_request_that_was_accepted_is_answered(served: Served, busy: Client) -> None:
    assert (await (await served.connect()).ask("/other")).status == 503
    served.go.set()
    assert (await busy.receive()).status == 200


async def test_the_connection_of_a_refused_request_serves_the_next_one(served: Served, busy: Client) -> None:
    client = await served.connect()
    assert [(await client.ask("/other")).status for _ in range(3)] == [503, 503, 503]
    served.go.set()
    await busy.receive()
    assert (await client.ask("/other")).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/below/healthz", "/readyz?x=1"])
async def test_health_and_metrics_are_never_refused(served: Served, busy: Client, path: str) -> None:
    assert (await (await served.connect()).ask(path)).status == 200


async def test_the_body_of_a_refused_request_is_not_taken_for_the_next_one(served: Served, busy: Client) -> None:
    client = await served.connect()
    body = build_request("/smuggled")
    response = await client.ask("/other", "POST", f"Content-Length: {len(body)}", body=body)
    assert response.status == 503
    served.go.set()
    await busy.receive()
    assert (await client.ask("/other", "POST", "Content-Length: 2", body=b"{}")).body == b"{}"


async def test_a_refused_request_for_the_head_gets_no_body(served: Served, busy: Client) -> None:
    client = await served.connect()
    assert (await client.ask("/other", "HEAD")).status == 503
    assert (await client.ask("/healthz")).status == 200


async def test_the_token_endpoint_refuses_in_its_own_form(served: Served, busy: Client) -> None:
    response = await (await served.connect()).ask("/api/v1/auth/token", "POST", "Content-Length: 0")
    assert response.status == 503
    assert json.loads(response.body)["error"] == "temporarily_unavailable"
    assert response.headers["cache-control"] == "no-store"
    assert int(response.headers["retry-after"]) > 0


async def test_a_client_that_asked_for_it_is_disconnected_after_the_refusal(served: Served, busy: Client) -> None:
    client = await served.connect()
    response = await client.ask("/other", "GET", "Connection: close")
    assert (response.status, response.headers["connection"]) == (503, "close")
    assert await client.is_closed()


async def test_responses_to_pipelined_requests_stay_in_order(served: Served, busy: Client) -> None:
    await busy.send(build_request("/other", "GET", "X-Request-ID: second"))
    await (await served.connect()).ask("/healthz")
    served.go.set()
    assert (await busy.receive()).status == 200
    second = await busy.receive()
    assert (second.status, second.headers["x-request-id"]) == (503, "second")


async def test_a_client_that_waits_for_leave_to_send_its_body_gets_the_refusal_instead(
    served: Served, busy: Client
) -> None:
    client = await served.connect()
    response = await client.ask("/other", "POST", "Content-Length: 5", "Expect: 100-continue")
    assert response.status == 503


async def test_requests_whose_bodies_never_come_take_no_place(served: Served) -> None:
    for _ in range(3):
        await (await served.connect()).send(HALF_A_BODY)
    client = await served.connect()
    assert (await client.ask("/other")).status == 200


async def test_those_places_are_free_when_the_clients_have_gone(served: Served) -> None:
    for _ in range(3):
        half = await served.connect()
        await half.send(HALF_A_BODY)
        assert (await (await served.connect()).ask("/healthz")).status == 200
        half.close()
    await wait_until_async(lambda: len(served.shared.connections) <= 3)
    assert served.shared.admission.incomplete == 0


async def test_a_request_whose_body_never_comes_makes_no_room_while_it_waits_for_the_one_before_it(
    served: Served,
) -> None:
    served.shared.admission.limit = 2
    for _ in range(2):
        client = await served.connect()
        await client.send(build_request("/wait") + HALF_A_BODY)
        assert (await (await served.connect()).ask("/healthz")).status == 200
    assert (await (await served.connect()).ask("/other")).status == 503


async def test_such_a_request_takes_no_place_when_the_one_before_it_is_answered(served: Served) -> None:
    served.shared.admission.limit = 2
    clients = [await served.connect() for _ in range(2)]
    for client in clients:
        await client.send(build_request("/wait") + HALF_A_BODY)
    await served.has_begun.wait()
    served.go.set()
    assert [(await client.receive()).status for client in clients] == [200, 200]
    assert (await (await served.connect()).ask("/other")).status == 200


async def test_refused_requests_are_counted(served: Served, busy: Client) -> None:
    await (await served.connect()).ask("/other")
    assert b'planner_http_refusals_total{reason="requests"} 1.0' in served.metrics.render({}, "").body
