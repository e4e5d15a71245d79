"""Password hashes: computed in threads of low priority, off the event loop."""

import asyncio
import contextlib
import os
import secrets
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from passlib.context import CryptContext

from planner.errors import Busy, Unavailable

T = TypeVar("T")
IsDisconnected = Callable[[], Awaitable[bool]]
# Plain bcrypt uses no more of a password than this, and its library refuses longer input.
BCRYPT_BYTES = 72
# On a busy core, a hashing thread gets about a tenth of the time: enough that people can still sign in, and little
# enough that other requests are not slowed down. On an idle core it gets all of it.
NICENESS = 10


class Verdict(NamedTuple):
    """Whether the password was right, and a better hash that should replace the stored one, if there is one."""

    right: bool
    better_hash: str | None = None


class PasswordHasher:
    """Hashes passwords with bcrypt over SHA-256, so that every character matters, and also verifies plain bcrypt.

    `rounds` is the bcrypt cost: one more doubles the time. At most `threads` (default: one for each core) run at
    the same time, and `waiting` more calls wait; every call beyond that raises `Busy` at once.
    """

    def __init__(self, rounds: int = 12, threads: int | None = None, waiting: int = 256) -> None:
        self._context = CryptContext(
            schemes=["bcrypt_sha256", "bcrypt"],
            deprecated=["bcrypt"],
            bcrypt_sha256__rounds=rounds,
            bcrypt__rounds=rounds,
        )
        threads = threads or count_usable_cores()
        self._free_threads = asyncio.Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password", initializer=_lower_priority)
        self._max_calls = threads + waiting
        self._calls = 0
        self._dummy_hash: str | None = None

    async def warm_up(self) -> None:
        """Load the backend, and compute the hash with which the passwords for unknown accounts are compared."""
        self._dummy_hash = await self.hash(secrets.token_urlsafe(24))

    async def hash(self, password: str) -> str:
        """Return the hash to store; raises `Busy`."""
        return await self.run(lambda: str(self._context.hash(password)))

    async def verify(self, password: str, stored: str | None, is_disconnected: IsDisconnected | None = None) -> Verdict:
        """Compare a password with a stored hash.

        For an account that does not exist or has no password, `stored` is None. Then the password is compared with
        another hash, so that the comparison takes the same time. Raises `Busy`, and `Unavailable` when the client has
        disconnected.
        """
        if self._dummy_hash is None:
            await self.warm_up()
        hash = stored if stored is not None else self._dummy_hash
        assert hash is not None

        def compare() -> Verdict:
            try:
                right, better = self._context.verify_and_update(_significant_part(password, hash), hash)
            except ValueError:  # The stored value is not a hash that we support.
                right, better = False, None
            if right and better is not None:
                # The password may have been cut for the old hash; the new one is of the whole password.
                better = self._context.hash(password)
            return Verdict(bool(right) and stored is not None, better if stored is not None else None)

        return await self.run(compare, is_disconnected)

    async def run(self, work: Callable[[], T], is_disconnected: IsDisconnected | None = None) -> T:
        """Return the result of `work`, done in one of the threads.

        Raises `Busy` when too many calls wait, and `Unavailable` when the client has disconnected while its call
        waited; `is_disconnected` is asked for that.
        """
        if self._calls >= self._max_calls:
            raise Busy("Too many sign-ins are waiting. Try again in a moment.")
        self._calls += 1
        try:
            async with self._free_threads:
                if is_disconnected is not None and await is_disconnected():
                    raise Unavailable("The client has disconnected.")
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._calls -= 1

    def close(self) -> None:
        """Stop the threads; calls that wait are cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def count_usable_cores() -> int:
    """Return the number of cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _significant_part(password: str, hash: str) -> str | bytes:
    """Return the part of a password that this hash is of: all, or for plain bcrypt the first bytes."""
    return password.encode()[:BCRYPT_BYTES] if hash.startswith("$2") else password


def _lower_priority() -> None:
    """Lower the priority of this thread."""
    # On Linux each thread has its own niceness; elsewhere this would change the whole process.
    if os.uname().sysname == "Linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
