"""What the tests of failures share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.failures.protected_database import ProtectedDatabase


@pytest.fixture(autouse=True)
def print_logs_and_remove_data(tmp_path: Path) -> Iterator[None]:
    """Print what the planners logged, for a test that fails, and remove the data of each mongod, some 300 MB."""
    yield
    for log in tmp_path.glob("*.log"):
        print(log.read_text())
    shutil.rmtree(tmp_path)


@pytest.fixture
def protected_database(tmp_path: Path) -> Iterator[ProtectedDatabase]:
    database = ProtectedDatabase(tmp_path / "database")
    try:
        yield database
    finally:
        database.stop()
