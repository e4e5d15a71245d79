"""Doing again what has failed: a write that another request was faster with, and queued work after a pause."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from planner.errors import PlannerError

T = TypeVar("T")
# Each lost attempt means that another request has succeeded.
ATTEMPTS = 20


async def retry(
    attempt: Callable[[], Awaitable[T | None]],
    *,
    exhausted: PlannerError,
    attempts: int = ATTEMPTS,
) -> T:
    """Return the first result of `attempt` that is not None, which means that another request was faster.

    Raises `exhausted` when every attempt was lost, and whatever `attempt` raises.
    """
    for _ in range(attempts):
        if (result := await attempt()) is not None:
            return result
    raise exhausted


def compute_pause(attempts: int, first: timedelta, longest: timedelta) -> timedelta:
    """Return the pause before queued work is tried again that has failed `attempts` times.

    It is `first` after one failure and twice as long after each more, but at most `longest`.
    """
    return min(first * (1 << min(attempts - 1, 16)), longest)
