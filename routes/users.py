"""One's own account, other people's for those who look after the planner, and the audit."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from auth.authenticate import AccountReader, Admin, CurrentUser, Moderator
from models.accounts.user import AccountPatch, UserPage, UserPatch, UserRead
from models.shared.audit import AuditPage, AuditQuery
from models.shared.fields import PasswordAttempt
from models.shared.schema import PageQuery
from models.shared.schema import Request as Body
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import (
    AccountsService,
    AdministrationService,
    AuditService,
    Client,
    DeletionService,
    IdInPath,
    IfMatch,
)
from routes.http.problems import GUARDED, WITH_BODY, problems
from routes.http.responses import JSON, NOT_MODIFIED, changed, described, listed, one

router = APIRouter(prefix="/api/v1", tags=["accounts"], route_class=PlannerRoute, responses=problems(*GUARDED))
ACCOUNT = described(200, "The account.", UserRead, "ETag")


@router.get("/users/me", responses=ACCOUNT | NOT_MODIFIED)
async def read_me(request: Request, caller: AccountReader, accounts: AccountsService) -> Response:
    """Your account, with the ids of your events."""
    return one(request, await accounts.me(caller))


@router.patch("/users/me", responses=ACCOUNT | problems(409, 412, 429, *WITH_BODY))
async def change_me(
    caller: CurrentUser, accounts: AccountsService, revisions: IfMatch, client: Client, patch: UserPatch
) -> Response:
    """Change your account: a JSON merge patch (RFC 7396). Another e-mail address has to be proved again."""
    return changed(await accounts.change_me(caller, patch, revisions, client))


class AccountDeletionRequest(Body):
    """The proof that it is you who leaves."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"password": "long-enough and unusual"}]})

    password: PasswordAttempt


@router.delete("/users/me", status_code=204, responses=problems(409, 412, 429, *WITH_BODY))
async def delete_me(
    caller: CurrentUser, leaving: DeletionService, revisions: IfMatch, client: Client, form: AccountDeletionRequest
) -> Response:
    """Remove your account, your events, sessions and tokens, at once and for good."""
    await leaving.leave(caller, form.password, revisions, client)
    return Response(status_code=204)


@router.get(
    "/users/me/export",
    response_class=Response,
    responses={200: {"description": "Everything.", "content": {JSON: {"schema": {"type": "object"}}}}},
)
async def export_me(caller: CurrentUser, leaving: DeletionService) -> Response:
    """Everything that is held on you: account, sessions, tokens, audit, events and what they were.

    No scope reaches that far.
    """
    headers = {"content-disposition": 'attachment; filename="planner-export.json"', "cache-control": "no-store"}
    return StreamingResponse(leaving.export(caller), media_type=JSON, headers=headers)


@router.get("/users", responses=described(200, "A page of accounts.", UserPage, "Link"))
async def list_users(
    request: Request, moderator: Moderator, people: AdministrationService, wanted: Annotated[PageQuery, Query()]
) -> Response:
    """All accounts, the oldest first; for moderators."""
    return listed(request, await people.listed(wanted.cursor, wanted.limit))


@router.get("/users/{id}", responses=ACCOUNT | NOT_MODIFIED)
async def read_user(request: Request, id: IdInPath, moderator: Moderator, people: AdministrationService) -> Response:
    """An account; for moderators."""
    return one(request, await people.see(id))


@router.patch("/users/{id}", responses=ACCOUNT | problems(409, 412, *WITH_BODY))
async def change_user(
    id: IdInPath, admin: Admin, people: AdministrationService, revisions: IfMatch, client: Client, patch: AccountPatch
) -> Response:
    """Change an account's role, or disable it; for admins. The last admin stays one."""
    return changed(await people.change(admin, id, patch, revisions, client))


@router.get("/audit", responses=described(200, "A page of the audit.", AuditPage, "Link"))
async def list_audit(
    request: Request, admin: Admin, audit: AuditService, wanted: Annotated[AuditQuery, Query()]
) -> Response:
    """What happened to accounts, the newest first; for admins."""
    return listed(request, await audit.listed(wanted))
