"""Whether a planner can do its work."""

import asyncio
import logging

from database.errors import DRIVER_ERROR
from database.single_flight import SingleFlight
from models.shared.heartbeat import Heartbeat
from planner.clock import Clock
from planner.draining import Draining
from planner.errors import Unavailable

log = logging.getLogger("planner.database")
PROBE_SECONDS = 2.0


class Readiness:
    """Checks whether this process can serve requests, and logs once when the database fails and when it is back."""

    def __init__(self, draining: Draining, clock: Clock) -> None:
        self._draining = draining
        self._clock = clock
        self._failed_at: float | None = None
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
        self.note_success()

    def note_failure(self, error: BaseException) -> None:
        """Log that the database does not do its work, unless that was logged already."""
        if self._failed_at is None:
            self._failed_at = self._clock.monotonic()
            log.warning("the database is unavailable: %s", type(error).__name__)

    def note_success(self) -> None:
        """Log that the database does its work again, if it had failed."""
        if self._failed_at is not None:
            log.warning("the database is available again, after %.0f s", self._clock.monotonic() - self._failed_at)
            self._failed_at = None
