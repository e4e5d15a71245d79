"""A planner that may open few files: it serves new clients however many connections are idle."""

from pathlib import Path

import pytest

from tests.conftest import SECRET, url_of
from tests.load.descriptors import measure, running_with_files

FILES, LIMIT = 512, 256


@pytest.mark.real_server("it is a process of its own")
async def test_new_clients_are_served_while_more_are_idle_than_files_can_be_opened(
    mongo_url: str, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": url_of(mongo_url, "test_descriptors"), "SECRET_KEY": SECRET}
    with running_with_files(FILES, tmp_path / "data", **settings) as server:
        found = await measure(server, FILES, 2 * FILES, 10)
    assert found.new.count() == {"200": 10}
    assert found.logged == 1
    assert 0 < found.open < LIMIT
