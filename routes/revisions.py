"""What an event was, and making it so again."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter
from models.events.event_schema import EventRead
from models.events.revision_view import RestoreRequest, RevisionPage
from models.shared.schema import PageQuery
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import IdInPath, IfMatch, RevisionsService
from routes.http.problems import GUARDED, WITH_BODY, problems
from routes.http.responses import changed, described, listed

router = APIRouter(prefix="/api/v1/events", tags=["undo"], route_class=PlannerRoute, responses=problems(*GUARDED))


@router.get("/{id}/revisions", responses=described(200, "A page of revisions.", RevisionPage, "Link"))
async def list_revisions(
    request: Request, id: IdInPath, caller: EventsReader, undo: RevisionsService, wanted: Annotated[PageQuery, Query()]
) -> Response:
    """What your event is and was, the newest first: who changed it, when and what.

    Also of an event that you removed less than 30 days ago.
    """
    return listed(request, await undo.listed(caller, id, wanted))


@router.post(
    "/{id}/restore",
    responses=described(200, "The event as it is now.", EventRead, "ETag") | problems(409, 412, *WITH_BODY),
)
async def restore_revision(
    id: IdInPath,
    caller: EventsWriter,
    undo: RevisionsService,
    revisions: IfMatch,
    wanted: Annotated[RestoreRequest, Body()] = RestoreRequest(),  # noqa: B008 - it cannot be changed
) -> Response:
    """Make your event what it was at an earlier revision, as a new revision; without a body, undo the last change.

    An event that you removed less than 30 days ago is there again, with its id, as it was when it was
    removed unless you say otherwise; for `If-Match`, its removal is its latest revision. What a
    moderator has taken down stays private.
    """
    return changed(await undo.restore(caller, id, wanted, revisions))
