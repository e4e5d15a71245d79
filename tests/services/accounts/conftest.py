"""What the tests of accounts share."""

import pytest

from tests.support.clients import Person
from tests.support.sessions import Tokens, open_session


@pytest.fixture
async def tokens(ada: Person) -> Tokens:
    """A second session of ada's."""
    return await open_session(ada.api, ada.email)
