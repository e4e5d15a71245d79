"""2,000 new connections at once."""

import asyncio
from typing import NamedTuple

from tests.bench.load import LoadResult, drive
from tests.load.clients import Answers, ask_all, asking_in_background
from tests.load.setting import HEALTH, LoadedPlanner

NEW, BUSY = 2_000, 64
SECONDS = 12.0


class NewConnections(NamedTuple):
    """What became of the new connections, of new ones that ask for `/healthz` meanwhile, and of the busy ones."""

    new: Answers
    health: Answers
    busy: LoadResult

    def __str__(self) -> str:
        return (
            f"connections: {len(self.new.all):,} new ones beside {BUSY} busy ones: {self.new.count()}, "
            f"the last after {self.new.quantile(1):.2f} s\n"
            f"  /healthz on a new connection: {self.health.count()}, the slowest {self.health.quantile(1):.2f} s\n"
            f"  the busy ones: {len(self.busy.taken)} answers, refused {self.busy.bad}, "
            f"p99 {self.busy.quantile(0.99):.0f} ms"
        )


async def measure(planner: LoadedPlanner, number: int = NEW) -> NewConnections:
    """Connect all at once, beside connections that read all the time."""
    busy = LoadResult()
    driven = asyncio.create_task(drive(planner.port, [[planner.get]] * BUSY, seconds=SECONDS + 2, result=busy))
    await asyncio.sleep(1)
    with asking_in_background(planner.port, HEALTH, 0.05) as health:
        await asyncio.sleep(1)
        new = await ask_all(planner.port, [planner.get] * number, patience=SECONDS)
    await driven
    return NewConnections(new, health, busy)
