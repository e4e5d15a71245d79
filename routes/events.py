"""The event routes."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter, Moderator
from models.events.event_schema import EventCreate, EventPage, EventPatch, EventQuery, EventRead, TakedownCreate
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import (
    AdministrationService,
    Client,
    EventById,
    EventsService,
    IfMatch,
    OwnedEvent,
    RejectConflicts,
    SeenEvent,
    WriterIdempotencyKey,
)
from routes.http.problems import GUARDED, WITH_BODY, problems
from routes.http.responses import NOT_MODIFIED, changed, created, described, listed, one

router = APIRouter(prefix="/api/v1/events", tags=["events"], route_class=PlannerRoute, responses=problems(*GUARDED))
EVENT = described(200, "The event.", EventRead, "ETag")


@router.get("/{id}", responses=EVENT | NOT_MODIFIED)
async def read_event(request: Request, event: EventById) -> Response:
    """One event, if you may see it: your own, a public one, or an unlisted one whose id you have."""
    return one(request, event)


@router.get("", responses=described(200, "A page of events.", EventPage, "Link"))
async def list_events(
    request: Request, caller: EventsReader, events: EventsService, wanted: Annotated[EventQuery, Query()]
) -> Response:
    """Events by start, then id; undated ones last.

    `from` and `to` keep those that touch the window, `near` those in a circle. With `q`, those in which the
    words are found, the best first, then by start and id: a word in the title counts for most, then tags,
    location and description. A cursor holds for the list it came from, and for the same `q`.
    """
    return listed(request, await events.listed(caller, wanted))


@router.post(
    "",
    status_code=201,
    responses=described(201, "The new event.", EventRead, "Location", "ETag") | problems(409, *WITH_BODY),
)
async def create_event(
    caller: EventsWriter, events: EventsService, once: WriterIdempotencyKey, reject: RejectConflicts, draft: EventCreate
) -> Response:
    """A new event of yours. Only `title` is required."""
    event = await events.create(caller, draft, once, reject=reject)
    return created(event, f"/api/v1/events/{event.id}")


@router.put("/{id}", responses=EVENT | problems(409, 412, *WITH_BODY))
async def replace_event(
    caller: EventsWriter,
    events: EventsService,
    event: OwnedEvent,
    revisions: IfMatch,
    reject: RejectConflicts,
    draft: EventCreate,
) -> Response:
    """Replace everything that you write of your event; what is left out is cleared."""
    return changed(await events.replace(caller, event, draft, revisions, reject=reject))


@router.patch("/{id}", responses=EVENT | problems(409, 412, *WITH_BODY))
async def patch_event(
    caller: EventsWriter,
    events: EventsService,
    event: OwnedEvent,
    revisions: IfMatch,
    reject: RejectConflicts,
    patch: EventPatch,
) -> Response:
    """Change some fields of your event: a JSON merge patch (RFC 7396), null clears."""
    return changed(await events.patch(caller, event, patch, revisions, reject=reject))


@router.delete("/{id}", status_code=204, responses=problems(412))
async def delete_event(caller: EventsWriter, events: EventsService, event: OwnedEvent, revisions: IfMatch) -> Response:
    """Remove your event, and its id from your account. For 30 days it can be restored."""
    await events.remove(caller, event, revisions)
    return Response(status_code=204)


@router.put("/{id}/takedown", responses=EVENT | problems(409, *WITH_BODY))
async def take_event_down(
    people: AdministrationService, moderator: Moderator, event: SeenEvent, client: Client, draft: TakedownCreate
) -> Response:
    """Make a public event private, for moderators. Its creator sees why and cannot publish it again."""
    return changed(await people.take_down(moderator, event, draft.reason, client))


@router.delete("/{id}/takedown", responses=EVENT | problems(409))
async def restore_event(
    people: AdministrationService, moderator: Moderator, event: SeenEvent, client: Client
) -> Response:
    """Let the creator of an event that was taken down make it public again, for moderators."""
    return changed(await people.restore(moderator, event, client))
