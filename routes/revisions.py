"""What an event was, and making it so again."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter
from models.event_schema import EventRead
from models.revision_view import Restoring, RevisionPage
from models.schema import PageQuery
from routes.answers import changed, described, listed
from routes.bodies import PlannerRoute
from routes.dependencies import IdInPath, IfMatch, UndoService
from routes.problems import GUARDED, WITH_BODY, problems

router = APIRouter(prefix="/api/v1/events", tags=["undo"], route_class=PlannerRoute, responses=problems(*GUARDED))


@router.get("/{id}/revisions", responses=described(200, "A page of revisions.", RevisionPage, "Link"))
async def list_revisions(
    request: Request, id: IdInPath, caller: EventsReader, undo: UndoService, wanted: Annotated[PageQuery, Query()]
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
    undo: UndoService,
    revisions: IfMatch,
    wanted: Annotated[Restoring, Body()] = Restoring(),  # noqa: B008 - it cannot be changed
) -> Response:
    """Make your event what it was at an earlier revision, as a new revision; without a body, undo the last change.

    An event that you removed less than 30 days ago is there again, with its id, as it was when it was
    removed unless you say otherwise; for `If-Match`, its removal is its latest revision. What a
    moderator has taken down stays private.
    """
    return changed(await undo.restore(caller, id, wanted, revisions))
