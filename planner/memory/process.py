"""How a process deals with its memory: settings of Python and of the C library."""

import ctypes
import gc
import sys
from typing import TypeVar

T = TypeVar("T")
# The parameter of mallopt(3) for the number of arenas, and how many there are.
_M_ARENA_MAX = -8
MAX_ARENAS = 2


def freeze_gc(app: T) -> T:
    """Exclude everything that exists by now from garbage collection, and return the application.

    Each full collection would scan all of it again, and no request is served meanwhile.
    """
    gc.collect()
    gc.freeze()
    return app


def limit_arenas() -> None:
    """Let all threads take memory from the same few arenas; call this before there are threads.

    By default glibc gives each thread an arena of its own, and memory that is free in one of them is lost to the
    others. Python's threads run one at a time and do not need that. Other C libraries have no such parameter.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, MAX_ARENAS)
