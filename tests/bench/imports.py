"""The time to import many events, compared with that of `icalendar` to read the file, and of other clients' reads."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles

import icalendar
import orjson

from tests.bench.sides import Api, PlannerSide
from tests.domain.ics.samples import event, file

EVENTS = 10_000
READERS = 2
# The readers pause, so that they do not slow down each other.
PAUSE_SECONDS = 0.005
QUIET_SECONDS = 3.0


@dataclass
class ImportTimes:
    """The seconds to import a file, to import it again, and for icalendar to read it.

    In milliseconds: other clients' reads before the import (`quiet`) and during it (`meanwhile`).
    """

    first: float = 0
    again: float = 0
    theirs: float = 0
    size: int = 0
    quiet: list[float] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Our time to import the file, divided by that of icalendar to read it."""
        return self.first / self.theirs


def imports(planner: PlannerSide) -> ImportTimes:
    """Import a file while others read events, and again; and let icalendar read it."""
    result, content = ImportTimes(), file(*map(_entry, range(EVENTS))).encode()
    result.size = len(content)
    token, others = planner.sign_up("importer"), planner.sign_up("bystander")
    api = Api(planner.port, others)
    ids = [api.ask("POST", "/events", {"title": f"Event {n}"})["id"] for n in range(READERS)]
    api.close()
    with _reading(planner.port, others, ids, result.quiet):
        time.sleep(QUIET_SECONDS)
    with _reading(planner.port, others, ids, result.meanwhile):
        result.first = _import(planner.port, token, content, "created")
    result.again = _import(planner.port, token, content, "unchanged")
    started = time.perf_counter()
    read = icalendar.Calendar.from_ical(content)
    result.theirs = time.perf_counter() - started
    assert len(read.walk("VEVENT")) == EVENTS
    return result


def percentile(times: list[float], part: int) -> float:
    """Return the milliseconds within which this percentage of the responses came."""
    return quantiles(times, n=100)[part - 1]


def _entry(n: int) -> str:
    day = f"2026{n % 12 + 1:02}{n % 28 + 1:02}"
    return event(
        "DTSTAMP:20260101T000000Z",
        f"DTEND;TZID=Europe/Berlin:{day}T110000",
        f"SUMMARY:Meeting {n}",
        "DESCRIPTION:What we did\\, what we do and what stands in the way of it; bring something to w\r\n rite with",
        f"LOCATION:Room {n % 100}",
        "CATEGORIES:WORK,TEAM",
        "STATUS:CONFIRMED",
        "SEQUENCE:1",
        "TRANSP:OPAQUE",
        "X-SOMEONE:1",
        *(["RRULE:FREQ=WEEKLY;COUNT=10"] if n % 5 == 0 else []),
        uid=f"{n}@example.com",
        start=f"DTSTART;TZID=Europe/Berlin:{day}T100000",
    )


def _import(port: int, token: str, content: bytes, count: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"authorization": f"Bearer {token}", "content-type": "text/calendar"}
    started = time.perf_counter()
    connection.request("POST", "/api/v1/events/import", content, headers)
    response = connection.getresponse()
    body = orjson.loads(response.read())
    seconds = time.perf_counter() - started
    connection.close()
    assert response.status == 200 and body[count] == EVENTS, f"{response.status}: {body}"
    return seconds


@contextmanager
def _reading(port: int, token: str, ids: list[str], times: list[float]) -> Iterator[None]:
    """Let other clients read an event each meanwhile."""
    stop = threading.Event()
    readers = [threading.Thread(target=_read, args=(Api(port, token), f"/events/{id}", stop, times)) for id in ids]
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def _read(api: Api, path: str, stop: threading.Event, times: list[float]) -> None:
    while not stop.wait(PAUSE_SECONDS):
        started = time.perf_counter()
        api.ask("GET", path)
        times.append((time.perf_counter() - started) * 1000)
    api.close()
