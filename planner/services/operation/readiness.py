"""Whether a planner can do its work."""

import asyncio
import contextlib
import logging

from database.errors import DRIVER_ERROR
from database.single_flight import SingleFlight
from models.shared.heartbeat import Heartbeat
from planner.clock import Clock
from planner.draining import Draining
from planner.errors import Unavailable

log = logging.getLogger("planner.database")
PROBE_SECONDS = 2.0
# An outage is over when nothing has failed for so long, which is longer than a request takes. Otherwise what began
# before its end, or while only some writes get a majority in time, would begin another one.
SETTLE_SECONDS = 8.0


class Readiness:
    """Checks whether this process can serve requests, and logs once when the database fails and when it is back.

    Anything may show that it fails, but only a write that a majority acknowledges shows that it is back: a primary
    without a majority can be read.
    """

    def __init__(self, draining: Draining, clock: Clock) -> None:
        self._draining = draining
        self._clock = clock
        # Of the present outage: when it was noticed, when something failed last, and the first write after that.
        self._failed_at: float | None = None
        self._failed_last_at = 0.0
        self._recovered_at: float | None = None
        self._checks: SingleFlight[None] = SingleFlight()

    async def check(self) -> None:
        """Return if this process can serve requests; raises `Unavailable` with the reason if it cannot.

        It can if a write is acknowledged by a majority of the replica set in time, from one of the threads that
        requests use too, and if it is not about to stop. Checks at the same moment share one write.
        """
        if self._draining.has_begun:
            raise Unavailable("The planner is shutting down.")
        await self._checks.run("write", self._write)

    async def _write(self) -> None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await Heartbeat.beat(self._clock.now())
        except (DRIVER_ERROR, TimeoutError) as error:
            self.note_failure(error)
            raise Unavailable("The database does not accept writes.") from None
        self._note_success()

    async def check_recovery(self) -> None:
        """Find out whether the database is back, if it had failed; for those who have just used it with success."""
        if self._failed_at is not None:
            with contextlib.suppress(Unavailable):
                await self._checks.run("write", self._write)

    def note_failure(self, error: BaseException) -> None:
        """Log that the database does not do its work, unless that was logged already."""
        self._failed_last_at = self._clock.monotonic()
        self._recovered_at = None
        if self._failed_at is None:
            self._failed_at = self._failed_last_at
            log.warning("the database is unavailable: %s", type(error).__name__)

    def _note_success(self) -> None:
        if self._failed_at is None:
            return
        now = self._clock.monotonic()
        if self._recovered_at is None:
            self._recovered_at = now
        if now - self._failed_last_at >= SETTLE_SECONDS:
            log.warning("the database is available again, after %.0f s", self._recovered_at - self._failed_at)
            self._failed_at = self._recovered_at = None
