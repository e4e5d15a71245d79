"""Waiting until a condition becomes true, with a deadline that fails the test and never makes it pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_SECONDS = 60.0  # Only a broken product waits that long, so it may be generous on a busy machine.
PAUSE_SECONDS = 0.01


def wait_until(condition: Callable[[], T], seconds: float = DEADLINE_SECONDS) -> T:
    """Return the first true value of `condition`. Raises AssertionError when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"the condition did not become true within {seconds:g} s"
        time.sleep(PAUSE_SECONDS)
    return value


async def wait_until_async(condition: Callable[[], T | Awaitable[T]], seconds: float = DEADLINE_SECONDS) -> T:
    """Return the first true value of `condition`, which may be a coroutine function; other tasks run meanwhile.

    Raises AssertionError when there is none within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"the condition did not become true within {seconds:g} s"
        await asyncio.sleep(PAUSE_SECONDS)
