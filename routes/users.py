"""Accounts: one's own; for moderators and admins, all of them and the audit log."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from auth.authenticate import AccountReader, Admin, CurrentUser, Moderator
from models.accounts.account_requests import AccountPatch, DeleteAccountRequest, UserPatch
from models.accounts.user import UserPage, UserRead
from models.shared.audit import AuditPage, AuditQuery
from models.shared.schema import PageQuery
from routes.http.dependencies import (
    Client,
    IdInPath,
    IfMatch,
    ServicesDep,
)
from routes.http.headers import describe_headers
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, describe_errors
from routes.http.responses import (
    JSON,
    NOT_MODIFIED,
    describe_response,
    respond_changed,
    respond_page,
    respond_with,
)
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1", tags=["accounts"], route_class=PlannerRoute, responses=describe_errors(*AUTHENTICATED_ERRORS)
)
ACCOUNT = describe_response(200, "The account.", UserRead, "ETag")


@router.get("/users/me", responses=ACCOUNT | NOT_MODIFIED)
async def get_current_user(request: Request, caller: AccountReader, services: ServicesDep) -> Response:
    """Get your account.

    It includes the ids of the events that you created.
    """
    return respond_with(request, await services.accounts.get_own(caller))


@router.patch("/users/me", responses=ACCOUNT | describe_errors(409, 412, 429, *BODY_ERRORS))
async def update_current_user(
    caller: CurrentUser, services: ServicesDep, if_match: IfMatch, client: Client, patch: UserPatch
) -> Response:
    """Update your account.

    The body is a JSON merge patch (RFC 7396): null clears a field, an absent field stays as it is. A new
    e-mail address must be verified again.
    """
    return respond_changed(await services.accounts.update_own(caller, patch, if_match, client))


@router.delete("/users/me", status_code=204, responses=describe_errors(409, 412, 429, *BODY_ERRORS))
async def delete_current_user(
    caller: CurrentUser, services: ServicesDep, if_match: IfMatch, client: Client, body: DeleteAccountRequest
) -> Response:
    """Delete your account.

    All your events, sessions, tokens and feeds are deleted with it, immediately. It cannot be undone.
    """
    await services.deletion.delete(caller, body.password, if_match, client)
    return Response(status_code=204)


@router.get(
    "/users/me/export",
    response_class=Response,
    responses={
        200: {
            "description": "All stored data about you.",
            "content": {JSON: {"schema": {"type": "object"}}},
            "headers": describe_headers("Content-Disposition"),
        }
    },
)
async def export_current_user(caller: CurrentUser, services: ServicesDep) -> Response:
    """Export everything that is stored about you.

    The file has your account, sessions, tokens, feeds, free/busy shares, imports, entries of the audit log, and
    your events with their revisions.
    """
    headers = {"content-disposition": 'attachment; filename="planner-export.json"', "cache-control": "no-store"}
    return StreamingResponse(services.data_export.export(caller), media_type=JSON, headers=headers)


@router.get("/users", responses=describe_response(200, "A page of accounts.", UserPage, "Link"))
async def list_users(
    request: Request, moderator: Moderator, services: ServicesDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List all accounts.

    Only moderators can do this. The oldest account is first.
    """
    return respond_page(request, await services.administration.get_account_page(query.cursor, query.limit))


@router.get("/users/{id}", responses=ACCOUNT | NOT_MODIFIED)
async def get_user(request: Request, id: IdInPath, moderator: Moderator, services: ServicesDep) -> Response:
    """Get an account.

    Only moderators can do this.
    """
    return respond_with(request, await services.administration.get_account(id))


@router.patch("/users/{id}", responses=ACCOUNT | describe_errors(409, 412, *BODY_ERRORS))
async def update_user(
    id: IdInPath,
    admin: Admin,
    services: ServicesDep,
    if_match: IfMatch,
    client: Client,
    patch: AccountPatch,
) -> Response:
    """Change the role of an account, disable or enable it.

    Only admins can do this. The last admin cannot be disabled or get another role.
    """
    return respond_changed(await services.administration.update_account(admin, id, patch, if_match, client))


@router.get("/audit", responses=describe_response(200, "A page of the audit log.", AuditPage, "Link"))
async def list_audit_entries(
    request: Request, admin: Admin, services: ServicesDep, query: Annotated[AuditQuery, Query()]
) -> Response:
    """List the entries of the audit log.

    Only admins can do this. The entries say what happened to accounts; the newest is first.
    """
    return respond_page(request, await services.audit.get_page(query))
