"""Personal access tokens: with one, a program acts for a person. Its secret is shown once."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from models.accounts.personal_token import DAY, SCOPE_DESCRIPTIONS, PersonalTokenCreate
from planner.services.shared.idempotency import IdempotencyKey
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.forms import Form, PageForm
from routes.pages.personal import REFUSALS, parse_form, read_list, refusal, render_personal
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
Cursor = Annotated[str | None, Query(max_length=500)]
LIFETIMES = (1, 7, 30, 90, 365)


@router.get("/account/tokens")
async def show_tokens(request: Request, caller: SignedIn, services: ServicesDep, cursor: Cursor = None) -> Response:
    """Show the tokens without their secrets, and the form that creates one."""
    tokens = read_list(await services.personal_tokens.get_page(caller, cursor, 50))
    return await _render(request, caller, tokens=tokens, created=None, chosen=["events:read"])


async def _render(request: Request, caller: SignedIn, **values: Any) -> Response:
    fixed: dict[str, Any] = {"scopes": SCOPE_DESCRIPTIONS, "lifetimes": LIFETIMES, "key": uuid4().hex}
    return await render_personal(request, caller, "account/tokens.html", **fixed | values)


@router.post("/account/tokens")
async def create_token(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Create a token, and show its secret, which nobody can read again.

    The form has a key of its own, so that the page can be loaded again without creating another token.
    """
    created, values = None, {}
    try:
        draft, given = _parse(form), form.get("key")
        key = IdempotencyKey(f"{caller.id} POST /account/tokens", given, services.secrets, caller.id) if given else None
        created = await services.personal_tokens.create(caller, draft, client, key)
    except REFUSALS as error:
        values = refusal(error, form)
    tokens = read_list(await services.personal_tokens.get_page(caller, None, 50))
    return await _render(request, caller, tokens=tokens, created=created, chosen=form.get_all("scopes"), **values)


def _parse(form: PageForm) -> PersonalTokenCreate:
    days = form.get("days")
    seconds = int(days) * DAY if days.isascii() and days.isdigit() and len(days) < 6 else DAY
    values = {"name": form.get("name"), "scopes": form.get_all("scopes"), "expires_in": seconds}
    return parse_form(PersonalTokenCreate, values)


@router.post("/account/tokens/{id}/delete")
async def delete_token(
    request: Request, id: IdInPath, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Delete a token: it stops working at once."""
    await services.personal_tokens.revoke(caller, id, client)
    return redirect(request, "/account/tokens?done=token-deleted")
