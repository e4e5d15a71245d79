"""The dependencies that protect the routes: a valid Bearer token (RFC 6750), scopes, roles."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

from fastapi import Depends, Security
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import Request

from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import PERSONAL
from auth.principal import Principal, Principals
from models.accounts.personal_token import SCOPE_DESCRIPTIONS, Scope
from models.accounts.user import Role
from planner.errors import Forbidden, InsufficientScope, InvalidToken, Unauthenticated

RANK: dict[Role, int] = {"user": 0, "moderator": 1, "admin": 2}
# Named as the needed scope where no scope permits the request: changes of the account, everything for roles.
WHOLE_ACCOUNT = "account"


class Authenticator:
    """Finds the principal of a token."""

    def __init__(self, signer: TokenSigner, principals: Principals) -> None:
        self._signer = signer
        self._principals = principals

    async def principal_of(self, token: str) -> Principal:
        """Return the principal of an access token or a personal access token; raises `InvalidToken`."""
        if token.startswith(PERSONAL):
            return await self._principals.of_personal_token(token)
        if not token:
            raise InvalidToken("The access token is not valid.")
        claims = self._signer.verify(token)
        return await self._principals.of_session(claims.subject, claims.session, claims.scopes)


class HasAuthenticator(Protocol):
    """What `create_app` puts into `app.state.services`, as far as authentication uses it."""

    @property
    def authenticator(self) -> Authenticator:
        """The authenticator of the application."""


class Authenticate(OAuth2PasswordBearer):
    """A dependency that returns the caller, and describes itself in the OpenAPI document.

    A token with scopes must have `scope`; with no scope given, only a token of the whole account
    is accepted.
    """

    def __init__(self, scope: Scope | None = None) -> None:
        super().__init__(
            tokenUrl="/api/v1/auth/token",
            scheme_name="bearer",
            scopes={str(name): text for name, text in SCOPE_DESCRIPTIONS.items()},
            description="An access token from a sign-in, or a personal access token. A token without scopes has all "
            "rights of its account.",
            auto_error=False,
        )
        self._scope = scope

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        """Return the caller.

        Raises `Unauthenticated` without a token, `InvalidToken` with a bad one, `InsufficientScope` with
        a token whose scopes do not permit the request.
        """
        header = request.headers.get("authorization")
        if not header:
            raise Unauthenticated("This request needs a Bearer token; sign in to get one.")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("This request needs a Bearer token; sign in to get one.")
        services: HasAuthenticator = request.app.state.services
        principal = await services.authenticator.principal_of(token.strip())
        # For the line of this request in the log.
        request.state.account = str(principal.id)
        if principal.scopes is not None and self._scope not in principal.scopes:
            raise InsufficientScope("This token's scopes do not permit this request.", self._scope or WHOLE_ACCOUNT)
        return principal


# The scopes are repeated for the OpenAPI document, in which each operation lists those that it needs.
CurrentUser = Annotated[Principal, Depends(Authenticate())]
AccountReader = Annotated[Principal, Security(Authenticate("account:read"), scopes=["account:read"])]
EventsReader = Annotated[Principal, Security(Authenticate("events:read"), scopes=["events:read"])]
EventsWriter = Annotated[Principal, Security(Authenticate("events:write"), scopes=["events:write"])]


_whole_account = Authenticate()


async def identify_caller(request: Request) -> Principal | None:
    """Return the caller, or None for a request without a token; raises as `Authenticate` for a token that is sent."""
    return await _whole_account(request) if request.headers.get("authorization") else None


# The OpenAPI document does not know that a token may be sent: the route says so itself (`TOKEN_IS_OPTIONAL`).
OptionalUser = Annotated[Principal | None, Depends(identify_caller)]
TOKEN_IS_OPTIONAL: dict[str, Any] = {"security": [{}, {_whole_account.scheme_name: []}]}


def require_role(least: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """Return a dependency that accepts callers with this role or a higher one; it raises `Forbidden`."""

    async def check(caller: CurrentUser) -> Principal:
        if RANK[caller.role] < RANK[least]:
            raise Forbidden(f"This request needs the role {least}.")
        return caller

    return check


Moderator = Annotated[Principal, Depends(require_role("moderator"))]
Admin = Annotated[Principal, Depends(require_role("admin"))]
