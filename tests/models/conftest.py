"""What the tests of the documents share."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from database.connection import bind, collection_name, open_database
from database.queries import Filter
from models import DOCUMENTS
from tests.conftest import url_of
from tests.models.events.query_plans import Query


@pytest.fixture(scope="module")
def indexed(mongo_url: str) -> Iterator[Database[Any]]:
    """A real database with the indexes of every document, and nothing in it."""
    name = f"test_{uuid4().hex[:12]}"

    async def make_indexes() -> None:
        opened = await open_database(url_of(mongo_url, name))
        await bind(opened, DOCUMENTS)
        await opened.close()

    asyncio.run(make_indexes())
    with MongoClient[Any](mongo_url, tz_aware=True) as client:
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """What the documents would ask the server, noted instead."""
    noted: list[Query] = []

    async def find_raw(
        document: Any, match: Filter, *, order: Any = None, limit: int = 0, fields: Any = None
    ) -> list[bytes]:
        noted.append(Query(collection_name(document), match, order, limit))
        return []

    async def find_raw_batches(
        document: Any, match: Filter, size: int, fields: Any = None
    ) -> AsyncIterator[list[bytes]]:
        noted.append(Query(collection_name(document), match))
        nothing: list[list[bytes]] = []
        for batch in nothing:
            yield batch

    async def find_and_update(document: Any, match: Filter, changes: Any, **options: Any) -> None:
        noted.append(Query(collection_name(document), match, None, 1))

    stand_ins = {each.__name__: each for each in (find_raw, find_raw_batches, find_and_update)}
    stand_ins["batches"] = find_raw_batches
    for name, module in list(sys.modules.items()):
        if name.startswith(("models.", "database.reads", "database.commit")):
            for called, stand_in in stand_ins.items():
                if hasattr(module, called):
                    monkeypatch.setattr(module, called, stand_in)
    return noted
