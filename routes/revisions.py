"""Revisions of an event, and restoring one."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter
from models.events.event_schema import EventRead
from models.events.revision_view import RestoreRequest, RevisionPage
from models.shared.schema import PageQuery
from routes.http.dependencies import ConfirmedVisibility, IdInPath, IfMatch, ServicesDep
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, describe_errors
from routes.http.responses import describe_response, respond_changed, respond_page
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/events",
    tags=["revisions"],
    route_class=PlannerRoute,
    responses=describe_errors(*AUTHENTICATED_ERRORS),
)


@router.get("/{id}/revisions", responses=describe_response(200, "A page of revisions.", RevisionPage, "Link"))
async def list_event_revisions(
    request: Request,
    id: IdInPath,
    caller: EventsReader,
    services: ServicesDep,
    query: Annotated[PageQuery, Query()],
) -> Response:
    """List the revisions of an event.

    Each says who changed your event, when, and in which fields. The newest is first. An event that you
    deleted less than 30 days ago has revisions, too.
    """
    return respond_page(request, await services.revisions.get_page(caller, id, query))


@router.post(
    "/{id}/restore",
    responses=describe_response(200, "The event as it is now.", EventRead, "ETag")
    | describe_errors(409, 412, *BODY_ERRORS),
)
async def restore_event(
    id: IdInPath,
    caller: EventsWriter,
    services: ServicesDep,
    if_match: IfMatch,
    confirmed: ConfirmedVisibility,
    body: Annotated[RestoreRequest, Body()] = RestoreRequest(),  # noqa: B008 - it cannot be changed
) -> Response:
    """Restore an event to an earlier revision.

    The earlier content becomes a new revision. Without a body, the last change is undone. An event that you
    deleted less than 30 days ago is restored with its id, by default as it was when it was deleted; for
    `If-Match`, its deletion is its latest revision. An event that a moderator has taken down stays private.

    A series that was split by a change of following occurrences becomes whole again: the event that continued it is
    deleted, or comes back if the undo is undone. To undo the split, restore either of the two. The response is the
    event that remains.
    """
    restored = await services.revisions.restore(caller, id, body, if_match, confirmed=confirmed)
    return respond_changed(restored.shown_to(caller.id))
