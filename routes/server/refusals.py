"""The responses to requests that are refused before they reach the application, made once and for all."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from routes.http.errors import TOKEN_ENDPOINT, respond_to_overload
from routes.http.request_record import SECURITY_HEADERS, find_id, new_id

# These tell an operator why requests are refused, and whether a process must be started again.
NEVER_REFUSED = frozenset({b"healthz", b"readyz", b"metrics"})
_TOKEN_ENDPOINT = TOKEN_ENDPOINT.encode()


def render_headers(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the lines of these headers in a response of HTTP/1.1."""
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers)


class Refusal:
    """A response in parts: its headers, without those of the connection, and its body."""

    def __init__(self, path: str) -> None:
        scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
        response = respond_to_overload(Request(scope | {"scheme": "http", "server": ("localhost", 80)}))
        present = {name for name, _ in response.raw_headers}
        own = [(name, value) for name, value in SECURITY_HEADERS.items() if name not in present]
        self.head = render_headers([*response.raw_headers, *own])
        self.body = bytes(response.body)


_OVERLOAD = Refusal("/")
_OVERLOAD_AT_TOKEN_ENDPOINT = Refusal(TOKEN_ENDPOINT)


def find_refusal(target: bytes) -> Refusal:
    """Return the refusal of a request with this target, because there are too many requests."""
    return _OVERLOAD_AT_TOKEN_ENDPOINT if _path_of(target).endswith(_TOKEN_ENDPOINT) else _OVERLOAD


def is_never_refused(target: bytes) -> bool:
    """Return whether a request with this target is answered however many there are."""
    return _path_of(target).rpartition(b"/")[2] in NEVER_REFUSED


def _path_of(target: bytes) -> bytes:
    return target.partition(b"?")[0]


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to a request, as an ASGI application, that there are too many requests."""
    response = respond_to_overload(Request(scope))
    id = find_id(scope["headers"]) or new_id()
    response.raw_headers += [*SECURITY_HEADERS.items(), (b"x-request-id", id)]
    await response(scope, receive, send)
