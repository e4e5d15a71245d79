"""Events: list, read, create, change, delete; takedowns by moderators."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter, Moderator
from models.events.event_schema import EventCreate, EventPage, EventPatch, EventQuery, EventRead, TakedownCreate
from routes.http.dependencies import (
    Client,
    ConfirmedVisibility,
    EventById,
    IfMatch,
    OwnedEvent,
    RejectConflicts,
    ServicesDep,
    VisibleEvent,
    WriterIdempotencyKey,
)
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, describe_errors
from routes.http.responses import (
    NOT_MODIFIED,
    describe_response,
    respond_changed,
    respond_created,
    respond_page,
    respond_with,
)
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/events",
    tags=["events"],
    route_class=PlannerRoute,
    responses=describe_errors(*AUTHENTICATED_ERRORS),
)
EVENT = describe_response(200, "The event.", EventRead, "ETag")


@router.get("/{id}", responses=EVENT | NOT_MODIFIED)
async def get_event(request: Request, caller: EventsReader, event: EventById) -> Response:
    """Get an event.

    You may see your own events, public ones, and unlisted ones whose id you have. For all others the
    response is 404, as for events that do not exist.

    Only who may change an event gets its reminders, and what an imported event says besides: its organizer, attendees,
    conference and alarms. In a response to others, `reminders` is empty, and those fields are absent; its `ETag` is
    another one.
    """
    return respond_with(request, event.shown_to(caller.id))


@router.get("", responses=describe_response(200, "A page of events.", EventPage, "Link"))
async def list_events(
    request: Request, caller: EventsReader, services: ServicesDep, query: Annotated[EventQuery, Query()]
) -> Response:
    """List events.

    They are sorted by start, then by id; events without a date come last. All filters can be combined. With
    `q`, they are sorted by relevance: a word in the title counts most, then tags, location and description, and a
    whole word counts twice as much as the beginning of one. `truncated` says that the words are so common among public
    events that only some of these were ranked. A `cursor` is valid only for the list that it came from.
    """
    return respond_page(request, await services.events.get_page(caller, query))


@router.post(
    "",
    status_code=201,
    responses=describe_response(201, "The new event.", EventRead, "Location", "ETag")
    | describe_errors(409, *BODY_ERRORS),
)
async def create_event(
    caller: EventsWriter,
    services: ServicesDep,
    idempotency_key: WriterIdempotencyKey,
    reject: RejectConflicts,
    draft: EventCreate,
) -> Response:
    """Create an event.

    Only `title` is required. The event belongs to your account.
    """
    event = await services.events.create(caller, draft, idempotency_key, reject=reject)
    return respond_created(event, f"/api/v1/events/{event.id}")


@router.put("/{id}", responses=EVENT | describe_errors(409, 412, *BODY_ERRORS))
async def replace_event(
    caller: EventsWriter,
    services: ServicesDep,
    event: OwnedEvent,
    if_match: IfMatch,
    reject: RejectConflicts,
    confirmed: ConfirmedVisibility,
    draft: EventCreate,
) -> Response:
    """Replace an event.

    All fields that a client can write are set; absent fields are cleared or get their defaults.
    """
    changed = await services.events.replace(caller, event, draft, if_match, reject=reject, confirmed=confirmed)
    return respond_changed(changed.shown_to(caller.id))


@router.patch("/{id}", responses=EVENT | describe_errors(409, 412, *BODY_ERRORS))
async def update_event(
    caller: EventsWriter,
    services: ServicesDep,
    event: OwnedEvent,
    if_match: IfMatch,
    reject: RejectConflicts,
    confirmed: ConfirmedVisibility,
    patch: EventPatch,
) -> Response:
    """Update some fields of an event.

    The body is a JSON merge patch (RFC 7396): null clears a field, an absent field stays as it is. A new start does
    not move the end: send both to move an event.

    When a recurring event gets a new start or time zone, its rule, dates and changed or deleted occurrences move
    along, unless they are sent too. An occurrence that was rescheduled stays where it was put: at its instant, or at
    its local time if the event keeps its local time in another time zone.
    """
    changed = await services.events.patch(caller, event, patch, if_match, reject=reject, confirmed=confirmed)
    return respond_changed(changed.shown_to(caller.id))


@router.delete("/{id}", status_code=204, responses=describe_errors(412))
async def delete_event(caller: EventsWriter, services: ServicesDep, event: OwnedEvent, if_match: IfMatch) -> Response:
    """Delete an event.

    For 30 days it can be restored, with `POST /events/{id}/restore`.
    """
    await services.events.delete(caller, event, if_match)
    return Response(status_code=204)


@router.put("/{id}/takedown", responses=EVENT | describe_errors(409, *BODY_ERRORS))
async def take_down_event(
    services: ServicesDep,
    moderator: Moderator,
    event: VisibleEvent,
    client: Client,
    draft: TakedownCreate,
) -> Response:
    """Take down a public event.

    Only moderators can do this. The event becomes private; its creator sees the reason and cannot publish it again.
    """
    changed = await services.moderation.take_down(moderator, event, draft.reason, client)
    return respond_changed(changed.shown_to(moderator.id))


@router.delete("/{id}/takedown", responses=EVENT | describe_errors(409))
async def lift_event_takedown(
    services: ServicesDep, moderator: Moderator, event: VisibleEvent, client: Client
) -> Response:
    """Lift the takedown of an event.

    Only moderators can do this. The event stays private until its creator publishes it again.
    """
    changed = await services.moderation.lift_takedown(moderator, event, client)
    return respond_changed(changed.shown_to(moderator.id))
