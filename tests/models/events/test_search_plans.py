"""Words and places are found through indexes, and one's own at a cost that does not follow what others write."""

import random
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from pymongo.database import Database as SyncDatabase

from database.queries import Id, new_id
from models.events.event import WORD_INDEX, Event
from models.events.event_queries import EventSelection
from models.events.event_schema import Scope
from models.events.event_search import place_pipeline, words_pipeline
from models.events.public_event_index import copy_public_event
from planner.domain.cursors import SearchRank
from planner.domain.geo import Circle
from planner.domain.search.cells import list_cells_of_circle
from planner.domain.search.query import parse_search
from planner.domain.search.searchable_text import build_searchable_text
from tests.models.events.generated_events import DAYS, FIRST
from tests.support.documents import build_event_document

pytestmark = pytest.mark.real_server("the mock has no query plans")
SCOPES: tuple[Scope, ...] = ("mine", "public", "all")
WEEK = (FIRST + timedelta(days=400), FIRST + timedelta(days=407))
TODAY = FIRST + timedelta(days=403)
WINDOWS = ((None, None), (WEEK[0], None), (None, WEEK[1]), WEEK)
SMALL, WHOLE = Circle(52.5, 13.4, 20), Circle(0, 0, 20_000)
MINE, STRANGERS, NEARBY = 60, 3000, 20


@pytest.fixture(scope="module")
def ada() -> Id:
    return new_id()


@pytest.fixture(scope="module")
def filled(indexed: SyncDatabase[Any], ada: Id) -> SyncDatabase[Any]:
    """A real database with a few events of Ada's and many public ones of others, all about the same."""
    dice = random.Random(5)

    def one(creator: Id, lat: float, lon: float, visibility: str) -> Event:
        start = FIRST + timedelta(hours=dice.randrange(DAYS * 24))
        fields = {"start": start.isoformat(), "geo": {"lat": lat, "lon": lon}, "visibility": visibility}
        return build_event_document(
            creator, title="Festival", tags=dice.sample(("books", "music"), dice.randrange(3)), **fields
        )

    stored = [one(ada, 52.5, 13.4 + number / 100, dice.choice(("private", "public"))) for number in range(MINE)]
    others = [new_id() for _ in range(50)]
    stored += [
        one(dice.choice(others), dice.uniform(-60, 50), dice.uniform(-180, 180), "public") for _ in range(STRANGERS)
    ]
    stored += [one(dice.choice(others), 52.51, 13.41, "public") for _ in range(NEARBY)]
    indexed.events.insert_many([each.to_stored() for each in stored])
    copies = [copy.to_stored() for each in stored if (copy := copy_public_event(each))]
    indexed.public_event_index.insert_many(copies)
    return indexed


def examined(database: SyncDatabase[Any], collection: str, stages: list[dict[str, Any]]) -> tuple[int, int, str]:
    """The keys and documents that the server looked at, and the plan as text."""
    command: dict[str, Any] = {"aggregate": collection, "pipeline": stages, "cursor": {}}
    if collection == "events" and "words" in str(stages[0]):
        command["hint"] = WORD_INDEX
    plan = str(database.command("explain", command, verbosity="executionStats"))
    keys, documents = [
        sum(int(number) for number in _numbers(plan, f"'{name}': "))
        for name in ("totalKeysExamined", "totalDocsExamined")
    ]
    assert "COLLSCAN" not in plan
    return keys, documents, plan


def _numbers(text: str, label: str) -> list[str]:
    return [part[: min(part.find(end) for end in ",}" if end in part)] for part in text.split(label)[1:]]


@pytest.mark.parametrize(("window", "tag", "near"), list(product(WINDOWS, (None, "books"), (None, SMALL, WHOLE))))
def test_a_search_of_one_s_own_events_reads_no_others(
    filled: SyncDatabase[Any], ada: Id, window: Any, tag: str | None, near: Circle | None
) -> None:
    selection = EventSelection("mine", ada, window, tag, near)
    for after in (None, SearchRank(1.5, "")):
        keys, documents, plan = examined(
            filled, "events", words_pipeline(selection, parse_search("festival"), after, 51, TODAY)
        )
        assert "'indexName': 'creator_words'" in plan
        assert keys <= 2 * MINE  # Once for the word, once for the answer.
        assert documents <= 3 * MINE  # Found, fetched again for a filter, and looked up for the answer.


def test_a_search_for_a_rare_word_reads_only_its_events(filled: SyncDatabase[Any], ada: Id) -> None:
    filled.public_event_index.insert_many(
        [
            {
                "_id": new_id(),
                "creator": ada,
                "search": build_searchable_text({"title": "Regatta"}),
                "key": f"{number}",
                "span": 0,
            }
            for number in range(5)
        ]
    )
    for scope in ("public", "all"):
        start = "public_event_index" if scope == "public" else "events"
        keys, documents, plan = examined(
            filled, start, words_pipeline(EventSelection(scope, new_id()), parse_search("regatta"), None, 51, TODAY)
        )
        assert "'indexName': 'words_key'" in plan
        assert (keys, documents) <= (10, 20)


@pytest.mark.parametrize(("scope", "window", "tag"), list(product(SCOPES, WINDOWS, (None, "books"))))
def test_a_search_in_a_small_circle_reads_only_its_events_whatever_plan_is_cached(
    filled: SyncDatabase[Any], ada: Id, scope: Scope, window: Any, tag: str | None
) -> None:
    whole = place_pipeline(EventSelection(scope, ada, window, tag, WHOLE), None, 51)
    small = place_pipeline(EventSelection(scope, ada, window, tag, SMALL), None, 51)
    start = filled.public_event_index if scope == "public" else filled.events
    for _ in range(3):  # So that the server has cached its plan for the whole earth.
        list(start.aggregate(whole))
        found = list(start.aggregate(small))
    keys, documents, _ = examined(filled, start.name, small)
    assert len(found) <= MINE + NEARBY
    branches = len(small)
    assert documents <= 2 * (MINE + NEARBY)
    assert keys <= 2 * (MINE + NEARBY) + 20 * branches


@pytest.mark.parametrize(("window", "tag"), list(product(WINDOWS, (None, "books"))))
@pytest.mark.parametrize("text", ["festival", '"festival"', "festival -regatta"])
def test_of_a_word_that_all_events_have_only_those_in_a_small_circle_are_read(
    filled: SyncDatabase[Any], window: Any, tag: str | None, text: str
) -> None:
    query = parse_search(text)
    for selection in (EventSelection("public", new_id(), window, tag, near) for near in (WHOLE, SMALL)):
        pipeline = words_pipeline(selection, query, None, 51, TODAY)
        found = list(filled.public_event_index.aggregate(pipeline))
    keys, documents, _ = examined(filled, "public_event_index", pipeline)
    assert sum(part["examined"][0]["n"] for part in found if part["examined"]) <= MINE + NEARBY
    assert documents <= 2 * (MINE + NEARBY)
    assert keys <= 3 * (MINE + NEARBY) + len(list_cells_of_circle(SMALL)) * 20


@pytest.mark.parametrize(("scope", "window", "tag"), list(product(SCOPES, WINDOWS, (None, "books"))))
def test_of_a_large_circle_no_more_is_read_than_a_few_pages(
    filled: SyncDatabase[Any], ada: Id, scope: Scope, window: Any, tag: str | None
) -> None:
    start = filled.public_event_index if scope == "public" else filled.events
    for circle in (WHOLE, Circle(0, 0, 5_000), SMALL):
        pipeline = place_pipeline(EventSelection(scope, ada, window, tag, circle), None, 11)
        keys, documents, plan = examined(filled, start.name, pipeline)
        assert "SORT_MERGE" in plan
        branches = plan.count("'SORT_MERGE'")
        assert documents <= MINE * (2 if scope == "all" else 1)
        assert keys <= documents + branches * len(list_cells_of_circle(circle)) * 2


@pytest.mark.parametrize(("scope", "window"), list(product(SCOPES, WINDOWS)))
def test_a_circle_and_words_equal_a_comparison_with_every_event(
    filled: SyncDatabase[Any], ada: Id, scope: Scope, window: Any
) -> None:
    since, until = window
    own: dict[str, list[Any]] = {"mine": [{"creator": ada}], "public": [{"visibility": "public"}]}
    match: dict[str, Any] = {"$or": own[scope] if scope in own else own["mine"] + own["public"]}
    match |= {"tags": "music", "title": "Festival", "geo.lat": {"$gt": 52.4}, "geo.lon": {"$gt": 13.1, "$lt": 13.69}}
    match["begins"] = {"$lt": until} if until else {"$exists": True}
    match["ends"] = {"$gt": since} if since else {"$exists": True}
    expected = {stored["_id"] for stored in filled.events.find(match)}
    selection = EventSelection(scope, ada, window, "music", SMALL)
    start = filled.public_event_index if scope == "public" else filled.events
    assert {
        stored["_id"]
        for part in start.aggregate(words_pipeline(selection, parse_search("FESTIVAL"), None, 1000, TODAY))
        for stored in part["found"]
    } == expected
    assert {stored["_id"] for stored in start.aggregate(place_pipeline(selection, None, 1000))} == expected
