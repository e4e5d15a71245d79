"""What the tests of the embedded server share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def remove_data_after_each_test(tmp_path: Path) -> Iterator[None]:
    """The journal of each mongod takes 300 MB, and pytest would keep the directories of three runs."""
    yield
    shutil.rmtree(tmp_path)
