"""What the planner says and does before its database is there, while it hangs, and when it never comes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from pymongo.errors import PyMongoError
from starlette.types import Message

from database.connection import Database, open_database
from planner.app import create_app
from planner.settings import Settings
from tests.support.clients import PASSWORD, ok, sign_in, sign_up
from tests.support.mongod import Standalone, embedded_pid
from tests.support.servers import ROOT, RunningServer, free_port, running
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.real_server("it halts real processes"), pytest.mark.slow]

SECRET = "known to the tests of outages alone: c01d5a20"


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop the process for as long as the block runs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_while_the_database_hangs_all_requests_are_refused_after_one_wait_and_not_one_after_another(
    tmp_path: Path,
) -> None:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as api:
            ada, ben, cleo = [await sign_up(api, f"{name}@example.com") for name in ("ada", "ben", "cleo")]
            events = [await ada.event(title=f"Event {n}") for n in range(10)]
            with stopped(embedded_pid(server.data_dir)):
                requests = [
                    *(ada.get(f"/events/{event['id']}") for event in events),
                    *(ada.get("/events", params={"limit": str(n)}) for n in range(1, 11)),
                    *(ada.post("/events", json={"title": f"Late {n}"}) for n in range(10)),
                    *(ada.patch(f"/events/{event['id']}", json={"title": "Moved"}) for event in events[:5]),
                    *(ada.delete(f"/events/{event['id']}") for event in events[5:]),
                    *(sign_in(api, ben.email) for _ in range(10)),
                    api.post("/auth/signup", json={"email": "eve@example.com", "password": PASSWORD}),
                    ben.get("/users/me"),
                ]
                tasks = [asyncio.create_task(request) for request in requests]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                # Each request waits five seconds for the database. One that waited for another request first would be
                # refused only after one that somebody else sends now.
                later = asyncio.create_task(cleo.get("/users/me"))
                await asyncio.wait([later])
                late = [str(request) for request, task in zip(requests, tasks, strict=True) if not task.done()]
                assert late == []
                answers = [later.result(), *(task.result() for task in tasks)]
                assert (await api.get(f"{server.root}/healthz")).status_code == 200
            for answer in answers:
                assert answer.status_code == 503, answer.request.url
                assert int(answer.headers["Retry-After"]) > 0
                assert answer.headers["Content-Type"] == "application/problem+json"

            assert sorted((await ada.me())["events"]) == sorted(
                event["id"] for event in ok(await ada.get("/events?limit=200"))["items"]
            )
            await ada.event(title="Back again")
            ok(await sign_in(api, ben.email))
        assert "Traceback" not in server.output


async def test_readiness_is_denied_sooner_than_a_request_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
            ada = await sign_up(api, "ada@example.com")
            with stopped(embedded_pid(server.data_dir)):
                request = asyncio.create_task(ada.get("/events"))
                readiness = asyncio.create_task(api.get(f"{server.root}/readyz"))
                await asyncio.wait([request, readiness], return_when=asyncio.FIRST_COMPLETED)
                assert readiness.done() and not request.done()
                assert readiness.result().status_code == (await request).status_code == 503


def test_a_planner_started_before_its_database_logs_what_it_waits_for_and_then_serves(tmp_path: Path) -> None:
    mongod = Standalone(tmp_path / "mongo")
    server = RunningServer(tmp_path / "data", DATABASE_URL=mongod.url, SECRET_KEY=SECRET)
    server.launch()
    try:
        line = f"waiting for the database at 127.0.0.1:{mongod.port}: nothing listens there"
        wait_until(lambda: line in server.output)
        mongod.start()
        server.wait_until_ready()
        assert server.stop() == 0
    finally:
        server.stop()
        mongod.stop()


def test_check_ends_with_a_message_when_the_database_is_unavailable(tmp_path: Path) -> None:
    port = free_port()
    settings = {"DATABASE_URL": f"mongodb://127.0.0.1:{port}/planner", "SECRET_KEY": SECRET, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-m", "planner", "check"],
        env=settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert f"planner: No database at 127.0.0.1:{port} after 5 s: nothing listens there; start MongoDB" in said.stderr
    assert "Traceback" not in said.stderr


async def test_a_database_that_is_lost_during_a_start_is_reported_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Standalone(tmp_path / "mongo")
    database.start()

    async def open_and_lose() -> Database:
        opened = await open_database(database.url)
        database.kill()
        return opened

    monkeypatch.setattr("database.connection.INDEX_SECONDS", 1)
    settings = Settings(_env_file=None, secret_key=SecretStr(SECRET), data_dir=tmp_path)
    app = create_app(settings, open_database=open_and_lose)
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        messages.append(message)

    with pytest.raises(PyMongoError):
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "app": app, "state": {}}, receive, send)
    assert [message["type"] for message in messages] == ["lifespan.startup.failed"]
    assert messages[0]["message"].startswith("The database cannot be used: it does not respond")
