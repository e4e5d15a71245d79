"""What importing many events costs, beside the `icalendar` library reading the file, and what others notice of it."""

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
# Others ask so often that they are not themselves what makes each other wait.
PAUSE_SECONDS = 0.005
QUIET_SECONDS = 3.0


@dataclass
class ImportJobs:
    """Seconds to import a file, to import it again, and for icalendar to read it; milliseconds of others' reads."""

    first: float = 0
    again: float = 0
    theirs: float = 0
    size: int = 0
    quiet: list[float] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How long we take, beside reading alone: 1 is as long."""
        return self.first / self.theirs


def imports(planner: PlannerSide) -> ImportJobs:
    """Import a file while others read events, and again; and have icalendar read it."""
    result, content = ImportJobs(), file(*map(_entry, range(EVENTS))).encode()
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
    begun = time.perf_counter()
    read = icalendar.Calendar.from_ical(content)
    result.theirs = time.perf_counter() - begun
    assert len(read.walk("VEVENT")) == EVENTS
    return result


def percentile(taken: list[float], part: int) -> float:
    """The milliseconds within which this percentage of the answers came."""
    return quantiles(taken, n=100)[part - 1]


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


def _import(port: int, token: str, content: bytes, what: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"authorization": f"Bearer {token}", "content-type": "text/calendar"}
    begun = time.perf_counter()
    connection.request("POST", "/api/v1/events/import", content, headers)
    answer = connection.getresponse()
    body = orjson.loads(answer.read())
    taken = time.perf_counter() - begun
    connection.close()
    assert answer.status == 200 and body[what] == EVENTS, f"{answer.status}: {body}"
    return taken


@contextmanager
def _reading(port: int, token: str, ids: list[str], taken: list[float]) -> Iterator[None]:
    """Others read an event each, all the while."""
    over = threading.Event()
    readers = [threading.Thread(target=_read, args=(Api(port, token), f"/events/{id}", over, taken)) for id in ids]
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        over.set()
        for reader in readers:
            reader.join()


def _read(api: Api, path: str, over: threading.Event, taken: list[float]) -> None:
    while not over.wait(PAUSE_SECONDS):
        begun = time.perf_counter()
        api.ask("GET", path)
        taken.append((time.perf_counter() - begun) * 1000)
    api.close()
