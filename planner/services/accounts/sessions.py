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
from planner.services.accounts.grants import require_no_recovery_write
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_by_id, parse_id_cursor
from planner.services.shared.views import Page

# How long a refresh token that was replaced gives its successor once more: so long may a lost response be repeated, and
# so far apart may two tabs of one browser refresh.
REPEATABLE = timedelta(seconds=60)
NOT_OURS = "This is not a refresh token of this planner."
EXPIRED = "The refresh token has expired: its session has reached its longest lifetime. Sign in again."
ENDED = "The session of the refresh token was ended. Sign in again."
USED_TWICE = "The refresh token was used already. Somebody else may have it, so its session was ended. Sign in again."


class SignedIn(NamedTuple):
    """An account that has just signed in, its new session, and the tokens of the session."""

    user: User
    tokens: TokensRead
    session: Id


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

        Raises `NotFound` when the account was deleted, disabled or recovered since `user` was read, which must be
        before the authentication.
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
        not_recovered = require_no_recovery_write(user)
        if not await commit_atomically([Insert(session), User.sign_in_write(user.id, now), not_recovered, entry]):
            raise NotFound
        return SignedIn(user, self._issue_tokens(session, refresh_token, now), id)

    async def refresh(self, token: str, client: ClientInfo, scopes: list[str] | None = None) -> TokensRead:
        """Return new tokens for the session of a refresh token, which they replace.

        The same refresh token again gives the same successor, while that is unused, for a minute: a response may get
        lost, and two tabs of a browser may refresh at once. Used later, it ends its session, because somebody else
        must have it (RFC 9700 §4.14.2). `scopes` are those that the access token shall have, all of them scopes of
        the session, which keeps its own (RFC 6749 §6). Raises `GrantRefused`.
        """
        now = self._clock.now()
        session = await self._require_session(token, now)
        if session.scopes is not None and not set(scopes or ()) <= set(session.scopes):
            raise GrantRefused("invalid_scope", "The session does not have the requested scope.")
        successor = self._opaque_tokens.successors_of(token, session.id)[0]
        current = await Session.rotate_refresh_token(session.id, digest(token), digest(successor), now, client.address)
        if current is None:
            current, successor = await self._find_unused_successor(token, session.id, now)
        if current is None:
            entry = self._audit.entry_write("refresh-reuse", client, session.user, detail="the session was ended")
            await commit_atomically([Session.delete_write(session.id, session.user), entry])
            self._principals.forget_session(session.id)
            raise GrantRefused("invalid_grant", USED_TWICE)
        return self._issue_tokens(current, successor, now, scopes)

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
        """Return the session of a refresh token, if it can be used."""
        session = await self._find_session(token)
        if session is None or session.refresh_digest == digest(token):
            return session
        found, _ = await self._find_unused_successor(token, session.id, self._clock.now())
        return found

    async def _find_unused_successor(self, token: str, id: Id, now: datetime) -> tuple[Session | None, str]:
        """Return the session whose token has just replaced this one and was not used, and that token."""
        for successor in self._opaque_tokens.successors_of(token, id):
            if session := await Session.by_unused_refresh_token(id, digest(successor), now - REPEATABLE, now):
                return session, successor
        return None, ""

    async def _require_session(self, token: str, now: datetime) -> Session:
        """Return the session for which a refresh token was issued; raises `GrantRefused`, saying why there is none."""
        id = self._opaque_tokens.session_of(token)
        if id is None:
            raise GrantRefused("invalid_grant", NOT_OURS)
        session = await Session.by_id(id, now)
        if session is None:
            # The server deletes expired sessions, but their ids say when they were opened.
            expired = id.generation_time + self._lifetime <= now
            raise GrantRefused("invalid_grant", EXPIRED if expired else ENDED)
        if not await User.is_active(session.user):
            raise GrantRefused("invalid_grant", ENDED)
        return session

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

    def _issue_tokens(
        self, session: Session, refresh_token: str, now: datetime, narrowed: list[str] | None = None
    ) -> TokensRead:
        # No access token may outlive its session.
        lifetime = min(self._signer.lifetime, int((session.expires_at - now).total_seconds()))
        access_token = self._signer.sign(str(session.user), str(session.id), lifetime, narrowed)
        scopes = session.scopes if narrowed is None else narrowed
        return TokensRead(
            access_token=access_token,
            token_type="Bearer",  # noqa: S106 - no secret, but the type of the token
            expires_in=lifetime,
            refresh_token=refresh_token,
            scope=None if scopes is None else " ".join(scopes),
        )
