"""Simultaneous requests, in different processes, do not exceed the number of feeds and unfinished imports of a user."""

import asyncio

import pytest

from auth.principal import Principal
from database.queries import Id
from models.files.feed import MAX_FEEDS
from models.files.import_job import MAX_UNFINISHED
from planner.clock import SystemClock
from planner.errors import Conflict
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.import_jobs import ImportJobs
from planner.services.files.importer import File, Importer
from tests.domain.ics.samples import event, file
from tests.support.clients import Person, ok
from tests.support.workers import RACERS

LEFT = 10


@pytest.mark.real_server("two processes need a database outside of them")
async def test_twenty_requests_to_two_processes_create_no_more_feeds_than_the_limit(racers: list[Person]) -> None:
    for _ in range(MAX_FEEDS - LEFT):
        ok(await racers[0].post("/feeds", json={"name": "Before"}), 201)
    responses = await asyncio.gather(*(racer.post("/feeds", json={"name": "At once"}) for racer in racers))
    statuses = sorted(response.status_code for response in responses)
    assert statuses == [201] * LEFT + [409] * (RACERS - LEFT)
    assert len(ok(await racers[0].get("/feeds?limit=200"))["items"]) == MAX_FEEDS


@pytest.mark.usefixtures("without_background_work")
async def test_twenty_requests_to_two_processes_create_no_more_unfinished_imports_than_the_limit(ada: Person) -> None:
    clock = SystemClock()
    # Each process has locks of its own.
    processes = [
        ImportJobs(Importer(ConflictChecker(locks, clock), locks, clock), locks, clock)
        for locks in (UserWriteLocks(), UserWriteLocks())
    ]
    caller, upload = Principal(Id(ada.id), "user"), File(file(event()).encode())

    async def create_job(imports: ImportJobs) -> bool:
        try:
            await imports.create_job(caller, upload, False, None)
        except Conflict:
            return False
        return True

    created = await asyncio.gather(*(create_job(processes[n % 2]) for n in range(RACERS)))
    assert sum(created) == MAX_UNFINISHED
