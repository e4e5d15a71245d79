"""What the tests of the shared services share."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from tests.services.shared.limited_requests import client_at
from tests.support.clients import Planner


@pytest.fixture
async def client_elsewhere(app: FastAPI) -> AsyncIterator[Planner]:
    """A client at another address than everybody else."""
    async with client_at(app, "198.51.100.1") as client:
        yield client
