"""An import job imports every entry once, however often the planner is killed meanwhile."""

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from database.connection import DEFAULT_NAME
from database.embedded.server import running_url
from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import send
from tests.support.clients import Person, ok, sign_up
from tests.support.processes import have_ended, import_processes
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until, wait_until_async

pytestmark = [
    pytest.mark.real_server("only a real process can be killed"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

ENTRIES = 2_500
KILLS = 3


def weekly(n: int) -> str:
    """An entry that takes a moment to read."""
    return event(f"SUMMARY:{n}", f"DESCRIPTION:{'words ' * 20}", "RRULE:FREQ=WEEKLY;COUNT=5", uid=f"{n}@x")


TEXT = file(*(weekly(n) for n in range(ENTRIES)))


async def get_job(person: Person, id: str) -> Any:
    return ok(await person.get(f"/imports/{id}"))


async def wait_for_more(person: Person, id: str, than: int) -> Any:
    """Return the job as soon as more than so many entries are done, or all."""

    async def has_more() -> Any:
        job = await get_job(person, id)
        return job if job["done"] > than or job["status"] == "done" else None

    return await wait_until_async(has_more)


async def wait_for_end(person: Person, id: str) -> Any:
    """Return the job as soon as it is done."""

    async def is_done() -> Any:
        job = await get_job(person, id)
        return job if job["status"] == "done" else None

    return await wait_until_async(is_done, seconds=120)


def read_embedded_ids(server: RunningServer) -> list[str]:
    """Return all ids that are embedded in the only user; `/users/me` gives the latest thousand."""
    url = running_url(server.data_dir)
    assert url
    with MongoClient[dict[str, Any]](url) as client:
        (user,) = client.get_default_database(default=DEFAULT_NAME)["users"].find({}, {"events": 1})
    return [str(id) for bucket in user["events"].values() for id in bucket]


async def check_events(server: RunningServer, person: Person) -> None:
    """Every entry has become one event, and the account knows them all."""
    found: list[str] = []
    ids: list[str] = []
    path: str | None = "/events?limit=200"
    while path:
        page = ok(await person.get(path))
        found += [item["uid"] for item in page["items"]]
        ids += [item["id"] for item in page["items"]]
        path = page["next"] and f"/events?limit=200&cursor={page['next']}"
    # Sizes and sets are compared, because the difference of two lists of thousands takes pytest minutes to print.
    assert (len(found), len(ids)) == (ENTRIES, ENTRIES)
    assert set(found) == {f"{n}@x" for n in range(ENTRIES)}
    embedded = read_embedded_ids(server)
    assert len(embedded) == ENTRIES
    assert not set(embedded) ^ set(ids)
    assert not set((await person.me())["events"]) - set(ids)


async def test_a_killed_planner_finishes_its_imports_when_it_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            job = ok(await send(ada, TEXT, prefer="respond-async"), 202)
            done = 0
            for _ in range(KILLS):
                job = await wait_for_more(ada, job["id"], than=done)
                assert job["status"] == "running"
                left = import_processes(server)
                assert left
                server.kill()
                wait_until(partial(have_ended, left))
                server.start()
                again = await get_job(ada, job["id"])
                assert again["done"] >= job["done"]
                done = again["done"]
            job = await wait_for_end(ada, job["id"])
            assert (job["total"], job["done"], job["created"], job["unchanged"]) == (ENTRIES, ENTRIES, ENTRIES, 0)
            assert job["failed"] == []
            await check_events(server, ada)
        assert "Traceback" not in server.output


async def test_a_stopped_planner_leaves_no_import_process_and_finishes_the_import_after_the_next_start(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            ada = await sign_up(client, "ada@example.com")
            job = ok(await send(ada, TEXT, prefer="respond-async"), 202)
            await wait_for_more(ada, job["id"], than=0)
            left = import_processes(server)
            assert left
            assert server.stop(signal.SIGTERM) == 0
            assert have_ended(left)
            server.start()
            job = await wait_for_end(ada, job["id"])
            assert job["created"] == ENTRIES
            await check_events(server, ada)
        assert "Traceback" not in server.output


async def test_a_client_that_disconnects_during_an_import_can_send_the_file_again(tmp_path: Path) -> None:
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

            async def has_events() -> bool:
                return bool((await ada.me())["events"])

            await wait_until_async(has_events)
            writer.transport.abort()
            # Whether it goes on or not: the same file again makes it complete, and nothing is there twice.
            said = ok(await send(ada, TEXT))
            assert said["created"] + said["unchanged"] == ENTRIES
            assert said["failed"] == []
            await check_events(server, ada)
            wait_until(lambda: not import_processes(server))
        assert "Traceback" not in server.output
