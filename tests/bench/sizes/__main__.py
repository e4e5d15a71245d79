"""`python -m tests.bench.sizes`: see the package."""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from pymongo import MongoClient

from database.embedded.server import EmbeddedMongo
from database.queries import Id
from tests.bench import cores
from tests.bench.sides import Api
from tests.bench.sizes.requests import REQUESTS
from tests.bench.sizes.seeding import generate_events, seed_events
from tests.support.servers import RunningServer

SIZES = (1_000, 200_000, 1_000_000)
# So many events has the account that asks, whatever the others have.
OWN = 200
PASSWORD = "correct horse battery staple"
# Building the indexes of a million events takes minutes.
START_SECONDS = 3600.0


class Side:
    """A planner on a database with so many events, and an account that asks it."""

    def __init__(self, folder: Path, mongo: str, size: int) -> None:
        self.size = size
        self.taken: dict[str, list[float]] = {name: [] for name in REQUESTS}
        self._database = f"bench_{size}"
        self._mongo = mongo
        self._server = RunningServer(
            folder / str(size),
            DATABASE_URL=mongo.replace("/?", f"/{self._database}?"),
            SECRET_KEY="only ever used by the benchmark: 77b1c1f3",
            ACCESS_TOKEN_MINUTES="1440",
        )

    def seed(self) -> None:
        """Write the events of others, unless they are there."""
        with MongoClient[dict[str, Any]](self._mongo) as client:
            if client[self._database].events.estimated_document_count() < self.size:
                seed_events(self._mongo, self._database, self.size)

    def start(self) -> None:
        """Start the planner, which builds the indexes, and give its caller an account and events."""
        with cores.starting_on(cores.SERVER):
            self._server.launch()
        self._server.wait_until_ready(START_SECONDS)
        who = {"email": "ada@example.com", "password": PASSWORD}
        api = Api(self._server.port)
        api.ask("POST", "/auth/signup", who)
        token = str(api.ask("POST", "/auth/signin", who)["access_token"])
        api.close()
        self.api = Api(self._server.port, token)
        creator = Id(self.api.ask("GET", "/users/me")["id"])
        own = [template.event | {"visibility": "private"} for template in generate_events(OWN, [creator], seed=2)]
        with MongoClient[dict[str, Any]](self._mongo) as client:
            client[self._database].events.insert_many(own)

    def stop(self) -> None:
        """Stop the planner, if it runs."""
        if self._server.process is not None:
            self._server.stop()


def main() -> int:
    """Seed, measure, print, and return the exit status."""
    options = _parser().parse_args()
    cores.keep_to(cores.OTHERS)
    folder = Path(tempfile.mkdtemp(prefix="planner-bench-"))
    try:
        with EmbeddedMongo(folder / "mongo") as mongo:
            measure(folder, mongo.url, options.sizes, options.rounds, options.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.sizes", description="Measure requests among many events and among few."
    )
    sizes = ",".join(map(str, SIZES))
    parser.add_argument("--sizes", type=_parse_sizes, default=SIZES, help=f"numbers of events ({sizes})")
    parser.add_argument("--rounds", type=int, default=21, help="how often each request is sent (21)")
    parser.add_argument("--only", default="", help="only requests whose name contains this")
    return parser


def _parse_sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(size) for size in text.split(",")))


def measure(folder: Path, mongo: str, sizes: tuple[int, ...], rounds: int, only: str) -> None:
    """Send the requests to a planner of each size by turns, one at a time, and print the medians."""
    sides = [Side(folder, mongo, size) for size in sizes]
    names = [name for name in REQUESTS if only in name]
    try:
        for side in sides:
            begun = time.perf_counter()
            side.seed()
            seeded = time.perf_counter()
            side.start()
            started = time.perf_counter()
            print(
                f"{side.size:,} events: {seeded - begun:.0f} s to write, {started - seeded:.0f} s to start", flush=True
            )
        print(f"{'median ms':36}" + "".join(f"{side.size:>12,}" for side in sides) + "       ratios", flush=True)
        for name in names:
            # The first round only warms up.
            for day in range(rounds + 1):
                for side in sides:
                    begun = time.perf_counter()
                    side.api.ask("GET", REQUESTS[name](day))
                    side.taken[name].append((time.perf_counter() - begun) * 1000)
            print(_line(name, sides), flush=True)
    finally:
        for side in sides:
            side.stop()


def _line(name: str, sides: list[Side]) -> str:
    medians = [median(side.taken[name][1:]) for side in sides]
    ratios = "".join(f"{found / medians[0]:8.2f}" for found in medians[1:])
    return f"{name:36}" + "".join(f"{found:12.2f}" for found in medians) + f"  {ratios}"


if __name__ == "__main__":
    raise SystemExit(main())
