"""`python -m tests.load`: see the package."""

import argparse
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from pymongo import MongoClient

from database.embedded.server import EmbeddedMongo
from tests.bench import cores
from tests.load import capacity, descriptors, half_sent, new_connections, overload, searches, sign_ins
from tests.load.setting import DATABASE, SETTINGS, LoadedPlanner, database_url, running_planner

KINDS: dict[str, Callable[[LoadedPlanner], Awaitable[object]]] = {
    "connections": new_connections.measure,
    "reads": overload.measure_reads,
    "mixed": overload.measure_mixed,
    "searches": searches.measure,
    "sign-ins": sign_ins.measure,
    "half-sent": half_sent.measure,
}
DESCRIPTORS, CAPACITY = "descriptors", "capacity"
ALL = (*KINDS, DESCRIPTORS, CAPACITY)


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.load",
        description="Start a planner, ask more of it than it can do, and print what was answered and what was refused.",
    )
    parser.add_argument("--kinds", type=_kinds, default=ALL, help="what to measure: " + ",".join(ALL) + " (all)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is measured (1)")
    parser.add_argument("--workers", type=int, default=1, help="how many processes serve requests (1)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="planner-load-"))
    try:
        # The load has a core to itself: otherwise the planner and its database would have less time the more is asked.
        cores.keep_to(cores.SERVER)
        with EmbeddedMongo(folder / "mongo") as mongo:
            for kind in options.kinds:
                with MongoClient[dict[str, object]](mongo.url) as client:
                    client.drop_database(DATABASE)
                _print_figures(kind, folder / kind, mongo.url, options.rounds, options.workers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    if unknown := set(kinds) - set(ALL):
        raise argparse.ArgumentTypeError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    return kinds


def _print_figures(kind: str, data: Path, mongo: str, rounds: int, workers: int) -> None:
    if kind == CAPACITY:
        for _ in range(rounds):
            print(uvloop.run(capacity.measure()), flush=True)
        return
    cores.keep_to(cores.SERVER)
    if kind == DESCRIPTORS:
        settings = SETTINGS | {"DATABASE_URL": database_url(mongo)}
        with descriptors.running_with_files(descriptors.FILES, data, **settings) as server:
            cores.keep_to(cores.OTHERS)
            print(uvloop.run(descriptors.measure(server)), flush=True)
        return
    # Only sign-ins are measured at the usual cost of a password.
    settings = {"PASSWORD_ROUNDS": sign_ins.COST} if kind == "sign-ins" else {}
    with running_planner(data, mongo, "--workers", str(workers), **settings) as planner:
        cores.keep_to(cores.OTHERS)
        if kind == "searches":
            planner.store_public_events(searches.EVENTS)
        for _ in range(rounds):
            print(uvloop.run(_measure(kind, planner)), flush=True)


async def _measure(kind: str, planner: LoadedPlanner) -> object:
    return await KINDS[kind](planner)


if __name__ == "__main__":
    raise SystemExit(main())
