"""What occurrences are looked for in is found by indexes, whatever else there is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from pymongo.database import Database

from database.queries import Id, new_id
from models.events.event_queries import EventSelection, find_recurring_events, find_single_events
from models.events.event_schema import Scope
from models.events.event_times import find_scheduled_recurring_events, find_scheduled_single_events
from planner.domain.recurrence.documents import compute_series_span
from planner.domain.times import build_order_key
from tests.models.events.generated_events import FIRST, generate_events
from tests.models.events.query_plans import Query, explain

SCOPES: tuple[Scope, ...] = ("mine", "public", "all")
WEEK = (FIRST + timedelta(days=400), FIRST + timedelta(days=407))
CASES = list(product(SCOPES, (None, "books")))
pytestmark = pytest.mark.real_server("the mock has no query plans")


@pytest.fixture(scope="module")
def people() -> list[Id]:
    return [new_id() for _ in range(10)]


@pytest.fixture(scope="module")
def filled(indexed: Database[Any], people: list[Id]) -> Database[Any]:
    """A real database with 4,000 events that take place once and 1,000 series, most of which are over."""
    events = generate_events(people, 5000, seed=2)
    dated = [stored for stored in events if stored["start"] is not None]
    for number, stored in enumerate(dated[:1000]):
        reach = timedelta(days=(5, 50, 500, 4000, 5000)[number // 5 % 5 if number % 20 else 4])
        stored |= {"repeats": True, "span": compute_series_span(reach), "ends": stored["begins"] + reach}
    indexed.events.insert_many(events)
    return indexed


@pytest.mark.parametrize(("scope", "tag"), CASES)
def test_single_events_of_a_window_are_found_in_order(
    filled: Database[Any], people: list[Id], asked: list[Query], scope: Scope, tag: str | None
) -> None:
    for after in (None, build_order_key(FIRST + timedelta(days=402), "0" * 24)):
        asked.clear()
        asyncio.run(find_single_events(EventSelection(scope, people[0], WEEK, tag), after, 50))
        stages = explain(filled, asked[0])
        assert not stages.names & {"COLLSCAN", "SORT"}
        assert stages.documents <= 3 * stages.returned + 50


@pytest.mark.parametrize(("scope", "tag"), CASES)
def test_ended_series_are_not_read(
    filled: Database[Any], people: list[Id], asked: list[Query], scope: Scope, tag: str | None
) -> None:
    asyncio.run(_read_all(find_recurring_events(EventSelection(scope, people[0], WEEK, tag))))
    stages = explain(filled, asked[0])
    assert not stages.names & {"COLLSCAN", "SORT"}
    found = filled.events.count_documents({"repeats": True, "ends": {"$gt": WEEK[0]}, "begins": {"$lt": WEEK[1]}})
    assert stages.documents <= 3 * found + 10


@pytest.mark.parametrize("days", [0, 7, 365])
def test_scheduled_events_are_found_by_indexes_without_past_and_future_ones(
    filled: Database[Any], people: list[Id], asked: list[Query], days: int
) -> None:
    since, until = WEEK[0], WEEK[0] + timedelta(days=days, hours=1)
    touching = {"creator": people[0], "ends": {"$gt": since}, "begins": {"$lt": until}}
    for read, which in (
        (find_scheduled_single_events, {"repeats": {"$exists": False}}),
        (find_scheduled_recurring_events, {"repeats": True}),
    ):
        asked.clear()
        asyncio.run(_read_all(read(people[0], (since, until), "UTC")))
        stages = explain(filled, asked[0])
        assert not stages.names & {"COLLSCAN", "SORT"}
        assert stages.returned == filled.events.count_documents(touching | which) > 0
        assert stages.documents <= 3 * stages.returned + 10


async def _read_all(batches: AsyncIterator[list[Any]]) -> list[Any]:
    return [one async for batch in batches for one in batch]
