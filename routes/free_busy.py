"""When people are busy, and who may see it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import CurrentUser, EventsReader
from models.people.busy_schema import BusyQuery, BusyRead
from models.people.busy_share import MAX_SHARES, BusySharePage
from models.shared.schema import PageQuery
from routes.http.dependencies import ServicesDep
from routes.http.problems import AUTHENTICATED_ERRORS, describe_errors
from routes.http.responses import JSON, describe_response, respond_page
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/freebusy",
    tags=["free/busy"],
    route_class=PlannerRoute,
    responses=describe_errors(*AUTHENTICATED_ERRORS),
)
ReaderInPath = Annotated[
    str,
    Path(
        description="The id of the other person's account: 24 hexadecimal digits.",
        examples=["692000000000000000000002"],
        json_schema_extra={"pattern": "^[0-9a-f]{24}$"},
    ),
]


@router.get("", responses=describe_response(200, "The busy intervals in the window.", BusyRead))
async def get_free_busy(caller: EventsReader, services: ServicesDep, query: Annotated[BusyQuery, Query()]) -> Response:
    """Get the times at which somebody is busy.

    These are your own times, or those of a person who shares them with you: intervals, and nothing about
    the events. An event is busy from its start to its end, or for whole days in its time zone. Events without an end,
    cancelled events and transparent ones are not busy. Intervals that overlap or touch are
    merged. The response is not a page: a window of more than 366 days, or with more than 50,000
    occurrences, is refused. The response is 404 both for a person who does not share with you and for
    an account that does not exist.
    """
    return Response(
        await services.free_busy.get_free_busy(caller, query), media_type=JSON, headers={"cache-control": "no-store"}
    )


@router.get("/shares", responses=describe_response(200, "A page of people.", BusySharePage, "Link"))
async def list_free_busy_shares(
    request: Request, caller: CurrentUser, services: ServicesDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the people who may see when you are busy.

    The oldest share is first.
    """
    return respond_page(request, await services.free_busy.get_share_page(caller, query.cursor, query.limit))


@router.put(
    "/shares/{user_id}",
    status_code=204,
    description=f"At most {MAX_SHARES:,} people can be given access. "
    "The response is the same whether or not there is such an account.",
    responses=describe_errors(409),
)
async def create_free_busy_share(user_id: ReaderInPath, caller: CurrentUser, services: ServicesDep) -> Response:
    """Let a person see when you are busy."""
    await services.free_busy.create_share(caller, user_id)
    return Response(status_code=204)


@router.delete("/shares/{user_id}", status_code=204)
async def delete_free_busy_share(user_id: ReaderInPath, caller: CurrentUser, services: ServicesDep) -> Response:
    """Stop letting a person see when you are busy.

    The response is the same whether or not the person had access.
    """
    await services.free_busy.delete_share(caller, user_id)
    return Response(status_code=204)
