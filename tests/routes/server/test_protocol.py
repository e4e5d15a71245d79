"""What the server itself refuses: requests that are no HTTP, and those that are too large or too slow."""

import contextlib
import http.client
import json
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import SECRET, url_of
from tests.support.processes import worker_processes
from tests.support.servers import RunningServer, running

SIGN_IN = b"POST /api/v1/auth/signin HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: planner.test\r\n"
SLOW_SECONDS = 30
pytestmark = pytest.mark.real_server("it is a process of its own")


@pytest.fixture(scope="module")
def server(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A planner with two worker processes."""
    data, database = tmp_path_factory.mktemp("protocol") / "data", url_of(mongo_url, "test_protocol")
    with running(data, ["--workers", "2"], DATABASE_URL=database, SECRET_KEY=SECRET) as server:
        yield server


def connect(server: RunningServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def read_all(connection: socket.socket) -> bytes:
    """Return what arrives until the server closes the connection."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def exchange(server: RunningServer, request: bytes) -> bytes:
    """Return the response to a request after which the server closes the connection."""
    with closing(connect(server)) as connection:
        connection.sendall(request)
        return read_all(connection)


def assert_problem(response: bytes, status: int) -> None:
    head, _, body = response.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith(f"http/1.1 {status} ")
    assert "content-type: application/problem+json" in lines
    assert "connection: close" in lines
    assert any(line.startswith("x-request-id: ") for line in lines)
    problem = json.loads(body)
    assert (problem["status"], set(problem)) == (status, {"type", "title", "status", "detail"})


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"no http at all\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_request_gets_a_problem(server: RunningServer, request_head: bytes) -> None:
    assert_problem(exchange(server, request_head), 400)


@pytest.mark.parametrize("address", ["/healthz", "/docs", "/nothing", "/api/v1/events"])
def test_head_is_answered_at_once_and_without_a_body(server: RunningServer, address: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with closing(connection):
        for method in ("HEAD", "HEAD", "GET"):
            connection.request(method, address)
            response = connection.getresponse()
            body = response.read()
            assert response.status in (200, 401, 404)
            assert bool(body) == (method == "GET")


def test_responses_to_pipelined_requests_come_in_order_also_if_some_have_no_body(server: RunningServer) -> None:
    request = b" /healthz HTTP/1.1\r\nHost: a\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    received = exchange(server, b"HEAD" + request + b"\r\nGET" + request + b"\r\nHEAD" + request + b"\r\n" + last)
    assert re.findall(rb"HTTP/1.1 (\d+) ", received) == [b"200", b"200", b"200", b"404"]


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "identity"])
def test_a_transfer_coding_other_than_chunked_is_refused(server: RunningServer, coding: str) -> None:
    head = f"POST /api/v1/auth/signup HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n"
    response = exchange(server, head.encode() + b"0\r\n\r\n")
    # A coding after which nobody knows where the body ends is no valid request at all.
    assert response.startswith((b"HTTP/1.1 501 ", b"HTTP/1.1 400 "))
    assert response.count(b"HTTP/1.1 ") == 1


def test_a_request_for_another_protocol_gets_its_response_and_no_warning(server: RunningServer) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with closing(connect(server)) as connection:
        connection.sendall(GET + upgrade)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert "WebSocket" not in server.output


def test_a_request_that_was_answered_before_its_body_came_gets_no_second_response(server: RunningServer) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(connect(server)) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"no chunk\r\n")
        assert read_all(connection) == b""


def test_http_1_0_needs_no_host(server: RunningServer) -> None:
    assert exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 80_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        GET + b"X-Large: " + b"x" * 80_000 + b"\r\n\r\n",
        GET + b"X-Many: x\r\n" * 8000 + b"\r\n",
        GET + b"X-Unfinished: " + b"x" * 80_000,
        # Of a request that is answered when its body has ended: others may be answered before their trailer comes.
        SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: " + b"x" * 80_000,
    ],
    ids=["target", "header", "headers", "unfinished", "trailer"],
)
def test_a_head_of_more_than_64_kib_is_refused(server: RunningServer, head: bytes) -> None:
    assert_problem(exchange(server, head)[-2000:], 431)


def test_a_head_below_64_kib_and_requests_on_one_connection_are_answered(server: RunningServer) -> None:
    with closing(connect(server)) as connection:
        request = GET + b"X-Large: " + b"x" * 60_000 + b"\r\n\r\n"
        connection.sendall(request * 3 + GET + b"Connection: close\r\n\r\n")
        assert read_all(connection).count(b"HTTP/1.1 200 ") == 4


def test_heads_of_64_mib_are_not_held_in_memory(server: RunningServer) -> None:
    def resident() -> int:
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in worker_processes(server)]
        return sum(pages) * resource.getpagesize()

    before = resident()
    for _ in range(4):
        with closing(connect(server)) as connection:
            # The server may close the connection before everything was sent.
            with contextlib.suppress(OSError):
                connection.sendall(GET + b"X-Large: ")
                for _ in range(1024):
                    connection.sendall(b"x" * 65536)
            assert_problem(read_all(connection), 431)
    assert resident() - before < 32 * 1024 * 1024


def test_the_explanation_of_a_refusal_is_served(server: RunningServer) -> None:
    kind = json.loads(exchange(server, GET + b"X: " + b"x" * 80_000).partition(b"\r\n\r\n")[2])["type"]
    request = f"GET {kind} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert exchange(server, request.encode()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_clients_that_do_not_finish_a_request_in_thirty_seconds_are_dropped(server: RunningServer) -> None:
    beginnings = [b"", b"G", GET, GET + b"X: ", SIGN_IN + b"Content-Length: 100\r\n\r\n{", b"\r\n\r\n"]
    begun = time.monotonic()
    # Enough connections that each worker has some of each kind.
    connections = [(beginning, connect(server)) for beginning in beginnings for _ in range(6)]
    for beginning, connection in connections:
        connection.sendall(beginning)
    for beginning, connection in connections:
        with closing(connection):
            response = read_all(connection)
            assert time.monotonic() - begun > SLOW_SECONDS - 1
            if beginning.strip():
                assert_problem(response, 408)
            else:
                assert response == b""
    assert time.monotonic() - begun < 2 * SLOW_SECONDS
    assert "Traceback" not in server.output
    assert exchange(server, GET + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
