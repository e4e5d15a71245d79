"""Admission: how many requests a process answers at the same time, so that nobody waits long for an answer."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from planner.telemetry.metrics import Metrics

log = logging.getLogger("planner.http")
# Requests that are answered together must not take longer. If even the fastest one of an interval did, fewer are
# accepted from then on; if not, more again.
SECONDS = 0.3
INTERVAL_SECONDS = 0.1
DECREASE = 0.8
INCREASES = 16
# So many are always accepted.
LEAST = 64
LOG_SECONDS = 60.0
# Whether the request of this task was ever uncounted.
_was_uncounted: ContextVar[bool] = ContextVar("was_uncounted", default=False)


class Admission:
    """Decides whether one more request is accepted; at most `most` are answered at the same time.

    A request is `uncounted` while it waits and works in a lane, such as that of searches, which has a bound of its own.
    Neither does a request count that is `incomplete`: whose body has not arrived.
    """

    def __init__(self, most: int, metrics: Metrics, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self.limit = most
        self._metrics = metrics
        self._now = now
        self._uncounted = 0
        self.incomplete = 0
        # How many requests counted when the last one arrived.
        self._counted = 0
        self._interval_ends = 0.0
        self._fastest = 0.0
        self._logged_at = float("-inf")

    def has_room(self, running: int) -> bool:
        """Return whether one more request is accepted while so many are running."""
        self._counted = running - self._uncounted - self.incomplete
        return self._counted < self.limit

    def note_refusal(self) -> None:
        """Count a request that is refused."""
        self._metrics.count_refusal("requests")
        if self._now() - self._logged_at >= LOG_SECONDS:
            self._logged_at = self._now()
            log.warning("some requests are refused, because %d are being answered (MAX_REQUESTS)", self._counted)

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Do not count the request of this task while the block runs."""
        _was_uncounted.set(True)
        self._uncounted += 1
        try:
            yield
        finally:
            self._uncounted -= 1

    def note_answer(self, seconds: float) -> None:
        """Adapt the limit to how long the request of this task took."""
        if _was_uncounted.get():
            return
        now = self._now()
        if now < self._interval_ends:
            self._fastest = min(self._fastest, seconds)
            return
        if self._fastest > SECONDS:
            # Those that are running take too long already, however many more were allowed.
            self.limit = max(int(min(self.limit, self._counted) * DECREASE), min(LEAST, self._most))
        elif self.limit < self._most:
            self.limit = min(self.limit + self._most // INCREASES + 1, self._most)
        self._interval_ends, self._fastest = now + INTERVAL_SECONDS, seconds
