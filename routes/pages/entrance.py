"""The pages before one is signed in: welcome, sign up, sign in; and signing out."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from models.accounts.account_requests import SignUpRequest
from models.shared.schema import PageQuery
from planner.errors import Conflict, Invalid, TooMany, Unauthenticated
from planner.services.accounts.sessions import SignedIn
from routes.http.dependencies import Client, ServicesDep
from routes.http.route import PlannerRoute
from routes.http.services import services_of
from routes.pages.forms import Form, PageForm, errors_by_field
from routes.pages.page_errors import show_resume
from routes.pages.personal import parse_form
from routes.pages.rendering import redirect, render_page
from routes.pages.visitors import AnyVisitor, clear_session_cookie, remember_visit, set_session_cookie
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
NextPage = Annotated[str, Query(alias="next", max_length=2000)]
START = "/calendar"
_RESUME_FIELDS: TypeAdapter[dict[str, list[str]]] = TypeAdapter(dict[str, list[str]])


def local_address(address: str) -> str:
    """Return an address within the planner; that of the start for one that leads elsewhere."""
    is_local = address.startswith("/") and not address.startswith(("//", "/\\", "/api/"))
    return address if is_local and address.isprintable() else START


@router.get("/")
async def show_welcome(request: Request, visitor: AnyVisitor) -> Response:
    """Show what the planner is, or the calendar of who is signed in."""
    if visitor.caller is not None:
        return redirect(request, START)
    return remember_visit(request, render_page(request, "welcome.html"))


@router.get("/signup")
async def show_sign_up(request: Request, visitor: AnyVisitor) -> Response:
    """Show the form that creates an account."""
    if visitor.caller is not None:
        return redirect(request, START)
    return remember_visit(request, render_page(request, "signup.html"))


@router.post("/signup")
async def sign_up(request: Request, form: Form, services: ServicesDep, client: Client) -> Response:
    """Create an account, and sign in to it."""
    try:
        account = _parse_sign_up(form)
        await services.accounts.sign_up(account, client, None)
        signed_in = await services.accounts.sign_in(account.email, account.password, client)
    except Invalid as error:
        return _show_again(request, "signup.html", 422, form, errors=errors_by_field(error))
    except Conflict as error:
        return _show_again(request, "signup.html", 409, form, errors={"email": error.detail})
    except TooMany as error:
        return _show_again(request, "signup.html", 429, form, message=error.detail)
    return _enter(request, redirect(request, START), signed_in)


def _parse_sign_up(form: PageForm) -> SignUpRequest:
    values = {name: form.get(name) or None for name in ("full_name", "time_zone")}
    return parse_form(SignUpRequest, values | {"email": form.get("email"), "password": form.get_raw("password")})


@router.get("/signin")
async def show_sign_in(
    request: Request, visitor: AnyVisitor, services: ServicesDep, next_page: NextPage = START
) -> Response:
    """Show the form with which one signs in, and a button for each provider."""
    address = local_address(next_page)
    if visitor.caller is not None:
        return redirect(request, address)
    done = WORDS.done.get(request.query_params.get("done", ""))
    return remember_visit(
        request, render_page(request, "signin.html", message=done, **sign_in_values(request, address))
    )


def show_sign_in_again(request: Request, status: int, message: str, next_page: str) -> Response:
    """Return the page to sign in, which says why one is not signed in yet."""
    values = sign_in_values(request, next_page)
    return remember_visit(request, render_page(request, "signin.html", status, message=message, **values))


def sign_in_values(request: Request, next_page: str, resume_path: str = "", resume_fields: str = "") -> dict[str, Any]:
    """Return what the page to sign in needs: where one goes on, and the providers."""
    providers = services_of(request).oidc_login.get_provider_page(PageQuery(limit=200))
    return {
        "providers": [orjson.loads(item)["name"] for item in providers.items],
        "next": next_page,
        "resume_path": resume_path,
        "resume_fields": resume_fields,
        "title": WORDS.sign_in,
        "text": None,
    }


@router.post("/signin")
async def sign_in(request: Request, form: Form, services: ServicesDep, client: Client) -> Response:
    """Sign in with a password, and go on where one was."""
    address, resume_path, fields = (
        local_address(form.get("next")),
        form.get("resume_path"),
        form.get_raw("resume_fields"),
    )
    try:
        signed_in = await services.accounts.sign_in(form.get("email"), form.get_raw("password"), client)
    except (Unauthenticated, TooMany) as error:
        status = 429 if isinstance(error, TooMany) else 401
        values = sign_in_values(request, address, resume_path, fields)
        return _show_again(request, "signin.html", status, form, message=error.detail, **values)
    if not resume_path:
        return _enter(request, redirect(request, address), signed_in)
    return _enter(request, _offer_to_resume(request, signed_in, resume_path, fields), signed_in)


def _offer_to_resume(request: Request, signed_in: SignedIn, path: str, fields: str) -> Response:
    try:
        written = _RESUME_FIELDS.validate_json(fields)
    except ValidationError:
        written = {}
    cookies = services_of(request).browser_cookies
    token = cookies.form_token(cookies.write(signed_in.user.id, signed_in.session))
    return show_resume(request, local_address(path), written, token)


@router.post("/signout")
async def sign_out(
    request: Request, visitor: AnyVisitor, form: Form, services: ServicesDep, client: Client
) -> Response:
    """End the session of this browser."""
    if visitor.caller is not None:
        await services.sessions.sign_out(visitor.caller, client)
    response = redirect(request, "/")
    clear_session_cookie(request, response)
    return response


def _enter(request: Request, response: Response, signed_in: SignedIn) -> Response:
    set_session_cookie(request, response, signed_in.user.id, signed_in.session)
    return response


def _show_again(request: Request, template: str, status: int, form: PageForm, **values: Any) -> Response:
    """Return a page with a form that was not accepted, and what was typed still in it."""
    values = {"message": WORDS.error_summary if values.get("errors") else None} | values
    return remember_visit(request, render_page(request, template, status, typed=form.typed, **values))
