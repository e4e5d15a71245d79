"""Signing in with OpenID Connect providers."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.accounts.oidc_login import LOGIN_LIFETIME, CallbackQuery, ProviderPage, SignInQuery
from models.shared.schema import PageQuery
from planner.services.accounts.oidc_login import ticket
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import Client, OidcLoginService
from routes.http.errors import NO_STORE
from routes.http.problems import ANYWHERE, Answers, problems
from routes.http.responses import described, listed
from routes.signin import SignedInRead, signed_in_answer

router = APIRouter(prefix="/api/v1/auth", tags=["signing in"], route_class=PlannerRoute, responses=problems(*ANYWHERE))

ProviderInPath = Annotated[str, Path(description="One of `GET /auth/providers`.", examples=["google"])]
# A browser that goes on must not tell the next page where it was: codes stand in addresses.
ONWARD = NO_STORE | {"referrer-policy": "no-referrer"}


@router.get("/providers", responses=described(200, "The providers.", ProviderPage, "Link"))
async def read_providers(
    request: Request, providers: OidcLoginService, wanted: Annotated[PageQuery, Query()]
) -> Response:
    """The providers one can sign in with. Send the browser to the `signin` of one."""
    return listed(request, providers.listed(wanted))


SENT: Answers = {
    302: {
        "description": "To the provider; a cookie binds what follows to this browser. "
        "Or back to the page with `error`, when the provider does not answer.",
        "headers": {name: {"schema": {"type": "string"}} for name in ("Location", "Set-Cookie")},
    }
}


@router.get("/{provider}/signin", status_code=302, responses=SENT | problems(429, 502))
async def sign_in_with_provider(
    provider: ProviderInPath,
    request: Request,
    providers: OidcLoginService,
    client: Client,
    wanted: Annotated[SignInQuery, Query()],
) -> Response:
    """Begin to sign in with a provider; for browsers.

    A page gives its `redirect_uri`, its `state` and the S256 challenge of a verifier it keeps
    (RFC 7636). It gets the browser back with `code` and `state`, and exchanges the code with its
    verifier at `POST /auth/token`, `grant_type=authorization_code`, within a minute.
    """
    departure = await providers.begin(provider, wanted, client)
    if isinstance(departure, str):
        return RedirectResponse(departure, 302, headers=ONWARD)
    response = RedirectResponse(departure.address, 302, headers=ONWARD)
    secure = _is_secure(request)
    response.set_cookie(
        _cookie(secure, departure.ticket),
        departure.secret,
        max_age=int(LOGIN_LIFETIME.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


BACK: Answers = {
    302: {
        "description": "To the page that began it, with `code` and `state`, or with `error` (RFC 6749 §4.1.2).",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/{provider}/callback",
    responses=described(200, "When no page began it: the tokens, and the account.", SignedInRead)
    | BACK
    | problems(401, 409, 502),
)
async def return_from_provider(
    provider: ProviderInPath,
    request: Request,
    providers: OidcLoginService,
    client: Client,
    returned: Annotated[CallbackQuery, Query()],
) -> Response:
    """Where the provider sends the browser back to; good once, within ten minutes.

    The provider's identity finds its account; one whose address both sides have verified is
    linked to it; for an unknown address an account is made. 409: there is an account with this
    address, and it is not proved that it is yours.
    """
    cookie = _cookie(_is_secure(request), ticket(returned.state or ""))
    end = await providers.finish(provider, returned, request.cookies.get(cookie), client)
    response = RedirectResponse(end, 302, headers=ONWARD) if isinstance(end, str) else signed_in_answer(end)
    response.delete_cookie(cookie, secure=_is_secure(request), httponly=True, samesite="lax")
    return response


def _is_secure(request: Request) -> bool:
    return str(request.app.state.base_url).startswith("https:")


def _cookie(secure: bool, ticket: str) -> str:
    # The prefix keeps other hosts of the same domain from setting it (RFC 6265bis §4.1.3.2).
    return f"{'__Host-' if secure else ''}planner-signin-{ticket}"
