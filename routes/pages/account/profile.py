"""Name, username and time zone; and the e-mail address, which changes when it is proved."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from models.accounts.account_requests import UserPatch
from planner.domain.zones import list_zone_names
from routes.http.dependencies import Client, ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.forms import Form
from routes.pages.personal import REFUSALS, parse_form, parse_revision, refusal, render_personal
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


@router.get("/account")
async def show_account(request: Request, caller: SignedIn) -> Response:
    """Show the account, and the ways to what belongs to it."""
    return await render_personal(request, caller, "account/profile.html", zones=sorted(list_zone_names()))


@router.post("/account")
async def change_profile(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Change the name, the username and the time zone, unless the account was changed since the page was loaded."""
    try:
        patch = parse_form(UserPatch, {name: form.get(name) or None for name in ("full_name", "username", "time_zone")})
        await services.own_account.update(caller, patch, parse_revision(form), client)
    except REFUSALS as error:
        values = refusal(error, form)
        return await render_personal(request, caller, "account/profile.html", zones=sorted(list_zone_names()), **values)
    return redirect(request, "/account?done=saved")


@router.get("/account/email")
async def show_email(request: Request, caller: SignedIn) -> Response:
    """Show the address, the one that is to replace it, and the form to change it."""
    return await render_personal(request, caller, "account/email.html")


@router.post("/account/email")
async def change_email(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Ask for another address: it is pending until its mail was answered."""
    try:
        values = {"email": form.get("email"), "current_password": form.get_raw("current_password") or None}
        await services.own_account.update(caller, parse_form(UserPatch, values), None, client)
    except REFUSALS as error:
        return await render_personal(request, caller, "account/email.html", **refusal(error, form))
    return redirect(request, "/account/email?done=email-requested")


@router.post("/account/email/take-back")
async def take_email_back(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Keep the present address."""
    await services.own_account.update(caller, UserPatch(email=None), None, client)
    return redirect(request, "/account/email?done=email-kept")


@router.post("/account/email/send")
async def send_verification(request: Request, caller: SignedIn, services: ServicesDep, form: Form) -> Response:
    """Send the mail that proves the address again."""
    try:
        await services.email_addresses.send_verification(caller)
    except REFUSALS as error:
        return await render_personal(request, caller, "account/email.html", **refusal(error, form))
    return redirect(request, "/account/email?done=verification-sent")
