"""Deciding by what is stored and then writing, so that nobody else decides by the same meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast
from weakref import WeakValueDictionary

from database.errors import DuplicateKey, is_unavailable
from database.queries import Id
from database.writes import Write
from models.accounts.user_write_lock import UserWriteLock
from planner.clock import Clock, utc_now
from planner.errors import InvalidToken, Unavailable

# Each loss means that another process has written for the same person.
ATTEMPTS = 20
# On a server without transactions: how often it is asked whether another is done, and after how
# long he must have been cut short. A planner that lost its database ends what it began sooner.
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 5.0

_T = TypeVar("_T")
_WRITTEN_BY_OTHERS = "Others are changing the same at once. Try again."


class UserWriteLocks:
    """Lets the writes of one person that depend on each other follow each other."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        # In one process nobody has to lose: each waits until the one before is done.
        self._locks: WeakValueDictionary[Id, asyncio.Lock] = WeakValueDictionary()

    async def take(
        self, owner: Id, decide: Callable[[], Awaitable[None]], write: Callable[[Write], Awaitable[_T]]
    ) -> _T:
        """What `write` answers, which was done with nothing changed since `decide` by whoever takes turns, too.

        `decide` reads, and raises what speaks against it. `write` does its group of writes with the
        given one put first, and answers something false when it was refused. Both are done again when
        another was quicker. Raises `InvalidToken` when the owner is gone.
        """
        lock = self._locks.setdefault(owner, asyncio.Lock())
        async with lock:
            for _ in range(ATTEMPTS):
                turn = await self._next(owner)
                await decide()
                written, refused = await self._written(turn, write)
                if written:
                    return written
                current = await UserWriteLock.of(owner)
                if current is None or current.last in (turn.last, turn.id):
                    # Nobody was quicker: it was refused for a reason of its own.
                    if refused is not None:
                        raise refused
                    return written
        raise Unavailable(_WRITTEN_BY_OTHERS)

    async def _written(
        self, turn: UserWriteLock, write: Callable[[Write], Awaitable[_T]]
    ) -> tuple[_T, DuplicateKey | None]:
        """What `write` answers, or what a unique index refused."""
        refused: DuplicateKey | None = None
        try:
            written = await write(turn.taking(self._clock()))
        except DuplicateKey as error:
            written, refused = cast("_T", None), error
        except Exception as error:
            # When the database is away, what was begun may be done once it is back.
            if not is_unavailable(error):
                await turn.over()
            raise
        await turn.over()
        return written, refused

    async def _next(self, owner: Id) -> UserWriteLock:
        """The next turn, once nobody is in the middle of the last one."""
        patience = time.monotonic() + PATIENCE_SECONDS
        awaited: Id | None = None
        while True:
            turn = await UserWriteLock.of(owner)
            if turn is None:
                raise InvalidToken("The account of this access token is gone.")
            if turn.since is None:
                return turn
            if turn.last != awaited:
                awaited, patience = turn.last, time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > patience:
                return turn
            await asyncio.sleep(POLL_SECONDS)
