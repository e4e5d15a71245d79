"""Hashing and checking passwords, off the event loop and below everything else in priority."""

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
# Plain bcrypt reads no further than this, and its library refuses longer input.
BCRYPT_BYTES = 72
# On a core that requests keep busy, hashing gets about a tenth for each thread: enough that
# people can still sign in, little enough that reads do not notice. On an idle core it has all.
NICENESS = 10


class Verdict(NamedTuple):
    """Whether the password was right, and a better hash to store in place of the old one."""

    right: bool
    better_hash: str | None = None


class PasswordHasher:
    """bcrypt over SHA-256, so that every character counts; plain bcrypt is still accepted.

    `rounds` is the bcrypt cost: each one more doubles the time. At most `threads` run at
    once and `waiting` stand in line; beyond that `Busy` is raised at once.
    """

    def __init__(self, rounds: int = 12, threads: int | None = None, waiting: int = 256) -> None:
        self._context = CryptContext(
            schemes=["bcrypt_sha256", "bcrypt"],
            deprecated=["bcrypt"],
            bcrypt_sha256__rounds=rounds,
            bcrypt__rounds=rounds,
        )
        threads = threads or usable_cores()
        self._turns = asyncio.Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password", initializer=_step_back)
        self._room = threads + waiting
        self._inside = 0
        self._nobody: str | None = None

    async def warm_up(self) -> None:
        """Load the backend and make the hash that unknown accounts are compared with."""
        self._nobody = await self.hash(secrets.token_urlsafe(24))

    async def hash(self, password: str) -> str:
        """The hash to store; raises `Busy`."""
        return await self.run(lambda: str(self._context.hash(password)))

    async def verify(self, password: str, stored: str | None, is_disconnected: IsDisconnected | None = None) -> Verdict:
        """Compare a password with a stored hash; raises `Busy`, and `Unavailable` for who has hung up.

        With None, for an account that does not exist or has no password, the comparison
        is made all the same, so that it takes the same time.
        """
        if self._nobody is None:
            await self.warm_up()
        known = stored if stored is not None else self._nobody
        assert known is not None

        def compare() -> Verdict:
            try:
                right, better = self._context.verify_and_update(_for(known, password), known)
            except ValueError:  # What is stored is no hash that we know.
                right, better = False, None
            if right and better is not None:
                # `_for` may have cut the password for the old hash; the new one is of all of it.
                better = self._context.hash(password)
            return Verdict(bool(right) and stored is not None, better if stored is not None else None)

        return await self.run(compare, is_disconnected)

    async def run(self, work: Callable[[], T], is_disconnected: IsDisconnected | None = None) -> T:
        """What `work` answers, from a thread of ours; raises `Busy`.

        `is_disconnected` tells whether the caller has hung up while standing in line: then nothing is
        computed for nobody, and `Unavailable` is raised.
        """
        if self._inside >= self._room:
            raise Busy("Too many sign-ins are waiting. Try again in a moment.")
        self._inside += 1
        try:
            async with self._turns:
                if is_disconnected is not None and await is_disconnected():
                    raise Unavailable("The client has hung up.")
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Stop the threads; what stands in line is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def usable_cores() -> int:
    """On how many cores this process may run: more threads than that would only take turns."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _for(stored: str, password: str) -> str | bytes:
    """What of the password the hash is of: all, or for plain bcrypt the bytes it reads."""
    return password.encode()[:BCRYPT_BYTES] if stored.startswith("$2") else password


def _step_back() -> None:
    """Lower this thread's priority, so that hashing never delays a request being served."""
    # On Linux niceness belongs to the thread; elsewhere it would be the whole process's.
    if os.uname().sysname == "Linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
