"""Password hashes: computed in threads of low priority, off the event loop.

Whether there is an account must not show in the time that a wrong password takes. So each comparison costs as much as
one with the dearest hash that is stored: bcrypt of cost n takes 2**n steps, and after one of cost n, runs of the costs
n, n+1, …, m-1 make 2**m steps together.
"""

import asyncio
import contextlib
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from passlib.context import CryptContext

from planner.errors import Unavailable
from planner.load.lanes import Lane, Uncounted, do_nothing

T = TypeVar("T")
IsDisconnected = Callable[[], Awaitable[bool]]
# Returns a stored hash that matches a regular expression, or None.
FindHash = Callable[[str], Awaitable[str | None]]
# Plain bcrypt uses no more of a password than this, and its library refuses longer input.
BCRYPT_BYTES = 72
# No password that is stored has so many characters, and the library refuses more than 4,096.
LONGEST_COMPARED = 1024
# On a busy core, a hashing thread gets about a tenth of the time: enough that people can still sign in, and little
# enough that other requests are not slowed down. On an idle core it gets all of it.
NICENESS = 10
MIN_COST, MAX_COST = 4, 31
# No account has a longer password. What is longer is wrong, and is not worth the time to hash it.
MAX_LENGTH = 1024
_BEFORE_COST = r"^\$(?:2[abxy]\$|bcrypt-sha256\$(?:v=2,t=2[aby],r=|2[aby],))"
_COST = re.compile(rf"{_BEFORE_COST}(\d\d?)\$")


class Verdict(NamedTuple):
    """Whether the password was right, and a better hash that should replace the stored one, if there is one."""

    right: bool
    better_hash: str | None = None


class PasswordHasher:
    """Hashes passwords with bcrypt over SHA-256, so that every character matters, and also verifies plain bcrypt.

    `rounds` is the bcrypt cost of new hashes: one more doubles the time. At most `threads` (default: one for each core)
    run at the same time, and others wait in a lane. A call that would wait longer than `longest_wait`, in seconds,
    raises `Busy` at once. `uncounted` and `on_turn` are those of the lane.
    """

    def __init__(
        self,
        rounds: int = 12,
        threads: int | None = None,
        longest_wait: float = 5.0,
        uncounted: Uncounted = contextlib.nullcontext,
        on_turn: Callable[[], None] = do_nothing,
    ) -> None:
        self._context = CryptContext(
            schemes=["bcrypt_sha256", "bcrypt"],
            deprecated=["bcrypt"],
            bcrypt_sha256__rounds=rounds,
            bcrypt__rounds=rounds,
        )
        # The cost that each comparison takes: that of the dearest hash known.
        self._cost = rounds
        threads = threads or count_usable_cores()
        self._lane = Lane("sign-ins", threads, longest_wait, uncounted, on_turn)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password", initializer=_lower_priority)
        self._dummy_hash: str | None = None

    async def warm_up(self, find_hash: FindHash | None = None) -> None:
        """Load the backend, and compute the hash with which the passwords for unknown accounts are compared.

        With `find_hash`, find out the cost of the dearest stored hash: after `PASSWORD_ROUNDS` was lowered, that of
        accounts which have not signed in since.
        """
        while find_hash and self._cost < MAX_COST and (dearer := await find_hash(_pattern_above(self._cost))):
            self._cost = _cost_of(dearer) or MAX_COST
        self._dummy_hash = await self.hash(secrets.token_urlsafe(24))

    async def hash(self, password: str) -> str:
        """Return the hash to store; raises `Busy`."""
        return await self.run(lambda: str(self._context.hash(prepare(password))))

    async def verify(self, password: str, stored: str | None, is_disconnected: IsDisconnected | None = None) -> Verdict:
        """Compare a password with a stored hash.

        For an account that does not exist or has no password, `stored` is None. Then the password is compared with
        another hash, so that a wrong password takes the same time. Raises `Busy`, and `Unavailable` when the client
        has disconnected.
        """
        if self._dummy_hash is None:
            await self.warm_up()
        dummy = self._dummy_hash
        assert dummy is not None

        def compare() -> Verdict:
            # A stored value that we do not support has no cost, and is compared like none.
            is_comparable = stored is not None and _cost_of(stored) is not None
            hash = stored if stored is not None and is_comparable else dummy
            # Earlier versions stored the hash of the password as it was typed.
            is_possible = len(password) <= MAX_LENGTH
            for spelling in dict.fromkeys((prepare(password), password)) if is_possible else [""]:
                if self._matches(spelling, hash) and is_possible:
                    is_good = spelling == prepare(password) and not self._context.needs_update(hash)
                    better = None if is_good or not is_comparable else str(self._context.hash(prepare(password)))
                    return Verdict(is_comparable, better)
            return Verdict(False)

        return await self.run(compare, is_disconnected)

    def _matches(self, password: str, hash: str) -> bool:
        """Compare a password with a hash; if it is wrong, take as long as for the dearest hash."""
        cost = _cost_of(hash) or self._cost
        self._cost = max(self._cost, cost)
        try:
            if self._context.verify(_significant_part(password, hash), hash):
                return True
            costs: Iterable[int] = range(cost, self._cost)
        except ValueError:  # It begins like a hash, and goes on unlike one: nothing was computed yet.
            costs = (MIN_COST, *range(MIN_COST, self._cost))
        for rest in costs:
            self._context.handler("bcrypt").using(rounds=rest).hash(b"")
        return False

    async def run(self, work: Callable[[], T], is_disconnected: IsDisconnected | None = None) -> T:
        """Return the result of `work`, done in one of the threads.

        Raises `Busy` when it would wait, or has waited, for too long, and `Unavailable` when the client has
        disconnected while its call waited; `is_disconnected` is asked for that.
        """
        async with self._lane.work():
            if is_disconnected is not None and await is_disconnected():
                raise Unavailable("The client has disconnected.")
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Stop the threads; calls that wait are cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def prepare(password: str) -> str:
    """Return a password as it is hashed, however a keyboard encodes it (RFC 8265 §4.2, OpaqueString)."""
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    return unicodedata.normalize("NFC", spaced)


def _cost_of(hash: str) -> int | None:
    """Return the bcrypt cost of a hash, or None for what is not a hash of ours."""
    found = _COST.match(hash)
    return int(found[1]) if found else None


def _pattern_above(cost: int) -> str:
    """Return a regular expression of the hashes that cost more."""
    return f"{_BEFORE_COST}0?(?:{'|'.join(map(str, range(cost + 1, MAX_COST + 1)))})\\$"


def count_usable_cores() -> int:
    """Return the number of cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _significant_part(password: str, hash: str) -> str | bytes:
    """Return the part of a password that this hash is of: all, or for plain bcrypt the first bytes."""
    return password.encode()[:BCRYPT_BYTES] if hash.startswith("$2") else password[:LONGEST_COMPARED]


def _lower_priority() -> None:
    """Lower the priority of this thread."""
    # On Linux each thread has its own niceness; elsewhere this would change the whole process.
    if os.uname().sysname == "Linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
