"""The memory of one worker under a mixed load, minute by minute: `python -m tests.bench.endurance.memory`."""

import argparse
import random
import threading
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from urllib.parse import quote

from bson import ObjectId

from database.queries import Id
from models.accounts.user import event_ids_by_bucket
from models.events.event import Event
from models.events.event_draft import build_content
from models.events.event_schema import EventCreate
from planner.domain.recurrence.documents import build_series
from planner.domain.times import resolve_times
from tests.bench.endurance.setting import resident_megabytes, running_planner
from tests.bench.months import MIDDLE, MONTH
from tests.bench.sides import EVENT, PASSWORD, Api
from tests.support.documents import insert_events
from tests.support.servers import RunningServer

ACCOUNTS = 64
EVENTS = 120
THREADS = 8
WORDS = [f"{first}{second}" for first in ("har", "row", "light", "boat", "quay") for second in map(str, range(200))]


class Load:
    """What many people do, from several threads, at a steady rate."""

    def __init__(self, server: RunningServer, tokens: list[str], feeds: list[str], ids: list[str], rate: float) -> None:
        self._server = server
        self._tokens = tokens
        self._feeds = feeds
        self._ids = ids
        self._pause = THREADS / rate
        self._stopped = threading.Event()
        self.answered = 0
        self.failed = 0

    def run(self) -> None:
        threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(THREADS)]
        for thread in threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _work(self, number: int) -> None:
        chance = random.Random(number)
        apis = [Api(self._server.port, token) for token in self._tokens[number::THREADS]]
        acts: list[tuple[Callable[[Api, random.Random], Any], int]] = [
            (self._get, 40),
            (lambda api, _: api.ask("GET", "/events?limit=50"), 15),
            (self._month, 12),
            (self._change, 10),
            (lambda api, chance: api.ask("POST", "/events", EVENT | {"title": chance.choice(WORDS)}), 6),
            (lambda api, chance: api.ask("GET", f"/events?scope=all&q={chance.choice(WORDS)}"), 6),
            (lambda api, _: api.ask("GET", "/events?scope=public&tag=rowing&limit=50"), 4),
            (lambda api, _: api.ask("GET", "/events/changes?scope=mine&limit=50"), 3),
            (lambda api, chance: self._feed(chance.choice(self._feeds)), 2),
            (self._sign_in, 1),
            (lambda api, _: api.ask("GET", "/freebusy"), 1),
        ]
        due = time.monotonic()
        while not self._stopped.is_set():
            (act,) = chance.choices([act for act, _ in acts], [weight for _, weight in acts])
            api = chance.choice(apis)
            try:
                act(api, chance)
                self.answered += 1
            except Exception as error:  # noqa: BLE001 - it is counted
                self.failed += 1
                api.close()  # it connects again by itself
                if self.failed < 5:
                    print(f"failed: {error}", flush=True)
            # A load that the server cannot keep up with becomes a lower one.
            due = max(due + self._pause, time.monotonic() - self._pause)
            self._stopped.wait(max(due - time.monotonic(), 0))

    def _get(self, api: Api, chance: random.Random) -> Any:
        return api.ask("GET", f"/events/{chance.choice(self._ids)}")

    def _month(self, api: Api, chance: random.Random) -> Any:
        start = MIDDLE + chance.randrange(-6, 6) * MONTH
        window = f"from={quote(start.isoformat())}&to={quote((start + MONTH).isoformat())}"
        return api.ask("GET", f"/events/occurrences?limit=200&scope={chance.choice(('mine', 'all'))}&{window}")

    def _change(self, api: Api, chance: random.Random) -> Any:
        items = api.ask("GET", "/events?limit=20")["items"]
        return api.ask("PATCH", f"/events/{chance.choice(items)['id']}", {"location": f"Quay {chance.random()}"})

    def _feed(self, address: str) -> None:
        api = Api(self._server.port)
        try:
            answer = api._send("GET", address, None, {})
            answer.read()
        finally:
            api.close()

    def _sign_in(self, api: Api, chance: random.Random) -> Any:
        who = {"email": f"person{chance.randrange(ACCOUNTS)}@example.com", "password": PASSWORD}
        return api.ask("POST", "/auth/signin", who)


def store(database: Any, creator: ObjectId, chance: random.Random) -> list[str]:
    """Store the events of one account; every second one is public. Returns the ids of the public ones."""
    events = []
    for number in range(EVENTS):
        start = MIDDLE + chance.randrange(-180 * 24, 180 * 24) * (MONTH / 31 / 24)
        fields = EVENT | {
            "title": f"{chance.choice(WORDS)} {number}",
            "description": " ".join(chance.choices(WORDS, k=chance.randrange(10, 200))),
            "start": start.isoformat(),
            "end": (start + MONTH / 31 / 24).isoformat(),
            "time_zone": "Europe/Berlin",
            "visibility": ("public", "private")[number % 2],
        }
        draft = EventCreate.model_validate(fields)
        times = resolve_times(draft.start, draft.end, None, draft.time_zone)
        series = None
        if number % 8 == 0:
            series = build_series(times, f"FREQ=WEEKLY;COUNT={chance.randrange(2, 30)}", (), ())
        events.append(Event.new(Id(creator), build_content(draft, times, series), now=MIDDLE))
    insert_events(database, events)
    buckets = event_ids_by_bucket([event.id for event in events])
    database.users.update_one({"_id": creator}, {"$set": {"events": buckets}})
    return [str(event.id) for event in events if event.visibility == "public"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Print the memory of a worker under a mixed load, every minute.")
    parser.add_argument("--minutes", type=int, default=12)
    parser.add_argument("--rate", type=float, default=50, help="requests a second (50)")
    options = parser.parse_args()
    with running_planner("memory") as (server, database, _):
        measure(server, database, options.minutes, options.rate)
    return 0


def measure(server: RunningServer, database: Any, minutes: int, rate: float) -> None:
    """Print the memory of the planner's only process each minute of the load."""
    assert server.process is not None
    pid = server.process.pid
    print(f"started: {resident_megabytes(pid):.0f} MB", flush=True)
    tokens, feeds, ids, chance = [], [], [], random.Random(1)
    for number in range(ACCOUNTS):
        who = {"email": f"person{number}@example.com", "password": PASSWORD}
        api = Api(server.port)
        creator = ObjectId(api.ask("POST", "/auth/signup", who)["id"])
        tokens.append(str(api.ask("POST", "/auth/signin", who)["access_token"]))
        api.close()
        ids += store(database, creator, chance)
        api = Api(server.port, tokens[-1])
        api.ask("GET", "/events/changes")  # the changes of these events get their numbers
        api.close()
    for token in tokens[:8]:
        api = Api(server.port, token)
        url = str(api.ask("POST", "/feeds", {"name": "phone", "scope": "mine"})["url"])
        feeds.append(url.partition("/api/v1")[2])
        api.close()
    load = Load(server, tokens, feeds, ids, rate)
    load.run()
    begun, readings = time.monotonic(), []
    for minute in range(1, minutes + 1):
        time.sleep(max(begun + minute * 60 - time.monotonic(), 0))
        readings.append(resident_megabytes(pid))
        print(f"{minute:>3} min: {readings[-1]:6.1f} MB, {load.answered:,} answers", flush=True)
    load.stop()
    print(f"failed requests: {load.failed}")
    if minutes >= 4:
        late = median(readings[-3:])
        print(f"median of the last three minutes / two minutes: {late / readings[1]:.3f}")


if __name__ == "__main__":
    raise SystemExit(main())
