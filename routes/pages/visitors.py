"""Who looks at a page: signed in with a cookie, or not; and the cookies themselves."""

from typing import Annotated, NamedTuple
from urllib.parse import quote, urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from database.queries import Id
from planner.errors import InvalidToken, Unauthenticated
from routes.http.services import services_of

# Of a cookie with this beginning, a browser knows that no other host and no other path has set it.
_HOST_PREFIX = "__Host-"
SESSION_COOKIE = "planner_session"
VISIT_COOKIE = "planner_visit"


class Visitor(NamedTuple):
    """Somebody who looks at a page. `caller` is None for one who is not signed in; `form_token` is for the forms."""

    caller: Principal | None
    form_token: str
    is_moderator: bool
    is_admin: bool


class SignInNeeded(Unauthenticated):
    """The page is for people who are signed in."""


def cookie_name(request: Request, name: str) -> str:
    """Return the whole name of a cookie, which says that it is secure where it can be."""
    return f"{_HOST_PREFIX}{name}" if _is_https(request) else name


def _is_https(request: Request) -> bool:
    return urlsplit(services_of(request).base_url).scheme == "https"


def set_session_cookie(request: Request, response: Response, user: Id, session: Id) -> None:
    """Sign a browser in: let it carry the cookie of a session for as long as the session may last."""
    services = services_of(request)
    value = services.browser_cookies.write(user, session)
    set_cookie(request, response, SESSION_COOKIE, value, max_age=services.session_seconds)


def clear_session_cookie(request: Request, response: Response) -> None:
    """Let a browser forget its session."""
    set_cookie(request, response, SESSION_COOKIE, "", max_age=0)


def read_cookie(request: Request, name: str) -> str:
    """Return the value of a cookie of ours, or an empty text."""
    return request.cookies.get(cookie_name(request, name), "")


def set_cookie(request: Request, response: Response, name: str, value: str, max_age: int | None) -> None:
    """Let the browser keep a cookie for so many seconds (0: forget it; None: until it ends), from scripts and sites."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=max_age,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )


def bound_to(request: Request) -> str | None:
    """Return what the forms of this browser are tied to: its session, or else its visit; None before the first page."""
    session = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    return session or request.cookies.get(cookie_name(request, VISIT_COOKIE))


async def find_visitor(request: Request) -> Visitor:
    """Return who looks at the page; a cookie that is not valid any more is the same as none."""
    services = services_of(request)
    caller = await _find_caller(request)
    bound = bound_to(request)
    if bound is None:
        bound = request.state.new_visit = services.browser_cookies.new_visit()
    role = None if caller is None else caller.role
    visitor = Visitor(
        caller, services.browser_cookies.form_token(bound), role in ("moderator", "admin"), role == "admin"
    )
    request.state.visitor = visitor
    if caller is not None:
        request.state.account = str(caller.id)
    return visitor


async def _find_caller(request: Request) -> Principal | None:
    services = services_of(request)
    named = services.browser_cookies.read(request.cookies.get(cookie_name(request, SESSION_COOKIE), ""))
    if named is None:
        return None
    try:
        return await services.principals.of_session(str(named.user), str(named.session))
    except InvalidToken:
        return None


def remember_visit(request: Request, response: Response) -> Response:
    """Return the response with the cookie that ties the forms on it to this browser, if it has none yet."""
    if visit := getattr(request.state, "new_visit", None):
        set_cookie(request, response, VISIT_COOKIE, visit, max_age=None)
    return response


async def require_visitor(request: Request) -> Principal:
    """Return who is signed in; raises `SignInNeeded` for anybody else."""
    visitor = await find_visitor(request)
    if visitor.caller is None:
        raise SignInNeeded("Sign in to see this page.")
    return visitor.caller


def address_of(request: Request) -> str:
    """Return the address of the page within the planner, as it goes into a query."""
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path + query, safe="")


AnyVisitor = Annotated[Visitor, Depends(find_visitor)]
SignedIn = Annotated[Principal, Depends(require_visitor)]
