"""Waiting until a condition becomes true, and deadlines: each can only fail a test, and never makes one pass."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, overload

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


@overload
async def wait_until_async(condition: Callable[[], Awaitable[T]], seconds: float = DEADLINE_SECONDS) -> T: ...


@overload
async def wait_until_async(condition: Callable[[], T], seconds: float = DEADLINE_SECONDS) -> T: ...


async def wait_until_async(condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> Any:
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


async def wait_until_true_after(moment: float, seconds: float, condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask until `condition` is true. Raises AssertionError when one asked `seconds` after `moment` is still false.

    `moment` is a time of `time.monotonic`. A busy machine cannot make it fail, for it only asks later.
    """
    while True:
        asked = time.monotonic()
        if await condition():
            return
        assert asked - moment < seconds, f"the condition is not true {seconds:g} s after the moment"


@contextmanager
def must_finish(seconds: float = DEADLINE_SECONDS) -> Iterator[None]:
    """Raise AssertionError in the main thread when the block has not ended within `seconds`.

    It is for work that ends at once or practically never, such as what would take a number of steps that grows
    with the square of a very long input.
    """

    def fail(*_: object) -> None:
        raise AssertionError(f"the work did not end within {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
