"""The application: how it is assembled, started and stopped."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.hash_password import PasswordHasher
from database.connection import bind, extend_request_limit
from database.errors import DRIVER_ERROR, DatabaseUnavailable
from models import DOCUMENTS
from models.accounts.user import User
from planner import background
from planner.clock import Clock, SystemClock
from planner.draining import Draining
from planner.load.admission import Admission
from planner.logs import RequestLog
from planner.memory.cache import limit_caches
from planner.randomness import RandomBytes, system_random_bytes
from planner.services.mail.transports import MailTransport
from planner.settings import Settings
from planner.startup import OpenDatabase, database_opener, explain_failure
from planner.telemetry.metrics import Metrics
from planner.version import VERSION
from planner.wiring import build_services, mail_transport_of
from routes.api import include_routes
from routes.http import errors
from routes.http.head_requests import HeadAsGet
from routes.http.openapi import install_openapi
from routes.http.proxies import ProxyWarning, PublicPath
from routes.http.request_record import RequestRecord
from routes.http.time_limit import TimeLimit
from routes.pages.page_errors import respond_with_page, wants_page
from routes.server.connections import Connections, compute_limit
from routes.server.protocol import ServerState

if TYPE_CHECKING:
    from planner.telemetry.tracing import Tracing

# Requests that say nothing about what the planner does, and come every few seconds.
UNTRACED = ("/healthz", "/readyz", "/metrics")
# What a page on another origin may read of an answer besides its body.
EXPOSED = ["ETag", "Link", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate", "X-Request-ID"]


def create_app(
    settings: Settings,
    *,
    open_database: OpenDatabase | None = None,
    mail_transport: MailTransport | None = None,
    clock: Clock | None = None,
    random_bytes: RandomBytes = system_random_bytes,
    request_log: RequestLog | None = None,
    tracing: "Tracing | None" = None,
) -> FastAPI:
    """Return the planner as an ASGI application.

    It opens its database when it starts: the one of `settings`, or what `open_database` returns.
    The database, the mail transport, the clock and the source of randomness are given here once,
    and reach every service; tests give their own. `request_log` writes a line for each request, and `tracing`
    makes the spans. Raises `ConfigurationError` when the settings do not allow a start.
    """
    settings.secret()
    limit_caches(settings.cache_megabytes)
    transport = mail_transport or mail_transport_of(settings)
    metrics = Metrics()
    draining = Draining(settings.drain_seconds)
    admission = Admission(settings.max_requests, metrics)
    hasher = PasswordHasher(
        settings.password_rounds,
        longest_wait=settings.sign_in_wait_seconds,
        uncounted=admission.uncounted,
        on_turn=extend_request_limit,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
        with _note_start_failure(app):
            database = await (open_database or database_opener(settings))()
        try:
            with _note_start_failure(app):
                await bind(database, DOCUMENTS)
                await hasher.warm_up(User.find_password_hash)
            services = build_services(
                settings,
                database,
                hasher,
                transport,
                clock or SystemClock(),
                random_bytes,
                metrics,
                draining,
                admission,
            )
            app.state.services = services
            loop = asyncio.create_task(background.run_due_work(services))
            draining.begin_on_sigterm(loop.cancel)
            # What is yielded is the state that the protocol of the server is given.
            limit = compute_limit(settings.max_connections)
            yield ServerState(Connections(limit, metrics), admission).to_lifespan()
            await background.stop(loop)
        finally:
            hasher.close()
            await database.close()
            if tracing is not None:
                await tracing.stop()

    app = FastAPI(
        title="Planner",
        version=VERSION,
        summary="Accounts, and events that belong to people.",
        lifespan=lifespan,
        # The API page is ours, in routes/pages/api_page.py: FastAPI's own loads its assets from other hosts.
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        telemetry=_telemetry(tracing),
    )
    errors.install_error_handlers(app, errors.ErrorPages(wants_page, respond_with_page))
    include_routes(app)
    install_openapi(app, settings.base_url)
    app.add_middleware(TimeLimit, seconds=settings.request_seconds)
    app.add_middleware(HeadAsGet)
    if settings.origins:
        app.add_middleware(_Cors, **cors(settings.origins))
    is_https = settings.base_url.startswith("https:")
    app.add_middleware(
        RequestRecord,
        metrics=metrics,
        request_log=request_log,
        note_in_trace=None if tracing is None else tracing.note_request,
        draining=draining,
        admission=admission,
        is_https=is_https,
    )
    app.add_middleware(ProxyWarning)
    app.add_middleware(_StartFailure)
    if path := urlsplit(settings.base_url).path:
        own_names = {route.path.split("/")[1] for route in app.routes if isinstance(route, Route)}
        app.add_middleware(PublicPath, path=path, own_names=own_names)
    return app


def _telemetry(tracing: "Tracing | None") -> TelemetryConfig:
    """Return what FastAPI measures and sends itself: spans of requests, if there is tracing, and nothing else.

    The environment variables that it would read send addresses as they were requested, with tokens in them.
    """
    return {
        "tracing": tracing is not None,
        "tracer_provider": None if tracing is None else tracing.provider,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": lambda scope: scope["path"] in UNTRACED,
    }


def cors(origins: list[str]) -> dict[str, Any]:
    """Return the CORS options for these origins: everything that the API offers, with credentials."""
    return {
        "allow_origins": origins,
        "allow_credentials": True,
        "allow_methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "Prefer",
            "X-Request-ID",
            # What browsers' instrumentation adds (W3C Trace Context, W3C Baggage).
            "Baggage",
            "Traceparent",
            "Tracestate",
        ],
        "expose_headers": EXPOSED,
        "max_age": 600,
    }


@contextmanager
def _note_start_failure(app: FastAPI) -> Iterator[None]:
    """Note for `_StartFailure` why the database cannot be used, if what the block does with it fails."""
    try:
        yield
    except (DatabaseUnavailable, DRIVER_ERROR) as error:
        app.state.start_failure = explain_failure(error)
        raise
    except asyncio.CancelledError:
        app.state.start_failure = "A signal has ended the start."
        raise


class _StartFailure:
    """Middleware that says in a sentence why the application cannot start, where Starlette sends a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_sentence(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                message["message"] = getattr(scope["app"].state, "start_failure", message["message"])
            await send(message)

        await self._app(scope, receive, send_sentence if scope["type"] == "lifespan" else send)


class _Cors(CORSMiddleware):
    """The CORS middleware, with a problem (RFC 9457) as the response to a refused preflight."""

    def preflight_response(self, request_headers: Any) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        headers = {
            name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")
        }
        return errors.problem_response(response.status_code, bytes(response.body).decode(), headers=headers)
