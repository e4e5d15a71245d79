"""What changed among events."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader
from models.events.event_schema import ChangesQuery, EventChanges
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import ChangesService
from routes.http.problems import GUARDED, problems
from routes.http.responses import described, news

router = APIRouter(prefix="/api/v1/events", tags=["changes"], route_class=PlannerRoute, responses=problems(*GUARDED))


@router.get(
    "/changes",
    responses=described(200, "What changed; `Link` only when there is more already.", EventChanges, "Link")
    | problems(410),
)
async def list_changes(
    request: Request, caller: EventsReader, changes: ChangesService, wanted: Annotated[ChangesQuery, Query()]
) -> Response:
    """What is new, changed or gone since you last asked, with nothing ever missed.

    Without `since`, everything there is, page by page. Keep `next`, whatever the answer holds, and
    send it as `since`, with the same `scope` and `tag`; it is good for 90 days, then the answer is
    410 and you begin anew. An event may come again though nothing about it changed for you.
    """
    return news(request, await changes.since(caller, wanted))
