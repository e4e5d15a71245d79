"""Twice as many requests as can be answered."""

import asyncio
import json
import re
from dataclasses import dataclass

from tests.bench.load import drive
from tests.bench.sides import BODY, EVENT
from tests.load.clients import Answers, SteadyLoad, ask_once
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
    # The microseconds of processor time of the server, for each answer at the peak and each request of the overload.
    processor_at_peak: float
    processor_beyond: float

    def __str__(self) -> str:
        accepted = len(self.answers.with_status("2")) / SECONDS
        return (
            f"overload, {self.name}: {self.peak:,.0f} answers/s at the peak; of {self.offered:,.0f} requests/s "
            f"{accepted:,.0f} were accepted and answered: ratio {accepted / self.peak:.2f}; "
            f"p50 {self.answers.quantile(0.5, '2') * 1000:.0f}, p99 {self.answers.quantile(0.99, '2') * 1000:.0f} ms\n"
            f"  {self.answers.count()}, refused with p99 {self.answers.quantile(0.99, '503') * 1000:.0f} ms; "
            f"{self.unsent} found no free connection\n"
            f"  processor time of the server: {self.processor_at_peak:.0f} µs for an answer at the peak, "
            f"{self.processor_beyond:.0f} µs for a request beyond it"
        )


async def measure_reads(planner: LoadedPlanner) -> Overload:
    """Offer twice as many pages of fifty events as are answered at the peak."""
    dated = json.dumps(EVENT | {"start": "2026-11-15T10:00:00Z"}).encode()
    await asyncio.gather(*(ask_once(planner.port, planner.ask("POST", "/events", dated)) for _ in range(50)))
    # From different times, so that no two requests share a query: else more would be shared at the peak, when 64
    # clients ask at the same moment, than of the requests of 1,500.
    times = (f"2020-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(OPEN))
    requests = [planner.ask("GET", f"/events?limit=50&from={time}") for time in times]
    return await _measure("pages of events", planner, requests)


async def measure_mixed(planner: LoadedPlanner) -> Overload:
    """Offer twice as many reads and creates, one in four, as are answered at the peak."""
    created = await asyncio.gather(*(ask_once(planner.port, planner.ask("POST", "/events", BODY)) for _ in range(60)))
    places = [re.search(rb"/api/v1(/events/[0-9a-f]+)", answer.head) for answer in created]
    reads = [planner.ask("GET", found[1].decode()) for found in places if found]
    requests = []
    for n in range(0, len(reads), 3):
        requests += [*reads[n : n + 3], planner.ask("POST", "/events", BODY, n // 3 % READERS)]
    return await _measure("reads and creates", planner, requests)


async def _measure(name: str, planner: LoadedPlanner, requests: list[bytes]) -> Overload:
    turns = [requests[n % len(requests) :] + requests[: n % len(requests)] for n in range(CLOSED)]
    await drive(planner.port, turns, seconds=2)
    before = planner.processor_seconds()
    peak = await drive(planner.port, turns, seconds=SECONDS)
    between = planner.processor_seconds()
    load = SteadyLoad(planner.port, OPEN)
    answers = await load.send(requests, 2 * peak.rate, SECONDS)
    after = planner.processor_seconds()
    at_peak = (between - before) / max(len(peak.taken), 1) * 1e6
    beyond = (after - between) / max(len(answers.all), 1) * 1e6
    return Overload(name, peak.rate, 2 * peak.rate, answers, load.unsent, at_peak, beyond)
