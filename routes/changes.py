"""Changes of events since a token."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader
from models.events.event_schema import ChangesQuery, EventChanges
from routes.http.dependencies import ServicesDep
from routes.http.problems import AUTHENTICATED_ERRORS, describe_errors
from routes.http.responses import describe_response, respond_changes
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/events",
    tags=["changes"],
    route_class=PlannerRoute,
    responses=describe_errors(*AUTHENTICATED_ERRORS),
)


@router.get(
    "/changes",
    responses=describe_response(200, "A page of changes. `Link` is there if there are more.", EventChanges, "Link")
    | describe_errors(410),
)
async def list_event_changes(
    request: Request, caller: EventsReader, services: ServicesDep, query: Annotated[ChangesQuery, Query()]
) -> Response:
    """List what has changed since the last request.

    Without `since`, all events are listed, page by page. Always store `next`, and send it as `since` the next time,
    with the same `scope` and `tag`. It is valid for 90 days; after that the response is 410, and the client
    starts again without `since`. No change is ever missed, but an event may be listed although nothing in
    it has changed for you. As long as there is a `Link`, there are more changes: a page may have fewer than `limit`, or
    none, before the last one.
    """
    return respond_changes(request, await services.changes.get_page(caller, query))
