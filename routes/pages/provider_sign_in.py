"""Signing in with a provider, from a page: the browser goes there, comes back, and gets the cookie of a session.

The pages are a client of the sign-in as any other: they send a state and a code challenge (RFC 7636), and get a code.
The state and the verifier are in a cookie, so that only the browser that has started a sign-in can finish it.
"""

import hmac
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.accounts.oidc_login import LOGIN_LIFETIME, SignInQuery
from planner.domain.pkce import compute_challenge
from planner.errors import GrantRefused
from planner.services.accounts.oidc_attempts import ProviderRedirect
from routes.http.dependencies import Client, ServicesDep
from routes.http.route import PlannerRoute
from routes.oidc import REDIRECT_HEADERS, remember_attempt
from routes.pages.entrance import NextPage, local_address, show_sign_in_again
from routes.pages.rendering import redirect
from routes.pages.visitors import AnyVisitor, read_cookie, set_cookie, set_session_cookie
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
PROVIDER_COOKIE = "planner_provider"
RETURN_PATH = "/signin/return"
Provider = Annotated[str, Path(max_length=100)]


@router.get("/signin/with/{provider}")
async def start_sign_in(
    request: Request, provider: Provider, services: ServicesDep, client: Client, next_page: NextPage = "/calendar"
) -> Response:
    """Send the browser to a provider."""
    state, verifier = services.browser_cookies.new_visit(), services.browser_cookies.new_visit()
    query = SignInQuery(
        redirect_uri=services.base_url + RETURN_PATH,
        state=state,
        code_challenge=compute_challenge(verifier),
        code_challenge_method="S256",
    )
    attempt = await services.oidc_login.start(provider, query, client)
    if not isinstance(attempt, ProviderRedirect):
        return show_sign_in_again(request, 502, WORDS.provider_failed, local_address(next_page))
    response = remember_attempt(RedirectResponse(attempt.url, 302, headers=REDIRECT_HEADERS), attempt, services)
    value = f"{state}.{verifier}.{quote(local_address(next_page), safe='')}"
    set_cookie(request, response, PROVIDER_COOKIE, value, max_age=int(LOGIN_LIFETIME.total_seconds()))
    return response


@router.get(RETURN_PATH)
async def finish_sign_in(
    request: Request,
    visitor: AnyVisitor,
    services: ServicesDep,
    client: Client,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=200)] = "",
    error_description: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Sign in with the code with which a provider has sent the browser back, and go on where one was."""
    own_state, _, rest = read_cookie(request, PROVIDER_COOKIE).partition(".")
    verifier, _, address = rest.partition(".")
    is_own = bool(own_state) and hmac.compare_digest(own_state.encode(), state.encode())
    next_page = local_address(unquote(address))
    if not is_own or not code:
        response = show_sign_in_again(request, 401, (is_own and error_description) or WORDS.provider_failed, next_page)
    else:
        try:
            signed_in = await services.oidc_login.exchange_code(code, verifier, services.base_url + RETURN_PATH, client)
        except GrantRefused:
            response = show_sign_in_again(request, 401, WORDS.provider_failed, next_page)
        else:
            response = redirect(request, next_page)
            set_session_cookie(request, response, signed_in.user.id, signed_in.session)
    set_cookie(request, response, PROVIDER_COOKIE, "", max_age=0)
    return response
