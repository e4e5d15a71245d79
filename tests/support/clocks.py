"""A clock that the tests move."""

import time
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI

from planner.clock import SystemClock


class MovableClock:
    """The system's time plus the steps by which it was moved; once frozen, it changes only when it is moved."""

    def __init__(self, start: datetime | None = None) -> None:
        self._system = SystemClock()
        self._frozen = start
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._system.now() + self._ahead if self._frozen is None else self._frozen

    def timestamp(self) -> float:
        return self.now().timestamp()

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead.total_seconds() if self._frozen is None else self._frozen.timestamp()

    def freeze(self) -> None:
        self._frozen = self.now()

    def move_to(self, timestamp: float) -> None:
        self._frozen = datetime.fromtimestamp(timestamp, UTC)

    def move(self, step: timedelta) -> None:
        if self._frozen is None:
            self._ahead += step
        else:
            self._frozen += step


def clock_of(app: FastAPI) -> MovableClock:
    """Return the clock of an application that was made by the fixture `app`."""
    clock: MovableClock = app.state.clock
    return clock


def freeze_clock(app: FastAPI) -> MovableClock:
    """Freeze the clock of an application that was made by the fixture `app`, and return it."""
    clock = clock_of(app)
    clock.freeze()
    return clock
