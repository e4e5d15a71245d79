"""An import that was ordered is finished with every entry once, however often the planner is killed meanwhile."""

import asyncio
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from database.embedded.processes import command_line
from tests.domain.ics.samples import event, file
from tests.failures.test_stopping import family, have_ended, until
from tests.services.files.test_importer import send
from tests.support.clients import Person, ok, sign_up
from tests.support.servers import RunningServer, running

pytestmark = [
    pytest.mark.real_server("only a real process can be killed"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

ENTRIES = 4_000
KILLS = 3
WORKER = "import_worker"


@pytest.fixture(autouse=True)
def tell_and_tidy_up(tmp_path: Path) -> Iterator[None]:
    """Shows what the planner said, should the test fail; and each mongod takes some 300 MB, kept for three runs."""
    yield
    for log in tmp_path.glob("*.log"):
        print(log.read_text())
    shutil.rmtree(tmp_path)


def weekly(n: int) -> str:
    """An entry that takes a moment to read."""
    return event(f"SUMMARY:{n}", f"DESCRIPTION:{'words ' * 20}", "RRULE:FREQ=WEEKLY;COUNT=5", uid=f"{n}@x")


TEXT = file(*(weekly(n) for n in range(ENTRIES)))


async def progress(person: Person, id: str) -> Any:
    return ok(await person.get(f"/imports/{id}"))


async def awaited(person: Person, id: str, enough: Callable[[Any], bool], seconds: float = 120) -> Any:
    """The job once it is as it is waited for."""
    async with asyncio.timeout(seconds):
        while True:
            if enough(job := await progress(person, id)):
                return job
            await asyncio.sleep(0.01)


async def further(person: Person, id: str, than: int) -> Any:
    """The job once it is further than this, or done."""
    return await awaited(person, id, lambda job: job["done"] > than or job["status"] == "done")


async def finished(person: Person, id: str) -> Any:
    return await awaited(person, id, lambda job: job["status"] == "done")


async def check(person: Person) -> None:
    """Every entry has become one event, and the account knows them all."""
    found: list[str] = []
    ids: list[str] = []
    path: str | None = "/events?limit=200"
    while path:
        page = ok(await person.get(path))
        found += [item["uid"] for item in page["items"]]
        ids += [item["id"] for item in page["items"]]
        path = page["next"] and f"/events?limit=200&cursor={page['next']}"
    assert sorted(found) == sorted(f"{n}@x" for n in range(ENTRIES))
    assert sorted((await person.me())["events"]) == sorted(ids)


def workers(server: RunningServer) -> set[int]:
    """The processes of this planner that read files."""
    assert server.process is not None
    return {pid for pid in family(server.process.pid) if WORKER in command_line(pid)}


async def test_a_killed_planner_finishes_its_imports_when_it_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            job = ok(await send(ada, TEXT, prefer="respond-async"), 202)
            done = 0
            for _ in range(KILLS):
                job = await further(ada, job["id"], than=done)
                assert job["status"] == "running"
                left = workers(server)
                assert left
                server.kill()
                until(partial(have_ended, left))
                server.start()
                again = await progress(ada, job["id"])
                assert again["done"] >= job["done"]
                done = again["done"]
            job = await finished(ada, job["id"])
            assert (job["total"], job["done"], job["created"], job["unchanged"]) == (ENTRIES, ENTRIES, ENTRIES, 0)
            assert job["failed"] == []
            await check(ada)
        assert "Traceback" not in server.output


async def test_a_planner_that_is_stopped_leaves_no_reader_behind_and_its_imports_for_the_next_start(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            job = ok(await send(ada, TEXT, prefer="respond-async"), 202)
            await further(ada, job["id"], than=0)
            left = workers(server)
            assert left
            assert server.stop(signal.SIGTERM) == 0
            assert have_ended(left)
            server.start()
            job = await finished(ada, job["id"])
            assert job["created"] == ENTRIES
            await check(ada)
        assert "Traceback" not in server.output


async def test_who_hangs_up_leaves_nothing_half_done(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            head = [
                *("POST /api/v1/events/import HTTP/1.1", "Host: planner", f"Authorization: Bearer {ada.token}"),
                *("Content-Type: text/calendar", f"Content-Length: {len(TEXT)}", "", ""),
            ]
            writer.write("\r\n".join(head).encode() + TEXT.encode())
            await writer.drain()
            async with asyncio.timeout(30):
                while not (await ada.me())["events"]:
                    pass  # Each time it is asked.
            writer.transport.abort()
            # Whether it goes on or not: the same file again makes it complete, and nothing is there twice.
            said = ok(await send(ada, TEXT))
            assert said["created"] + said["unchanged"] == ENTRIES
            assert said["failed"] == []
            await check(ada)
            until(lambda: not workers(server))
        assert "Traceback" not in server.output
