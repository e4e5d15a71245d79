"""What is measured. Rounds are interleaved and in random order, so that a noisy moment hits both servers alike."""

import asyncio
import http.client
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from pymongo import MongoClient

from tests.bench import cores, people
from tests.bench.load import LoadResult, drive
from tests.bench.sides import CONNECTIONS, DATABASE, EVENT, SIGN_INS, Api, FloorSide, PlannerSide, Side, creations
from tests.support.servers import RunningServer

# What each connection asks of a side in turn.
Clients = Callable[[Side], Sequence[list[bytes]]]
WARM_SECONDS = 0.3
READERS = 2
AHEAD_SECONDS = 0.5  # by when the crowd is in and every password thread has work
FEW, MANY, PAIRS = 10, 10_000, 200
STARTS = 3
READS = 1000
ACCOUNTS = ("users", "sessions", "personal_tokens")  # where it may be looked up who is calling
NEVER = {"queries": {"count": 0}}
# How many passwords a core can check in a second is what bounds the sign-ins on it.
HASHES = """
import bcrypt, time
known = bcrypt.hashpw(b"x", bcrypt.gensalt(12))
begun = time.perf_counter()
for _ in range(5):
    bcrypt.checkpw(b"x", known)
print(5 / (time.perf_counter() - begun))
"""


@dataclass
class Compared:
    """The same operation on the planner and on what bounds it, round by round."""

    planner: list[LoadResult] = field(default_factory=list)
    bound: list[LoadResult] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Planner to bound within each round: what disturbed a whole round cancels out."""
        return [ours.rate / theirs.rate for ours, theirs in zip(self.planner, self.bound, strict=True)]


@dataclass
class SignIns:
    """Sign-ins a second, beside the hashes a second that one core can do."""

    planner: list[LoadResult] = field(default_factory=list)
    hashes: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [result.rate / bound for result, bound in zip(self.planner, self.hashes, strict=True)]


async def compared(
    planner: PlannerSide,
    floor: FloorSide,
    clients: Clients,
    rounds: int,
    seconds: float,
) -> Compared:
    """One operation on both servers."""
    result = Compared()
    sides: list[tuple[Side, list[LoadResult]]] = [(planner, result.planner), (floor, result.bound)]
    for side, _ in sides:
        await drive(side.port, clients(side), seconds=WARM_SECONDS)
    for _ in range(rounds):
        random.shuffle(sides)
        for side, loads in sides:
            before = cores.processor_seconds(side.pid)
            load = await drive(side.port, clients(side), seconds=seconds)
            load.processor = cores.processor_seconds(side.pid) - before
            loads.append(load)
    return result


def getting(side: Side) -> list[list[bytes]]:
    return [[side.get]] * CONNECTIONS


def listing(side: Side) -> list[list[bytes]]:
    return [[side.page]] * CONNECTIONS


def creating(side: Side) -> list[list[bytes]]:
    return side.create


def reading_any(planner: PlannerSide, floor: FloorSide, mongo: str) -> Clients:
    """Store events of all authors on both sides; returns the requests for one of them at random."""
    asked: dict[Side, list[list[bytes]]] = {
        planner: people.ask_any("/api/v1/events", planner.tokens, people.seed_planner(mongo, planner.authors)),
        floor: people.ask_any("/events", floor.tokens, people.seed_floor(mongo, floor.authors)),
    }
    return lambda side: asked[side]


def reading_own(side: Side) -> list[list[bytes]]:
    """Return the requests of each author for a page of their own events, which `reading_any` has stored."""
    path = "/api/v1/events?limit=50" if isinstance(side, PlannerSide) else "/events"
    return people.ask_own(path, side.tokens)


@dataclass
class DayTimes:
    """A day's mix, and the sign-ins a second of one more client meanwhile."""

    mix: list[LoadResult] = field(default_factory=list)
    sign_ins: list[float] = field(default_factory=list)


async def day(planner: PlannerSide, mongo: str, rounds: int, seconds: float) -> DayTimes:
    """The mix of a day for all authors, while one client signs in all the time."""
    # Each connection goes on in the next round where it was, or it would delete an event that it has not restored.
    result, asked = DayTimes(), [cycle(requests) for requests in people.Day(planner, mongo).clients()]
    await drive(planner.port, asked, seconds=WARM_SECONDS)
    for _ in range(rounds):
        answered = LoadResult()
        guest = asyncio.create_task(drive(planner.port, [[planner.sign_in]], seconds=seconds, result=answered))
        before = cores.processor_seconds(planner.pid)
        load = await drive(planner.port, asked, seconds=seconds)
        load.processor = cores.processor_seconds(planner.pid) - before
        result.mix.append(load)
        await guest
        result.sign_ins.append(len(answered.taken) / seconds)
    return result


async def sign_ins(planner: PlannerSide, rounds: int, seconds: float) -> SignIns:
    """Clients who do nothing but sign in."""
    result = SignIns()
    await drive(planner.port, [[planner.sign_in]], count=1)
    for _ in range(rounds):
        result.hashes.append(_hashes_a_second())
        result.planner.append(await drive(planner.port, [[planner.sign_in]] * SIGN_INS, seconds=seconds))
    return result


def _hashes_a_second() -> float:
    with cores.starting_on(cores.SERVER):
        said = subprocess.run([sys.executable, "-c", HASHES], capture_output=True, check=True)
    return float(said.stdout)


@dataclass
class Storm:
    """Reads while others sign in, beside the same reads alone; and the sign-ins a second meanwhile."""

    reads: Compared = field(default_factory=Compared)
    sign_ins: list[float] = field(default_factory=list)


async def storm(planner: PlannerSide, rounds: int, seconds: float) -> Storm:
    """Two readers, with a crowd that signs in and without."""
    result = Storm()
    readers = [[planner.get]] * READERS
    for _ in range(rounds):
        result.reads.bound.append(await drive(planner.port, readers, seconds=seconds))
        answered = LoadResult()
        crowd = asyncio.create_task(
            drive(planner.port, [[planner.sign_in]] * SIGN_INS, seconds=seconds + AHEAD_SECONDS, result=answered)
        )
        await asyncio.sleep(AHEAD_SECONDS)
        before = len(answered.taken)
        result.reads.planner.append(await drive(planner.port, readers, seconds=seconds))
        result.sign_ins.append((len(answered.taken) - before) / seconds)
        await crowd
    return result


@dataclass
class Growth:
    """Milliseconds to create an event, for an account that has few and for one that has many."""

    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(self.many) / median(self.few)


async def growth(planner: PlannerSide) -> Growth:
    """One creation at a time, each taken back at once, so that the accounts keep their sizes."""
    await drive(planner.port, creations("/api/v1/events", [planner.small]), count=FEW)
    await drive(planner.port, creations("/api/v1/events", [planner.large] * CONNECTIONS), count=MANY)
    result = Growth()
    callers = [(Api(planner.port, planner.small), result.few), (Api(planner.port, planner.large), result.many)]
    for _ in range(PAIRS):
        random.shuffle(callers)
        for api, taken in callers:
            begun = time.perf_counter()
            event = api.ask("POST", "/events", EVENT)
            taken.append((time.perf_counter() - begun) * 1000)
            api.ask("DELETE", f"/events/{event['id']}")
    for api, _ in callers:
        api.close()
    return result


def first_answers(folder: Path) -> tuple[list[float], list[float]]:
    """Seconds from the start of the process to its first answer: with no data yet, and at the second start."""
    empty: list[float] = []
    again: list[float] = []
    for number in range(STARTS):
        server = RunningServer(folder / f"start{number}", PASSWORD_ROUNDS="12")
        for taken in (empty, again):
            with cores.starting_on(cores.ANY):
                begun = time.perf_counter()
                server.launch()
            _await_answer(server)
            taken.append(time.perf_counter() - begun)
            server.stop()
    return empty, again


def _await_answer(server: RunningServer) -> None:
    assert server.process is not None
    while server.process.poll() is None:
        with suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            connection.close()
            assert answer.status == 200, f"/readyz was answered {answer.status}"
            return
        time.sleep(0.002)
    raise RuntimeError(f"the planner did not start:\n{server.output}")


@dataclass
class Trips:
    """How many queries the server counted for a number of authenticated reads, and how long those took."""

    reads: int
    events: int
    accounts: int
    seconds: float


async def trips(planner: PlannerSide, mongo: str) -> Trips:
    """Reads one after the other, with mongod's own count of the queries on each collection before and after."""
    with MongoClient[dict[str, Any]](mongo) as client:

        def queries(*collections: str) -> int:
            totals = client.admin.command("top")["totals"]
            return sum(totals.get(f"{DATABASE}.{name}", NEVER)["queries"]["count"] for name in collections)

        events, accounts = queries("events"), queries(*ACCOUNTS)
        result = await drive(planner.port, [[planner.get]], count=READS)
        return Trips(
            reads=len(result.taken),
            events=queries("events") - events,
            accounts=queries(*ACCOUNTS) - accounts,
            seconds=result.ended - result.begun,
        )
