"""Sign-up, sign-in and sign-out, and the token endpoints of OAuth 2.0."""

from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.accounts.account_requests import SignInRequest, SignUpRequest
from models.accounts.personal_token import SCOPES
from models.accounts.token_schema import IntrospectionRead, ServerMetadata, SignedInRead, TokensRead
from models.accounts.user import UserRead
from planner.errors import GrantRefused, NotFound, Unauthenticated
from planner.services.accounts.sessions import SignedIn
from routes.http.dependencies import (
    AnonymousIdempotencyKey,
    Client,
    ServicesDep,
)
from routes.http.errors import NO_STORE
from routes.http.forms import FORM_ERRORS, TOKEN_ENDPOINT_ERRORS, TokenForm, describe_form, require_parameters
from routes.http.problems import (
    AUTHENTICATED_ERRORS,
    BODY_ERRORS,
    COMMON_ERRORS,
    ResponseDescriptions,
    describe_errors,
)
from routes.http.responses import JSON, describe_response, respond_created
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/auth",
    tags=["authentication"],
    route_class=PlannerRoute,
    responses=describe_errors(*COMMON_ERRORS),
)
# What clients of OpenID Connect add by themselves (OpenID Connect Core §5.4, §11). These name no rights here, so they
# are ignored, as RFC 6749 §3.3 permits.
IGNORED_SCOPES = {"openid", "offline_access", "profile", "email", "address", "phone"}


def respond_signed_in(signed_in: SignedIn) -> Response:
    """Return the tokens of a new session together with its account."""
    body = SignedInRead(**dict(signed_in.tokens), user=UserRead.from_document(signed_in.user))
    return Response(body.to_json(), media_type=JSON, headers=NO_STORE)


@router.post(
    "/signup",
    status_code=201,
    responses=describe_response(201, "The new account.", UserRead, "Location", "ETag")
    | describe_errors(409, 429, *BODY_ERRORS),
)
async def sign_up(
    services: ServicesDep, idempotency_key: AnonymousIdempotencyKey, client: Client, body: SignUpRequest
) -> Response:
    """Create an account.

    An e-mail with a link is sent, to verify the address. E-mail addresses and usernames are unique,
    regardless of letter case.
    """
    return respond_created(await services.accounts.sign_up(body, client, idempotency_key), "/api/v1/users/me")


@router.post(
    "/signin",
    responses=describe_response(200, "The tokens, and the account.", SignedInRead)
    | describe_errors(401, 429, *BODY_ERRORS),
)
async def sign_in(services: ServicesDep, client: Client, body: SignInRequest) -> Response:
    """Sign in with a password.

    This opens a session. The response to an unknown account and to a wrong password is the same.
    """
    return respond_signed_in(await services.accounts.sign_in(body.email, body.password, client))


TOKEN_FORM = describe_form(
    {"grant_type": "password", "username": "ada@example.com", "password": "long-enough and unusual"},
    ["grant_type"],
    grant_type={"enum": ["password", "refresh_token", "authorization_code"]},
    username={"description": "With `password`: the e-mail address or the username."},
    password={"description": "With `password`: the password.", "format": "password"},
    refresh_token={"description": "With `refresh_token`: the latest refresh token of the session."},
    code={"description": "With `authorization_code`: the code with which the provider sign-in ended."},
    code_verifier={"description": "With `authorization_code`: the verifier of the code challenge (RFC 7636)."},
    redirect_uri={"description": "With `authorization_code`: the page to which the code was sent."},
    scope={
        "description": "The scopes, separated by spaces, such as `events:read`. With `password`: those of the session; "
        "default: all rights. With `refresh_token`: those of the access token; default: those of the session. "
        "`openid`, `offline_access`, `profile`, `email`, `address` and `phone` are ignored."
    },
)


@router.post(
    "/token",
    openapi_extra=TOKEN_FORM,
    responses=describe_response(200, "The tokens.", TokensRead) | TOKEN_ENDPOINT_ERRORS,
)
async def issue_tokens(
    services: ServicesDep,
    client: Client,
    form: TokenForm,
) -> Response:
    """Issue tokens for a password, a refresh token or an authorization code.

    This is the token endpoint of OAuth 2.0 (RFC 6749 §3.2). Its errors have the form of RFC 6749 §5.2.
    """
    (grant_type,) = require_parameters(form, "grant_type")
    match grant_type:
        case "password":
            username, password = require_parameters(form, "username", "password")
            try:
                signed_in = await services.accounts.sign_in(username, password, client, parse_scope(form.get("scope")))
            except Unauthenticated as error:
                raise GrantRefused("invalid_grant", error.detail) from None
            tokens = signed_in.tokens
        case "refresh_token":
            (refresh_token,) = require_parameters(form, "refresh_token")
            tokens = await services.sessions.refresh(refresh_token, client, parse_scope(form.get("scope")))
        case "authorization_code":
            code, verifier, redirect_uri = require_parameters(form, "code", "code_verifier", "redirect_uri")
            tokens = (await services.oidc_login.exchange_code(code, verifier, redirect_uri, client)).tokens
        case _:
            raise GrantRefused("unsupported_grant_type", "This grant type is not supported.")
    return Response(tokens.to_json(), media_type=JSON, headers=NO_STORE)


def parse_scope(scope: str | None) -> list[str] | None:
    """Return the requested scopes, or None for all rights (RFC 6749 §3.3); raises `GrantRefused`."""
    if not scope:
        return None
    requested = dict.fromkeys(scope.split())
    scopes = [name for name in requested if name not in IGNORED_SCOPES]
    if not requested or not set(scopes) <= set(SCOPES):
        raise GrantRefused("invalid_scope", f"scope must be one or more of: {', '.join(SCOPES)}.")
    return scopes or None


@router.post("/signout", status_code=204, responses=describe_errors(*AUTHENTICATED_ERRORS))
async def sign_out(caller: CurrentUser, services: ServicesDep, client: Client) -> Response:
    """Sign out.

    The session of the access token is revoked, with its refresh token.
    """
    await services.sessions.sign_out(caller, client)
    return Response(status_code=204)


TOKEN_TYPE_HINT = {"description": "Accepted and ignored (RFC 7009 §2.1).", "examples": ["refresh_token"]}
REVOKED: ResponseDescriptions = {200: {"description": "The token is not valid, or not any longer."}}


@router.post(
    "/revoke",
    openapi_extra=describe_form({"token": "planner_rt_…"}, ["token"], token={}, token_type_hint=TOKEN_TYPE_HINT),
    responses=REVOKED | FORM_ERRORS,
)
async def revoke_token(services: ServicesDep, client: Client, form: TokenForm) -> Response:
    """Revoke a token.

    This follows RFC 7009. The token itself is the only credential. With a token of a session, the session is
    revoked.
    """
    (token,) = require_parameters(form, "token")
    await services.introspection.revoke(token, client)
    return Response(status_code=200, headers=NO_STORE)


@router.post(
    "/introspect",
    openapi_extra=describe_form({"token": "planner_rt_…"}, ["token"], token={}, token_type_hint=TOKEN_TYPE_HINT),
    responses=describe_response(200, "The state of the token.", IntrospectionRead)
    | describe_errors(*AUTHENTICATED_ERRORS)
    | FORM_ERRORS,
)
async def introspect_token(caller: CurrentUser, services: ServicesDep, form: TokenForm) -> Response:
    """Introspect a token.

    This follows RFC 7662. The response says whether the token is active, whose it is, and when it expires. You
    can introspect your own tokens; admins can introspect all.
    """
    (token,) = require_parameters(form, "token")
    state = await services.introspection.introspect(caller, token)
    return Response(state.to_json(), media_type=JSON, headers=NO_STORE)


# Its address is that of the standard, outside of the API.
metadata = APIRouter(tags=["authentication"], route_class=PlannerRoute, responses=describe_errors(*COMMON_ERRORS))
METADATA_PATH = "/.well-known/oauth-authorization-server"


@metadata.get(METADATA_PATH, responses=describe_response(200, "The metadata.", ServerMetadata))
async def get_server_metadata(services: ServicesDep) -> Response:
    """Get the metadata for OAuth clients.

    This follows RFC 8414: it names the endpoints, the grants and the scopes.
    """
    base, sign_in_url = services.base_url, services.oidc_login.find_sign_in_url()
    found = ServerMetadata(
        issuer=base,
        authorization_endpoint=sign_in_url,
        token_endpoint=f"{base}/api/v1/auth/token",
        revocation_endpoint=f"{base}/api/v1/auth/revoke",
        introspection_endpoint=f"{base}/api/v1/auth/introspect",
        scopes_supported=list(SCOPES),
        response_types_supported=["code"],
        grant_types_supported=["password", "refresh_token", *(["authorization_code"] if sign_in_url else [])],
        token_endpoint_auth_methods_supported=["none"],
        revocation_endpoint_auth_methods_supported=["none"],
        introspection_endpoint_auth_methods_supported=["Bearer"],
        code_challenge_methods_supported=["S256"],
        service_documentation=f"{base}/docs",
    )
    return Response(found.to_json(), media_type=JSON)


@metadata.get(METADATA_PATH + "{path:path}", include_in_schema=False)
async def get_server_metadata_below_path(path: str, services: ServicesDep) -> Response:
    """Get the same where the standard puts it if the planner's address has a path (RFC 8414 §3.1)."""
    if path != urlsplit(services.base_url).path:
        raise NotFound
    return await get_server_metadata(services)


router.routes.extend(metadata.routes)
