"""Sessions: opened by signing in, carried on by refreshing, ended by signing out."""

from datetime import datetime, timedelta
from typing import NamedTuple

from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.queries import Id, Stored, new_id, parse_id
from models.accounts.session import Session
from models.accounts.user import User, user_view
from models.shared.views import Page, View
from planner.clock import Clock
from planner.domain.cursors import ID_PATTERN, decode_cursor
from planner.errors import GrantRefused, NotFound
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo

__all__ = ["ClientInfo", "Sessions", "SignedIn", "Tokens"]


class Tokens(NamedTuple):
    """What carries a session: an access token for `expires_in` seconds, and a refresh token."""

    access_token: str
    expires_in: int
    refresh_token: str
    scopes: list[str] | None = None


class SignedIn(NamedTuple):
    """An account that proved itself, and its tokens."""

    user: View
    tokens: Tokens


class Sessions:
    """The use cases of sessions; they last `days` days at most."""

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
        self, user: Stored, client: ClientInfo, scopes: list[str] | None = None, how: str | None = None
    ) -> SignedIn:
        """A new session for an account that has proved itself; `user` is its whole document.

        Raises `NotFound` when the account was removed or disabled in the meantime.
        """
        now, id = self._clock.now(), new_id()
        refresh_token = self._opaque_tokens.refresh_token(id)
        stored: Stored = {
            "_id": id,
            "user": user["_id"],
            "refresh": digest(refresh_token),
            "scopes": scopes,
            "device": client.device,
            "address": client.address,
            "created_at": now,
            "last_used_at": now,
            "expires_at": now + self._lifetime,
        }
        note = self._audit.entry("sign-in", client, user["_id"], user["_id"], how)
        if not await commit_atomically([Session.opening(stored), User.signing_in(user["_id"], now), note]):
            raise NotFound
        return SignedIn(user_view(user), self._issue_tokens(stored, refresh_token, now))

    async def refresh(self, token: str, client: ClientInfo, scopes: list[str] | None = None) -> Tokens:
        """New tokens for the session of a refresh token, which this use replaces.

        A token that was used before ends its session, for somebody else must have it (RFC
        9700 §4.14.2). `scopes` are those that were asked for: the session keeps its own, and
        must have them all (RFC 6749 §6). Raises `GrantRefused`.
        """
        refusal = GrantRefused("invalid_grant", "The refresh token is not valid, or its session has ended.")
        now, read = self._clock.now(), self._opaque_tokens.read_refresh_token(token)
        session = None if read is None else await Session.by_id(read.session, now)
        if read is None or session is None:
            raise refusal
        standing = await User.standing(session["user"])
        if standing is None or standing["disabled"]:
            raise refusal
        if session["refresh"] == read.digest and not set(scopes or ()) <= set(session.get("scopes") or ()):
            raise GrantRefused("invalid_scope", "The scope of the session does not hold that one.")
        fresh = self._opaque_tokens.refresh_token(read.session)
        rotated = await Session.rotate(read.session, read.digest, digest(fresh), now, client.address)
        if rotated is None:
            note = self._audit.entry("refresh-reuse", client, session["user"], detail="the session was ended")
            await commit_atomically([Session.ending(read.session, session["user"]), note])
            self._principals.forget_session(read.session)
            raise refusal
        return self._issue_tokens(rotated, fresh, now)

    async def sign_out(self, caller: Principal, client: ClientInfo) -> None:
        """End the caller's session: no token of it holds from now on."""
        if caller.session is not None:
            await self._end(caller.session, caller.id, client, "sign-out")

    async def end_by_refresh_token(self, token: str, client: ClientInfo) -> bool:
        """End the session of a refresh token (RFC 7009); False when the token is not ours."""
        read = self._opaque_tokens.read_refresh_token(token)
        if read is None:
            return False
        session = await Session.by_id(read.session, self._clock.now())
        if session is not None:
            await self._end(read.session, session["user"], client, "token-revoked")
        return True

    async def end(self, caller: Principal, id: str, client: ClientInfo) -> None:
        """End one of the caller's sessions; raises `NotFound`."""
        known = parse_id(id)
        if known is None or not await self._end(known, caller.id, client, "session-ended"):
            raise NotFound

    async def end_others(self, caller: Principal, client: ClientInfo) -> None:
        """End all of the caller's sessions but the one that asks."""
        note = self._audit.entry("sessions-ended", client, caller.id, caller.id, "all but one")
        await commit_atomically([Session.ending_all(caller.id, but=caller.session), note])
        self._principals.forget_user(caller.id)

    async def listed(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """A page of the caller's sessions."""
        after = decode_cursor(cursor, ID_PATTERN)
        return await Session.listed(
            caller.id, caller.session, self._clock.now(), parse_id(after) if after else None, limit
        )

    async def by_refresh_token(self, token: str) -> Stored | None:
        """The session that a refresh token could carry on, if it is the current one."""
        read = self._opaque_tokens.read_refresh_token(token)
        session = None if read is None else await Session.by_id(read.session, self._clock.now())
        return session if read is not None and session is not None and session["refresh"] == read.digest else None

    async def _end(self, id: Id, user: Id, client: ClientInfo, event: str) -> bool:
        ended = await commit_atomically([Session.ending(id, user), self._audit.entry(event, client, user, user)])
        self._principals.forget_session(id)
        return ended

    def _issue_tokens(self, session: Stored, refresh_token: str, now: datetime) -> Tokens:
        left = int((session["expires_at"] - now).total_seconds())
        lifetime = min(self._signer.lifetime, left)
        access_token = self._signer.sign(str(session["user"]), str(session["_id"]), lifetime)
        return Tokens(access_token, lifetime, refresh_token, session.get("scopes"))
