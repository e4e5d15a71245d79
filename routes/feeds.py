"""iCalendar files of events, and feeds: private addresses to which calendar programs subscribe."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from auth.authenticate import CurrentUser, EventsReader
from models.files.export_schema import ExportQuery
from models.files.feed_schema import FeedCreate, FeedCreated, FeedPage
from models.shared.schema import PageQuery
from planner.services.files.exports import Exports, ExportSelection
from routes.http.dependencies import AccountIdempotencyKey, Client, EventById, IdInPath, ServicesDep
from routes.http.etags import format_etag
from routes.http.headers import describe_headers
from routes.http.problems import (
    AUTHENTICATED_ERRORS,
    BODY_ERRORS,
    COMMON_ERRORS,
    ResponseDescriptions,
    describe_errors,
)
from routes.http.responses import JSON, NOT_MODIFIED, chain_parts, describe_response, respond_not_modified, respond_page
from routes.http.route import PlannerRoute

router = APIRouter(prefix="/api/v1", route_class=PlannerRoute)
ICS = "text/calendar"
# The charset is UTF-8 by default (RFC 5545 §3.1.4), but some programs need to see it.
MEDIA_TYPE = f"{ICS}; charset=utf-8"
TokenInPath = Annotated[str, Path(description="The secret part of the feed's address.", examples=["planner_feed_…"])]
FILE_HEADERS = describe_headers("ETag", "Content-Disposition")
CALENDAR_FILE: ResponseDescriptions = {
    304: {"description": NOT_MODIFIED[304]["description"], "headers": FILE_HEADERS},
    200: {
        "description": "An iCalendar file (RFC 5545).",
        "content": {ICS: {"schema": {"type": "string"}}},
        "headers": FILE_HEADERS,
    },
}


def _file_headers(tag: int | str, name: str) -> dict[str, str]:
    disposition = f'attachment; filename="{name}.ics"'
    return {"etag": format_etag(tag), "cache-control": "private, no-cache", "content-disposition": disposition}


@router.get(
    "/events/{id}.ics",
    tags=["events"],
    response_class=Response,
    responses=CALENDAR_FILE | describe_errors(409, *AUTHENTICATED_ERRORS),
)
async def export_event(request: Request, caller: EventsReader, event: EventById, services: ServicesDep) -> Response:
    """Export an event as an iCalendar file.

    An event without a date cannot be exported; the response is 409. Only who may change the event gets its alarms, and
    those properties of an imported event that have no field here, such as its attendees.
    """
    tag = event.shown_to(caller.id).tag
    headers = _file_headers(tag, file_name(event.event.title))
    return respond_not_modified(request, tag, headers) or await _respond_with_file(
        services.exports.export_event(caller, event), headers
    )


@router.get(
    "/events.ics",
    tags=["events"],
    response_class=Response,
    responses=CALENDAR_FILE | describe_errors(*AUTHENTICATED_ERRORS, 422),
)
async def export_events(
    request: Request, caller: EventsReader, services: ServicesDep, query: Annotated[ExportQuery, Query()]
) -> Response:
    """Export events as one iCalendar file.

    The file has all events of the scope that you may see, sorted by start. Events without a date are left out.
    Events of others are without alarms, and without properties that have no field here.
    """
    return await respond_with_export(
        request, services.exports, services.exports.select(caller, query), "planner-events"
    )


@router.get(
    "/feeds",
    tags=["feeds"],
    responses=describe_response(200, "A page of your feeds.", FeedPage, "Link")
    | describe_errors(*AUTHENTICATED_ERRORS),
)
async def list_feeds(
    request: Request, caller: CurrentUser, services: ServicesDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List your feeds.

    Their addresses are not included: each is shown only when its feed is created.
    """
    return respond_page(request, await services.feeds.get_page(caller, query.cursor, query.limit))


@router.post(
    "/feeds",
    status_code=201,
    tags=["feeds"],
    responses=describe_response(201, "The new feed. Its address is shown only now.", FeedCreated, "Location")
    | describe_errors(409, *AUTHENTICATED_ERRORS, *BODY_ERRORS),
)
async def create_feed(
    caller: CurrentUser,
    services: ServicesDep,
    idempotency_key: AccountIdempotencyKey,
    client: Client,
    body: FeedCreate,
) -> Response:
    """Create a feed.

    A feed is a private address to which calendar programs subscribe. Everybody who has the address can read
    the events that you can see in its scope, until the feed is deleted: your own events with their alarms and with all
    that was imported. A feed with the scope `public` shows of all events, also of yours, only what everybody may see.
    """
    new = await services.feeds.create(caller, body, client, idempotency_key)
    url = f"{services.base_url}/api/v1/feeds/{new.token}.ics"
    created = FeedCreated(**new.feed.model_dump(), url=url)
    headers = {"location": f"/api/v1/feeds/{created.id}", "cache-control": "no-store"}
    return Response(created.to_json(), 201, media_type=JSON, headers=headers)


@router.delete("/feeds/{id}", status_code=204, tags=["feeds"], responses=describe_errors(*AUTHENTICATED_ERRORS))
async def delete_feed(id: IdInPath, caller: CurrentUser, services: ServicesDep, client: Client) -> Response:
    """Delete a feed.

    Its address stops working at once.
    """
    await services.feeds.delete(caller, id, client)
    return Response(status_code=204)


@router.get(
    "/feeds/{token}.ics",
    tags=["feeds"],
    response_class=Response,
    responses=CALENDAR_FILE | describe_errors(*COMMON_ERRORS, 404),
)
async def export_feed(
    token: TokenInPath,
    request: Request,
    services: ServicesDep,
) -> Response:
    """Export the events of a feed as an iCalendar file.

    The secret address is the only credential; no access token is needed.
    """
    return await respond_with_export(request, services.exports, await services.feeds.open(token), "planner")


async def respond_with_export(request: Request, exports: Exports, selection: ExportSelection, name: str) -> Response:
    """Return a selection of events as an iCalendar file, or 304 when the client has it already."""
    tag = await exports.compute_etag(selection)
    headers = _file_headers(tag, name)
    return respond_not_modified(request, tag, headers) or await _respond_with_file(exports.export(selection), headers)


async def _respond_with_file(parts: AsyncIterator[bytes], headers: dict[str, str]) -> Response:
    # The first parts are read before the response begins: an error among them can still become an error
    # response, and a short file is sent whole, with a Content-Length.
    first, second = await anext(parts), await anext(parts)
    third = await anext(parts, None)
    if third is None:
        return Response(first + second, media_type=MEDIA_TYPE, headers=headers)
    return StreamingResponse(chain_parts([first, second, third], parts), media_type=MEDIA_TYPE, headers=headers)


def file_name(title: str) -> str:
    """Return a title as a file name of letters and digits that every file system accepts."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:60].strip("-") or "event"
