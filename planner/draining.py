"""Draining: what a planner does between the signal to stop and its end.

It says that it is not ready, so that a load balancer sends new clients elsewhere, and it closes each connection
with the next response, so that no client sends a request into a connection that is about to end.
"""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType


class Draining:
    """Whether this process is about to stop; it goes on serving for so many seconds after SIGTERM."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.has_begun = False

    def begin_on_sigterm(self, stop_background_work: Callable[[], object]) -> None:
        """Delay what SIGTERM does now, such as stopping the server; nothing is changed where it has its default effect.

        `stop_background_work` is called at once, so that other planners take it over. A second SIGTERM is not delayed.
        Call it in the main thread, in a running event loop.
        """
        stop = signal.getsignal(signal.SIGTERM)
        if not callable(stop) or not self._seconds:
            return
        loop = asyncio.get_running_loop()

        def begin(number: int, frame: FrameType | None) -> None:
            if self.has_begun:
                stop(number, frame)
                return
            self.has_begun = True
            loop.call_soon_threadsafe(stop_background_work)
            loop.call_soon_threadsafe(loop.call_later, self._seconds, stop, number, None)

        signal.signal(signal.SIGTERM, begin)
