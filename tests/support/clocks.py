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


def wind(app: FastAPI) -> Clock:
    """The clock that everything in the application goes by from now on."""
    clock, state = Clock(), app.state
    parts = list(state._state.values())
    for part in [*parts, *(vars(part).get("_limiter") for part in parts if hasattr(part, "__dict__"))]:
        if hasattr(part, "_clock"):
            part._clock = clock
    state.signer._clock = clock.seconds
    state.identities._monotonic = clock.seconds
    return clock
