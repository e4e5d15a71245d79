"""Accounts: moderators find and read them; admins change, unlock, sign out and delete them."""

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from models.accounts.account_requests import AccountPatch, UserQuery
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.route import PlannerRoute
from routes.http.services import services_of
from routes.pages.admin.staff import PageAdmin, PageModerator
from routes.pages.forms import Form
from routes.pages.personal import (
    REFUSALS,
    parse_form,
    parse_page_query,
    parse_revision,
    read_list,
    refusal,
    render_personal,
)
from routes.pages.rendering import redirect

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


@router.get("/admin")
async def show_accounts(request: Request, caller: PageModerator, services: ServicesDep) -> Response:
    """Show the accounts that a search finds, the oldest first."""
    query = parse_page_query(UserQuery, request, limit=50)
    accounts = read_list(await services.administration.get_account_page(query))
    return await render_personal(request, caller, "admin/accounts.html", accounts=accounts, query=query)


@router.get("/admin/accounts/{id}")
async def show_account(request: Request, id: IdInPath, caller: PageModerator) -> Response:
    """Show an account."""
    return await _render(request, caller, id)


async def _render(request: Request, caller: Principal, id: str, **values: Any) -> Response:
    view = await services_of(request).administration.get_account(id)
    values = {"shown": orjson.loads(view.json), "shown_revision": view.revision} | values
    return await render_personal(request, caller, "admin/account.html", **values)


@router.post("/admin/accounts/{id}")
async def change_account(
    request: Request, id: IdInPath, admin: PageAdmin, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Change the role of an account, disable or enable it, unless it was changed since the page was loaded."""
    try:
        patch = parse_form(AccountPatch, {"role": form.get("role"), "disabled": form.get("disabled") == "on"})
        await services.administration.update_account(admin, id, patch, parse_revision(form), client)
    except REFUSALS as error:
        return await _render(request, admin, id, **refusal(error, form))
    return redirect(request, f"/admin/accounts/{id}?done=saved")


@router.post("/admin/accounts/{id}/unlock")
async def unlock_account(
    request: Request, id: IdInPath, admin: PageAdmin, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Let somebody sign in again who is locked out."""
    await services.administration.unlock(admin, id, client)
    return redirect(request, f"/admin/accounts/{id}?done=unlocked")


@router.post("/admin/accounts/{id}/end-sessions")
async def end_sessions(
    request: Request, id: IdInPath, admin: PageAdmin, services: ServicesDep, client: Client, form: Form
) -> Response:
    """End all sessions of an account."""
    await services.administration.end_sessions(admin, id, client)
    return redirect(request, f"/admin/accounts/{id}?done=sessions-ended")


@router.post("/admin/accounts/{id}/verification")
async def send_verification(
    request: Request, id: IdInPath, admin: PageAdmin, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Send the mail that proves the address of an account again."""
    try:
        await services.administration.send_verification(admin, id, client)
    except REFUSALS as error:
        return await _render(request, admin, id, **refusal(error, form))
    return redirect(request, f"/admin/accounts/{id}?done=verification-sent")


@router.post("/admin/accounts/{id}/delete")
async def delete_account(
    request: Request, id: IdInPath, admin: PageAdmin, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Delete an account with everything that belongs to it."""
    try:
        await services.deletion.delete_other(admin, id, None, client)
    except REFUSALS as error:
        return await _render(request, admin, id, **refusal(error, form))
    return redirect(request, "/admin?done=account-deleted")
