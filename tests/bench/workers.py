"""What two workers answer beside one. Both, MongoDB and the load share all cores."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import cores
from tests.bench.load import LoadResult, drive
from tests.bench.sides import CONNECTIONS, PlannerSide
from tests.support.processes import family_of
from tests.support.servers import RunningServer


@dataclass
class Workers:
    """Reads of one event, answered by one worker and by two, round by round."""

    one: list[LoadResult] = field(default_factory=list)
    two: list[LoadResult] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [both.rate / single.rate for single, both in zip(self.one, self.two, strict=True)]


async def workers(planner: PlannerSide, folder: Path, rounds: int, seconds: float) -> Workers:
    """Reads by clients that keep both workers busy."""
    result = Workers()
    with planner.beside(folder / "one", 1) as one, planner.beside(folder / "two", 2) as two:
        for _ in range(rounds):
            for server, loads in ((one, result.one), (two, result.two)):
                before = _processor_seconds(server)
                load = await drive(server.port, [[planner.get]] * (2 * CONNECTIONS), seconds=seconds)
                load.processor = _processor_seconds(server) - before
                loads.append(load)
    return result


def _processor_seconds(server: RunningServer) -> float:
    assert server.process is not None
    return sum(map(cores.processor_seconds, family_of(server.process.pid)))
