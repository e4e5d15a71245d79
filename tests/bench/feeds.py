"""The time to serve a feed of many events, compared with that of `icalendar` to write the same components."""

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
class FeedTimes:
    """The seconds to serve a feed the first time and again, and for icalendar to write it.

    In milliseconds: the time of a response that nothing has changed (`unchanged`), and the slowest read of another
    client while the feed was served (`meanwhile`).
    """

    first: float = 0
    again: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)
    size: int = 0

    @property
    def ratio(self) -> float:
        """Our longest time, divided by that of icalendar."""
        return self.first / median(self.theirs)


def feed(planner: PlannerSide, mongo: str, rounds: int) -> FeedTimes:
    """Serve the same feed again and again, and let icalendar write what was served."""
    token = planner.sign_up("subscriber")
    api, other = Api(planner.port, token), Api(planner.port, token)
    with MongoClient[dict[str, Any]](mongo) as client:
        client[DATABASE].events.insert_many(stored(ObjectId(api.ask("GET", "/users/me")["id"]), EVENTS))
    small = api.ask("GET", "/events?limit=1")["items"][0]["id"]
    path = "/api/v1/feeds/" + str(api.ask("POST", "/feeds", {"name": "Bench"})["url"]).rpartition("/")[2]
    # The first request for changes numbers all of them, which is not part of what is measured.
    api.ask("GET", "/events/changes?limit=1")
    result = FeedTimes()
    for round in range(rounds + 1):
        stop, slowest = threading.Event(), [0.0]
        reader = threading.Thread(target=_read, args=(other, f"/events/{small}", stop, slowest))
        reader.start()
        seconds, etag, content = _get(planner.port, path)
        stop.set()
        reader.join()
        if round == 0:
            result.first, result.size = seconds, len(content)
        else:
            result.again.append(seconds)
            result.meanwhile.append(slowest[0] * 1000)
            result.unchanged.append(_get(planner.port, path, etag)[0] * 1000)
    read = icalendar.Calendar.from_ical(content)
    assert len({str(event["UID"]) for event in read.walk("VEVENT")}) == EVENTS
    for _ in range(rounds):
        started = time.perf_counter()
        read.to_ical()
        result.theirs.append(time.perf_counter() - started)
    api.close()
    other.close()
    return result


def _get(port: int, path: str, etag: str = "") -> tuple[float, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    started = time.perf_counter()
    connection.request("GET", path, headers={"if-none-match": etag} if etag else {})
    response = connection.getresponse()
    content = response.read()
    seconds = time.perf_counter() - started
    connection.close()
    assert response.status == (304 if etag else 200), f"the status was {response.status}"
    return seconds, str(response.headers["etag"]), content


def _read(api: Api, path: str, stop: threading.Event, slowest: list[float]) -> None:
    while not stop.is_set():
        started = time.perf_counter()
        api.ask("GET", path)
        slowest[0] = max(slowest[0], time.perf_counter() - started)
