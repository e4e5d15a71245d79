"""When people are busy, and who may see it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import CurrentUser, EventsReader
from models.people.busy_schema import BusyQuery, BusyRead
from models.people.busy_share import MOST, BusySharePage
from models.shared.schema import PageQuery
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import FreeBusyService
from routes.http.problems import GUARDED, problems
from routes.http.responses import JSON, described, listed

router = APIRouter(
    prefix="/api/v1/freebusy", tags=["free/busy"], route_class=PlannerRoute, responses=problems(*GUARDED)
)
Reader = Annotated[
    str,
    Path(
        description="The id of somebody's account: 24 hexadecimal digits.",
        examples=["692000000000000000000002"],
        json_schema_extra={"pattern": "^[0-9a-f]{24}$"},
    ),
]


@router.get("", responses=described(200, "When they are busy.", BusyRead))
async def read_free_busy(
    caller: EventsReader, service: FreeBusyService, wanted: Annotated[BusyQuery, Query()]
) -> Response:
    """When you are busy, or somebody who lets you see it: intervals, and nothing of what they are.

    Each event of theirs takes the time from its start to its end, or whole days in its time zone;
    one without an end takes none, nor does one that is cancelled or was imported as transparent.
    Intervals that overlap or touch are one. The answer is whole, not a page: a window of more than
    366 days, or with more than 50,000 occurrences, is refused. Whoever does not let you see it and
    whoever does not exist are the same 404.
    """
    return Response(await service.seen(caller, wanted), media_type=JSON, headers={"cache-control": "no-store"})


@router.get("/shares", responses=described(200, "A page of them.", BusySharePage, "Link"))
async def list_shares(
    request: Request, caller: CurrentUser, service: FreeBusyService, wanted: Annotated[PageQuery, Query()]
) -> Response:
    """Whom you let see when you are busy. No scope reaches that far."""
    return listed(request, await service.shares(caller, wanted.cursor, wanted.limit))


@router.put(
    "/shares/{user_id}",
    status_code=204,
    description=f"Let somebody see when you are busy; {MOST:,} people at most. "
    "The answer is the same whether or not there is such an account.",
    responses=problems(409),
)
async def give_share(user_id: Reader, caller: CurrentUser, service: FreeBusyService) -> Response:
    """Let somebody see when you are busy."""
    await service.share(caller, user_id)
    return Response(status_code=204)


@router.delete("/shares/{user_id}", status_code=204)
async def take_share_back(user_id: Reader, caller: CurrentUser, service: FreeBusyService) -> Response:
    """Let somebody see no longer when you are busy; the same whether or not they could."""
    await service.unshare(caller, user_id)
    return Response(status_code=204)
