"""One's sessions, and the password that they were opened with."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.accounts.session import SessionPage
from models.shared.fields import Password, PasswordAttempt
from models.shared.schema import PageQuery
from models.shared.schema import Request as Body
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import AccountsService, Client, IdInPath, SessionsService
from routes.http.problems import GUARDED, WITH_BODY, problems
from routes.http.responses import described, listed

router = APIRouter(prefix="/api/v1/auth", tags=["sessions"], route_class=PlannerRoute, responses=problems(*GUARDED))


@router.get("/sessions", responses=described(200, "A page of your sessions.", SessionPage, "Link"))
async def list_sessions(
    request: Request, caller: CurrentUser, sessions: SessionsService, wanted: Annotated[PageQuery, Query()]
) -> Response:
    """Where you are signed in: device, address, last use."""
    return listed(request, await sessions.listed(caller, wanted.cursor, wanted.limit))


@router.delete("/sessions", status_code=204)
async def end_other_sessions(caller: CurrentUser, sessions: SessionsService, client: Client) -> Response:
    """End all your sessions but the one that asks."""
    await sessions.end_others(caller, client)
    return Response(status_code=204)


@router.delete("/sessions/{id}", status_code=204)
async def end_session(id: IdInPath, caller: CurrentUser, sessions: SessionsService, client: Client) -> Response:
    """End one of your sessions."""
    await sessions.end(caller, id, client)
    return Response(status_code=204)


class PasswordChange(Body):
    """The password that is, and the one that is to be."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"current_password": "long-enough and unusual", "new_password": "another unusual one"}]
        }
    )

    current_password: PasswordAttempt
    new_password: Password


@router.post("/password", status_code=204, responses=problems(409, 429, *WITH_BODY))
async def change_password(
    caller: CurrentUser, accounts: AccountsService, client: Client, form: PasswordChange
) -> Response:
    """Change your password. Every other session ends, and every token that was mailed to you."""
    await accounts.change_password(caller, form.current_password, form.new_password, client)
    return Response(status_code=204)
