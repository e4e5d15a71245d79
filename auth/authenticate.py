"""The dependencies that guard the routes: a Bearer token (RFC 6750) that holds and reaches far enough."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import Request

from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import PERSONAL
from auth.principal import Principal, Principals
from models.accounts.user import Role
from planner.errors import Forbidden, InsufficientScope, InvalidToken, Unauthenticated

RANK: dict[Role, int] = {"user": 0, "moderator": 1, "admin": 2}
# What no scope covers: the account itself, and everything that roles allow.
WHOLE_ACCOUNT = "account"


class Authenticate(OAuth2PasswordBearer):
    """Answers who is calling, and describes itself in the OpenAPI document.

    A token with scopes must have `scope`; without one, only a token from which nothing is
    withheld will do. The signer and the identities are in `app.state`, where `create_app`
    puts them.
    """

    def __init__(self, scope: str | None = None) -> None:
        super().__init__(
            tokenUrl="/api/v1/auth/token",
            scheme_name="bearer",
            description="An access token from signing in, or a personal access token.",
            auto_error=False,
        )
        self._scope = scope

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        """Who is calling; raises `Unauthenticated` with no token, `InvalidToken` with a bad one."""
        header = request.headers.get("authorization")
        if not header:
            raise Unauthenticated("This needs a Bearer token; sign in to get one.")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("This needs a Bearer token; sign in to get one.")
        identity = await identify(request, token.strip())
        if identity.scopes is not None and self._scope not in identity.scopes:
            raise InsufficientScope("This token's scopes do not permit this request.", self._scope or WHOLE_ACCOUNT)
        return identity


async def identify(request: Request, token: str) -> Principal:
    """Who a token stands for, whatever its scopes; raises `InvalidToken`."""
    identities: Principals = request.app.state.identities
    if token.startswith(PERSONAL):
        return await identities.of_personal_token(token)
    if not token:
        raise InvalidToken("The access token is not valid.")
    signer: TokenSigner = request.app.state.signer
    claims = signer.verify(token)
    return await identities.of_session(claims.subject, claims.session)


authenticate = Authenticate()

CurrentUser = Annotated[Principal, Depends(authenticate)]
AccountReader = Annotated[Principal, Depends(Authenticate("account:read"))]

_read_events = Authenticate("events:read")
_write_events = Authenticate("events:write")
EventsReader = Annotated[Principal, Depends(_read_events)]
EventsWriter = Annotated[Principal, Depends(_write_events)]


def require_role(least: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency that lets through who has this role or a higher one."""

    async def check(caller: CurrentUser) -> Principal:
        if RANK[caller.role] < RANK[least]:
            raise Forbidden(f"This is for the role {least}.")
        return caller

    return check


Moderator = Annotated[Principal, Depends(require_role("moderator"))]
Admin = Annotated[Principal, Depends(require_role("admin"))]
