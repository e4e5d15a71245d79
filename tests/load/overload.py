"""Twice as many requests as can be answered."""

from dataclasses import dataclass

from tests.bench.load import drive
from tests.bench.sides import BODY
from tests.load.clients import Answers, SteadyLoad
from tests.load.setting import READERS, LoadedPlanner

CLOSED, OPEN = 64, 1_500
SECONDS = 6.0


@dataclass
class Overload:
    """The answers a second of clients that wait for each answer, and those to twice as many requests."""

    name: str
    peak: float
    offered: float
    answers: Answers
    unsent: int

    def __str__(self) -> str:
        accepted = len(self.answers.with_status("2")) / SECONDS
        return (
            f"overload, {self.name}: {self.peak:,.0f} answers/s at the peak; of {self.offered:,.0f} requests/s "
            f"{accepted:,.0f} were accepted and answered: ratio {accepted / self.peak:.2f}; "
            f"p50 {self.answers.quantile(0.5, '2') * 1000:.0f}, p99 {self.answers.quantile(0.99, '2') * 1000:.0f} ms\n"
            f"  {self.answers.count()}, refused with p99 {self.answers.quantile(0.99, '503') * 1000:.0f} ms; "
            f"{self.unsent} found no free connection"
        )


async def measure_reads(planner: LoadedPlanner) -> Overload:
    """Offer twice as many reads as are answered at the peak."""
    return await _measure("reads", planner, [planner.get])


async def measure_mixed(planner: LoadedPlanner) -> Overload:
    """Offer twice as many reads and creates, one in four, as are answered at the peak."""
    requests = []
    for reader in range(READERS):
        requests += [planner.get, planner.get, planner.get, planner.ask("POST", "/events", BODY, reader)]
    return await _measure("reads and creates", planner, requests)


async def _measure(name: str, planner: LoadedPlanner, requests: list[bytes]) -> Overload:
    turns = [requests[n % len(requests) :] + requests[: n % len(requests)] for n in range(CLOSED)]
    await drive(planner.port, turns, seconds=2)
    peak = (await drive(planner.port, turns, seconds=SECONDS)).rate
    load = SteadyLoad(planner.port, OPEN)
    answers = await load.send(requests, 2 * peak, SECONDS)
    return Overload(name, peak, 2 * peak, answers, load.unsent)
