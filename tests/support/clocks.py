"""A clock that the tests move, in place of the time."""

from datetime import datetime, timedelta

from fastapi import FastAPI

from planner.clock import utc_now


class Clock:
    """Stands still until it is moved. It begins with the true time, and never goes back."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def move(self, step: timedelta) -> None:
        assert step >= timedelta(0)
        self.now += step


def install_clock(app: FastAPI) -> Clock:
    """The clock that everything in the application goes by from now on."""
    clock, state = Clock(), app.state
    parts = list(state._state.values())
    for part in [*parts, *(vars(part).get("_limiter") for part in parts if hasattr(part, "__dict__"))]:
        if hasattr(part, "_clock"):
            part._clock = clock
    state.signer._clock = clock.seconds
    state.identities._monotonic = clock.seconds
    return clock


class OffsetClock:
    """The real time, and as much later as it was advanced."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self._ahead

    def advance(self, **step: float) -> None:
        self._ahead += timedelta(**step)


def set_clock(app: FastAPI, clock: OffsetClock) -> None:
    """Have every service of an application read this clock."""
    for service in vars(app.state)["_state"].values():
        # Access tokens are judged by a clock of another kind, in seconds.
        if hasattr(service, "_clock") and isinstance(service._clock(), datetime):
            service._clock = clock
