"""What a feed of many events costs, beside what the `icalendar` library needs to write the same components."""

import http.client
import threading
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import icalendar
from bson import ObjectId
from pymongo import MongoClient

from tests.bench.months import stored
from tests.bench.sides import DATABASE, Api, PlannerSide

EVENTS = 10_000


@dataclass
class Feed:
    """Seconds to serve the feed the first time and again, to write it with icalendar; milliseconds of the rest.

    `unchanged` is how long it takes to say that nothing has changed, `meanwhile` the slowest
    of the small reads that somebody else did all the time.
    """

    first: float = 0
    again: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)
    size: int = 0

    @property
    def ratio(self) -> float:
        """How long we take at worst for what they take a round: 1 is as long."""
        return self.first / median(self.theirs)


def feed(planner: PlannerSide, mongo: str, rounds: int) -> Feed:
    """Serve the same feed again and again, and have icalendar write what was served."""
    token = planner.sign_up("subscriber")
    api, other = Api(planner.port, token), Api(planner.port, token)
    with MongoClient[dict[str, Any]](mongo) as client:
        client[DATABASE].events.insert_many(stored(ObjectId(api.ask("GET", "/users/me")["id"]), EVENTS))
    small = api.ask("GET", "/events?limit=1")["items"][0]["id"]
    path = "/api/v1/feeds/" + str(api.ask("POST", "/feeds", {"name": "Bench"})["url"]).rpartition("/")[2]
    # What waits for its number is numbered once, by whoever asks first for what has changed.
    api.ask("GET", "/events/changes?limit=1")
    result = Feed()
    for round in range(rounds + 1):
        over, slowest = threading.Event(), [0.0]
        reader = threading.Thread(target=_read, args=(other, f"/events/{small}", over, slowest))
        reader.start()
        taken, tag, content = _get(planner.port, path)
        over.set()
        reader.join()
        if round == 0:
            result.first, result.size = taken, len(content)
        else:
            result.again.append(taken)
            result.meanwhile.append(slowest[0] * 1000)
            result.unchanged.append(_get(planner.port, path, tag)[0] * 1000)
    read = icalendar.Calendar.from_ical(content)
    assert len({str(event["UID"]) for event in read.walk("VEVENT")}) == EVENTS
    for _ in range(rounds):
        begun = time.perf_counter()
        read.to_ical()
        result.theirs.append(time.perf_counter() - begun)
    api.close()
    other.close()
    return result


def _get(port: int, path: str, tag: str = "") -> tuple[float, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begun = time.perf_counter()
    connection.request("GET", path, headers={"if-none-match": tag} if tag else {})
    answer = connection.getresponse()
    content = answer.read()
    taken = time.perf_counter() - begun
    connection.close()
    assert answer.status == (304 if tag else 200), f"the feed was answered {answer.status}"
    return taken, str(answer.headers["etag"]), content


def _read(api: Api, path: str, over: threading.Event, slowest: list[float]) -> None:
    while not over.is_set():
        begun = time.perf_counter()
        api.ask("GET", path)
        slowest[0] = max(slowest[0], time.perf_counter() - begun)
