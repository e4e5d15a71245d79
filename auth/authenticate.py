"""The dependency that guards the routes: a Bearer token (RFC 6750) for a living account."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import Request

from auth.identity import Identities, Identity
from auth.jwt_handler import TokenSigner
from planner.errors import InvalidToken, Unauthenticated


class Authenticate(OAuth2PasswordBearer):
    """Answers who is calling, and describes itself in the OpenAPI document.

    It looks for the signer and the identities in `app.state`, where `create_app` puts them.
    """

    async def __call__(self, request: Request) -> Identity:  # type: ignore[override]
        """Who is calling; raises `Unauthenticated` with no token, `InvalidToken` with a bad one."""
        header = request.headers.get("authorization")
        if not header:
            raise Unauthenticated("This needs a Bearer token; sign in to get one.")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("This needs a Bearer token; sign in to get one.")
        if not token:
            raise InvalidToken("The access token is not valid.")
        state = request.app.state
        signer: TokenSigner = state.signer
        identities: Identities = state.identities
        return await identities.of(signer.verify(token.strip()).subject)


authenticate = Authenticate(tokenUrl="/api/v1/auth/token", auto_error=False)

CurrentUser = Annotated[Identity, Depends(authenticate)]
