"""Serialised decisions: what is read, decided and written for one user, without interference."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakValueDictionary

from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id
from database.writes import Write
from models.accounts.user_write_lock import UserWriteLock
from planner.errors import InvalidToken, Unavailable
from planner.services.shared.retry import retry


class UserWriteLocks:
    """Makes the writes of one user that depend on each other follow each other, in all processes."""

    def __init__(self) -> None:
        # Within one process nobody has to lose: each waits until the one before has finished.
        self._locks: WeakValueDictionary[Id, asyncio.Lock] = WeakValueDictionary()

    async def decide_and_commit(self, user: Id, decide: Callable[[], Awaitable[None]], writes: Sequence[Write]) -> bool:
        """Commit writes that are known before the decision; see `decide_and_write`."""
        return await self.decide_and_write(user, decide, lambda lock: commit_atomically([lock, *writes]))

    async def decide_and_write(
        self, user: Id, decide: Callable[[], Awaitable[None]], write: Callable[[Write], Awaitable[bool]]
    ) -> bool:
        """Return the result of `write`, done while nothing that `decide` read was changed under the same lock.

        `decide` reads, and raises what speaks against the write. `write` commits its group of writes
        with the given one put first, and returns False when the group was refused. Both are
        repeated when another process was faster. Raises `InvalidToken` when the user is deleted, and
        `Unavailable` when others were faster every time.
        """
        exhausted = Unavailable("Other requests are changing the same at once. Try again.")
        async with self._locks.setdefault(user, asyncio.Lock()):
            return await retry(lambda: _decide_and_write_once(user, decide, write), exhausted=exhausted)


async def _decide_and_write_once(
    user: Id, decide: Callable[[], Awaitable[None]], write: Callable[[Write], Awaitable[bool]]
) -> bool | None:
    """Return the result of `write`, or None when another process was faster."""
    lock = await UserWriteLock.by_user(user)
    if lock is None:
        raise InvalidToken("The account of this access token has been deleted.")
    await decide()
    refusal: DuplicateKey | None = None
    try:
        if await write(lock.replace_write()):
            return True
    except DuplicateKey as error:
        refusal = error
    after = await UserWriteLock.by_user(user)
    if after is not None and after.current not in (lock.current, lock.replacement):
        return None
    # No other process was faster: the group was refused for another reason.
    if refusal is not None:
        raise refusal
    return False
