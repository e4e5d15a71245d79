"""Sessions: opened by a sign-in, continued by refresh tokens, ended by a sign-out."""

from datetime import datetime, timedelta
from typing import NamedTuple

from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.queries import Id, new_id, parse_id
from database.writes import Insert
from models.accounts.session import Session, SessionRead
from models.accounts.token_schema import TokensRead
from models.accounts.user import User
from planner.clock import Clock
from planner.errors import GrantRefused, NotFound
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_by_id, parse_id_cursor
from planner.services.shared.views import Page


class SignedIn(NamedTuple):
    """An account that has just signed in, and the tokens of its new session."""

    user: User
    tokens: TokensRead


class Sessions:
    """The use cases of sessions, which last `days` days at most."""

    def __init__(
        self,
        signer: TokenSigner,
        opaque_tokens: OpaqueTokens,
        principals: Principals,
        audit: AuditLog,
        days: int,
        clock: Clock,
    ) -> None:
        self._signer = signer
        self._opaque_tokens = opaque_tokens
        self._principals = principals
        self._audit = audit
        self._lifetime = timedelta(days=days)
        self._clock = clock

    async def open(
        self, user: User, client: ClientInfo, scopes: list[str] | None = None, provider: str | None = None
    ) -> SignedIn:
        """Open a session for an account that has just been authenticated, by a password or by a `provider`.

        Raises `NotFound` when the account was deleted or disabled in the meantime.
        """
        now, id = self._clock.now(), new_id()
        refresh_token = self._opaque_tokens.refresh_token(id)
        session = Session(
            id=id,
            user=user.id,
            refresh_digest=digest(refresh_token),
            scopes=scopes,
            device=client.device,
            address=client.address,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._lifetime,
        )
        entry = self._audit.entry_write("sign-in", client, user.id, user.id, provider)
        if not await commit_atomically([Insert(session), User.sign_in_write(user.id, now), entry]):
            raise NotFound
        return SignedIn(user, self._issue_tokens(session, refresh_token, now))

    async def refresh(self, token: str, client: ClientInfo, scopes: list[str] | None = None) -> TokensRead:
        """Return new tokens for the session of a refresh token, which they replace.

        A refresh token that is used a second time ends its session, because somebody else must have it
        (RFC 9700 §4.14.2). `scopes` are those that were requested: the session keeps its own, and must have all
        of the requested ones (RFC 6749 §6). Raises `GrantRefused`.
        """
        refusal = GrantRefused("invalid_grant", "The refresh token is not valid, or its session has ended.")
        now = self._clock.now()
        session = await self._find_session(token)
        if session is None or not await User.is_active(session.user):
            raise refusal
        presented = digest(token)
        if session.refresh_digest == presented and not set(scopes or ()) <= set(session.scopes or ()):
            raise GrantRefused("invalid_scope", "The session does not have the requested scope.")
        successor = self._opaque_tokens.refresh_token(session.id)
        rotated = await Session.rotate_refresh_token(session.id, presented, digest(successor), now, client.address)
        if rotated is None:
            entry = self._audit.entry_write("refresh-reuse", client, session.user, detail="the session was ended")
            await commit_atomically([Session.delete_write(session.id, session.user), entry])
            self._principals.forget_session(session.id)
            raise refusal
        return self._issue_tokens(rotated, successor, now)

    async def sign_out(self, caller: Principal, client: ClientInfo) -> None:
        """End the session with which the caller is signed in, if it is one; its tokens stop working."""
        if caller.session is not None:
            await self._end(caller.session, caller.id, client, "sign-out")

    async def revoke_refresh_token(self, token: str, client: ClientInfo) -> None:
        """End the session of a refresh token (RFC 7009), if there is one."""
        session = await self._find_session(token)
        if session is not None:
            await self._end(session.id, session.user, client, "token-revoked")

    async def revoke(self, caller: Principal, id: str, client: ClientInfo) -> None:
        """End one of the caller's sessions; raises `NotFound`."""
        session = parse_id(id)
        if session is None or not await self._end(session, caller.id, client, "session-ended"):
            raise NotFound

    async def revoke_others(self, caller: Principal, client: ClientInfo) -> None:
        """End all sessions of the caller but the one with which the caller is signed in."""
        entry = self._audit.entry_write("sessions-ended", client, caller.id, caller.id, "all but one")
        await commit_atomically([Session.delete_all_write(caller.id, except_id=caller.session), entry])
        self._principals.forget_user(caller.id)

    async def get_page(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """Return a page of the caller's sessions, the oldest first."""
        found = await Session.find_by_user(caller.id, self._clock.now(), parse_id_cursor(cursor), limit)
        return page_by_id(found, lambda session: SessionRead.from_document(session, current=caller.session).to_json())

    async def find_by_refresh_token(self, token: str) -> Session | None:
        """Return the session of a refresh token, if it is the current one of the session."""
        session = await self._find_session(token)
        return session if session is not None and session.refresh_digest == digest(token) else None

    async def _find_session(self, token: str) -> Session | None:
        """Return the session for which a refresh token was issued, whether or not it is still the current one."""
        session = self._opaque_tokens.session_of(token)
        return None if session is None else await Session.by_id(session, self._clock.now())

    async def _end(self, id: Id, user: Id, client: ClientInfo, event: str) -> bool:
        """End a session, and return whether there was one."""
        entry = self._audit.entry_write(event, client, user, user)
        ended = await commit_atomically([Session.delete_write(id, user), entry])
        self._principals.forget_session(id)
        return ended

    def _issue_tokens(self, session: Session, refresh_token: str, now: datetime) -> TokensRead:
        # No access token may outlive its session.
        lifetime = min(self._signer.lifetime, int((session.expires_at - now).total_seconds()))
        access_token = self._signer.sign(str(session.user), str(session.id), lifetime)
        return TokensRead(
            access_token=access_token,
            token_type="Bearer",  # noqa: S106 - no secret, but the type of the token
            expires_in=lifetime,
            refresh_token=refresh_token,
            scope=None if session.scopes is None else " ".join(session.scopes),
        )
