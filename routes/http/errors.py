"""The HTTP status of each kind of error, and the handlers that turn errors into responses."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from database.errors import DRIVER_ERROR, is_too_slow, is_unavailable
from models.shared.json_rendering import to_json
from planner import errors
from planner.services.shared.field_errors import field_errors
from routes.http.etags import has_weak_tag
from routes.http.problems import MEDIA_TYPE, status_phrase
from routes.http.services import services_of

log = logging.getLogger("planner.http")
Handler = Callable[[Request, Exception], Response]


class ErrorPages(NamedTuple):
    """Errors as pages: whether a request wants one, and what returns it, given the status, the detail and the error."""

    is_wanted: Callable[[Request], bool]
    respond: Callable[[Request, int, str, Exception], Awaitable[Response]]


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
WEAK_TAGS_NEVER_MATCH = (
    "If-Match has a weak tag, and weak tags never match there (RFC 9110 §13.1.1). Send the tag as ETag gives it, "
    'such as "3", without W/.'
)
# The token endpoint has its own error codes (RFC 6749 §5.2, §4.1.2.1).
TOKEN_ENDPOINT = "/api/v1/auth/token"  # noqa: S105 - an address
TOKEN_CODES = {429: "temporarily_unavailable", 500: "server_error", 503: "temporarily_unavailable"}
# The last part of a problem's `type`, for kinds that are narrower than their status; the others use its phrase.
PROBLEM_TYPES: dict[type[errors.PlannerError], str] = {
    errors.InvalidToken: "invalid-token",
    errors.SignInRefused: "sign-in-refused",
    errors.InsufficientScope: "insufficient-scope",
    errors.Busy: "busy",
    errors.DoubleBooking: "double-booking",
    errors.ProviderFailed: "provider-failed",
}


def problem_response(
    status: int,
    detail: str,
    kind: str | None = None,
    headers: dict[str, str] | None = None,
    fields: tuple[errors.FieldError, ...] = (),
    conflicts: tuple[errors.Collision, ...] = (),
) -> Response:
    """Return an error response (RFC 9457); `kind` is the last part of its `type`."""
    title = status_phrase(status)
    body: dict[str, Any] = {
        "type": f"/problems/{kind or problem_slug(title)}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if status == 422:
        body["errors"] = [field._asdict() for field in fields]
    if conflicts:
        body["conflicts"] = [conflict._asdict() for conflict in conflicts]
    return Response(to_json(body), status, headers=headers, media_type=MEDIA_TYPE)


def problem_slug(title: str) -> str:
    """Return the phrase of a status as the last part of a problem's `type`."""
    return re.sub(r"[^a-z]+", "-", title.lower()).strip("-")


def _handle_planner_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.PlannerError)
    if isinstance(error, errors.GrantRefused):
        return grant_refused_response(error)
    kinds = type(error).__mro__
    status = next((STATUSES[kind] for kind in kinds if kind in STATUSES), 500)
    kind = next((PROBLEM_TYPES[kind] for kind in kinds if kind in PROBLEM_TYPES), None)
    detail = error.detail
    if isinstance(error, errors.Stale) and has_weak_tag(request.headers.get("if-match", "*")):
        detail = WEAK_TAGS_NEVER_MATCH
    fields = error.errors if isinstance(error, errors.Invalid) else ()
    conflicts = error.conflicts if isinstance(error, errors.DoubleBooking) else ()
    return problem_response(status, detail, kind, _error_headers(error), fields, conflicts)


def _error_headers(error: errors.PlannerError) -> dict[str, str]:
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


def grant_refused_response(error: errors.GrantRefused) -> Response:
    """Return an error response of the token endpoint (RFC 6749 §5.2)."""
    body = to_json({"error": error.code, "error_description": error.detail})
    status = 401 if error.code == "invalid_client" else 400
    return Response(body, status, headers=NO_STORE, media_type="application/json")


def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {404: "There is nothing at this address.", 405: "This address does not support the method."}
    detail = details.get(error.status_code, str(error.detail))
    headers = {"allow": _allowed_methods(request)} if error.status_code == 405 else dict(error.headers or {})
    return problem_response(error.status_code, detail, headers=headers)


def _allowed_methods(request: Request) -> str:
    """Return every method that the address supports (RFC 9110 §15.5.6); the framework knows those of one route only."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route.methods or () for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = {method for methods in found for method in methods}
    return ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))


def _handle_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = field_errors(error, skip=1)
    return problem_response(422, "Some fields are not valid; see errors.", fields=tuple(found))


def _handle_driver_error(request: Request, error: Exception) -> Response:
    if is_too_slow(error):
        detail = "The database did not finish this in the time that it may take. Ask for less, or try again."
        return problem_response(503, detail, headers={"retry-after": "2"})
    if is_unavailable(error):
        services_of(request).readiness.note_failure(error)
        return problem_response(
            503, "The database is temporarily unavailable. Try again.", headers={"retry-after": "2"}
        )
    log.error("the database refused a request", exc_info=error)
    return _handle_failure(request, error)


def _handle_disconnection(request: Request, error: Exception) -> Response:
    # Nobody reads this response, but the log and the metrics have its status.
    return problem_response(400, "The connection was closed before the request was complete.")


def _handle_failure(request: Request, error: Exception) -> Response:
    return problem_response(500, "The server failed to process the request. The error has been logged.")


def respond_to_failure(request: Request) -> Response:
    """Return the response to a request that failed because of an error in the planner."""
    return _in_form_of_endpoint(request, _handle_failure(request, Exception()))


def respond_to_shutdown(request: Request) -> Response:
    """Return the response to a request that is not finished because the planner stops."""
    error = errors.Unavailable("The planner is shutting down. Try again.")
    return _in_form_of_endpoint(request, _handle_planner_error(request, error))


def respond_to_timeout(request: Request, seconds: float) -> Response:
    """Return the response to a request that was ended because it took longer than it may."""
    error = errors.Unavailable(
        f"The request took longer than {seconds:g} s, and was ended. Ask for less, or try again."
    )
    return _in_form_of_endpoint(request, _handle_planner_error(request, error))


def respond_to_overload(request: Request) -> Response:
    """Return the response to a request that is refused because as many are being answered as there may be."""
    error = errors.Busy("More is asked of the planner at the moment than it can answer. Try again.")
    return _in_form_of_endpoint(request, _handle_planner_error(request, error))


def _adapt_to_client(handler: Handler, pages: ErrorPages) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return the handler, changed to give browsers a page, and the token endpoint its own form of errors."""

    async def handle(request: Request, error: Exception) -> Response:
        response = handler(request, error)
        if response.media_type == MEDIA_TYPE and pages.is_wanted(request):
            return await pages.respond(request, response.status_code, orjson.loads(response.body)["detail"], error)
        return _in_form_of_endpoint(request, response)

    return handle


def _in_form_of_endpoint(request: Request, response: Response) -> Response:
    """Return an error response, at the token endpoint in its own form (RFC 6749 §5.2)."""
    if request.url.path != TOKEN_ENDPOINT or request.method != "POST" or response.media_type != MEDIA_TYPE:
        return response
    detail = orjson.loads(response.body)["detail"]
    body = {"error": TOKEN_CODES.get(response.status_code, "invalid_request"), "error_description": detail}
    kept = {"retry-after", "accept-encoding"}
    headers = {name: value for name, value in response.headers.items() if name in kept}
    return Response(to_json(body), response.status_code, headers=NO_STORE | headers, media_type="application/json")


def install_error_handlers(app: FastAPI, pages: ErrorPages) -> None:
    """Make the application respond to every error with a problem (RFC 9457), and to a browser with a page."""
    handlers: dict[type[Exception], Handler] = {
        errors.PlannerError: _handle_planner_error,
        HTTPException: _handle_http_error,
        RequestValidationError: _handle_validation_error,
        DRIVER_ERROR: _handle_driver_error,
        ClientDisconnect: _handle_disconnection,
        Exception: _handle_failure,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _adapt_to_client(handler, pages))
