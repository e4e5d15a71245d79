"""Sign-in with OpenID Connect providers."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.accounts.oidc_login import LOGIN_LIFETIME, CallbackQuery, ProviderPage, SignInQuery
from models.accounts.token_schema import SignedInRead
from models.shared.schema import PageQuery
from planner.services.accounts.oidc_login import attempt_of
from routes.http.dependencies import Client, ServicesDep
from routes.http.errors import NO_STORE
from routes.http.headers import describe_headers
from routes.http.problems import COMMON_ERRORS, ResponseDescriptions, describe_errors
from routes.http.responses import describe_response, respond_page
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

    This is for browsers. A page sends its `redirect_uri`, its `state` and the S256 challenge of a code verifier
    (RFC 7636). The browser comes back to that page with `code` and `state`. The page exchanges the code and
    its verifier for tokens within one minute, at `POST /auth/token` with `grant_type=authorization_code`.
    """
    redirect = await services.oidc_login.start(provider, query, client)
    if isinstance(redirect, str):
        return RedirectResponse(redirect, 302, headers=REDIRECT_HEADERS)
    response = RedirectResponse(redirect.url, 302, headers=REDIRECT_HEADERS)
    secure = services.base_url.startswith("https:")
    response.set_cookie(
        _cookie_name(secure, redirect.attempt),
        redirect.secret,
        max_age=int(LOGIN_LIFETIME.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


BACK_TO_PAGE: ResponseDescriptions = {
    302: {
        "description": "Go back to the page that started the sign-in, with `code` and `state`, or with `error` "
        "(RFC 6749 §4.1.2).",
        "headers": describe_headers("Location", "Set-Cookie"),
    }
}


@router.get(
    "/{provider}/callback",
    responses=describe_response(
        200, "When no page started the sign-in: the tokens, and the account.", SignedInRead, "Set-Cookie"
    )
    | BACK_TO_PAGE
    | describe_errors(401, 409, 502),
)
async def finish_provider_sign_in(
    provider: ProviderInPath,
    request: Request,
    services: ServicesDep,
    client: Client,
    query: Annotated[CallbackQuery, Query()],
) -> Response:
    """Finish signing in with a provider.

    The provider sends the browser to this address. It works once, and for ten minutes. The account is the one that is
    linked to the provider's identity. Otherwise, an account with the same e-mail address is linked if both
    sides have verified the address, and for an unknown address an account is created. The response is 409 if
    there is an account with the address and one side has not verified it.
    """
    secure = services.base_url.startswith("https:")
    cookie = _cookie_name(secure, attempt_of(query.state or ""))
    result = await services.oidc_login.finish(provider, query, request.cookies.get(cookie), client)
    if isinstance(result, str):
        response: Response = RedirectResponse(result, 302, headers=REDIRECT_HEADERS)
    else:
        response = respond_signed_in(result)
    response.delete_cookie(cookie, secure=secure, httponly=True, samesite="lax")
    return response


def _cookie_name(secure: bool, attempt: str) -> str:
    # The prefix keeps other hosts of the same domain from setting the cookie (RFC 6265bis §4.1.3.2).
    return f"{'__Host-' if secure else ''}planner-signin-{attempt}"
