"""Single occurrences of events."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter
from models.events.event_schema import OccurrencePage, OccurrencePatch, OccurrenceQuery, OccurrenceRead
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import IfMatch, OccurrencesService, OwnedEvent, RejectConflicts
from routes.http.problems import GUARDED, WITH_BODY, problems
from routes.http.responses import changed, described, listed

router = APIRouter(
    prefix="/api/v1/events", tags=["occurrences"], route_class=PlannerRoute, responses=problems(*GUARDED)
)
RecurrenceId = Annotated[
    str, Path(max_length=40, description="The original start, in local time.", examples=["2026-12-08T18:00:00"])
]
Reach = Annotated[
    Literal["this", "following"], Query(alias="scope", description="Only this one, or it and all that follow.")
]


@router.get("/occurrences", responses=described(200, "A page of occurrences.", OccurrencePage, "Link"))
async def list_occurrences(
    request: Request,
    caller: EventsReader,
    occurrences: OccurrencesService,
    wanted: Annotated[OccurrenceQuery, Query()],
) -> Response:
    """What takes place in a window, in time order, each occurrence by itself."""
    return listed(request, await occurrences.listed(caller, wanted))


@router.patch(
    "/{id}/occurrences/{recurrence_id}",
    responses=described(200, "The occurrence; its `id` says which event it belongs to now.", OccurrenceRead, "ETag")
    | problems(409, 412, *WITH_BODY),
)
async def change_occurrence(
    caller: EventsWriter,
    occurrences: OccurrencesService,
    event: OwnedEvent,
    recurrence_id: RecurrenceId,
    revisions: IfMatch,
    reject: RejectConflicts,
    patch: OccurrencePatch,
    reach: Reach = "this",
) -> Response:
    """Change one occurrence of your event, or it and all that follow, which become an event of their own."""
    following = reach == "following"
    return changed(await occurrences.change(caller, event, recurrence_id, patch, following, revisions, reject=reject))


@router.delete("/{id}/occurrences/{recurrence_id}", status_code=204, responses=problems(409, 412))
async def remove_occurrence(
    caller: EventsWriter,
    occurrences: OccurrencesService,
    event: OwnedEvent,
    recurrence_id: RecurrenceId,
    revisions: IfMatch,
    reach: Reach = "this",
) -> Response:
    """Take one occurrence out of your event, or it and all that follow."""
    await occurrences.remove(caller, event, recurrence_id, reach == "following", revisions)
    return Response(status_code=204)
