"""What the tests of accounts share."""

import pytest
from fastapi import FastAPI

from tests.support.clients import Person
from tests.support.clocks import Clock, install_clock
from tests.support.sessions import Tokens, open_session


@pytest.fixture
def clock(app: FastAPI) -> Clock:
    """The clock that the planner goes by."""
    return install_clock(app)


@pytest.fixture
async def tokens(ada: Person) -> Tokens:
    """A second session of ada's."""
    return await open_session(ada.api, ada.email)
