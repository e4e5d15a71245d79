"""What is recorded of each request: its id, a line in the log, and metrics; and headers that every response has."""

import asyncio
import logging
import random
import re
from collections.abc import Callable, Iterable
from time import perf_counter

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from planner.draining import Draining
from planner.load.admission import Admission
from planner.logs import RequestLog
from planner.telemetry.metrics import Metrics
from routes.http.errors import respond_to_failure, respond_to_shutdown

log = logging.getLogger("planner.http")
# The id of a client is used if it is short and contains nothing that a log or a header could be confused by.
_ACCEPTABLE_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
# What stands for the template of a route in the log and the metrics when no route has this path.
NO_ROUTE = "none"
# What stands for the status when the client closed the connection before it got a response.
CLIENT_CLOSED = 499
SECURITY_HEADERS: dict[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"x-frame-options": b"DENY",
    b"cross-origin-opener-policy": b"same-origin",
}
_CLOSE = (b"connection", b"close")
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class RequestRecord:
    """Middleware around everything else: it also answers when the rest fails, so that every response has an id."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        request_log: RequestLog | None,
        note_in_trace: Callable[[str], str | None] | None,
        *,
        draining: Draining,
        admission: Admission,
        is_https: bool,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._log = request_log
        self._note_in_trace = note_in_trace
        self._draining = draining
        self._admission = admission
        self._headers = list(SECURITY_HEADERS.items()) + ([_HSTS] if is_https else [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, and record it when its response has ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = find_id(scope["headers"]) or new_id()
        # The route and the authentication note here what they find; see `PlannerRoute` and `Authenticate`.
        state = scope.setdefault("state", {})
        status = CLIENT_CLOSED

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                present = {name for name, _ in headers}
                added = [header for header in self._headers if header[0] not in present]
                # A connection that is about to end takes no further request.
                closing = [_CLOSE] if self._draining.has_begun else []
                message["headers"] = [*headers, *added, *closing, (b"x-request-id", request_id)]
            await send(message)

        started = perf_counter()
        self._metrics.begin_request()
        ids = {"request_id": request_id.decode()}
        if self._note_in_trace is not None and (trace_id := self._note_in_trace(ids["request_id"])) is not None:
            ids["trace_id"] = trace_id
        structlog.contextvars.bind_contextvars(**ids)
        try:
            await self._app(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            # The server cancels what has not ended in time when it stops, such as a request whose body never came.
            if status == CLIENT_CLOSED:
                await respond_to_shutdown(Request(scope))(scope, receive, send_with_headers)
        except Exception:  # Whatever it is: the client gets a response, and the log the traceback.
            log.exception("a request failed")
            if status == CLIENT_CLOSED:
                await respond_to_failure(Request(scope))(scope, receive, send_with_headers)
        finally:
            seconds = perf_counter() - started
            self._admission.note_answer(seconds)
            route = state.get("route", NO_ROUTE)
            self._metrics.end_request(scope["method"], route, status, seconds)
            if self._log is not None:
                self._log(
                    method=scope["method"],
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                    account=state.get("account"),
                )
            structlog.contextvars.unbind_contextvars(*ids)


def find_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the X-Request-ID that the client has sent, or None if it has sent none that can be used."""
    for name, value in headers:
        if name == b"x-request-id":
            return value if _ACCEPTABLE_ID.fullmatch(value) else None
    return None


def new_id() -> bytes:
    """Return an id for a request; it is no secret."""
    # Asking the system for random bytes lets another thread take over, which under load costs more than all else here.
    return b"%032x" % random.getrandbits(128)
