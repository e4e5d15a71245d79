"""A transaction that nobody works on any more is ended, and nothing else is."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from database.connection import APPLICATION, Database
from database.transactions.abandoned import end_abandoned_transactions
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.real_server("the mock has no transactions")
Client = MongoClient[dict[str, Any]]


@pytest.fixture
def clients(mongo_url: str) -> Iterator[tuple[Client, Client]]:
    """A client that is called as the planner is, and one of another application."""
    with Client(mongo_url, appname=APPLICATION) as planner, Client(mongo_url, appname="other") as other:
        yield planner, other


def begin_to_insert(client: Client, database: Database, title: str) -> ClientSession:
    """Insert a document in a transaction that is left open."""
    session = client.start_session()
    session.start_transaction()
    client[database.name]["left_open"].insert_one({"title": title}, session=session)
    return session


def list_open_transactions(client: Client) -> list[Any]:
    """Return the ids of the sessions whose transaction nobody works on at the moment."""
    looked = client.admin.aggregate([{"$currentOp": {"allUsers": True, "idleSessions": True}}])
    return [each["lsid"]["id"] for each in looked if each["type"] == "idleSession"]


@pytest.mark.foreign_documents("it stores documents of another application")
async def test_a_transaction_that_was_left_open_is_ended_and_one_of_another_application_is_not(
    database: Database, clients: tuple[Client, Client]
) -> None:
    planner, other = clients
    with begin_to_insert(other, database, "other") as others, begin_to_insert(planner, database, "planner") as ours:

        async def is_ended() -> bool:
            await end_abandoned_transactions(database)
            return ours.session_id["id"] not in list_open_transactions(other)

        await wait_until_async(is_ended)
        with pytest.raises(OperationFailure) as refusal:
            ours.commit_transaction()
        # The driver does the whole transaction again for this.
        assert refusal.value.has_error_label("TransientTransactionError")
        others.commit_transaction()
    assert [each["title"] for each in other[database.name]["left_open"].find()] == ["other"]


@pytest.mark.foreign_documents("it stores documents of another application")
async def test_a_transaction_that_has_just_been_left_is_not_ended(
    database: Database, clients: tuple[Client, Client]
) -> None:
    planner, _ = clients
    with begin_to_insert(planner, database, "planner") as ours:
        await end_abandoned_transactions(database)
        ours.commit_transaction()
