"""Events for calendar programs: files to take along, and private addresses to subscribe to."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from auth.authenticate import CurrentUser, EventsReader
from models.files.feed import ExportQuery, FeedCreate, FeedCreated, FeedPage
from models.shared.schema import PageQuery
from models.shared.views import to_json
from planner.services.files.exports import Exports, ExportSelection
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import AccountIdempotencyKey, Client, EventById, ExportsService, FeedsService, IdInPath
from routes.http.etags import etag, is_known
from routes.http.problems import ANYWHERE, GUARDED, WITH_BODY, Answers, problems
from routes.http.responses import JSON, NOT_MODIFIED, described, listed

router = APIRouter(prefix="/api/v1", route_class=PlannerRoute)
ICS = "text/calendar"
# The charset is UTF-8 by RFC 5545 §3.1.4; some programs want to be told.
MEDIA_TYPE = f"{ICS}; charset=utf-8"
TokenInPath = Annotated[str, Path(description="The secret part of the feed's address.", examples=["planner_feed_…"])]
FILE: Answers = {
    **NOT_MODIFIED,
    200: {
        "description": "iCalendar (RFC 5545).",
        "content": {ICS: {"schema": {"type": "string"}}},
        "headers": {"ETag": {"schema": {"type": "string"}}},
    },
}


def _headers(tag: int | str, file: str) -> dict[str, str]:
    disposition = f'attachment; filename="{file}.ics"'
    return {"etag": etag(tag), "cache-control": "private, no-cache", "content-disposition": disposition}


@router.get("/events/{id}.ics", tags=["events"], response_class=Response, responses=FILE | problems(409, *GUARDED))
async def export_event(request: Request, event: EventById, exports: ExportsService) -> Response:
    """One event as an iCalendar file, if you may see it. An undated one has no place in such a file: 409."""
    headers = _headers(event.revision, file_name(orjson.loads(event.json)["title"]))
    if is_known(request.headers.get("if-none-match"), event.revision):
        return Response(status_code=304, headers=headers)
    return await _sent(exports.one(event), headers)


@router.get("/events.ics", tags=["events"], response_class=Response, responses=FILE | problems(*GUARDED, 422))
async def export_events(
    request: Request, caller: EventsReader, exports: ExportsService, wanted: Annotated[ExportQuery, Query()]
) -> Response:
    """All the events you see in a scope as one iCalendar file, by start; without the undated ones."""
    return await _file(request, exports, exports.wanted(caller, wanted), "planner-events")


@router.get(
    "/feeds", tags=["feeds"], responses=described(200, "A page of your feeds.", FeedPage, "Link") | problems(*GUARDED)
)
async def list_feeds(
    request: Request, caller: CurrentUser, feeds: FeedsService, wanted: Annotated[PageQuery, Query()]
) -> Response:
    """Your feeds, without their addresses."""
    return listed(request, await feeds.listed(caller, wanted.cursor, wanted.limit))


@router.post(
    "/feeds",
    status_code=201,
    tags=["feeds"],
    responses=described(201, "The new feed. Its address is shown this once.", FeedCreated, "Location")
    | problems(409, *GUARDED, *WITH_BODY),
)
async def create_feed(
    request: Request,
    caller: CurrentUser,
    feeds: FeedsService,
    once: AccountIdempotencyKey,
    client: Client,
    draft: FeedCreate,
) -> Response:
    """A private address that calendar programs subscribe to: who has it sees what you see, until it is removed."""
    made = await feeds.create(caller, draft, client, once)
    url = f"{request.app.state.base_url}/api/v1/feeds/{made.secret}.ics"
    headers = {"location": f"/api/v1/feeds/{made.view.id}", "cache-control": "no-store"}
    return Response(to_json(orjson.loads(made.view.json) | {"url": url}), 201, media_type=JSON, headers=headers)


@router.delete("/feeds/{id}", status_code=204, tags=["feeds"], responses=problems(*GUARDED))
async def remove_feed(id: IdInPath, caller: CurrentUser, feeds: FeedsService, client: Client) -> Response:
    """Make the address of one of your feeds worthless, at once."""
    await feeds.remove(caller, id, client)
    return Response(status_code=204)


@router.get("/feeds/{token}.ics", tags=["feeds"], response_class=Response, responses=FILE | problems(*ANYWHERE, 404))
async def read_feed(token: TokenInPath, request: Request, feeds: FeedsService, exports: ExportsService) -> Response:
    """The events of a feed, for whoever has its address; nobody has to be signed in."""
    return await _file(request, exports, await feeds.open(token), "planner")


async def _file(request: Request, exports: Exports, wanted: ExportSelection, name: str) -> Response:
    tag = await exports.tag(wanted)
    headers = _headers(tag, name)
    if is_known(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return await _sent(exports.written(wanted), headers)


async def _sent(parts: AsyncIterator[bytes], headers: dict[str, str]) -> Response:
    # What fails is to fail before the answer has begun, and what is short is to have a length.
    first, second = await anext(parts), await anext(parts)
    third = await anext(parts, None)
    if third is None:
        return Response(first + second, media_type=MEDIA_TYPE, headers=headers)
    return StreamingResponse(_again([first, second, third], parts), media_type=MEDIA_TYPE, headers=headers)


async def _again(begun: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for part in begun:
        yield part
    async for part in rest:
        yield part


def file_name(title: str) -> str:
    """A title as the name of a file, of which every system knows the letters."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:60].strip("-") or "event"
