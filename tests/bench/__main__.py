"""`python -m tests.bench`: see the package."""

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from database.embedded.server import EmbeddedMongo
from tests.bench import cores, feeds, imports, measures, month_page, months, table, workers
from tests.bench.sides import CONNECTIONS, FloorSide, PlannerSide

OPERATIONS = (
    *("get", "any", "list", "own", "create", "day", "signin", "storm", "growth", "start", "trips", "months", "page"),
    *("feed", "import", "rule", "workers"),
)
NEED_SERVERS = set(OPERATIONS) - {"start", "rule"}


def main() -> int:
    """Measure, print, and return the exit status."""
    options = _parser().parse_args()
    wanted = [name for name in OPERATIONS if name in options.ops]
    cores.keep_to(cores.OTHERS)
    folder = Path(tempfile.mkdtemp(prefix="planner-bench-"))
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(folder, wanted, options.rounds, options.seconds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure the planner beside a bare callable over the same driver. What counts are the ratios.",
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each operation is measured (5)")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each time (1.5)")
    parser.add_argument("--ops", type=_operations, default=OPERATIONS, help=",".join(OPERATIONS))
    return parser


def _operations(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(OPERATIONS):
        raise argparse.ArgumentTypeError(f"there is no {', '.join(sorted(unknown))}")
    return names


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:  # It is not to be had everywhere; the load is then a little heavier.
        return None
    return uvloop.Loop


async def _run(folder: Path, wanted: list[str], rounds: int, seconds: float) -> None:
    print(f"{rounds} rounds of {seconds:g} s; {cores.described()}", flush=True)
    if NEED_SERVERS & set(wanted):
        with EmbeddedMongo(folder / "mongo") as mongo:
            await _with_servers(folder, mongo.url, wanted, rounds, seconds)
    if "rule" in wanted:
        print(table.old_rule(months.old_rule()), flush=True)
    if "start" in wanted:
        print(table.starts(*measures.first_answers(folder)), flush=True)


async def _with_servers(folder: Path, mongo: str, wanted: list[str], rounds: int, seconds: float) -> None:
    floor, planner = FloorSide(), PlannerSide(folder / "planner")
    try:
        floor.start(mongo)
        planner.start(mongo)
        print(table.HEAD, flush=True)
        await _measure(planner, floor, mongo, wanted, rounds, seconds)
        if "workers" in wanted:
            print(table.workers(await workers.workers(planner, folder, rounds, seconds)), flush=True)
    finally:
        planner.stop()
        floor.stop()


async def _measure(
    planner: PlannerSide, floor: FloorSide, mongo: str, wanted: list[str], rounds: int, seconds: float
) -> None:
    rates: dict[str, measures.Clients] = {"get": measures.getting, "list": measures.listing}
    rates["create"] = measures.creating
    names = {"get": "get one event", "list": "list a page of 50", "create": "create an event"}
    names |= {"any": "get one of 7,680 events", "own": "list a page of one's own"}
    if {"any", "own"} & set(wanted):
        rates |= {"any": measures.reading_any(planner, floor, mongo), "own": measures.reading_own}
    lists = {
        "months": lambda: table.months(months.months(planner, mongo)),
        "page": lambda: table.month_pages(month_page.month_pages(planner, mongo, rounds)),
        "feed": lambda: table.feed(feeds.feed(planner, mongo, rounds)),
        "import": lambda: table.imports(imports.imports(planner)),
    }
    for operation in wanted:
        if operation in rates:
            figures = await measures.compared(planner, floor, rates[operation], rounds, seconds)
            line = table.comparison(f"{names[operation]}, {CONNECTIONS} clients", figures)
        elif operation == "day":
            line = table.day(await measures.day(planner, mongo, rounds, seconds))
        elif operation == "signin":
            line = table.sign_ins(await measures.sign_ins(planner, rounds, 2 * seconds))
        elif operation == "storm":
            line = table.storm(await measures.storm(planner, rounds, 2 * seconds))
        elif operation == "growth":
            line = table.growth(await measures.growth(planner))
        elif operation in lists:
            line = lists[operation]()
        elif operation == "trips":
            line = table.trips(await measures.trips(planner, mongo))
        else:
            continue
        print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
