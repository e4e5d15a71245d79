"""Token introspection (RFC 7662) and revocation (RFC 7009), for tokens of every kind."""

from collections.abc import Iterable

from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import PERSONAL, REFRESH, digest
from auth.principal import Principal, Principals
from database.queries import Id
from models.accounts.personal_token import PersonalToken
from models.accounts.token_schema import IntrospectionRead
from models.accounts.user import User
from planner.clock import Clock
from planner.errors import InvalidToken
from planner.services.accounts.personal_tokens import PersonalTokens
from planner.services.accounts.sessions import Sessions
from planner.services.shared.client_info import ClientInfo


class Introspection:
    """The use cases of tokens of every kind: access, refresh and personal access tokens."""

    def __init__(
        self,
        signer: TokenSigner,
        principals: Principals,
        sessions: Sessions,
        personal_tokens: PersonalTokens,
        clock: Clock,
    ) -> None:
        self._signer = signer
        self._principals = principals
        self._sessions = sessions
        self._personal_tokens = personal_tokens
        self._clock = clock

    async def introspect(self, caller: Principal, token: str) -> IntrospectionRead:
        """Return the state of a token. For everybody but its owner and admins, it is not active."""
        if token.startswith(PERSONAL):
            found = await self._read_personal_token(token)
        elif token.startswith(REFRESH):
            found = await self._read_refresh_token(token)
        else:
            found = await self._read_access_token(token)
        inactive = IntrospectionRead(active=False)
        if found is None:
            return inactive
        owner, state = found
        if owner != caller.id and caller.role != "admin":
            return inactive
        user = await User.by_id(owner)
        if user is None or user.disabled:
            return inactive
        return state.model_copy(update={"username": user.username or user.email})

    async def revoke(self, token: str, client: ClientInfo) -> None:
        """Revoke a token, if it is valid; an access or refresh token ends its session."""
        if token.startswith(PERSONAL):
            await self._personal_tokens.revoke_secret(token, client)
        elif token.startswith(REFRESH):
            await self._sessions.revoke_refresh_token(token, client)
        else:
            try:
                claims = self._signer.verify(token)
                principal = await self._principals.of_session(claims.subject, claims.session, claims.scopes)
            except InvalidToken:
                return
            await self._sessions.sign_out(principal, client)

    async def _read_access_token(self, token: str) -> tuple[Id, IntrospectionRead] | None:
        try:
            claims = self._signer.verify(token)
            principal = await self._principals.of_session(claims.subject, claims.session, claims.scopes)
        except InvalidToken:
            return None
        return principal.id, IntrospectionRead(
            active=True,
            token_type="Bearer",  # noqa: S106 - no secret, but the type of the token
            sub=claims.subject,
            iss=self._signer.issuer,
            aud=self._signer.audience,
            iat=claims.issued,
            exp=claims.expires,
            jti=claims.token_id,
            sid=claims.session,
            scope=_join_scopes(principal.scopes),
        )

    async def _read_refresh_token(self, token: str) -> tuple[Id, IntrospectionRead] | None:
        session = await self._sessions.find_by_refresh_token(token)
        if session is None:
            return None
        return session.user, IntrospectionRead(
            active=True,
            token_type="refresh_token",  # noqa: S106 - no secret, but the type of the token
            sub=str(session.user),
            iss=self._signer.issuer,
            iat=int(session.created_at.timestamp()),
            exp=int(session.expires_at.timestamp()),
            sid=str(session.id),
            scope=_join_scopes(session.scopes),
        )

    async def _read_personal_token(self, secret: str) -> tuple[Id, IntrospectionRead] | None:
        token = await PersonalToken.by_digest(digest(secret), self._clock.now())
        if token is None:
            return None
        return token.user, IntrospectionRead(
            active=True,
            token_type="Bearer",  # noqa: S106 - no secret, but the type of the token
            sub=str(token.user),
            iss=self._signer.issuer,
            iat=int(token.created_at.timestamp()),
            exp=int(token.expires_at.timestamp()),
            scope=_join_scopes(token.scopes),
        )


def _join_scopes(scopes: Iterable[str] | None) -> str | None:
    return None if scopes is None else " ".join(sorted(scopes))
