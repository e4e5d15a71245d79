"""What the tests of the use cases share."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from pymongo import MongoClient

from planner.services.accounts.administration import Administration
from tests.conftest import SECRET, url_of
from tests.support.clients import Person, Planner, ok, sign_up
from tests.support.mailbox import Mailbox
from tests.support.servers import RunningServer, running
from tests.support.services import services_of
from tests.support.workers import racing_clients


@pytest.fixture(scope="module")
def two_workers(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A planner with two worker processes, on a database of its own."""
    data, name = tmp_path_factory.mktemp("workers") / "data", f"test_{uuid4().hex[:12]}"
    with running(data, ("--workers", "2"), DATABASE_URL=url_of(mongo_url, name), SECRET_KEY=SECRET) as server:
        yield server
    with MongoClient[Any](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture
async def racers(two_workers: RunningServer) -> AsyncIterator[list[Person]]:
    """One user with many connections to both worker processes."""
    async with racing_clients(two_workers) as racers:
        yield racers


@pytest.fixture
def mailbox(without_background_work: None) -> Mailbox:
    """Where mails arrive once the test has them delivered.

    A module that wants them there overrides the fixture `mail_transport` to return it.
    """
    return Mailbox()


@pytest.fixture
async def admin(app: FastAPI, api: Planner) -> Person:
    """Somebody whom the operator has made an admin."""
    administration: Administration = services_of(app).administration
    grace = await sign_up(api, "grace@example.com")
    assert await administration.make_admin(grace.email)
    return grace


@pytest.fixture
async def moderator(api: Planner, admin: Person) -> Person:
    someone = await sign_up(api, "mary@example.com")
    ok(await admin.patch(f"/users/{someone.id}", json={"role": "moderator"}))
    return someone
