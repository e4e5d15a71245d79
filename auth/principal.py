"""Who a token stands for, known without reading the database for every request."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

from cachetools import TLRUCache

from auth.opaque_tokens import digest
from database.queries import Id, Stored, parse_id
from database.single_flight import SingleFlight
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import Role, User
from planner.clock import Clock
from planner.errors import InvalidToken

# That an account, a session or a token is gone must be noticed within two seconds. What is
# known is older than this by at most the time the read itself takes.
CACHED_SECONDS = 1.5
MAX_CACHED = 50_000
# Last use is noted to the minute: a write for every request would cost more than it tells.
NOTED = timedelta(minutes=1)


class Principal(NamedTuple):
    """Who is calling, and with what: a session's token, or a personal one.

    `scopes` is None where nothing is withheld.
    """

    id: Id
    role: Role
    session: Id | None = None
    personal_token: Id | None = None
    scopes: frozenset[str] | None = None


class Principals:
    """Knows who tokens stand for a moment after reading it; one read serves all who ask meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: TLRUCache[str, tuple[Principal, float]] = TLRUCache(
            MAX_CACHED, ttu=lambda key, value, now: value[1], timer=clock.monotonic
        )
        self._reads: SingleFlight[Principal] = SingleFlight(join_running=True)

    async def of_session(self, subject: str, session: str) -> Principal:
        """Who an access token stands for.

        Raises `InvalidToken` when the session has ended, or the account is gone or disabled.
        """
        key = f"{session}{subject}"
        known = self._known.get(key)
        if known is not None:
            return known[0]
        return await self._read(key, lambda: self._session(subject, session))

    async def of_personal_token(self, token: str) -> Principal:
        """Who a personal access token stands for; raises `InvalidToken` when it does not hold."""
        key = digest(token)
        known = self._known.get(key)
        if known is not None:
            return known[0]
        return await self._read(key, lambda: self._personal(key))

    def forget_session(self, session: Id) -> None:
        """Read a session anew the next time it is asked for; for changes made in this process."""
        self._forget(lambda identity: identity.session == session)

    def forget_user(self, user: Id) -> None:
        """Read everything of an account anew; for changes made in this process."""
        self._forget(lambda identity: identity.id == user)

    def _forget(self, about: Callable[[Principal], bool]) -> None:
        for key in [key for key, (identity, _) in self._known.items() if about(identity)]:
            del self._known[key]

    async def _read(self, key: str, read: Callable[[], Awaitable[Principal]]) -> Principal:
        async def read_and_cache() -> Principal:
            # Counted from before the read: what it finds may change the moment after.
            until = self._clock.monotonic() + CACHED_SECONDS
            principal = await read()
            self._known[key] = (principal, until)
            return principal

        return await self._reads.run(key, read_and_cache)

    async def _session(self, subject: str, session: str) -> Principal:
        user, id, now = parse_id(subject), parse_id(session), self._clock.now()
        if user is None or id is None:
            raise InvalidToken("The access token is not valid.")
        found, standing = await asyncio.gather(Session.standing(id, user, now), User.standing(user))
        if found is None:
            raise InvalidToken("The session of this access token has ended.")
        role = _role(standing)
        if now - found["last_used_at"] > NOTED:
            await Session.touch(id, now)
        scopes = found.get("scopes")
        return Principal(user, role, session=id, scopes=None if scopes is None else frozenset(scopes))

    async def _personal(self, token_digest: str) -> Principal:
        now = self._clock.now()
        found = await PersonalToken.by_digest(token_digest, now)
        if found is None:
            raise InvalidToken("The access token is not valid.")
        role = _role(await User.standing(found["user"]))
        if found["last_used_at"] is None or now - found["last_used_at"] > NOTED:
            await PersonalToken.touch(found["_id"], now)
        return Principal(found["user"], role, personal_token=found["_id"], scopes=frozenset(found["scopes"]))


def _role(standing: Stored | None) -> Role:
    if standing is None or standing["disabled"]:
        raise InvalidToken("The account of this access token is gone or disabled.")
    role: Role = standing["role"]
    return role
