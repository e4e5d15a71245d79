"""Work counted in executed lines of Python, which depends neither on the machine nor on what else runs there."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def counting_lines() -> Iterator[Callable[[], int]]:
    """Count the lines of Python that this thread executes while the block runs; yields a function that returns them.

    Functions that run already are counted from when they call or await something.
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if event == "line":
            count += 1
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: count
    finally:
        sys.settrace(previous)


def count_lines(work: Callable[[], object]) -> int:
    """Run `work` and return how many lines of Python it executed, in all functions that it called."""
    with counting_lines() as lines:
        work()
    return lines()
