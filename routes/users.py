"""Accounts: one's own; for moderators and admins, all of them and the audit log."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from auth.authenticate import AccountReader, Admin, CurrentUser, Moderator
from models.accounts.account_requests import AccountPatch, DeleteAccountRequest, UserPatch, UserQuery
from models.accounts.export_job import ExportJobRead
from models.accounts.user import OwnUserRead, UserPage, UserRead
from models.shared.audit import AuditPage, AuditQuery
from routes.http.dependencies import (
    Client,
    IdInPath,
    IfMatch,
    ServicesDep,
)
from routes.http.headers import describe_headers
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, ResponseDescriptions, describe_errors
from routes.http.responses import (
    JSON,
    NOT_MODIFIED,
    chain_parts,
    describe_response,
    prefers_async,
    respond_changed,
    respond_page,
    respond_with,
    respond_with_job,
    respond_with_new_job,
)
from routes.http.route import PlannerRoute
from routes.http.services import services_of

router = APIRouter(
    prefix="/api/v1", tags=["accounts"], route_class=PlannerRoute, responses=describe_errors(*AUTHENTICATED_ERRORS)
)
ACCOUNT = describe_response(200, "The account.", UserRead, "ETag")
OWN_ACCOUNT = describe_response(200, "Your account.", OwnUserRead, "ETag", "Link")


def link_events(request: Request, response: Response) -> Response:
    """Add the address of the list of all events of the caller, of which the account has the latest only."""
    if response.status_code == 200:
        response.headers["link"] = f'<{services_of(request).base_url}/api/v1/events?scope=mine>; rel="related"'
    return response


@router.get("/users/me", responses=OWN_ACCOUNT | NOT_MODIFIED)
async def get_current_user(request: Request, caller: AccountReader, services: ServicesDep) -> Response:
    """Get your account.

    It includes the ids of the latest 1,000 events that you created. The header `Link` names the list of all of them.
    """
    return link_events(request, respond_with(request, await services.own_account.get(caller)))


@router.patch("/users/me", responses=OWN_ACCOUNT | describe_errors(409, 412, 429, *BODY_ERRORS))
async def update_current_user(
    request: Request,
    caller: CurrentUser,
    services: ServicesDep,
    if_match: IfMatch,
    client: Client,
    patch: UserPatch,
) -> Response:
    """Update your account.

    The body is a JSON merge patch (RFC 7396): null clears a field, an absent field stays as it is.

    A new `email` needs `current_password`, or a sign-in within the last 15 minutes; otherwise the response is 403. It
    is `pending_email` until it is verified with the token that is sent there. The present address gets an e-mail when
    the change is requested, and another one when it is done. `"email": null` takes the change back.
    """
    changed = await services.own_account.update(caller, patch, if_match, client)
    return link_events(request, respond_changed(changed))


@router.delete("/users/me", status_code=204, responses=describe_errors(409, 412, 429, *BODY_ERRORS))
async def delete_current_user(
    caller: CurrentUser, services: ServicesDep, if_match: IfMatch, client: Client, body: DeleteAccountRequest
) -> Response:
    """Delete your account.

    Your account is closed immediately: no token or feed works any more, nobody sees any of your events, and your e-mail
    address and username can be used again. It cannot be undone. Everything that belongs to it is deleted; if it is
    very much, the last of it in the background.
    """
    await services.deletion.delete(caller, body.password, if_match, client)
    return Response(status_code=204)


PREFER_JOB = "`respond-async` (RFC 7240): respond at once with 202 and an export job, which can be polled."
EXPORT_FILE: ResponseDescriptions = {
    200: {
        "description": "All stored data about you.",
        "content": {JSON: {"schema": {"type": "object"}}},
        "headers": describe_headers("Content-Disposition"),
    }
}


@router.get(
    "/users/me/export",
    response_class=Response,
    responses=EXPORT_FILE
    | describe_response(
        202, "The export job, which runs in the background.", ExportJobRead, "Location", "Preference-Applied"
    ),
)
async def export_current_user(
    caller: CurrentUser, services: ServicesDep, prefer: Annotated[str | None, Header(description=PREFER_JOB)] = None
) -> Response:
    """Export everything that is stored about you.

    The file has your account, sessions, tokens, feeds, free/busy shares, imports, entries of the audit log, and
    your events with their revisions. It is sent while it is read, however large it is. With `Prefer: respond-async` it
    is made in the background, and can be fetched for two days, as often as you like; a later export replaces it.
    """
    if not prefers_async(prefer):
        return await respond_with_data(services.data_export.export(caller))
    job = await services.data_export.create_job(caller)
    return respond_with_new_job(job, f"{services.base_url}/api/v1/exports/{job.id}")


@router.get("/exports/{id}", responses=describe_response(200, "The export job.", ExportJobRead))
async def get_export(caller: CurrentUser, services: ServicesDep, id: IdInPath) -> Response:
    """Get an export job and its progress.

    The status is `done` when the file can be fetched. The job and its file are deleted after two days.
    """
    return respond_with_job(await services.data_export.get_job(caller, id))


@router.get("/exports/{id}/file", response_class=Response, responses=EXPORT_FILE | describe_errors(409))
async def get_export_file(caller: CurrentUser, services: ServicesDep, id: IdInPath) -> Response:
    """Get the file of an export job.

    The response is 409 until the job is done.
    """
    size, parts = await services.data_export.get_file(caller, id)
    return await respond_with_data(parts, size)


async def respond_with_data(parts: AsyncIterator[bytes], size: int | None = None) -> Response:
    """Return all stored data about somebody as a file, whose size may be known."""
    # An error of the first part, such as that too many exports are waiting, can still become an error response.
    first = await anext(parts)
    headers = {"content-disposition": 'attachment; filename="planner-export.json"', "cache-control": "no-store"}
    if size is not None:
        headers["content-length"] = str(size)
    return StreamingResponse(chain_parts([first], parts), media_type=JSON, headers=headers)


@router.get("/users", responses=describe_response(200, "A page of accounts.", UserPage, "Link"))
async def list_users(
    request: Request, moderator: Moderator, services: ServicesDep, query: Annotated[UserQuery, Query()]
) -> Response:
    """List accounts.

    Only moderators can do this. The oldest account is first. With `q`, only accounts whose e-mail address or username
    begins so.
    """
    return respond_page(request, await services.administration.get_account_page(query))


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


@router.delete("/users/{id}", status_code=204, responses=describe_errors(409, 412))
async def delete_user(id: IdInPath, admin: Admin, services: ServicesDep, if_match: IfMatch, client: Client) -> Response:
    """Delete an account.

    Only admins can do this. The account is closed immediately, as if its owner had deleted it: see `DELETE /users/me`.
    It cannot be undone. The last admin cannot be deleted, and your own account only at `/users/me`.
    """
    await services.deletion.delete_other(admin, id, if_match, client)
    return Response(status_code=204)


@router.post("/users/{id}/unlock", status_code=204)
async def unlock_user(id: IdInPath, admin: Admin, services: ServicesDep, client: Client) -> Response:
    """Let somebody sign in again who is locked out.

    Only admins can do this. After ten wrong passwords for an address or a username within 15 minutes, it is refused
    for 15 minutes; this ends at once.
    """
    await services.administration.unlock(admin, id, client)
    return Response(status_code=204)


@router.delete("/users/{id}/sessions", status_code=204)
async def revoke_user_sessions(id: IdInPath, admin: Admin, services: ServicesDep, client: Client) -> Response:
    """Revoke all sessions of an account.

    Only admins can do this. Their access tokens and refresh tokens stop working.
    """
    await services.administration.end_sessions(admin, id, client)
    return Response(status_code=204)


@router.post("/users/{id}/verification", status_code=202, responses=describe_errors(409, 429))
async def send_user_verification_email(id: IdInPath, admin: Admin, services: ServicesDep, client: Client) -> Response:
    """Send the verification e-mail of an account again.

    Only admins can do this. The response is 409 if the e-mail address is verified already.
    """
    await services.administration.send_verification(admin, id, client)
    return Response(status_code=202)


@router.get("/audit", responses=describe_response(200, "A page of the audit log.", AuditPage, "Link"))
async def list_audit_entries(
    request: Request, admin: Admin, services: ServicesDep, query: Annotated[AuditQuery, Query()]
) -> Response:
    """List the entries of the audit log.

    Only admins can do this. The entries say what happened to accounts; the newest is first.
    """
    return respond_page(request, await services.audit.get_page(query))
