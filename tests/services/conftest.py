"""What the tests of the use cases share."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from tests.conftest import SECRET, url_of
from tests.support.servers import RunningServer, running


@pytest.fixture(scope="module")
def server(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A planner as a process of its own, on a database of its own."""
    data, name = tmp_path_factory.mktemp("planner") / "data", f"test_{uuid4().hex[:12]}"
    with running(data, DATABASE_URL=url_of(mongo_url, name), SECRET_KEY=SECRET) as server:
        yield server
    with MongoClient[Any](mongo_url) as client:
        client.drop_database(name)
