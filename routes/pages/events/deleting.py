"""Deletion of an event, or of occurrences of it, and its undo."""

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from models.events.revision_view import RestoreRequest
from models.shared.schema import PageQuery
from planner.errors import NotFound
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.events.editing import SCOPES
from routes.pages.events.questions import Choice, ask
from routes.pages.events.targets import find_target
from routes.pages.forms import Form, PageForm
from routes.pages.rendering import redirect, render_page
from routes.pages.visitors import SignedIn
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


def read_revisions(form: PageForm) -> frozenset[int] | None:
    """Return the revision of the event that a form was opened with, or None."""
    text = form.get("revision")
    return frozenset({int(text)}) if text.isascii() and text.isdecimal() and len(text) < 16 else None


@router.post("/events/{id}/delete")
async def delete(request: Request, id: str, caller: SignedIn, form: Form, services: ServicesDep) -> Response:
    """Delete an event; of an occurrence, after asking which occurrences are meant."""
    target = await find_target(services, caller, id, form.get("occurrence"), own=True)
    scope, revisions = form.get("scope"), read_revisions(form)
    if target.recurrence_id is None or scope == "all":
        await services.events.delete(caller, target.event, revisions)
    elif scope not in SCOPES:
        return ask(
            request,
            f"/events/{id}/delete",
            WORDS.event.which_delete_title,
            WORDS.event.which_text.format(title=target.body["title"]),
            [Choice("scope", scope, WORDS.event.scopes[scope]) for scope in SCOPES],
            {"occurrence": target.recurrence_id, "revision": str(target.event.revision)},
            f"/events/{id}{target.query}",
        )
    else:
        await services.occurrences.delete(caller, target.event, target.recurrence_id, scope == "following", revisions)
    return redirect(request, f"/events/{id}/deleted?revision={target.event.revision + 1}")


@router.get("/events/{id}/deleted")
async def show_deleted(
    request: Request, id: str, caller: SignedIn, services: ServicesDep, revision: int = 0
) -> Response:
    """Show that something was deleted, with a button that undoes it, as long as it was the last change."""
    page = await services.revisions.get_page(caller, id, PageQuery(limit=2))
    latest, *earlier = map(orjson.loads, page.items)
    event = latest["event"] or next((item["event"] for item in earlier), None)
    if event is None:
        raise NotFound
    is_undoable = latest["act"] == "deleted" or (latest["revision"] == revision and latest["act"] == "changed")
    return render_page(
        request,
        "events/deleted.html",
        id=id,
        event_title=event["title"],
        is_gone=latest["event"] is None,
        is_undoable=is_undoable,
        revision=latest["revision"],
    )


@router.post("/events/{id}/undo")
async def undo(request: Request, id: str, caller: SignedIn, form: Form, services: ServicesDep) -> Response:
    """Undo the last change of an event, and show it."""
    restored = await services.revisions.restore(caller, id, RestoreRequest(), read_revisions(form))
    return redirect(request, f"/events/{restored.id}")
