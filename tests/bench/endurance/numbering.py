"""Who waits for changes without a number, and for how long: `python -m tests.bench.endurance.numbering`."""

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import httpx
from bson import ObjectId

from models.events.change_numbers import UNNUMBERED
from tests.bench.cores import processor_seconds
from tests.bench.endurance.large_account import store
from tests.bench.endurance.setting import running_planner
from tests.bench.sides import EVENT, Api, sign_up
from tests.support.servers import RunningServer
from tests.support.waiting import wait_until

WAITING = {"change_number": UNNUMBERED}
# How many changes the caller has, of all that have no number.
OWN = 200
SINGLE_CHANGES = 21
LONGEST_SECONDS = 600.0


def prepare(server: RunningServer, database: Any, changes: int) -> tuple[str, str]:
    """Store changes without a number, by two accounts; return a token of the smaller one and the path of a feed."""
    tokens = [sign_up(server.port, name) for name in ("large", "small")]
    feed = Api(server.port, tokens[1]).ask("POST", "/feeds", {"name": "Feed"})
    ids = [database.users.find_one({"email": f"{name}@example.com"})["_id"] for name in ("large", "small")]
    server.stop()
    for creator, number in zip(ids, (changes - OWN, OWN), strict=True):
        store(database, ObjectId(creator), number, change_number=UNNUMBERED)
    return tokens[1], "/feeds/" + str(feed["url"]).rpartition("/")[2]


def count_waiting(database: Any) -> int:
    """Return how many changes have no number yet."""
    return int(database.event_changes.count_documents(WAITING))


def took(what: str, work: Callable[[], Any]) -> Any:
    """Print how long something took, and return what it returned."""
    begun = time.monotonic()
    found = work()
    print(f"{what}: {time.monotonic() - begun:.2f} s", flush=True)
    return found


def measure(server: RunningServer, database: Any, mongod: int, changes: int) -> None:
    """Print how long the first requests take beside so many changes without a number, and how soon all have one."""
    token, feed = prepare(server, database, changes)
    server.start()
    before, begun, waiting = processor_seconds(mongod), time.monotonic(), count_waiting(database)
    api = Api(server.port, token)
    page = took("own changes, first page", lambda: api.ask("GET", "/events/changes?scope=mine"))
    print(f"  {len(page['items'])} items")
    page = took("public changes, first page", lambda: api.ask("GET", "/events/changes?scope=public"))
    print(f"  {len(page['items'])} items")
    took("a feed", lambda: httpx.get(server.url + feed, timeout=60).raise_for_status())
    left = count_waiting(database)
    wait_until(lambda: database.event_changes.find_one(WAITING) is None, LONGEST_SECONDS)
    passed, used = time.monotonic() - begun, processor_seconds(mongod) - before
    print(f"{waiting:,} had no number when the planner was ready, and {left:,} after these requests; then all had one")
    print(
        f"  {waiting / passed:,.0f} a second, {used / waiting * 1_000_000:.0f} us of MongoDB's processor time for each"
    )
    delays = []
    for _ in range(SINGLE_CHANGES):
        created = api.ask("POST", "/events", EVENT)
        at = time.monotonic()
        match = {"_id": ObjectId(created["id"]), "change_number": {"$gt": UNNUMBERED}}
        wait_until(partial(database.event_changes.find_one, match))
        delays.append(time.monotonic() - at)
    print(
        f"one change had its number after {median(delays):.2f} s (median of {len(delays)}), {max(delays):.2f} at most"
    )


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure how changes get their numbers, beside many that have none.")
    parser.add_argument("--changes", type=int, default=200_000)
    options = parser.parse_args()
    with running_planner("numbering") as (server, database, mongod):
        measure(server, database, mongod, options.changes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
