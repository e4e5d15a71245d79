"""A planner whose disk was full serves again soon after there is room."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from database.embedded.server import running_url
from tests.support.clients import ok, sign_up
from tests.support.servers import running
from tests.support.waiting import wait_until, wait_until_true_after

pytestmark = [pytest.mark.real_server("it fills a real disk"), pytest.mark.slow]
DISK = "size=450m"
# What is promised, after there is room again.
BACK_SECONDS = 10
# So often the database has tried to start in vain, before there is room: by then its pauses are the longest.
RESTARTS = 6


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", path], check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a disk")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def fill(disk: Path) -> Path:
    """Write a file until the disk is full, and return it."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 10))
    return filler


async def test_a_planner_is_back_ten_seconds_after_its_full_disk_has_room_again(disk: Path, tmp_path: Path) -> None:
    # The log of the planner is elsewhere.
    with running(tmp_path / "data", DATA_DIR=str(disk / "data")) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            event = await ada.event()
            filler = fill(disk)
            url = running_url(disk / "data")
            assert url is not None
            with MongoClient[dict[str, object]](url, timeoutMS=5000) as database, suppress(PyMongoError):
                database.admin.command("fsync")  # What it would do within a minute anyway; it cannot go on without.
            wait_until(lambda: server.output.count("starting it again") + server.output.count("retrying") >= RESTARTS)
            assert (await client.get(f"{server.root}/readyz")).status_code == 503
            filler.unlink()

            async def is_ready() -> bool:
                return (await client.get(f"{server.root}/readyz")).status_code == 200

            await wait_until_true_after(time.monotonic(), BACK_SECONDS, is_ready)
            assert ok(await ada.get(f"/events/{event['id']}")) == event
            await ada.event()
        assert "Traceback" not in server.output
