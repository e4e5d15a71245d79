"""The deletion of a large account ends, and shows nothing meanwhile, however often the planner is killed."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from bson import ObjectId
from pymongo import MongoClient

from database.queries import Id
from models.accounts.user import event_ids_by_bucket
from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, ok, sign_up
from tests.support.documents import build_event_document, insert_events
from tests.support.processes import children_of
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until, wait_until_async

pytestmark = [
    pytest.mark.real_server("only a real process can be killed"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

EVENTS, BATCHES = 4_000, 4


@pytest.fixture
def planner(mongo_url: str, tmp_path: Path) -> Iterator[tuple[RunningServer, Any]]:
    """Two worker processes, and their database."""
    name = f"test_{uuid4().hex[:12]}"
    url = url_of(mongo_url, name)
    with (
        MongoClient[Any](mongo_url) as client,
        running(tmp_path / "data", ("--workers", "2"), DATABASE_URL=url, SECRET_KEY=SECRET) as server,
    ):
        yield server, client[name]
        client.drop_database(name)


def store_events(database: Any, creator: str) -> None:
    """Store events of an account, of which every second one is public."""
    events = []
    for number in range(EVENTS // BATCHES):
        fields = {"title": f"Reading {number}", "visibility": ("public", "private")[number % 2]}
        events.append(build_event_document(Id(creator), **fields))
    insert_events(database, events)
    buckets = event_ids_by_bucket([stored["_id"] for stored in database["events"].find({}, {"_id": 1})])
    database["users"].update_one({"_id": ObjectId(creator)}, {"$set": {"events": buckets}})


def kill_with_workers(server: RunningServer) -> None:
    """Kill a planner and its workers, which would otherwise end a moment after it."""
    assert server.process is not None
    workers = children_of(server.process.pid)
    server.kill()
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def read_changes(person: Person, copy: set[str], since: str | None) -> str:
    """Bring a copy of all public events up to date; return the token of the next time."""
    while True:
        path = "/events/changes?scope=public&limit=200" + (f"&since={since}" if since else "")
        answer = ok(await person.get(path))
        copy |= {item["id"] for item in answer["items"]}
        copy -= set(answer["deleted"])
        since = str(answer["next"])
        if not answer["items"] and not answer["deleted"]:
            return since


async def test_a_killed_planner_goes_on_with_the_deletion_of_an_account(planner: tuple[RunningServer, Any]) -> None:
    server, database = planner
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        ada, ben = await sign_up(client, "ada@example.com"), await sign_up(client, "ben@example.com")
        copy: set[str] = set()
        token = None
        for _ in range(BATCHES):
            store_events(database, ada.id)
            token = await read_changes(ben, copy, token)
        assert len(copy) == EVENTS / 2
        assert ok(await ben.get("/events?scope=public&q=reading"))["items"] != []
        request = asyncio.create_task(ada.delete("/users/me", json={"password": PASSWORD}))
        await wait_until_async(lambda: database["closed_accounts"].count_documents({}))
        kill_with_workers(server)
        await asyncio.gather(request, return_exceptions=True)
        assert database["events"].count_documents({}) > 0
        # Another process would wait until the lease of the one that was killed has expired.
        database["closed_accounts"].update_one({}, {"$set": {"due_at": database.command("hello")["localTime"]}})
        server.start()
        assert ok(await ben.get("/events?scope=public"))["items"] == []
        assert ok(await ben.get("/events?scope=public&q=reading"))["items"] == []
        token = await read_changes(ben, copy, token)
        wait_until(lambda: database["closed_accounts"].count_documents({}) == 0)
        for name, owner in (
            ("events", "creator"),
            ("event_changes", "creator"),
            ("public_event_index", "creator"),
            ("tombstones", "owner"),
        ):
            assert database[name].count_documents({owner: ObjectId(ada.id)}) == 0, name
        assert database["tombstones"].count_documents({}) == EVENTS / 2
        await read_changes(ben, copy, token)
        assert copy == set()
    assert "Traceback" not in server.output
