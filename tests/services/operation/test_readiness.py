"""An outage of the database has one line in the log when it begins and one when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from pymongo.errors import AutoReconnect, NetworkTimeout

from models.shared.heartbeat import Heartbeat
from planner import background
from planner.draining import Draining
from planner.errors import Unavailable
from planner.services.operation.readiness import SETTLE_SECONDS, Readiness
from planner.wiring import Services
from tests.support.clocks import MovableClock, clock_of
from tests.support.services import services_of
from tests.support.waiting import wait_until_async

# What background work is called in the metrics; it is all there is.
KINDS = 6
SETTLED = timedelta(seconds=SETTLE_SECONDS)

pytestmark = pytest.mark.usefixtures("without_background_work")


class Beats:
    """Stands for the write that finds out whether a majority acknowledges writes."""

    def __init__(self) -> None:
        self.count = 0
        self.are_acknowledged = True

    async def beat(self, now: datetime) -> None:
        self.count += 1
        # Others may ask meanwhile.
        await asyncio.sleep(0)
        if not self.are_acknowledged:
            raise NetworkTimeout("no majority")


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> Beats:
    beats = Beats()
    monkeypatch.setattr(Heartbeat, "beat", beats.beat)
    return beats


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.freeze()
    return clock


@pytest.fixture
def readiness(beats: Beats, clock: MovableClock) -> Readiness:
    return Readiness(Draining(0), clock)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged of the database: "away" and "back"."""
    logged = [record.getMessage() for record in caplog.records if record.name == "planner.database"]
    return ["back" if "available again" in line else "away" for line in logged if "available" in line]


async def test_an_outage_has_one_line_when_it_begins_and_one_when_it_ends(
    readiness: Readiness, beats: Beats, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    beats.are_acknowledged = False
    for _ in range(3):
        readiness.note_failure(AutoReconnect("closed"))
        with pytest.raises(Unavailable):
            await readiness.check()
        await readiness.check_recovery()
    assert lines(caplog) == ["away"]
    beats.are_acknowledged = True
    clock.move(SETTLED)
    await asyncio.gather(*(readiness.check_recovery() for _ in range(3)))
    await readiness.check()
    assert lines(caplog) == ["away", "back"]


async def test_what_fails_soon_after_a_write_belongs_to_the_same_outage(
    readiness: Readiness, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        readiness.note_failure(AutoReconnect("closed"))
        clock.move(timedelta(seconds=5))
        await readiness.check()
    assert lines(caplog) == ["away"]
    clock.move(SETTLED)
    await readiness.check()
    assert lines(caplog) == ["away", "back"]
    assert "available again, after 15 s" in caplog.text


async def test_those_who_ask_together_whether_the_database_is_back_share_one_write(
    readiness: Readiness, beats: Beats
) -> None:
    readiness.note_failure(AutoReconnect("closed"))
    await asyncio.gather(*(readiness.check_recovery() for _ in range(3)), readiness.check())
    assert beats.count == 1


@asynccontextmanager
async def running_background_work(services: Services, patch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """Do background work as long as the block runs; yields the kind of each round that has ended, which grows."""
    ended: list[str] = []

    def note(kind: str, *_: Any, **__: Any) -> None:
        ended.append(kind)

    patch.setattr(services.metrics, "end_background_run", note)
    loop = asyncio.create_task(background.run_due_work(services))
    try:
        yield ended
    finally:
        await background.stop(loop)


async def test_background_work_that_can_read_does_not_call_a_database_available_that_acknowledges_no_write(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, beats: Beats, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(Heartbeat, "beat", beats.beat)
    services, beats.are_acknowledged = services_of(app), False
    services.readiness.note_failure(AutoReconnect("closed"))
    async with running_background_work(services, monkeypatch) as ended:
        await wait_until_async(lambda: len(set(ended)) == KINDS)
        assert lines(caplog) == ["away"]
        beats.are_acknowledged = True
        clock_of(app).move(SETTLED)
        services.mail_delivery.wake.set()
        await wait_until_async(lambda: lines(caplog) == ["away", "back"])


async def test_background_work_writes_nothing_to_find_out_what_nobody_doubts(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, beats: Beats
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(Heartbeat, "beat", beats.beat)
    async with running_background_work(services_of(app), monkeypatch) as ended:
        await wait_until_async(lambda: len(set(ended)) == KINDS)
    assert beats.count == 0
