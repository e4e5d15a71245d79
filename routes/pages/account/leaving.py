"""Everything that is stored about somebody as a file, and the deletion of their account."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from routes.http.dependencies import Client, ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.forms import Form
from routes.pages.personal import REFUSALS, refusal, render_personal
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn, clear_session_cookie
from routes.users import respond_with_data

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


@router.get("/account/export")
async def export_data(caller: SignedIn, services: ServicesDep) -> Response:
    """Return everything that is stored about the caller as a file."""
    return await respond_with_data(services.data_export.export(caller))


@router.get("/account/delete")
async def show_deletion(request: Request, caller: SignedIn) -> Response:
    """Show what a deletion takes with it, and the form that asks for the password."""
    return await render_personal(request, caller, "account/delete.html")


@router.post("/account/delete")
async def delete_account(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Delete the account."""
    try:
        await services.deletion.delete(caller, form.get_raw("password"), None, client)
    except REFUSALS as error:
        values = refusal(error, form, password_field="password")  # noqa: S106 - the name of a field
        return await render_personal(request, caller, "account/delete.html", **values)
    response = redirect(request, "/signin?done=account-deleted")
    clear_session_cookie(request, response)
    return response
