"""Sign-in with OpenID Connect providers."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.authenticate import CurrentUser
from models.accounts.identity_schema import IdentityPage, IdentityRead, LinkRead, LinkRequest
from models.accounts.oidc_login import LOGIN_LIFETIME, CallbackQuery, ProviderPage, SignInQuery
from models.accounts.token_schema import SignedInRead
from models.shared.schema import PageQuery
from planner.errors import Invalid, Malformed
from planner.services.accounts.oidc_attempts import ProviderRedirect, attempt_of
from planner.services.accounts.sessions import SignedIn
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.field_errors import field_errors
from planner.wiring import Services
from routes.http.bodies import read_form, require_no_encoding
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.errors import NO_STORE
from routes.http.forms import describe_form
from routes.http.headers import describe_headers
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, COMMON_ERRORS, ResponseDescriptions, describe_errors
from routes.http.responses import JSON, describe_response, respond_page
from routes.http.route import PlannerRoute
from routes.signin import respond_signed_in

router = APIRouter(
    prefix="/api/v1/auth",
    tags=["authentication"],
    route_class=PlannerRoute,
    responses=describe_errors(*COMMON_ERRORS),
)

ProviderInPath = Annotated[
    str, Path(description="The name of a provider in `GET /auth/providers`.", examples=["google"])
]
# Addresses contain codes: the browser must not send them to the next page as the referrer.
REDIRECT_HEADERS = NO_STORE | {"referrer-policy": "no-referrer"}


@router.get("/providers", responses=describe_response(200, "A page of providers.", ProviderPage, "Link"))
async def list_providers(request: Request, services: ServicesDep, query: Annotated[PageQuery, Query()]) -> Response:
    """List the OpenID Connect providers.

    To sign in with one, send the browser to its `signin` address.
    """
    return respond_page(request, services.oidc_login.get_provider_page(query))


TO_PROVIDER: ResponseDescriptions = {
    302: {
        "description": "Go to the provider; a cookie binds the sign-in to this browser. When the provider does not "
        "respond: go back to the page, with `error`.",
        "headers": describe_headers("Location", "Set-Cookie"),
    }
}


@router.get("/{provider}/signin", status_code=302, responses=TO_PROVIDER | describe_errors(429, 502))
async def start_provider_sign_in(
    provider: ProviderInPath,
    services: ServicesDep,
    client: Client,
    query: Annotated[SignInQuery, Query()],
) -> Response:
    """Start to sign in with a provider.

    This is for browsers, and for native apps that open one (RFC 8252). A page or an app sends its `redirect_uri`, its
    `state` and the S256 challenge of a code verifier (RFC 7636). The browser comes back there with `code` and `state`.
    The page or app exchanges the code and its verifier for tokens within one minute, at `POST /auth/token` with
    `grant_type=authorization_code`.
    """
    redirect = await services.oidc_login.start(provider, query, client)
    if isinstance(redirect, str):
        return RedirectResponse(redirect, 302, headers=REDIRECT_HEADERS)
    return remember_attempt(RedirectResponse(redirect.url, 302, headers=REDIRECT_HEADERS), redirect, services)


@router.post(
    "/{provider}/link",
    responses=describe_response(200, "Go to the provider; a cookie binds it to this browser.", LinkRead, "Set-Cookie")
    | describe_errors(*AUTHENTICATED_ERRORS, 429, 502, *BODY_ERRORS),
)
async def start_provider_link(
    provider: ProviderInPath,
    caller: CurrentUser,
    services: ServicesDep,
    client: Client,
    body: LinkRequest | None = None,
) -> Response:
    """Link an account at a provider to yours, so that you can sign in with it.

    Send the browser to the `authorization_url`. It must have the cookie of this response, so a page calls this with
    credentials. The browser comes back to the page with `linked` and `state`, or with `error`; without a page, the
    callback returns the linked account. The response is 403 unless you send `current_password` or have signed in within
    the last 15 minutes. The address of the account at the provider does not matter. You get an e-mail about it.
    """
    redirect = await services.identities.start(caller, provider, body or LinkRequest(), client)
    found = LinkRead(authorization_url=redirect.url).to_json()
    return remember_attempt(Response(found, media_type=JSON, headers=NO_STORE), redirect, services)


@router.get(
    "/identities",
    responses=describe_response(200, "A page of linked accounts.", IdentityPage, "Link")
    | describe_errors(*AUTHENTICATED_ERRORS),
)
async def list_identities(
    request: Request, caller: CurrentUser, services: ServicesDep, query: Annotated[PageQuery, Query()]
) -> Response:
    """List the accounts at providers that are linked to yours.

    With each of them, you can sign in.
    """
    return respond_page(request, await services.identities.get_page(caller, query))


@router.delete("/identities/{id}", status_code=204, responses=describe_errors(*AUTHENTICATED_ERRORS, 404, 409))
async def delete_identity(id: IdInPath, caller: CurrentUser, services: ServicesDep, client: Client) -> Response:
    """Remove a linked account.

    Nobody can sign in with it any more; sessions go on. The response is 409 if it is your last way to sign in: set a
    password or link another provider first. You get an e-mail about it.
    """
    await services.identities.unlink(caller, id, client)
    return Response(status_code=204)


def remember_attempt(response: Response, redirect: ProviderRedirect, services: Services) -> Response:
    """Return the response with the cookie by which the browser is recognised when it comes back."""
    secure = services.base_url.startswith("https:")
    response.set_cookie(
        _cookie_name(secure, redirect.attempt),
        redirect.secret,
        max_age=int(LOGIN_LIFETIME.total_seconds()),
        secure=secure,
        httponly=True,
        # Browsers keep a Lax cookie back from the form of another site, and take None only with Secure. Without the
        # attribute, some send the cookie within two minutes.
        samesite="lax" if not redirect.by_form else "none" if secure else None,
    )
    return response


BACK_TO_PAGE: ResponseDescriptions = {
    302: {
        "description": "Go back to the page that started the sign-in, with `code` and `state`, or with `error` "
        "(RFC 6749 §4.1.2).",
        "headers": describe_headers("Location", "Set-Cookie"),
    }
}


FINISHED = describe_response(
    200,
    "When no page started it: after a sign-in the tokens and the account; otherwise the linked account.",
    Annotated[
        SignedInRead | IdentityRead, Field(examples=[SignedInRead.model_config["json_schema_extra"]["examples"][0]])  # type: ignore[index]
    ],
    "Set-Cookie",
)


@router.get("/{provider}/callback", responses=FINISHED | BACK_TO_PAGE | describe_errors(401, 409, 502))
async def finish_provider_sign_in(
    provider: ProviderInPath,
    request: Request,
    services: ServicesDep,
    client: Client,
    query: Annotated[CallbackQuery, Query()],
) -> Response:
    """Finish signing in with a provider, or linking an account there.

    The provider sends the browser to this address. It works once, and for ten minutes. The account is the one that is
    linked to the provider's identity. Otherwise it is the one with the same e-mail address, if the provider has
    verified the address. If it was not verified here, its password, sessions and all other grants are ended, because
    somebody else may have made them. The response is 409 if there is an account with the address and the provider has
    not verified it. For an unknown address an account is created.
    """
    return await _finish(provider, request, services, client, query)


@router.post(
    "/{provider}/callback",
    openapi_extra=describe_form(
        {"state": "the state", "code": "the code of the provider"},
        ["state"],
        **{name: {"description": field.description} for name, field in CallbackQuery.model_fields.items()},
    ),
    responses=FINISHED | BACK_TO_PAGE | describe_errors(400, 401, 409, 415, 422, 502),
)
async def take_provider_form(
    provider: ProviderInPath, request: Request, services: ServicesDep, client: Client
) -> Response:
    """Take the form with which some providers send the browser back.

    This is `response_mode=form_post` (OAuth 2.0 Form Post Response Mode), as `OIDC_<NAME>_RESPONSE_MODE` may say. It
    does what `GET` does with the same parameters; others are ignored.
    """
    require_no_encoding(request)
    try:
        form = await read_form(request)
        query = CallbackQuery.model_validate({name: form[name] for name in CallbackQuery.model_fields if name in form})
    except HTTPException as error:
        raise Malformed(str(error.detail)) from None
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None
    except ValueError as error:
        raise Malformed(f"The form is not valid: {error}.") from None
    if not query.state:
        raise Malformed("The form is not that of a provider: it has no state.")
    return await _finish(provider, request, services, client, query)


async def _finish(
    provider: str, request: Request, services: Services, client: ClientInfo, query: CallbackQuery
) -> Response:
    secure = services.base_url.startswith("https:")
    cookie = _cookie_name(secure, attempt_of(query.state or ""))
    result = await services.oidc_login.finish(provider, query, request.cookies.get(cookie), client)
    if isinstance(result, str):
        response: Response = RedirectResponse(result, 302, headers=REDIRECT_HEADERS)
    elif isinstance(result, SignedIn):
        response = respond_signed_in(result)
    else:
        response = Response(result.to_json(), media_type=JSON, headers=NO_STORE)
    response.delete_cookie(cookie, secure=secure, httponly=True, samesite="lax")
    return response


def _cookie_name(secure: bool, attempt: str) -> str:
    # The prefix keeps other hosts of the same domain from setting the cookie (RFC 6265bis §4.1.3.2).
    return f"{'__Host-' if secure else ''}planner-signin-{attempt}"
