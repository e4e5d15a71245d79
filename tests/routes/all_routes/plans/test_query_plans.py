"""No route reads much more than it returns, however much there is of others.

Every route that reads is asked with combinations of its parameters, and the server's own notes say what each of its
commands has read: also of a route, or a query, that nobody has thought of here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pymongo import MongoClient
from pymongo.database import Database

from database.queries import Id
from models.events.change_numbers import EventChange
from models.events.event import Event
from tests.bench.sizes.seeding import generate_events
from tests.routes.all_routes.plans.others import add_documents_of_others
from tests.routes.all_routes.plans.profile import profiled
from tests.routes.all_routes.plans.queries import list_queries
from tests.routes.all_routes.request_factory import RequestFactory, SampleRequest
from tests.support.openapi.operations import Operation
from tests.support.services import database_of

pytestmark = [
    pytest.mark.real_server("the mock has no query plans"),
    pytest.mark.foreign_documents("copies of documents with other ids"),
]
OTHERS, OWN = 1_500, 150


@pytest.fixture
def stored(app: FastAPI, mongo_url: str) -> Iterator[Database[Any]]:
    """The database of the planner, for the blocking driver."""
    with MongoClient[Any](mongo_url) as client:
        yield client[database_of(app).name]


def add_events(database: Database[Any], creators: list[Id], number: int, visibility: str) -> None:
    """Store many events of these people, as changes that have a number."""
    generated = list(generate_events(number, creators))
    events = [template.event | {"visibility": visibility} for template in generated]
    database["events"].insert_many(events)
    changes = [EventChange.insert_write(Event.from_stored(event)).document for event in events]
    database["event_changes"].insert_many(change.to_stored() | {"change_number": 1} for change in changes)
    if visibility == "public":
        database["public_event_index"].insert_many(template.copy for template in generated)


async def list_samples(requests: RequestFactory, operations: list[Operation]) -> list[SampleRequest]:
    """Return a request of each route that reads."""
    return [await requests.sample(operation) for operation in operations if operation.method == "GET"]


async def test_no_query_of_a_route_reads_much_more_than_it_returns(
    without_background_work: None,
    requests: RequestFactory,
    operations: list[Operation],
    stored: Database[Any],
    subtests: pytest.Subtests,
) -> None:
    samples = await list_samples(requests, operations)
    add_documents_of_others(stored)
    add_events(stored, [Id() for _ in range(30)], OTHERS, "public")
    add_events(stored, [Id() for _ in range(30)], OTHERS, "private")
    for person in {sample.person.id for sample in samples}:
        add_events(stored, [Id(person)], OWN, "private")
    for sample in samples:
        with subtests.test(str(sample.operation)):
            faults: set[str] = set()
            for query in list_queries(sample.operation):
                with profiled(stored) as executed:
                    response = await (sample.with_more_query(query) if query else sample).send()
                    assert response.status_code < 500, response.text
                faults |= {f"{query}: {fault}" for one in executed if (fault := one.fault)}
            assert faults == set()


async def test_a_collection_scan_is_noticed(stored: Database[Any]) -> None:
    stored["events"].insert_many({"title": str(number)} for number in range(300))
    with profiled(stored) as executed:
        list(stored["events"].find({"title": "7"}))
        list(stored["events"].find({}).limit(10))
    scan, page = executed
    assert scan.fault is not None and "no index was used" in scan.fault
    assert page.fault is None
    stored["events"].delete_many({})
