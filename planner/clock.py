"""The clock: the only way in which the planner learns the time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Tests give `create_app` one that they move themselves."""

    def now(self) -> datetime:
        """Return the time in UTC, to the millisecond, which is the finest that the database stores."""

    def timestamp(self) -> float:
        """Return the time in seconds since 1970; cheaper than `now`."""

    def monotonic(self) -> float:
        """Return seconds that never go back, to measure how much time has passed."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the time in UTC, to the millisecond."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def timestamp(self) -> float:
        """Return the seconds of `time.time`."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds of `time.monotonic`."""
        return time.monotonic()
