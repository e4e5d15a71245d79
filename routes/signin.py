"""Signing up, in and out, and the token endpoints."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.accounts.personal_token import SCOPES
from models.accounts.user import EXAMPLE as USER
from models.accounts.user import SignUp, UserRead
from models.shared.fields import PasswordAttempt, Text
from models.shared.schema import Reply
from models.shared.schema import Request as Body
from models.shared.views import embedded, to_json
from planner.errors import GrantRefused, Unauthenticated
from planner.services.accounts.sessions import SignedIn, Tokens
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import (
    AccountsService,
    AnonymousIdempotencyKey,
    Client,
    IntrospectionService,
    OidcLoginService,
    SessionsService,
)
from routes.http.errors import NO_STORE
from routes.http.forms import REFUSED, TOKEN_REFUSED, TokenForm, form_body, required
from routes.http.problems import ANYWHERE, GUARDED, WITH_BODY, Answers, problems
from routes.http.responses import JSON, created, described

router = APIRouter(prefix="/api/v1/auth", tags=["signing in"], route_class=PlannerRoute, responses=problems(*ANYWHERE))
MISMATCH = "The account and the password do not belong together."


class SignIn(Body):
    """Who, and the proof of it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.com", "password": "long-enough and unusual"}]}
    )

    email: Annotated[Text, Field(max_length=254, description="The e-mail address; a username serves as well.")]
    password: PasswordAttempt


EXAMPLE: dict[str, Any] = {
    "access_token": "eyJhbGciOi…",
    "token_type": "Bearer",
    "expires_in": 900,
    "refresh_token": "planner_rt_…",
}


class TokensRead(Reply):
    """What the token endpoint answers (RFC 6749 §5.1)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="How long the access token holds, in seconds.")]
    refresh_token: Annotated[str, Field(description="Good for one use.")]
    scope: Annotated[str | None, Field(description="Only when a narrower scope was asked for.")] = None


class SignedInRead(TokensRead):
    """The tokens, and the account they are for."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"user": USER}]})

    user: UserRead


def tokens_body(tokens: Tokens) -> dict[str, Any]:
    """Tokens as they are answered."""
    body = {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
    }
    return body if tokens.scopes is None else body | {"scope": " ".join(tokens.scopes)}


def signed_in_answer(signed_in: SignedIn) -> Response:
    """The answer to a sign-in with JSON: the user beside the tokens."""
    body = {"user": embedded(signed_in.user.json), **tokens_body(signed_in.tokens)}
    return Response(to_json(body), media_type=JSON, headers=NO_STORE)


@router.post(
    "/signup",
    status_code=201,
    responses=described(201, "The new account.", UserRead, "Location", "ETag") | problems(409, 429, *WITH_BODY),
)
async def sign_up(accounts: AccountsService, once: AnonymousIdempotencyKey, client: Client, form: SignUp) -> Response:
    """A new account, and a mail to prove its address. E-mail and username are unique whatever their letter case."""
    return created(await accounts.sign_up(form, client, once), "/api/v1/users/me")


@router.post(
    "/signin",
    responses=described(200, "The tokens, and the account.", SignedInRead) | problems(401, 429, *WITH_BODY),
)
async def sign_in(accounts: AccountsService, client: Client, form: SignIn) -> Response:
    """Sign in with JSON. Nothing in a refusal tells an unknown account from a wrong password."""
    signed_in = await accounts.sign_in(form.email, form.password, client)
    if signed_in is None:
        raise Unauthenticated(MISMATCH)
    return signed_in_answer(signed_in)


GRANTS = form_body(
    {"grant_type": "password", "username": "ada@example.com", "password": "long-enough and unusual"},
    ["grant_type"],
    grant_type={"enum": ["password", "refresh_token", "authorization_code"]},
    username={"description": "With `password`: an e-mail address or a username."},
    password={"format": "password"},
    refresh_token={"description": "With `refresh_token`: the newest one of the session."},
    code={"description": "With `authorization_code`: what a provider's callback handed to the page."},
    code_verifier={"description": "With `authorization_code`: what the code challenge was made from (RFC 7636)."},
    redirect_uri={"description": "With `authorization_code`: the page that the code was handed to."},
    scope={"description": "With `password`: a narrower scope, such as `events:read`. It stays the session's."},
)


@router.post(
    "/token",
    openapi_extra=GRANTS,
    responses=described(200, "The tokens.", TokensRead) | TOKEN_REFUSED,
)
async def token(
    accounts: AccountsService,
    sessions: SessionsService,
    providers: OidcLoginService,
    client: Client,
    form: TokenForm,
) -> Response:
    """The token endpoint (RFC 6749 §3.2). Errors are of its own kind, §5.2."""
    (grant_type,) = required(form, "grant_type")
    match grant_type:
        case "password":
            username, password = required(form, "username", "password")
            signed_in = await accounts.sign_in(username, password, client, narrowed(form.get("scope")))
            if signed_in is None:
                raise GrantRefused("invalid_grant", MISMATCH)
            tokens = signed_in.tokens
        case "refresh_token":
            (refresh_token,) = required(form, "refresh_token")
            tokens = await sessions.refresh(refresh_token, client, narrowed(form.get("scope")))
        case "authorization_code":
            code, verifier, redirect_uri = required(form, "code", "code_verifier", "redirect_uri")
            tokens = (await providers.redeem(code, verifier, redirect_uri, client)).tokens
        case _:
            raise GrantRefused("unsupported_grant_type", "This grant type is not supported.")
    return Response(to_json(tokens_body(tokens)), media_type=JSON, headers=NO_STORE)


def narrowed(scope: str | None) -> list[str] | None:
    """The scopes that were asked for, or None for everything (RFC 6749 §3.3)."""
    if not scope:
        return None
    scopes = list(dict.fromkeys(scope.split()))
    if not scopes or not set(scopes) <= set(SCOPES):
        raise GrantRefused("invalid_scope", f"The scopes are: {', '.join(SCOPES)}.")
    return scopes


@router.post("/signout", status_code=204, responses=problems(*GUARDED))
async def sign_out(caller: CurrentUser, sessions: SessionsService, client: Client) -> Response:
    """End the session that asks: its access token and its refresh token hold no longer."""
    await sessions.sign_out(caller, client)
    return Response(status_code=204)


HINT = {"description": "Taken, and not needed (RFC 7009 §2.1).", "examples": ["refresh_token"]}
REVOKED: Answers = {200: {"description": "It holds no longer, if it ever did."}}


@router.post(
    "/revoke",
    openapi_extra=form_body({"token": "planner_rt_…"}, ["token"], token={}, token_type_hint=HINT),
    responses=REVOKED | REFUSED,
)
async def revoke(introspection: IntrospectionService, client: Client, form: TokenForm) -> Response:
    """Make a token worthless (RFC 7009). Whoever has it may; a token of a session ends the session."""
    (token,) = required(form, "token")
    await introspection.revoke(token, client)
    return Response(status_code=200, headers=NO_STORE)


class IntrospectionRead(Reply):
    """What a token is (RFC 7662 §2.2); nothing but `active` for one that is not active, or not yours."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "active": True,
                    "token_type": "Bearer",
                    "username": "ada",
                    "sub": "692000000000000000000000",
                    "iss": "https://planner.example.com",
                    "aud": "planner",
                    "iat": 1795251600,
                    "exp": 1795252500,
                    "jti": "b3Vycw",
                    "sid": "692000000000000000000002",
                },
                {"active": False},
            ]
        }
    )

    active: bool
    scope: str | None = None
    username: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    sub: str | None = None
    aud: str | None = None
    iss: str | None = None
    jti: str | None = None
    sid: str | None = None


@router.post(
    "/introspect",
    openapi_extra=form_body({"token": "planner_rt_…"}, ["token"], token={}, token_type_hint=HINT),
    responses=described(200, "What it is.", IntrospectionRead) | problems(*GUARDED) | REFUSED,
)
async def introspect(caller: CurrentUser, introspection: IntrospectionService, form: TokenForm) -> Response:
    """What a token is (RFC 7662): one of your own, or for admins anyone's."""
    (token,) = required(form, "token")
    body = await introspection.describe(caller, token)
    return Response(to_json(body), media_type=JSON, headers=NO_STORE)
