"""Saying what a token is, and making it worthless, whatever kind it is (RFC 7662, RFC 7009)."""

from datetime import UTC, datetime
from typing import Any

from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import PERSONAL, REFRESH, digest
from auth.principal import Principal, Principals
from database.queries import Stored, parse_id
from models.accounts.personal_token import PersonalToken
from models.accounts.user import User
from planner.clock import Clock
from planner.errors import InvalidToken
from planner.services.accounts.personal_tokens import PersonalTokens
from planner.services.accounts.sessions import Sessions
from planner.services.shared.client_info import ClientInfo

INACTIVE: dict[str, Any] = {"active": False}


class Introspection:
    """The use cases of tokens as such."""

    def __init__(
        self,
        signer: TokenSigner,
        principals: Principals,
        sessions: Sessions,
        tokens: PersonalTokens,
        clock: Clock,
    ) -> None:
        self._signer = signer
        self._principals = principals
        self._sessions = sessions
        self._tokens = tokens
        self._clock = clock

    async def describe(self, caller: Principal, token: str) -> dict[str, Any]:
        """What the token is, to admins and to its owner; to all others it is not active."""
        if token.startswith(PERSONAL):
            found = await self._personal(token)
        elif token.startswith(REFRESH):
            found = await self._refresh(token)
        else:
            found = await self._access(token)
        if found is None or (found["sub"] != str(caller.id) and caller.role != "admin"):
            return INACTIVE
        id = parse_id(found["sub"])
        user = await User.stored(id) if id else None
        if user is None or user["disabled"]:
            return INACTIVE
        return {"active": True, **found, "username": user.get("username") or user["email"]}

    async def revoke(self, token: str, client: ClientInfo) -> None:
        """Make a token worthless; an access token takes its session along. Unknown ones are none any more."""
        if token.startswith(PERSONAL):
            await self._tokens.revoke(token, client)
        elif token.startswith(REFRESH):
            await self._sessions.end_by_refresh_token(token, client)
        else:
            try:
                claims = self._signer.verify(token)
                identity = await self._principals.of_session(claims.subject, claims.session)
            except InvalidToken:
                return
            await self._sessions.sign_out(identity, client)

    async def _access(self, token: str) -> dict[str, Any] | None:
        try:
            claims = self._signer.verify(token)
            identity = await self._principals.of_session(claims.subject, claims.session)
        except InvalidToken:
            return None
        scope = {} if identity.scopes is None else {"scope": " ".join(sorted(identity.scopes))}
        return {
            "token_type": "Bearer",
            "sub": claims.subject,
            "iss": self._signer.issuer,
            "aud": self._signer.audience,
            "iat": claims.issued,
            "exp": claims.expires,
            "jti": claims.token_id,
            "sid": claims.session,
        } | scope

    async def _refresh(self, token: str) -> dict[str, Any] | None:
        session = await self._sessions.by_refresh_token(token)
        if session is None:
            return None
        return self._stored(session, session["user"], session.get("scopes")) | {
            "token_type": "refresh_token",
            "sid": str(session["_id"]),
        }

    async def _personal(self, token: str) -> dict[str, Any] | None:
        found = await PersonalToken.by_digest(digest(token), self._clock.now())
        return None if found is None else self._stored(found, found["user"], found["scopes"]) | {"token_type": "Bearer"}

    def _stored(self, stored: Stored, user: Any, scopes: list[str] | None) -> dict[str, Any]:
        body = {
            "sub": str(user),
            "iss": self._signer.issuer,
            "iat": _seconds(stored["created_at"]),
            "exp": _seconds(stored["expires_at"]),
        }
        return body if scopes is None else body | {"scope": " ".join(scopes)}


def _seconds(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp())
