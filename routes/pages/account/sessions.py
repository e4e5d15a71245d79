"""The password, and the sessions: where one is signed in."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from models.accounts.account_requests import ChangePasswordRequest
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.forms import Form
from routes.pages.personal import REFUSALS, parse_form, read_list, refusal, render_personal
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn, clear_session_cookie

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
Cursor = Annotated[str | None, Query(max_length=500)]


@router.get("/account/password")
async def show_password(request: Request, caller: SignedIn) -> Response:
    """Show the form that changes the password."""
    return await render_personal(request, caller, "account/password.html")


@router.post("/account/password")
async def change_password(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Change the password; every other session ends."""
    values = {
        "current_password": form.get_raw("current_password") or None,
        "new_password": form.get_raw("new_password"),
    }
    try:
        change = parse_form(ChangePasswordRequest, values)
        await services.accounts.change_password(caller, change.current_password, change.new_password, client)
    except REFUSALS as error:
        return await render_personal(request, caller, "account/password.html", **refusal(error, form))
    return redirect(request, "/account/password?done=password-changed")


@router.get("/account/sessions")
async def show_sessions(request: Request, caller: SignedIn, services: ServicesDep, cursor: Cursor = None) -> Response:
    """Show where one is signed in."""
    sessions = read_list(await services.sessions.get_page(caller, cursor, 50))
    return await render_personal(request, caller, "account/sessions.html", sessions=sessions)


@router.post("/account/sessions/end-others")
async def end_other_sessions(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """End all sessions but that of this browser."""
    await services.sessions.revoke_others(caller, client)
    return redirect(request, "/account/sessions?done=sessions-ended")


@router.post("/account/sessions/{id}/end")
async def end_session(
    request: Request, id: IdInPath, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """End a session; that of this browser signs out."""
    await services.sessions.revoke(caller, id, client)
    if id.lower() != str(caller.session):
        return redirect(request, "/account/sessions?done=session-ended")
    response = redirect(request, "/")
    clear_session_cookie(request, response)
    return response
