"""Every list of events is answered in order by indexes, and is what a look at each event would give."""

import asyncio
import random
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from pymongo.database import Database as SyncDatabase

from database.connection import Database
from database.queries import Id, new_id
from models.events.event_queries import EventSelection, list_events, list_taken_down_events
from models.events.event_schema import Scope
from planner.domain.times import UNDATED_INSTANT, build_order_key
from tests.models.events.generated_events import DAYS, FIRST, TAGS, generate_events
from tests.models.events.query_plans import Query, explain
from tests.support.documents import build_event

SCOPES: tuple[Scope, ...] = ("mine", "public", "all")
Window = tuple[datetime | None, datetime | None]
WEEK = (FIRST + timedelta(days=400), FIRST + timedelta(days=407))
WINDOWS: dict[str, Window] = {
    "always": (None, None),
    "from": (WEEK[0], None),
    "to": (None, WEEK[1]),
    "week": WEEK,
}


@pytest.fixture(scope="module")
def people() -> list[Id]:
    return [new_id() for _ in range(40)]


@pytest.fixture(scope="module")
def filled(indexed: SyncDatabase[Any], people: list[Id]) -> SyncDatabase[Any]:
    """A real database with 4,000 events."""
    indexed.events.insert_many(generate_events(people, 4000, seed=1))
    return indexed


@pytest.mark.real_server("the mock has no query plans")
@pytest.mark.parametrize(("scope", "tag", "further"), list(product(SCOPES, (None, "books"), (False, True))))
@pytest.mark.parametrize("window", WINDOWS)
def test_a_list_is_read_in_order_by_indexes(
    filled: SyncDatabase[Any],
    people: list[Id],
    asked: list[Query],
    scope: Scope,
    window: str,
    tag: str | None,
    further: bool,
) -> None:
    after = build_order_key(FIRST + timedelta(days=402), "0" * 24) if further else None
    asyncio.run(list_events(EventSelection(scope, people[0], WINDOWS[window], tag), after, 50))
    stages = explain(filled, asked[0])
    assert not stages.names & {"COLLSCAN", "SORT"}
    assert stages.keys <= 3 * stages.returned + 50
    assert stages.documents <= 3 * stages.returned + 50


@pytest.mark.real_server("the mock has no query plans")
def test_the_cost_of_a_week_does_not_grow_with_the_years_before_it(
    filled: SyncDatabase[Any], people: list[Id], asked: list[Query]
) -> None:
    for years in (0, 100):
        since, until = (bound + timedelta(days=365 * years) for bound in WEEK)
        asyncio.run(list_events(EventSelection("mine", people[0], (since, until)), None, 50))
    now, later = (explain(filled, one) for one in asked)
    assert later.keys < now.keys


class Oracle:
    """What lists must hold, found by looking at every event."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = sorted(events, key=lambda stored: (stored["begins"], str(stored["_id"])))

    def ids(self, scope: Scope, caller: Id, window: Window, tag: str | None) -> list[str]:
        return [
            str(stored["_id"])
            for stored in self._events
            if self._concerns(scope, caller, stored)
            and (tag is None or tag in stored["tags"])
            and self._touches(window, stored)
        ]

    @staticmethod
    def _concerns(scope: Scope, caller: Id, stored: dict[str, Any]) -> bool:
        mine, public = stored["creator"] == caller, stored["visibility"] == "public"
        return bool({"mine": mine, "public": public, "all": mine or public}[scope])

    @staticmethod
    def _touches(window: Window, stored: dict[str, Any]) -> bool:
        since, until = window
        if stored["start"] is None:
            return since is None and until is None
        return bool((until is None or stored["begins"] < until) and (since is None or stored["ends"] > since))


async def pages(scope: Scope, caller: Id, window: Window, tag: str | None, limit: int) -> list[str]:
    """The ids of a whole list, read page by page."""
    ids: list[str] = []
    after = None
    while True:
        views, has_more = await list_events(EventSelection(scope, caller, window, tag), after, limit)
        assert len(views) <= limit
        ids += [view.id for view in views]
        if not has_more:
            return ids
        assert len(views) == limit
        after = views[-1].key


async def test_a_list_equals_a_comparison_with_every_event(database: Database) -> None:
    people = [new_id() for _ in range(4)]
    events = generate_events(people, 400, seed=2)
    await database.handle["events"].insert_many(events)
    oracle, dice = Oracle(events), random.Random(3)
    edges = [stored[name] for stored in events for name in ("begins", "ends") if stored["start"]]
    for _ in range(150):
        # Every other bound is exactly where an event begins or ends.
        bounds = sorted(
            dice.choice((dice.choice(edges), FIRST + timedelta(hours=dice.randrange(DAYS * 24)))) for _ in range(2)
        )
        since, until = (bound.replace(microsecond=0) for bound in bounds)
        window: Window = (dice.choice((since, None)), dice.choice((until, None)))
        if window[0] and window[0] == window[1]:
            continue
        wanted = (dice.choice(SCOPES), dice.choice(people), window, dice.choice((None, None, *TAGS)))
        assert await pages(*wanted, limit=dice.choice((7, 50, 200))) == oracle.ids(*wanted), wanted


async def test_events_that_begin_at_the_same_instant_are_paged_without_gap_or_repetition(database: Database) -> None:
    ada = new_id()
    same = [build_event(ada, start="2026-12-01T18:00:00", end="2026-12-01T20:00:00") for _ in range(9)]
    await database.handle["events"].insert_many(random.Random(4).sample(same, len(same)))
    assert await pages("mine", ada, (None, None), None, limit=2) == [str(stored["_id"]) for stored in same]


async def test_undated_events_come_last_and_belong_to_no_window(database: Database) -> None:
    ada = new_id()
    undated, dated = build_event(ada), build_event(ada, start="9999-12-31T23:00:00")
    await database.handle["events"].insert_many([undated, dated])
    ids = [str(stored["_id"]) for stored in (dated, undated)]
    assert await pages("mine", ada, (None, None), None, limit=1) == ids
    for window in ((FIRST, None), (None, UNDATED_INSTANT), (FIRST, UNDATED_INSTANT)):
        assert await pages("mine", ada, window, None, limit=1) == ids[:1]


@pytest.mark.parametrize("days", [0.5, 1, 2, 8, 9, 64, 65, 512, 513, 5000])
async def test_an_event_is_found_in_its_last_second_however_long_it_is(database: Database, days: float) -> None:
    ada = new_id()
    ends = FIRST + timedelta(days=5000)
    stored = build_event(ada, start=(ends - timedelta(days=days)).isoformat(), end=ends.isoformat())
    await database.handle["events"].insert_one(stored)
    for window, found in (
        ((ends - timedelta(seconds=1), None), True),
        ((ends - timedelta(seconds=1), ends), True),
        ((ends, None), False),
        ((None, stored["begins"]), False),
        ((None, stored["begins"] + timedelta(seconds=1)), True),
    ):
        assert await pages("mine", ada, window, None, limit=5) == ([str(stored["_id"])] if found else [])


async def test_paging_neither_skips_nor_repeats_while_others_write(database: Database) -> None:
    ada = new_id()
    kept = [build_event(ada, start=f"2026-12-{day:02}") for day in range(1, 21)]
    await database.handle["events"].insert_many(kept)
    ids: list[str] = []
    after, day = None, 0
    while True:
        views, has_more = await list_events(EventSelection("mine", ada), after, 3)
        ids += [view.id for view in views]
        if not has_more:
            break
        after, day = views[-1].key, day + 3
        # Between two pages one that was shown goes, and one comes in before the place that was reached.
        await database.handle["events"].delete_one({"_id": kept[day - 1]["_id"]})
        await database.handle["events"].insert_one(build_event(ada, start="2026-11-30"))
    assert ids == [str(stored["_id"]) for stored in kept]


@pytest.mark.real_server("the mock has no query plans")
def test_the_events_that_are_taken_down_are_found_in_order_by_an_index(
    filled: SyncDatabase[Any], asked: list[Query]
) -> None:
    ids = [event["_id"] for event in filled.events.find({}, limit=60)]
    taken_down = {"takedown": {"reason": "It advertises.", "at": FIRST}}
    filled.events.update_many({"_id": {"$in": ids}}, {"$set": taken_down})
    asyncio.run(list_taken_down_events(None, 50))
    stages = explain(filled, asked[0])
    filled.events.update_many({"_id": {"$in": ids}}, {"$unset": {"takedown": None}})
    assert not stages.names & {"COLLSCAN", "SORT"}
    assert (stages.returned, stages.keys) == (51, 51)
