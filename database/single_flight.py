"""Calls that are made at the same moment share one execution."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Executes an operation once for all callers that ask for it before it starts.

    An operation starts in the next turn of the event loop, so that requests that arrive together
    share it. Every result was therefore computed after its caller asked for it, unless
    `join_running` lets callers also share one that has started already. With `one_at_a_time`, an
    operation waits until the one before it with the same key has ended.
    """

    def __init__(self, *, join_running: bool = False, one_at_a_time: bool = False) -> None:
        self._join_running = join_running
        self._one_at_a_time = one_at_a_time
        self._waiting: dict[Hashable, asyncio.Task[T]] = {}
        self._running: dict[Hashable, asyncio.Task[T]] = {}

    async def run(self, key: Hashable, operation: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `operation`, or of another caller's with the same key; raises what it raises."""
        task = self._waiting.get(key)
        if task is None and self._join_running:
            task = self._running.get(key)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._execute(key, operation))
            task.add_done_callback(_retrieve_error)
        # Shielded: a caller that is cancelled must not cancel the others.
        return await asyncio.shield(task)

    async def _execute(self, key: Hashable, operation: Callable[[], Awaitable[T]]) -> T:
        while self._one_at_a_time and (running := self._running.get(key)) is not None:
            await asyncio.wait([running])
        task = self._running[key] = self._waiting.pop(key)
        try:
            return await operation()
        finally:
            if self._running.get(key) is task:
                del self._running[key]


def _retrieve_error(task: "asyncio.Task[T]") -> None:
    # Otherwise asyncio reports an error that every caller has been cancelled before seeing.
    if not task.cancelled():
        task.exception()
