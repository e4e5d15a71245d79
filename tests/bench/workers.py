"""What two workers answer beside one. Both, MongoDB and the load share all cores."""

from pathlib import Path

from tests.bench import cores
from tests.bench.load import drive
from tests.bench.measures import Compared
from tests.bench.sides import CONNECTIONS, PlannerSide
from tests.support.processes import family_of
from tests.support.servers import RunningServer


async def workers(planner: PlannerSide, folder: Path, rounds: int, seconds: float) -> Compared:
    """Reads of one event by clients that keep both workers busy; what bounds two workers is what one answers."""
    result = Compared()
    with planner.beside(folder / "one", 1) as one, planner.beside(folder / "two", 2) as two:
        for _ in range(rounds):
            for server, loads in ((one, result.bound), (two, result.planner)):
                before = _processor_seconds(server)
                load = await drive(server.port, [[planner.get]] * (2 * CONNECTIONS), seconds=seconds)
                load.processor = _processor_seconds(server) - before
                loads.append(load)
    return result


def _processor_seconds(server: RunningServer) -> float:
    assert server.process is not None
    return sum(map(cores.processor_seconds, family_of(server.process.pid)))
