"""HEAD is answered as GET, without a body."""

import socket

import pytest

from tests.support.clients import Person, Planner, headers_of
from tests.support.servers import RunningServer


@pytest.mark.parametrize("path", ["/events", "/events/occurrences", "/users/me", "/events/692000000000000000000001"])
async def test_head_returns_the_status_and_headers_of_get(ada: Person, path: str) -> None:
    got, head = await ada.get(path), await ada.request("HEAD", path)
    assert head.status_code == got.status_code
    assert headers_of(head) == headers_of(got)
    assert head.content == b""


async def test_head_with_if_none_match_returns_304(ada: Person) -> None:
    made = await ada.event()
    head = await ada.request("HEAD", f"/events/{made['id']}", headers={"If-None-Match": '"1"'})
    assert head.status_code == 304


async def test_head_is_not_allowed_where_there_is_no_get(api: Planner, ada: Person) -> None:
    refused = await ada.request("HEAD", "/auth/signout")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST"
    assert (await ada.request("POST", "/users/me")).headers["allow"] == "DELETE, GET, HEAD, PATCH"


@pytest.mark.real_server("the mock runs in this process")
def test_on_the_connection_no_body_follows_the_headers(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: planner\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: wire.recv(4096), b""))
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest == b""
