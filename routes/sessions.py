"""Sessions, and the password with which they are opened."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.accounts.account_requests import ChangePasswordRequest
from models.accounts.session import SessionPage
from models.shared.schema import PageQuery
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, describe_errors
from routes.http.responses import describe_response, respond_page
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/auth",
    tags=["sessions"],
    route_class=PlannerRoute,
    responses=describe_errors(*AUTHENTICATED_ERRORS),
)


@router.get("/sessions", responses=describe_response(200, "A page of your sessions.", SessionPage, "Link"))
async def list_sessions(
    request: Request, caller: CurrentUser, services: ServicesDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List your sessions.

    Each says where you are signed in: the device, the address, and when it was last used.
    """
    return respond_page(request, await services.sessions.get_page(caller, query.cursor, query.limit))


@router.delete("/sessions", status_code=204)
async def revoke_other_sessions(caller: CurrentUser, services: ServicesDep, client: Client) -> Response:
    """Revoke all your sessions but the current one.

    Their access tokens and refresh tokens stop working.
    """
    await services.sessions.revoke_others(caller, client)
    return Response(status_code=204)


@router.delete("/sessions/{id}", status_code=204)
async def revoke_session(id: IdInPath, caller: CurrentUser, services: ServicesDep, client: Client) -> Response:
    """Revoke one of your sessions.

    Its access token and refresh token stop working.
    """
    await services.sessions.revoke(caller, id, client)
    return Response(status_code=204)


@router.post("/password", status_code=204, responses=describe_errors(409, 429, *BODY_ERRORS))
async def change_password(
    caller: CurrentUser, services: ServicesDep, client: Client, body: ChangePasswordRequest
) -> Response:
    """Change your password, or set one if you have none.

    If you have none, you must have signed in within the last 15 minutes. All your other sessions are revoked, and so
    are all tokens that were sent to you by e-mail.
    """
    await services.accounts.change_password(caller, body.current_password, body.new_password, client)
    return Response(status_code=204)
