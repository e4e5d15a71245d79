"""Principals: the accounts that tokens act for, cached, so that not every request reads it from the database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from cachetools import TLRUCache

from auth.opaque_tokens import digest
from database.queries import Id, parse_id
from database.single_flight import SingleFlight
from models.accounts.closed_account import refresh_closed_accounts
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import Role, User, UserStatus
from planner.clock import Clock
from planner.errors import InvalidToken

# The end of an account, a session or a token must take effect within two seconds in all processes. What is
# cached is older than this by the time that the read itself takes.
CACHED_SECONDS = 1.5
# More than are asked for in that time. A thousand take less than a megabyte.
MAX_CACHED = 16_384
# When a token was last used is stored at most once in this time, because a write for every request would be costly.
LAST_USED_ACCURACY = timedelta(minutes=1)


class Principal(NamedTuple):
    """Who is calling: an account, and the session or the personal token with which it calls.

    `scopes` is None when the token has all rights of the account.
    """

    id: Id
    role: Role
    session: Id | None = None
    personal_token: Id | None = None
    scopes: frozenset[str] | None = None


class Principals:
    """Finds and caches the principals of tokens; requests that arrive together share one read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cache: TLRUCache[str, tuple[Principal, float]] = TLRUCache(
            MAX_CACHED, ttu=lambda key, value, now: value[1], timer=clock.monotonic
        )
        self._reads: SingleFlight[Principal] = SingleFlight(join_running=True)

    async def of_session(self, subject: str, session: str, scopes: frozenset[str] | None = None) -> Principal:
        """Return the principal of an access token, which has only the `scopes` that it names, if it names any.

        Raises `InvalidToken` when the session has ended, or the account is deleted or disabled.
        """
        await refresh_closed_accounts()
        key = f"{session}{subject}"
        cached = self._cache.get(key)
        principal = cached[0] if cached else await self._read(key, lambda: self._read_session(subject, session))
        if scopes is None:
            return principal
        return principal._replace(scopes=scopes if principal.scopes is None else scopes & principal.scopes)

    async def of_personal_token(self, token: str) -> Principal:
        """Return the principal of a personal access token.

        Raises `InvalidToken` when the token is unknown, revoked or expired, or the account is deleted or disabled.
        """
        await refresh_closed_accounts()
        key = digest(token)
        cached = self._cache.get(key)
        if cached is not None:
            return cached[0]
        return await self._read(key, lambda: self._read_personal_token(key))

    def forget_session(self, session: Id) -> None:
        """Make the next request with a session read it again; call this after every change of it."""
        self._forget(lambda principal: principal.session == session)

    def forget_user(self, user: Id) -> None:
        """Make the next request of an account read its principal again; call this after every change of it."""
        self._forget(lambda principal: principal.id == user)

    def _forget(self, is_affected: Callable[[Principal], bool]) -> None:
        for key in [key for key, (principal, _) in self._cache.items() if is_affected(principal)]:
            del self._cache[key]

    async def _read(self, key: str, read: Callable[[], Awaitable[Principal]]) -> Principal:
        async def read_and_cache() -> Principal:
            # Counted from before the read, because what it returns may change the moment after.
            until = self._clock.monotonic() + CACHED_SECONDS
            principal = await read()
            self._cache[key] = (principal, until)
            return principal

        return await self._reads.run(key, read_and_cache)

    async def _read_session(self, subject: str, session_id: str) -> Principal:
        user, id, now = parse_id(subject), parse_id(session_id), self._clock.now()
        if user is None or id is None:
            raise InvalidToken("The access token is not valid.")
        session, status = await asyncio.gather(Session.by_id(id, now, user), User.find_status(user))
        if session is None:
            raise InvalidToken("The session of this access token has ended.")
        role = _require_active(status)
        if _is_outdated(session.last_used_at, now):
            await Session.record_use(id, now)
        scopes = None if session.scopes is None else frozenset(session.scopes)
        return Principal(user, role, session=id, scopes=scopes)

    async def _read_personal_token(self, token_digest: str) -> Principal:
        now = self._clock.now()
        token = await PersonalToken.by_digest(token_digest, now)
        if token is None:
            raise InvalidToken("The access token is not valid.")
        role = _require_active(await User.find_status(token.user))
        if _is_outdated(token.last_used_at, now):
            await PersonalToken.record_use(token.id, now)
        return Principal(token.user, role, personal_token=token.id, scopes=frozenset(token.scopes))


def _is_outdated(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or now - last_used_at > LAST_USED_ACCURACY


def _require_active(status: UserStatus | None) -> Role:
    """Return the role of an account; raises `InvalidToken` when it is deleted or disabled."""
    if status is None or status.disabled:
        raise InvalidToken("The account of this access token is deleted or disabled.")
    return status.role
