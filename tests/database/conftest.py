"""What the tests of the database share: one of their own, with the documents bound to it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from database.connection import Database, bind
from models import DOCUMENTS

Open = Callable[[], Awaitable[Database]]


@pytest.fixture
async def database(open_database_for_test: Open) -> AsyncIterator[Database]:
    """A database of this test's own, with the documents bound to it."""
    opened = await open_database_for_test()
    await bind(opened, DOCUMENTS)
    yield opened
    await opened.close()
