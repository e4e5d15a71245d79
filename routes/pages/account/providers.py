"""The accounts at providers with which one signs in: listed, linked, removed."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from models.accounts.identity_schema import LinkRequest
from models.shared.schema import PageQuery
from planner.errors import ProviderFailed
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.route import PlannerRoute
from routes.http.services import services_of
from routes.oidc import remember_attempt
from routes.pages.forms import Form
from routes.pages.personal import REFUSALS, parse_form, read_list, refusal, render_personal
from routes.pages.rendering import redirect, render_page
from routes.pages.visitors import SignedIn
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
PAGE = "/account/providers"


async def _render(request: Request, caller: Principal, **values: Any) -> Response:
    services = services_of(request)
    identities = read_list(await services.identities.get_page(caller, PageQuery(limit=200)))
    providers = read_list(services.oidc_login.get_provider_page(PageQuery(limit=200)))
    values = {"identities": identities, "providers": providers} | values
    return await render_personal(request, caller, "account/providers.html", **values)


@router.get(PAGE)
async def show_providers(request: Request, caller: SignedIn) -> Response:
    """Show the linked accounts; a provider sends the browser back to this page, with `linked` or with `error`."""
    query = request.query_params
    if "linked" in query:
        return await _render(request, caller, message=WORDS.done["linked"])
    if "error" in query:
        return await _render(request, caller, message=query.get("error_description") or WORDS.provider_failed)
    return await _render(request, caller)


@router.post(PAGE)
async def link_provider(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Send the browser to a provider, to link an account there.

    This is a page with a link, because a form must not lead to another website (Content-Security-Policy).
    """
    body = {"current_password": form.get_raw("current_password") or None, "redirect_uri": services.base_url + PAGE}
    provider = form.get("provider")
    try:
        attempt = await services.identities.start(caller, provider, parse_form(LinkRequest, body), client)
    except REFUSALS as error:
        return await _render(request, caller, **refusal(error, form))
    except ProviderFailed as error:
        return await _render(request, caller, status=502, message=error.detail)
    page = render_page(request, "account/to_provider.html", provider=provider, address=attempt.url)
    return remember_attempt(page, attempt, services)


@router.post(PAGE + "/{id}/remove")
async def unlink_provider(
    request: Request, id: IdInPath, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Remove a linked account, unless it is the last way to sign in."""
    try:
        await services.identities.unlink(caller, id, client)
    except REFUSALS as error:
        return await _render(request, caller, **refusal(error, form))
    return redirect(request, f"{PAGE}?done=unlinked")
