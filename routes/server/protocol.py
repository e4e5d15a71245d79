"""The HTTP/1.1 protocol of the server, with limits on what a client may make it wait for and hold in memory."""

import asyncio
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from planner.load.admission import Admission
from routes.http.errors import problem_response
from routes.http.request_record import find_id, new_id
from routes.server.connections import Connections
from routes.server.refusals import find_refusal, is_never_refused, refuse, render_headers
from routes.server.response_writer import ResponseWriter

# A request line and its headers; and what else is no body, such as trailers.
MAX_HEAD_BYTES = 64 * 1024
# From the first byte of a request to its last one; a new connection has as long for its first request.
REQUEST_SECONDS = 30.0
# So long, what a refused client still sends is read and ignored: else its system would discard our response unread.
LINGER_SECONDS = 1.0
# What arrives is parsed in parts of this size, so that no head is much larger than allowed before it is refused.
PART_BYTES = 8 * 1024
NOT_HTTP = "The request is not valid HTTP/1.1 (RFC 9112)."
ONLY_CHUNKED = "The only transfer coding that the planner knows is chunked (RFC 9112 §6.1)."
NEEDS_HOST = "A request of HTTP/1.1 must have exactly one Host header (RFC 9112 §3.2)."
NO_ROOM = "The planner has as many connections as it can have. Try again in a moment."
_STATE = "server_state"


class ServerState(NamedTuple):
    """What all connections of a process share. They find it in the state that the application yields at its start."""

    connections: Connections
    admission: Admission

    def to_lifespan(self) -> dict[str, object]:
        """Return the state of the lifespan (ASGI)."""
        return {_STATE: self}


class BoundedProtocol(HttpToolsProtocol):
    """The protocol of uvicorn, which itself bounds neither the size of a head nor the time of a request.

    A refused request gets a problem (RFC 9457), like every other error, and its connection is closed.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_receiving = False
        self._is_refused = False
        self._status, self._reason = 400, NOT_HTTP
        # Whether the head of the request that is arriving is complete, so that it may have its response already.
        self._has_head = False
        # How much has arrived since the request began, or since the last part of its body.
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        shared = self.app_state[_STATE]
        assert isinstance(shared, ServerState)
        self._connections, self._admission = shared
        # Whether the request that is arriving is running already, or was refused and the rest of it is ignored.
        self._is_running = False
        self._is_ignored = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch_time()
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was waited for."""
        super().connection_lost(exc)
        self._end_receiving()
        self._stop_watching()
        self._connections.remove(self)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, and refuse a head that is too large."""
        for start in range(0, len(data), PART_BYTES):
            if self._is_refused or self.transport.is_closing():
                return
            part = data[start : start + PART_BYTES]
            self._head_bytes += len(part)
            super().data_received(part)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"The head of a request must have at most {MAX_HEAD_BYTES:,} bytes.")
        self._watch_time()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._is_receiving = True
        self._status, self._reason = 400, NOT_HTTP
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Pass the request on; raises `ValueError`, which ends the parsing, for one that cannot be understood."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self._reason = NEEDS_HOST
            raise ValueError(NEEDS_HOST)
        if any(name == b"transfer-encoding" and value.strip().lower() != b"chunked" for name, value in self.headers):
            self._status, self._reason = 501, ONLY_CHUNKED
            raise ValueError(ONLY_CHUNKED)
        self._has_head = True
        if self._admission.has_room(len(self.tasks)) or is_never_refused(self.url):
            super().on_headers_complete()
        else:
            self._refuse_request()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin to answer a request: when it arrives, or when the one before it is answered."""
        # No body comes after the head of a response to HEAD.
        if cycle.scope["method"] != "HEAD":
            cycle.transport = ResponseWriter(self.transport, cycle)
        super()._start_asgi_task(cycle, app)
        if self._is_receiving and cycle is self.cycle:
            self._is_running = True
            self._admission.incomplete += 1

    def _refuse_request(self) -> None:
        """Respond that there are too many requests, as cheaply as possible, and keep the connection."""
        self._admission.note_refusal()
        is_in_turn = self.cycle is None or self.cycle.response_complete
        if not is_in_turn or self.expect_100_continue:
            # Another response comes first, or it is not known whether a body follows: that is left to uvicorn.
            app, self.app = self.app, refuse
            super().on_headers_complete()
            self.app = app
            return
        self._is_ignored = True
        refusal = find_refusal(self.url)
        id = find_id(self.headers) or new_id()
        ends = not self.parser.should_keep_alive()
        own = [*self.server_state.default_headers, (b"x-request-id", id)]
        if ends:
            own.append((b"connection", b"close"))
        body = b"" if self.parser.get_method() == b"HEAD" else refusal.body
        self.transport.write(STATUS_LINE[503] + refusal.head + render_headers(own) + b"\r\n" + body)
        if ends:
            self.transport.close()
        self._connections.note_response(self)

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on; its size is bounded by the routes."""
        self._head_bytes = 0
        if not self._is_ignored:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is complete."""
        self._head_bytes = 0
        self._is_receiving = self._has_head = False
        self._end_receiving()
        if self._is_ignored:
            self._is_ignored = False
            return
        if not self.cycle.response_complete:
            self._connections.note_request(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with a request that has arrived meanwhile, or wait for the next one."""
        self._end_receiving()
        super().on_response_complete()
        if self.cycle.response_complete:
            self._connections.note_response(self)

    def _end_receiving(self) -> None:
        """Count the request that is running from now on: it is complete, or was answered before it was."""
        if self._is_running:
            self._is_running = False
            self._admission.incomplete -= 1

    def make_room(self) -> None:
        """Close the connection, which waits for its client, because a new one needs its place."""
        if self._is_receiving:
            self._refuse(503, NO_ROOM)
        else:
            self.transport.close()

    def refuse_connection(self) -> None:
        """Respond that there are too many connections, and close this one."""
        self._refuse(503, NO_ROOM)

    def abort(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that cannot be parsed; `msg` is uvicorn's own reason, which is the same for all."""
        self._refuse(self._status, self._reason)

    def _unsupported_upgrade_warning(self) -> None:
        """Ignore that a request asks for another protocol, as a server may (RFC 9110 §7.8): it gets its response."""

    def _watch_time(self) -> None:
        """Start to wait for a request or the rest of it, or stop when it is complete."""
        is_idle = self.cycle is None or self.cycle.response_complete
        if self._is_refused or not (self._is_receiving or (is_idle and self.timeout_keep_alive_task is None)):
            self._stop_watching()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._drop)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        if self._is_receiving:
            self._refuse(408, f"The request was not complete after {REQUEST_SECONDS:.0f} seconds.")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        """Respond with a problem, unless another response has begun, and close the connection."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_watching()
        if self.pipeline or (self.cycle and self.cycle.response_started and not self.cycle.response_complete):
            # The response to an earlier request comes first.
            self.transport.abort()
            return
        if self._has_head and (self._is_ignored or (self.cycle and self.cycle.response_complete)):
            # The request has had its response, before all of it was there.
            self.transport.close()
            return
        own = {"x-request-id": new_id().decode(), "connection": "close"}
        response = problem_response(status, detail, headers=own | ({"retry-after": "2"} if status == 503 else {}))
        lines = render_headers([*self.server_state.default_headers, *response.raw_headers])
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + bytes(response.body))
        if self.cycle is not None:
            # What is still waiting for the rest of the request learns that nothing more comes.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
