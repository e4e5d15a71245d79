"""`python -m tests.bench.sizes`: see the package.

A page is full among many events and may not be among few, and to render an item takes time. So each request is sent
again, with the `limit` at which each size returns as many items: that is the second ratio. If a size has no item, the
limit is 1.

Among few events, the planner has rendered each one before and keeps it in its caches; among many it has not. With
`--without-caches`, every size renders what it returns.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from pymongo import MongoClient

from database.embedded.server import EmbeddedMongo
from database.queries import Id
from tests.bench import cores
from tests.bench.sides import Api
from tests.bench.sizes.requests import REQUESTS, count_items, set_limit
from tests.bench.sizes.seeding import generate_events, seed_events
from tests.support.servers import RunningServer

SIZES = (1_000, 200_000, 1_000_000)
# So many events has the account that asks, whatever the others have.
OWN = 200
PASSWORD = "correct horse battery staple"
# Building the indexes of a million events takes minutes.
START_SECONDS = 3600.0


class Taken(NamedTuple):
    """How long a request took, in milliseconds, and how many items were returned."""

    milliseconds: float
    items: int


# For one request, a row for each time it was sent, with what each size took.
Rows = list[list[Taken]]


class Side:
    """A planner on a database with so many events, and an account that asks it."""

    def __init__(self, folder: Path, mongo: str, size: int, environment: dict[str, str]) -> None:
        self.size = size
        self._database = f"bench_{size}"
        self._mongo = mongo
        self._server = RunningServer(
            folder / str(size),
            DATABASE_URL=mongo.replace("/?", f"/{self._database}?"),
            SECRET_KEY="only ever used by the benchmark: 77b1c1f3",
            ACCESS_TOKEN_MINUTES="1440",
            **environment,
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

    def time(self, path: str) -> "Taken":
        """Return how long a request takes, and how many items are returned."""
        begun = time.perf_counter()
        body = self.api.ask("GET", path)
        return Taken((time.perf_counter() - begun) * 1000, count_items(body))

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
            environment = {"CACHE_MEGABYTES": "0"} if options.without_caches else {}
            sides = [Side(folder, mongo.url, size, environment) for size in options.sizes]
            measure(sides, options.rounds, [name for name in REQUESTS if options.only in name])
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
    parser.add_argument("--without-caches", action="store_true", help="render every item anew")
    parser.add_argument("--only", default="", help="only requests whose name contains this")
    return parser


def _parse_sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(size) for size in text.split(",")))


def measure(sides: list[Side], rounds: int, names: list[str]) -> None:
    """Send the requests to a planner of each size by turns, one at a time, and print the medians."""
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
        print(_format_head(sides), flush=True)
        for name in names:
            # The first round only warms up.
            found = [[side.time(REQUESTS[name](day)) for side in sides] for day in range(rounds + 1)][1:]
            print(_format_line(name, found, _repeat_with_equal_items(name, found, sides)), flush=True)
    finally:
        for side in sides:
            side.stop()


def _repeat_with_equal_items(name: str, found: Rows, sides: list[Side]) -> Rows:
    """Send the requests again so that all sizes return as many items, or none and one."""
    if all(len({taken.items for taken in row}) == 1 for row in found):
        return found
    repeated = []
    for day, row in enumerate(found, start=1):
        path = set_limit(REQUESTS[name](day), max(1, min(taken.items for taken in row)))
        repeated.append([side.time(path) for side in sides])
    return repeated


def _format_head(sides: list[Side]) -> str:
    sizes = "".join(f"{side.size:>11,}" for side in sides)
    return f"{'median ms, and (items)':34}{sizes}{'':{7 * len(sides)}}  ratios; with equal items"


def _format_line(name: str, found: Rows, equal: Rows) -> str:
    medians, items = (
        _find_medians(found),
        [median(taken.items for taken in column) for column in zip(*found, strict=True)],
    )
    cells = "".join(f"{taken:11.2f} {f'({number:g})':>6}" for taken, number in zip(medians, items, strict=True))
    shown = f"{name:34}{cells}  {_format_ratios(medians)}"
    numbers = sorted({median(taken.items for taken in column) for column in zip(*equal, strict=True)})
    return f"{shown};  {_format_ratios(_find_medians(equal))} ({' or '.join(f'{number:g}' for number in numbers)})"


def _find_medians(rows: Rows) -> list[float]:
    return [median(taken.milliseconds for taken in column) for column in zip(*rows, strict=True)]


def _format_ratios(medians: list[float]) -> str:
    return " ".join(f"{found / medians[0]:5.2f}" for found in medians[1:])


if __name__ == "__main__":
    raise SystemExit(main())
