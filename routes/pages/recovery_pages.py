"""The pages that prove an address and set a forgotten password, to which mails link.

A mail has its token behind the # of the link, which no browser sends to a server, so that it gets into no log. A script
puts it into the form; without scripts, one copies the link there.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from models.accounts.account_requests import ForgotPasswordRequest, ResetPasswordRequest, VerifyEmailRequest
from planner.errors import Forbidden
from routes.http.dependencies import Client, ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.forms import Form, PageForm
from routes.pages.personal import REFUSALS, parse_form, refusal
from routes.pages.rendering import redirect, render_page
from routes.pages.visitors import AnyVisitor, remember_visit
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


def _render(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    return remember_visit(request, render_page(request, f"recovery/{template}.html", status, **values))


def _find_token(form: PageForm) -> str:
    """Return the token, which may have been sent with the whole link."""
    sent = form.get("token")
    return sent.rpartition("token=")[2] if "token=" in sent else sent


@router.get("/forgot-password")
async def show_forgotten(request: Request, visitor: AnyVisitor) -> Response:
    """Show the form that asks for a recovery mail."""
    done = WORDS.done.get(request.query_params.get("done", ""))
    return _render(request, "forgot", message=done)


@router.post("/forgot-password")
async def request_reset(request: Request, services: ServicesDep, client: Client, form: Form) -> Response:
    """Queue a recovery mail; the answer is the same whether or not there is an account."""
    try:
        sent_form = parse_form(ForgotPasswordRequest, {"email": form.get("email")})
        await services.recovery.request_reset(sent_form.email, client)
    except REFUSALS as error:
        return _render(request, "forgot", **refusal(error, form))
    return redirect(request, "/forgot-password?done=reset-requested")


@router.get("/reset-password")
async def show_reset(request: Request, visitor: AnyVisitor) -> Response:
    """Show the form that sets a new password."""
    return _render(request, "reset", typed={"token": request.query_params.get("token", "")})


@router.post("/reset-password")
async def reset_password(request: Request, services: ServicesDep, client: Client, form: Form) -> Response:
    """Set a new password with the token of a mail."""
    try:
        sent_form = parse_form(ResetPasswordRequest, {"token": _find_token(form), "password": form.get_raw("password")})
        await services.recovery.reset_password(sent_form.token, sent_form.password, client)
    except REFUSALS as error:
        return _render(request, "reset", **refusal(error, form))
    return redirect(request, "/signin?done=password-reset")


@router.get("/verify-email")
async def show_verification(request: Request, visitor: AnyVisitor) -> Response:
    """Show the form that confirms an address; it asks for the password of who is not signed in."""
    typed = {"token": request.query_params.get("token", "")}
    return _render(request, "verify", typed=typed, needs_password=visitor.caller is None)


@router.post("/verify-email")
async def verify_email(
    request: Request, visitor: AnyVisitor, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Confirm an address with the token of a mail, for who is signed in to the account or knows its password."""
    try:
        sent = {"token": _find_token(form), "password": form.get_raw("password") or None}
        sent_form = parse_form(VerifyEmailRequest, sent)
        await services.email_addresses.verify(sent_form.token, sent_form.password, visitor.caller, client)
    except REFUSALS as error:
        values = refusal(error, form, password_field="password")  # noqa: S106 - the name of a field
        # Somebody else may be signed in to this browser.
        asks = visitor.caller is None or isinstance(error, Forbidden)
        return _render(request, "verify", needs_password=asks, **values)
    done = "email-verified"
    return redirect(request, f"/signin?done={done}" if visitor.caller is None else f"/account?done={done}")
