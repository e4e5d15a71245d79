"""Which queries a cluster would send to every shard, with the shard keys of docs/decisions/0035-shards.md."""

import re
from functools import partial
from typing import Any

import pytest

from database.drivers.choice import driver
from models import DOCUMENTS
from tests.routes.all_routes.plans.shard_keys import FOREIGN_UNIQUE_INDEXES, SHARD_KEYS, Filters, holds_key
from tests.routes.all_routes.request_factory import RequestFactory
from tests.support.openapi.operations import Operation
from tests.support.servers import ROOT
from tests.support.stored_documents import indexes_of, name_of

PAGE = ROOT / "docs/decisions/0035-shards.md"
# Beside a request as it is, these queries are sent to the routes that have the parameters.
QUERIES = ("scope=public", "scope=all", "scope=public&tag=tag7", "scope=public&q=choir", "scope=mine&q=choir", "q=ada")
PLACE = "scope=public&near=52.52,13.405,5"
WINDOW = "scope=public&from=2026-12-14T00:00:00Z&to=2026-12-21T00:00:00Z"


@pytest.fixture(autouse=True)
def filters(monkeypatch: pytest.MonkeyPatch) -> Filters:
    """What the planner of a test has asked the database; in place before it is opened."""
    listener = Filters()
    monkeypatch.setattr(driver, "connect", partial(driver.connect, event_listeners=[listener]))
    return listener


def read_listed() -> set[str]:
    """Return the lines of the page: each a collection, a colon, and the fields of a filter."""
    block = re.search(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    return {line.strip() for line in block[1].splitlines()}


@pytest.mark.slow
@pytest.mark.real_server("its driver is asked what it sends")
async def test_only_the_listed_queries_are_sent_to_every_shard(
    filters: Filters, without_background_work: None, requests: RequestFactory, operations: list[Operation]
) -> None:
    for operation in operations:
        sample = await requests.sample(operation)
        known = operation.parameters("query")
        if operation.method == "GET":
            for query in (*QUERIES, PLACE, WINDOW):
                if all(pair.partition("=")[0] in known for pair in query.split("&")):
                    await sample.with_query(query).send()
        await sample.send()
    assert {query.collection for query in filters.targeted} >= {"events", "users", "sessions", "revisions", "audit"}
    unlisted = {str(query).strip() for query in filters.broadcast} - read_listed()
    assert unlisted == set(), "add the shard key to these filters, or list them in the page and say why"


def test_every_collection_has_a_shard_key_in_the_page() -> None:
    names = {name_of(document) for document in DOCUMENTS}
    assert names == SHARD_KEYS.keys()
    page = PAGE.read_text()
    for name, key in SHARD_KEYS.items():
        row = re.search(rf"^\| `{name}` \| (.*?) \|", page, re.MULTILINE)
        assert row is not None, name
        assert row[1].partition(" ")[0].strip("`") == (key or "none"), name


def test_a_unique_index_begins_with_the_shard_key_or_is_known_to_need_a_collection_of_its_own() -> None:
    foreign = {
        (name_of(document), index.document["name"])
        for document in DOCUMENTS
        for index in indexes_of(document)
        if index.document.get("unique")
        and SHARD_KEYS[name_of(document)] not in (None, next(iter(index.document["key"])))
    }
    assert foreign == FOREIGN_UNIQUE_INDEXES


@pytest.mark.parametrize(
    ("filter", "holds"),
    [
        ({"owner": 1}, True),
        ({"owner": {"$in": [1, 2]}}, True),
        ({"owner": {"$gt": 1}}, False),
        ({"_id": 1}, False),
        ({"$and": [{"_id": 1}, {"owner": 1}]}, True),
        ({"$or": [{"owner": 1}, {"owner": 2, "_id": 1}]}, True),
        ({"$or": [{"owner": 1}, {"_id": 1}]}, False),
    ],
)
def test_a_filter_holds_a_key_if_it_says_which_values_it_wants(filter: dict[str, Any], holds: bool) -> None:
    assert holds_key(filter, "owner") is holds
