"""What the planner says and does before its database is there, while it hangs, and when it never comes."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clients import PASSWORD, ok, sign_in, sign_up
from tests.support.mongod import Standalone, embedded_pid
from tests.support.servers import ROOT, RunningServer, free_port, running

pytestmark = [pytest.mark.real_server("it halts real processes"), pytest.mark.slow]

SECRET = "known to the tests of outages alone: c01d5a20"
# A request is refused after five seconds without the database. One that waited for others first would take ten.
REFUSED_SECONDS = 9.5


@pytest.fixture(autouse=True)
def tell_and_tidy_up(tmp_path: Path) -> Iterator[None]:
    """Shows what the planner said, should the test fail; and each mongod takes some 300 MB, kept for three runs."""
    yield
    for log in tmp_path.glob("*.log"):
        print(log.read_text())
    shutil.rmtree(tmp_path)


@contextmanager
def halted(pid: int) -> Iterator[None]:
    """The process stands still for the time being."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def timed(request: Coroutine[Any, Any, httpx.Response]) -> tuple[httpx.Response, float]:
    begun = time.monotonic()
    return await request, time.monotonic() - begun


async def test_while_the_database_hangs_everyone_is_told_so_in_time_however_many_they_are(tmp_path: Path) -> None:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    with running(tmp_path / "data") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as api:
            ada, ben = await sign_up(api, "ada@example.com"), await sign_up(api, "ben@example.com")
            events = [await ada.event(title=f"Event {n}") for n in range(10)]
            with halted(embedded_pid(server.data_dir)):
                asked = [
                    *(ada.get(f"/events/{event['id']}") for event in events),
                    *(ada.get("/events", params={"limit": str(n)}) for n in range(1, 11)),
                    *(ada.post("/events", json={"title": f"Late {n}"}) for n in range(10)),
                    *(ada.patch(f"/events/{event['id']}", json={"title": "Moved"}) for event in events[:5]),
                    *(ada.delete(f"/events/{event['id']}") for event in events[5:]),
                    *(sign_in(api, ben.email) for _ in range(10)),
                    api.post("/auth/signup", json={"email": "eve@example.com", "password": PASSWORD}),
                    ben.get("/users/me"),
                ]
                answers = await asyncio.gather(*(timed(request) for request in asked))
                readiness, seconds = await timed(api.get(f"{server.root}/readyz"))
                assert readiness.status_code == 503
                assert seconds < 3
                assert (await api.get(f"{server.root}/healthz")).status_code == 200
            for answer, _ in answers:
                assert answer.status_code == 503, answer.request.url
                assert int(answer.headers["Retry-After"]) > 0
                assert answer.headers["Content-Type"] == "application/problem+json"
            slowest, who = max((seconds, f"{a.request.method} {a.request.url.path}") for a, seconds in answers)
            assert slowest < REFUSED_SECONDS, f"{who} was answered after {slowest:.1f} s"

            assert sorted((await ada.me())["events"]) == sorted(
                event["id"] for event in ok(await ada.get("/events?limit=200"))["items"]
            )
            await ada.event(title="Back again")
            ok(await sign_in(api, ben.email))
        assert "Traceback" not in server.output


def test_a_planner_started_before_its_database_says_what_it_waits_for_and_then_serves(tmp_path: Path) -> None:
    mongod = Standalone(tmp_path / "mongo")
    server = RunningServer(tmp_path / "data", DATABASE_URL=mongod.url, SECRET_KEY=SECRET)
    server.launch()
    try:
        told = f"waiting for the database at 127.0.0.1:{mongod.port}: it does not respond"
        deadline = time.monotonic() + 10
        while told not in server.output:
            assert time.monotonic() < deadline, f"it said nothing of what it waits for: {server.output}"
            time.sleep(0.01)
        mongod.start()
        server.wait_until_ready()
        assert server.stop() == 0
    finally:
        server.stop()
        mongod.stop()


def test_the_check_of_settings_ends_with_a_message_when_the_database_is_away(tmp_path: Path) -> None:
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
    assert f"planner: No database at 127.0.0.1:{port} after 5 s: it does not respond." in said.stderr
    assert "Traceback" not in said.stderr
