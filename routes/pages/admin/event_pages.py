"""Public events, and what moderators do with those that do not belong there."""

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from models.events.event_schema import EventQuery, TakedownCreate
from models.shared.schema import PageQuery
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.route import PlannerRoute
from routes.http.services import services_of
from routes.pages.admin.staff import PageModerator
from routes.pages.forms import Form
from routes.pages.personal import REFUSALS, parse_form, parse_page_query, read_list, refusal, render_personal
from routes.pages.rendering import redirect

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


@router.get("/admin/events")
async def show_events(request: Request, caller: PageModerator, services: ServicesDep) -> Response:
    """Show the public events, or those of them with the words of a search."""
    query = parse_page_query(EventQuery, request, scope="public", limit=50)
    events = read_list(await services.events.get_page(caller, query))
    return await render_personal(request, caller, "admin/events.html", events=events, query=query)


@router.get("/admin/taken-down")
async def show_taken_down(request: Request, caller: PageModerator, services: ServicesDep) -> Response:
    """Show the events that are taken down, each with the reason."""
    query = parse_page_query(PageQuery, request, limit=50)
    events = read_list(await services.moderation.get_taken_down_page(query))
    return await render_personal(request, caller, "admin/taken_down.html", events=events)


@router.get("/admin/events/{id}")
async def show_event(request: Request, id: IdInPath, caller: PageModerator) -> Response:
    """Show an event with the form that takes it down, or the one that lifts its takedown."""
    return await _render(request, caller, id)


async def _render(request: Request, caller: Principal, id: str, **values: Any) -> Response:
    event = await services_of(request).events.get(caller, id)
    shown = orjson.loads(event.shown_to(caller.id).json)
    values = {"event": shown, "is_taken_down": event.is_taken_down} | values
    return await render_personal(request, caller, "admin/event.html", **values)


@router.post("/admin/events/{id}/takedown")
async def take_down(
    request: Request, id: IdInPath, caller: PageModerator, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Make a public event private; its creator can read the reason."""
    event = await services.events.get(caller, id)
    try:
        draft = parse_form(TakedownCreate, {"reason": form.get("reason")})
        await services.moderation.take_down(caller, event, draft.reason, client)
    except REFUSALS as error:
        return await _render(request, caller, id, **refusal(error, form))
    return redirect(request, f"/admin/events/{id}?done=taken-down")


@router.post("/admin/events/{id}/lift")
async def lift_takedown(
    request: Request, id: IdInPath, caller: PageModerator, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Let the creator of an event publish it again."""
    event = await services.events.get(caller, id)
    try:
        await services.moderation.lift_takedown(caller, event, client)
    except REFUSALS as error:
        return await _render(request, caller, id, **refusal(error, form))
    return redirect(request, "/admin/taken-down?done=takedown-lifted")
