"""What a month of occurrences costs with few events and with many, and what its slowest rule does."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from timeit import repeat
from typing import Any

from bson import ObjectId
from dateutil.rrule import rrulestr
from pymongo import MongoClient

from database.queries import Id
from models.events.event import Event
from models.events.event_draft import build_content
from models.events.event_schema import EventCreate
from planner.domain.recurrence.documents import build_series
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.series import Series
from planner.domain.times import resolve_times
from tests.bench.sides import DATABASE, EVENT, Api, PlannerSide

FEW, MANY = 1_000, 100_000
PAIRS = 200
MIDDLE = datetime(2026, 11, 15, tzinfo=UTC)
MONTH = timedelta(days=31)
# Of a hundred events these repeat, four times each, and as many in each account go on for ever.
REPEATING = 10
ENDLESS = 20
OLD = datetime(2006, 11, 1, 9, 30)


@dataclass
class Months:
    """Milliseconds to read the first 50 occurrences of a month, for an account with few events and one with many."""

    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(self.many) / median(self.few)


def stored(creator: ObjectId, number: int) -> Iterator[dict[str, Any]]:
    """Events of one account: one an hour around the month, some of them repeating, and a few without an end."""
    first = MIDDLE - timedelta(hours=number // 2)
    for n in range(number):
        rule = "FREQ=DAILY;COUNT=4" if n % 100 < REPEATING else None
        if n % (number // ENDLESS) == 0:
            rule = "FREQ=WEEKLY"
        start = min(first, MIDDLE) if rule == "FREQ=WEEKLY" else first
        yield _event(creator, start + timedelta(hours=n), rule)


def _event(creator: ObjectId, start: datetime, rule: str | None) -> dict[str, Any]:
    end = start + timedelta(hours=1)
    draft = EventCreate.model_validate(
        EVENT | {"start": start.isoformat(), "end": end.isoformat(), "time_zone": "Europe/Berlin"}
    )
    times = resolve_times(draft.start, draft.end, None, draft.time_zone)
    series = None if rule is None else build_series(times, rule, (), ())
    return Event.new(Id(creator), build_content(draft, times, series), now=MIDDLE).to_stored()


def months(planner: PlannerSide, mongo: str) -> Months:
    """The first page of the same month for either account, one request at a time and by turns."""
    result = Months()
    callers = []
    with MongoClient[dict[str, Any]](mongo) as client:
        for name, number, taken in (("few", FEW, result.few), ("many", MANY, result.many)):
            token = planner.sign_up(name)
            api = Api(planner.port, token)
            creator = ObjectId(api.ask("GET", "/users/me")["id"])
            api.close()
            client[DATABASE].events.insert_many(stored(creator, number))
            callers.append((Api(planner.port, token), taken))
    low, high = (f"{MIDDLE + offset:%Y-%m-%d}" for offset in (-MONTH / 2, MONTH / 2))
    path = f"/events/occurrences?scope=mine&from={low}&to={high}"
    for api, _ in callers:
        assert len(api.ask("GET", path)["items"]) == 50
    for _ in range(PAIRS):
        random.shuffle(callers)
        for api, taken in callers:
            begun = time.perf_counter()
            api.ask("GET", path)
            taken.append((time.perf_counter() - begun) * 1000)
    for api, _ in callers:
        api.close()
    return result


@dataclass
class OldRule:
    """Microseconds for a month of a daily rule twenty years old, here and in dateutil."""

    ours: float
    theirs: float


def old_rule() -> OldRule:
    """The month from twenty years after the start."""
    series = Series(OLD, timedelta(hours=1), "Europe/Berlin", "FREQ=DAILY")
    low = OLD.replace(year=OLD.year + 20)
    window = low.replace(tzinfo=UTC), low.replace(tzinfo=UTC) + MONTH
    ours = repeat(lambda: list_occurrences(series, *window, 1000), number=100, repeat=9)
    theirs = repeat(lambda: rrulestr("FREQ=DAILY", dtstart=OLD).between(low, low + MONTH), number=2, repeat=9)
    return OldRule(median(ours) / 100 * 1e6, median(theirs) / 2 * 1e6)
