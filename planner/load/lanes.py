"""Lanes: bounds of the slow kinds of work, so that each takes no more than its share from everything else."""

import asyncio
import math
import random
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from planner.errors import Busy

T = TypeVar("T")
# How much the last piece of work counts in the time that it usually takes; all before it count for the rest.
WEIGHT_OF_LAST = 0.2
# So many may wait in a lane, however short their work is.
MOST_WAITING = 256
# An account of which more waits rests after each piece of work, for this part of the time that the piece took.
REST = 1.0
Uncounted = Callable[[], AbstractContextManager[None]]


def do_nothing() -> None:
    """Do nothing, where nothing is to be done when a piece of work has its turn."""


class Lane:
    """Does at most `slots` pieces of work of one kind at the same time; others wait for their turn.

    Of one account, at most `slots` less one are done at the same time, and accounts take turns: those who wait behind
    an account that asks for much wait only for one piece of its work. Such an account rests after each piece, and so
    leaves a part of the processor to whatever else is asked. Work that would wait longer than `longest_wait`, in
    seconds, is refused at once; how long it would wait follows from what is before it, and how long the last pieces of
    work took. `kind` says in the plural what the work is. `uncounted` is the context in which a request waits and
    works, and `on_turn` is called between the two.
    """

    def __init__(
        self,
        kind: str,
        slots: int,
        longest_wait: float = 5.0,
        uncounted: Uncounted = nullcontext,
        on_turn: Callable[[], None] = do_nothing,
    ) -> None:
        self._kind = kind
        self._slots = slots
        self._longest_wait = longest_wait
        self._uncounted = uncounted
        self._on_turn = on_turn
        self._running: Counter[Hashable] = Counter()
        # By account, the futures of those who wait; the account whose turn is next comes first.
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        # Accounts that rest.
        self._resting: set[Hashable] = set()
        self._usual_seconds = 0.0

    @asynccontextmanager
    async def work(self, account: Hashable = None) -> AsyncIterator[None]:
        """Wait for a slot, and keep it while the block runs; raises `Busy`. Without an account, nobody shares."""
        self._require_short_wait(account)
        with self._uncounted():
            async with self._turn(account):
                yield

    async def iterate(self, parts: AsyncIterator[T], account: Hashable = None) -> AsyncGenerator[T, None]:
        """Yield the parts, each of which is made in a slot; raises `Busy` before the first one only.

        The slot is free while a client reads a part.
        """
        self._require_short_wait(account)
        with self._uncounted():
            async with self._turn(account):
                part = await anext(parts, _END)
            while not isinstance(part, _End):
                yield part
                await self._take_slot(account)
                with self._keep_slot(account):
                    part = await anext(parts, _END)

    def _require_short_wait(self, account: Hashable) -> None:
        wait = self._estimate_wait(account)
        if wait > self._longest_wait or self._count_waiting() >= MOST_WAITING:
            raise self._refuse(wait)

    @asynccontextmanager
    async def _turn(self, account: Hashable) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._longest_wait):
                await self._take_slot(account)
        except TimeoutError:
            raise self._refuse(self._estimate_wait(account)) from None
        with self._keep_slot(account):
            self._on_turn()
            yield

    @contextmanager
    def _keep_slot(self, account: Hashable) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - begun
            before = self._usual_seconds or took
            self._usual_seconds = before + (took - before) * WEIGHT_OF_LAST
            if account is not None and account in self._waiting:
                self._resting.add(account)
                asyncio.get_running_loop().call_later(took * REST, self._end_rest, account)
            self._release(account)

    def _limit_of(self, account: Hashable) -> int:
        return self._slots if account is None else max(self._slots - 1, 1)

    def _count_waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _estimate_wait(self, account: Hashable) -> float:
        """Return how many seconds one more piece of work of this account would wait."""
        own_waiting, limit = len(self._waiting.get(account, ())), self._limit_of(account)
        own_before = self._running[account] + own_waiting - limit + 1
        # Each other account has one turn before each of this one's.
        others = sum(min(len(queue), own_waiting + 1) for other, queue in self._waiting.items() if other != account)
        before = self._running.total() + own_waiting + others - self._slots + 1
        rest = 0.0 if account is None else REST
        return max(own_before / limit * (1 + rest), before / self._slots, 0) * self._usual_seconds

    def _refuse(self, wait: float) -> Busy:
        # Up to twice as long: those who are refused at the same time must not come back at the same time.
        retry_after = math.ceil(max(wait, 1) * random.uniform(1, 2))  # noqa: S311 - nothing depends on its secrecy
        return Busy(f"Too many {self._kind} are waiting for their turn. Try again in {retry_after} s.", retry_after)

    async def _take_slot(self, account: Hashable) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append(future)
        self._give_slots()
        try:
            await future
        except BaseException:
            if future.done() and not future.cancelled():
                self._release(account)
            else:
                self._leave(account, future)
            raise

    def _leave(self, account: Hashable, future: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(account, deque())
        if future in queue:
            queue.remove(future)
            if not queue:
                del self._waiting[account]

    def _release(self, account: Hashable) -> None:
        self._running[account] -= 1
        if not self._running[account]:
            del self._running[account]
        self._give_slots()

    def _end_rest(self, account: Hashable) -> None:
        self._resting.discard(account)
        self._give_slots()

    def _give_slots(self) -> None:
        """Give the slots that are free to those whose turn it is."""
        while self._running.total() < self._slots:
            ready = [
                account
                for account in self._waiting
                if account not in self._resting and self._running[account] < self._limit_of(account)
            ]
            if not ready:
                return
            account = ready[0]
            queue = self._waiting.pop(account)
            future = queue.popleft()
            if queue:
                # Its next turn comes after those of all others.
                self._waiting[account] = queue
            if not future.cancelled():
                self._running[account] += 1
                future.set_result(None)


class _End:
    """What stands for the end of an iterator."""


_END = _End()


@dataclass(frozen=True)
class Lanes:
    """The lanes of a process."""

    searches: Lane
    occurrences: Lane
    exports: Lane
    imports: Lane
