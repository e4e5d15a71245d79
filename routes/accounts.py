"""Signing up and in, and seeing oneself."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.fields import PasswordAttempt, Text
from models.schema import Reply
from models.schema import Request as Body
from models.user import SignUp, UserRead
from models.views import embedded, to_json
from planner.errors import GrantRefused, Unauthenticated
from planner.services.accounts import SignedIn
from routes.answers import JSON, NOT_MODIFIED, created, described, one
from routes.bodies import FORM, PlannerRoute, read_form
from routes.dependencies import AccountsService, OnceForAnyone
from routes.problems import ANYWHERE, GUARDED, WITH_BODY, TokenProblem, problems

auth_router = APIRouter(
    prefix="/api/v1/auth", tags=["accounts"], route_class=PlannerRoute, responses=problems(*ANYWHERE)
)
users_router = APIRouter(
    prefix="/api/v1/users", tags=["accounts"], route_class=PlannerRoute, responses=problems(*GUARDED)
)
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


class SignIn(Body):
    """Who, and the proof of it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.com", "password": "long-enough and unusual"}]}
    )

    email: Annotated[Text, Field(max_length=254, description="The e-mail address; a username serves as well.")]
    password: PasswordAttempt


class Tokens(Reply):
    """What the token endpoint answers (RFC 6749 §5.1)."""

    access_token: Annotated[str, Field(examples=["eyJhbGciOi…"])]
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="In seconds.", examples=[900])]


class SignedInRead(Tokens):
    """The tokens, and the account they are for."""

    user: UserRead


def tokens_of(signed_in: SignedIn) -> dict[str, object]:
    """What both ways of signing in answer."""
    return {
        "access_token": signed_in.access_token,
        "token_type": "Bearer",
        "expires_in": signed_in.expires_in,
    }


@auth_router.post(
    "/signup",
    status_code=201,
    responses=described(201, "The new account.", UserRead, "Location", "ETag") | problems(409, *WITH_BODY),
)
async def sign_up(accounts: AccountsService, once: OnceForAnyone, form: SignUp) -> Response:
    """A new account. Its e-mail address and username are unique whatever their letter case."""
    return created(await accounts.sign_up(form, once), "/api/v1/users/me")


@auth_router.post(
    "/signin",
    responses=described(200, "The tokens, and the account.", SignedInRead) | problems(401, *WITH_BODY),
)
async def sign_in(accounts: AccountsService, form: SignIn) -> Response:
    """Sign in with JSON. Nothing in a refusal tells an unknown account from a wrong password."""
    signed_in = await accounts.sign_in(form.email, form.password)
    if signed_in is None:
        raise Unauthenticated("The account and the password do not belong together.")
    body = {"user": embedded(signed_in.user.json), **tokens_of(signed_in)}
    return Response(to_json(body), media_type=JSON, headers=NO_STORE)


async def token_form(request: Request) -> dict[str, str]:
    """The form of a token request; whatever is wrong with it is `invalid_request`."""
    try:
        return await read_form(request)
    except HTTPException as error:
        raise GrantRefused("invalid_request", str(error.detail)) from None
    except ValueError as error:
        raise GrantRefused("invalid_request", f"The request is not acceptable: {error}.") from None


TOKEN_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["password"]},
                        "username": {"type": "string", "description": "An e-mail address or a username."},
                        "password": {"type": "string", "format": "password"},
                        "scope": {"type": "string"},
                    },
                },
                "example": {
                    "grant_type": "password",
                    "username": "ada@example.com",
                    "password": "long-enough and unusual",
                },
            }
        },
    }
}


@auth_router.post(
    "/token",
    openapi_extra=TOKEN_FORM,
    responses=described(200, "The tokens.", Tokens)
    | {400: {"description": "Refused (RFC 6749 §5.2).", "model": TokenProblem}},
)
async def token(accounts: AccountsService, form: Annotated[dict[str, str], Depends(token_form)]) -> Response:
    """The token endpoint (RFC 6749 §4.3), with `grant_type=password`."""
    if "grant_type" not in form:
        raise GrantRefused("invalid_request", "grant_type is required.")
    if form["grant_type"] != "password":
        raise GrantRefused("unsupported_grant_type", "This grant type is not supported.")
    if not form.get("username") or not form.get("password"):
        raise GrantRefused("invalid_request", "username and password are required.")
    signed_in = await accounts.sign_in(form["username"], form["password"])
    if signed_in is None:
        raise GrantRefused("invalid_grant", "The account and the password do not belong together.")
    return Response(to_json(tokens_of(signed_in)), media_type=JSON, headers=NO_STORE)


@users_router.get(
    "/me",
    responses=described(200, "Your account.", UserRead, "ETag") | NOT_MODIFIED | problems(*GUARDED),
)
async def read_me(request: Request, caller: CurrentUser, accounts: AccountsService) -> Response:
    """Your account, with the ids of your events."""
    return one(request, await accounts.me(caller))
