"""Personal access tokens."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.accounts.personal_token import PersonalTokenCreate, PersonalTokenCreated, PersonalTokenPage
from models.shared.schema import PageQuery
from routes.http.dependencies import AccountIdempotencyKey, Client, IdInPath, ServicesDep
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, describe_errors
from routes.http.responses import JSON, describe_response, respond_page
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/auth/tokens",
    tags=["personal access tokens"],
    route_class=PlannerRoute,
    responses=describe_errors(*AUTHENTICATED_ERRORS),
)


@router.get("", responses=describe_response(200, "A page of your tokens.", PersonalTokenPage, "Link"))
async def list_personal_tokens(
    request: Request, caller: CurrentUser, services: ServicesDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List your personal access tokens.

    Their secrets are not included: each is shown only when its token is created.
    """
    return respond_page(request, await services.personal_tokens.get_page(caller, query.cursor, query.limit))


@router.post(
    "",
    status_code=201,
    responses=describe_response(201, "The new token. Its secret is shown only now.", PersonalTokenCreated, "Location")
    | describe_errors(*BODY_ERRORS),
)
async def create_personal_token(
    caller: CurrentUser,
    services: ServicesDep,
    idempotency_key: AccountIdempotencyKey,
    client: Client,
    draft: PersonalTokenCreate,
) -> Response:
    """Create a personal access token.

    A program that sends the token acts for you, within its scopes. By default it expires after one day.
    """
    created = await services.personal_tokens.create(caller, draft, client, idempotency_key)
    body = PersonalTokenCreated(**dict(created.token), token=created.secret)
    headers = {"location": f"/api/v1/auth/tokens/{created.token.id}", "cache-control": "no-store"}
    return Response(body.to_json(), 201, media_type=JSON, headers=headers)


@router.delete("/{id}", status_code=204)
async def revoke_personal_token(id: IdInPath, caller: CurrentUser, services: ServicesDep, client: Client) -> Response:
    """Revoke one of your personal access tokens.

    It stops working at once.
    """
    await services.personal_tokens.revoke(caller, id, client)
    return Response(status_code=204)
