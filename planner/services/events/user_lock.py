"""Serialised decisions: what is read, decided and written for one user, without interference."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from database.errors import DuplicateKey
from database.queries import Id
from database.writes import Write
from models.accounts.user_write_lock import UserWriteLock
from planner.errors import InvalidToken, Unavailable

# Each lost attempt means that another process has written for the same user.
ATTEMPTS = 20

T = TypeVar("T")


class UserWriteLocks:
    """Makes the writes of one user that depend on each other follow each other, in all processes."""

    def __init__(self) -> None:
        # Within one process nobody has to lose: each waits until the one before has finished.
        self._locks: WeakValueDictionary[Id, asyncio.Lock] = WeakValueDictionary()

    async def decide_and_write(
        self, user: Id, decide: Callable[[], Awaitable[None]], write: Callable[[Write], Awaitable[T]]
    ) -> T:
        """Return the result of `write`, done while nothing that `decide` read was changed under the same lock.

        `decide` reads, and raises what speaks against the write. `write` commits its group of writes
        with the given one put first, and returns something false when the group was refused. Both are
        repeated when another process was faster. Raises `InvalidToken` when the user is deleted, and
        `Unavailable` when others were faster every time.
        """
        lock = self._locks.setdefault(user, asyncio.Lock())
        async with lock:
            for _ in range(ATTEMPTS):
                user_lock = await UserWriteLock.by_user(user)
                if user_lock is None:
                    raise InvalidToken("The account of this access token has been deleted.")
                await decide()
                refusal: DuplicateKey | None = None
                try:
                    if written := await write(user_lock.replace_write()):
                        return written
                except DuplicateKey as error:
                    refusal = error
                after = await UserWriteLock.by_user(user)
                if after is None or after.current in (user_lock.current, user_lock.replacement):
                    # Nobody was faster: the group was refused for a reason of its own.
                    if refusal is not None:
                        raise refusal
                    return written
        raise Unavailable("Other requests are changing the same at once. Try again.")
