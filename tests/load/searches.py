"""24 clients that search, beside others who read and create."""

import asyncio
from dataclasses import dataclass

from tests.bench.load import LoadResult, drive
from tests.bench.sides import BODY
from tests.load.setting import LoadedPlanner

EVENTS = 40_000
SEARCHING, READING, CREATING = 24, 4, 2
SECONDS = 6.0


@dataclass
class Searches:
    """What others see without and beside the searches of one account, and what comes of the searches."""

    alone: tuple[LoadResult, LoadResult]
    beside: tuple[LoadResult, LoadResult]
    searches: LoadResult

    def __str__(self) -> str:
        lines = [
            f"searches: {SEARCHING} clients of one account search in {EVENTS:,} public events that all match: "
            f"{self.searches.rate:.1f} answers/s, "
            f"p99 {self.searches.quantile(0.99):,.0f} ms, refused {self.searches.bad}"
        ]
        for name, alone, beside in zip(("get", "create"), self.alone, self.beside, strict=True):
            ratio = beside.quantile(0.99) / alone.quantile(0.99)
            lines.append(
                f"  {name}: p50 {alone.quantile(0.5):.1f}, p99 {alone.quantile(0.99):.1f} ms alone; "
                f"p50 {beside.quantile(0.5):.1f}, p99 {beside.quantile(0.99):.1f} ms beside them: ratio {ratio:.1f}; "
                f"not answered {beside.bad}"
            )
        return "\n".join(lines)


async def measure(planner: LoadedPlanner) -> Searches:
    """Read and create alone, and then beside the searches."""
    alone = await _read_and_create(planner)
    searches = LoadResult()
    search = planner.ask("GET", "/events?scope=public&q=rowing%20harbour")
    searching = asyncio.create_task(drive(planner.port, [[search]] * SEARCHING, seconds=SECONDS + 2, result=searches))
    await asyncio.sleep(1)
    beside = await _read_and_create(planner)
    await searching
    return Searches(alone, beside, searches)


async def _read_and_create(planner: LoadedPlanner) -> tuple[LoadResult, LoadResult]:
    creates = [[planner.ask("POST", "/events", BODY, reader + 1)] for reader in range(CREATING)]
    read, created = await asyncio.gather(
        drive(planner.port, [[planner.get]] * READING, seconds=SECONDS),
        drive(planner.port, creates, seconds=SECONDS),
    )
    return read, created
