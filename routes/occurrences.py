"""Single occurrences of recurring events."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter
from models.events.event_schema import OccurrencePage, OccurrencePatch, OccurrenceQuery, OccurrenceRead
from routes.http.dependencies import IfMatch, OwnedEvent, RejectConflicts, ServicesDep
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, describe_errors
from routes.http.responses import describe_response, respond_changed, respond_page
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/events",
    tags=["occurrences"],
    route_class=PlannerRoute,
    responses=describe_errors(*AUTHENTICATED_ERRORS),
)
RecurrenceId = Annotated[
    str,
    Path(
        max_length=40,
        description="The original start of the occurrence, in local time.",
        examples=["2026-12-08T18:00:00"],
    ),
]
EditScope = Annotated[
    Literal["this", "following"],
    Query(alias="scope", description="`this`: this occurrence only; `following`: it and all later ones."),
]


@router.get("/occurrences", responses=describe_response(200, "A page of occurrences.", OccurrencePage, "Link"))
async def list_occurrences(
    request: Request,
    caller: EventsReader,
    services: ServicesDep,
    query: Annotated[OccurrenceQuery, Query()],
) -> Response:
    """List the occurrences in a window of time.

    They are sorted by start. A recurring event is listed once for each of its occurrences in the window. Only your own
    events are listed, unless `scope` says otherwise.
    """
    return respond_page(request, await services.occurrences.get_page(caller, query))


@router.patch(
    "/{id}/occurrences/{recurrence_id}",
    responses=describe_response(
        200, "The occurrence. Its `id` is that of the event that it belongs to now.", OccurrenceRead, "ETag"
    )
    | describe_errors(409, 412, *BODY_ERRORS),
)
async def update_occurrence(
    caller: EventsWriter,
    services: ServicesDep,
    event: OwnedEvent,
    recurrence_id: RecurrenceId,
    if_match: IfMatch,
    reject: RejectConflicts,
    patch: OccurrencePatch,
    scope: EditScope = "this",
) -> Response:
    """Update an occurrence of an event.

    A `start` and `end` of the other kind, dates or times, make this occurrence an all-day one or one with times.

    With `scope=following`, this occurrence and all later ones become an event of their own. A new rule that does not
    match this occurrence begins with the first one that it matches, unless a `start` on another day is sent. Later
    occurrences that were rescheduled stay where they were put.
    """
    following = scope == "following"
    return respond_changed(
        await services.occurrences.change(caller, event, recurrence_id, patch, following, if_match, reject=reject)
    )


@router.delete("/{id}/occurrences/{recurrence_id}", status_code=204, responses=describe_errors(409, 412))
async def delete_occurrence(
    caller: EventsWriter,
    services: ServicesDep,
    event: OwnedEvent,
    recurrence_id: RecurrenceId,
    if_match: IfMatch,
    scope: EditScope = "this",
) -> Response:
    """Delete an occurrence of an event.

    With `scope=following`, the event ends before this occurrence.
    """
    await services.occurrences.delete(caller, event, recurrence_id, scope == "following", if_match)
    return Response(status_code=204)
