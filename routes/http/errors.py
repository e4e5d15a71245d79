"""Kind of error -> HTTP status: one table and one handler."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from database.errors import DRIVER_ERROR, is_unavailable
from models.shared.views import to_json
from planner import errors
from planner.services.shared.field_errors import field_errors
from routes.http.problems import MEDIA_TYPE, phrase

log = logging.getLogger("planner.http")
Handler = Callable[[Request, Exception], Response]
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}

STATUSES: dict[type[errors.PlannerError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Malformed: 400,
    errors.Invalid: 422,
    errors.Conflict: 409,
    errors.Expired: 410,
    errors.Stale: 412,
    errors.TooMany: 429,
    errors.ProviderFailed: 502,
    errors.Unavailable: 503,
}
# The token endpoint has error codes of its own (RFC 6749 §5.2, §4.1.2.1).
TOKEN_ENDPOINT = "/api/v1/auth/token"  # noqa: S105 - an address
TOKEN_CODES = {429: "temporarily_unavailable", 500: "server_error", 503: "temporarily_unavailable"}
# The kinds that refine a status get a type of their own; the others are named after it.
KINDS: dict[type[errors.PlannerError], str] = {
    errors.InvalidToken: "invalid-token",
    errors.SignInRefused: "sign-in-refused",
    errors.InsufficientScope: "insufficient-scope",
    errors.Busy: "busy",
    errors.DoubleBooking: "double-booking",
    errors.ProviderFailed: "provider-failed",
}


def problem(
    status: int,
    detail: str,
    kind: str | None = None,
    headers: dict[str, str] | None = None,
    fields: tuple[errors.FieldError, ...] = (),
    conflicts: tuple[errors.Collision, ...] = (),
) -> Response:
    """An error answer (RFC 9457)."""
    title = phrase(status)
    body: dict[str, Any] = {
        "type": f"/problems/{kind or slug(title)}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if status == 422:
        body["errors"] = [field._asdict() for field in fields]
    if conflicts:
        body["conflicts"] = [conflict._asdict() for conflict in conflicts]
    return Response(to_json(body), status, headers=headers, media_type=MEDIA_TYPE)


def slug(title: str) -> str:
    """A status's phrase as the last part of its problem's address."""
    return re.sub(r"[^a-z]+", "-", title.lower()).strip("-")


def _planner_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.PlannerError)
    if isinstance(error, errors.GrantRefused):
        return grant_refused(error)
    kinds = type(error).__mro__
    status = next((STATUSES[kind] for kind in kinds if kind in STATUSES), 500)
    kind = next((KINDS[kind] for kind in kinds if kind in KINDS), None)
    fields = error.errors if isinstance(error, errors.Invalid) else ()
    conflicts = error.conflicts if isinstance(error, errors.DoubleBooking) else ()
    return problem(status, error.detail, kind, _headers(error), fields, conflicts)


def _headers(error: errors.PlannerError) -> dict[str, str]:
    match error:
        case errors.InvalidToken():
            return {"www-authenticate": 'Bearer error="invalid_token"'}
        case errors.Unauthenticated():
            return {"www-authenticate": "Bearer"}
        case errors.InsufficientScope():
            return {"www-authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
        case errors.Unavailable() | errors.TooMany():
            return {"retry-after": str(error.retry_after)}
        case _:
            return {}


def grant_refused(error: errors.GrantRefused) -> Response:
    """The token endpoint's own kind of refusal (RFC 6749 §5.2)."""
    body = to_json({"error": error.code, "error_description": error.detail})
    status = 401 if error.code == "invalid_client" else 400
    return Response(body, status, headers=NO_STORE, media_type="application/json")


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {404: "There is nothing at this address.", 405: "This address does not answer that method."}
    detail = details.get(error.status_code, str(error.detail))
    headers = {"allow": _allowed(request)} if error.status_code == 405 else dict(error.headers or {})
    return problem(error.status_code, detail, headers=headers)


def _allowed(request: Request) -> str:
    """Every method that the address answers (RFC 9110 §15.5.6); the framework names those of one route."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route.methods or () for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = {method for methods in found for method in methods}
    return ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = field_errors(error, skip=1)
    return problem(422, "Some fields are not acceptable; see errors.", fields=tuple(found))


def _driver_error(request: Request, error: Exception) -> Response:
    if is_unavailable(error):
        log.warning("the database is away: %s", type(error).__name__)
        return problem(503, "The database is away at the moment. Try again.", headers={"retry-after": "2"})
    log.error("the database refused a request", exc_info=error)
    return _failed(request, error)


def _failed(request: Request, error: Exception) -> Response:
    return problem(500, "The server failed. It is not your fault, and it has been logged.")


def _as_the_endpoint_says(handler: Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The handler, except that the token endpoint answers in its own shape (RFC 6749 §5.2)."""

    # Asynchronous, though nothing is awaited: the framework would run it in a thread otherwise.
    async def handle(request: Request, error: Exception) -> Response:
        response = handler(request, error)
        if request.url.path != TOKEN_ENDPOINT or request.method != "POST" or response.media_type != MEDIA_TYPE:
            return response
        detail = orjson.loads(response.body)["detail"]
        body = {"error": TOKEN_CODES.get(response.status_code, "invalid_request"), "error_description": detail}
        headers = {name: response.headers[name] for name in ("retry-after",) if name in response.headers}
        return Response(to_json(body), response.status_code, headers=NO_STORE | headers, media_type="application/json")

    return handle


def install(app: FastAPI) -> None:
    """Give the application its one way of answering errors."""
    handlers: dict[type[Exception], Handler] = {
        errors.PlannerError: _planner_error,
        HTTPException: _http_error,
        RequestValidationError: _validation_error,
        DRIVER_ERROR: _driver_error,
        Exception: _failed,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _as_the_endpoint_says(handler))
