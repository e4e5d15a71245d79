"""Personal access tokens."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.accounts.personal_token import PersonalTokenCreate, PersonalTokenCreated, PersonalTokenPage
from models.shared.schema import PageQuery
from models.shared.views import to_json
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import AccountIdempotencyKey, Client, IdInPath, PersonalTokensService
from routes.http.problems import GUARDED, WITH_BODY, problems
from routes.http.responses import JSON, described, listed

router = APIRouter(
    prefix="/api/v1/auth/tokens",
    tags=["personal access tokens"],
    route_class=PlannerRoute,
    responses=problems(*GUARDED),
)


@router.get("", responses=described(200, "A page of your tokens.", PersonalTokenPage, "Link"))
async def list_tokens(
    request: Request, caller: CurrentUser, tokens: PersonalTokensService, wanted: Annotated[PageQuery, Query()]
) -> Response:
    """Your personal access tokens, without their secrets."""
    return listed(request, await tokens.listed(caller, wanted.cursor, wanted.limit))


@router.post(
    "",
    status_code=201,
    responses=described(201, "The new token. Its secret is shown this once.", PersonalTokenCreated, "Location")
    | problems(*WITH_BODY),
)
async def create_token(
    caller: CurrentUser,
    tokens: PersonalTokensService,
    once: AccountIdempotencyKey,
    client: Client,
    draft: PersonalTokenCreate,
) -> Response:
    """A token that lets a program act for you as far as its scopes go, for a day unless told otherwise."""
    made = await tokens.create(caller, draft, client, once)
    body = orjson.loads(made.view.json) | {"token": made.secret}
    headers = {"location": f"/api/v1/auth/tokens/{made.view.id}", "cache-control": "no-store"}
    return Response(to_json(body), 201, media_type=JSON, headers=headers)


@router.delete("/{id}", status_code=204)
async def remove_token(id: IdInPath, caller: CurrentUser, tokens: PersonalTokensService, client: Client) -> Response:
    """Make one of your tokens worthless."""
    await tokens.remove(caller, id, client)
    return Response(status_code=204)
