"""Import jobs: created at once, run in the background by any process, and finished once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from database.queries import new_id
from database.reads import find, find_one
from models.files.import_chunk import CHUNK_BYTES, ImportChunk
from models.files.import_counts import ImportCounts
from models.files.import_job import LEASE, LIFETIME, MAX_ATTEMPTS, MAX_UNFINISHED, ImportJob
from planner.clock import Clock, SystemClock
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.import_jobs import ImportJobs
from planner.services.files.import_messages import DraftBatch
from planner.services.files.importer import Importer, ImportRun
from planner.services.shared.leased_work import LONGEST_PAUSE
from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import events, send
from tests.support.clients import Person, ok
from tests.support.clocks import MovableClock, clock_of
from tests.support.services import services_of

ASYNC = {"prefer": "respond-async"}
COUNTS = ("created", "updated", "unchanged")
AFTER_LEASE = LEASE + timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("without_background_work")


class ProcessEnded(BaseException):
    """The process that runs an import ended here."""


class EndingImporter(Importer):
    """An importer whose process ends when it has written so many batches."""

    def __init__(self, batches: int, clock: Clock) -> None:
        locks = UserWriteLocks()
        super().__init__(ConflictChecker(locks, clock), locks, clock)
        self.batches = batches

    async def import_batch(self, run: ImportRun, batch: DraftBatch, done: int) -> ImportCounts:
        if not self.batches:
            raise ProcessEnded
        self.batches -= 1
        return await super().import_batch(run, batch, done)


class OvertakenImporter(Importer):
    """An importer that is so slow that another process has leased its job before the first batch is written."""

    async def import_batch(self, run: ImportRun, batch: DraftBatch, done: int) -> ImportCounts:
        later = MovableClock()
        later.move(AFTER_LEASE)
        await ImportJob.lease_due(new_id(), later.now())
        return await super().import_batch(run, batch, done)


class HangingImporter(Importer):
    """An importer that never writes the first batch."""

    def __init__(self, conflicts: ConflictChecker, locks: UserWriteLocks, clock: Clock) -> None:
        super().__init__(conflicts, locks, clock)
        self.has_started = asyncio.Event()

    async def import_batch(self, run: ImportRun, batch: DraftBatch, done: int) -> ImportCounts:
        self.has_started.set()
        await asyncio.Event().wait()
        raise AssertionError


def other_process(importer: type[Importer] = Importer, clock: Clock | None = None) -> ImportJobs:
    """Return the use cases of another process on the same database."""
    clock = clock or SystemClock()
    locks = UserWriteLocks()
    return ImportJobs(importer(ConflictChecker(locks, clock), locks, clock), locks, clock)


@pytest.fixture
def imports(app: FastAPI) -> ImportJobs:
    found: ImportJobs = services_of(app).import_jobs
    return found


def many(count: int, *more: str) -> str:
    return file(*(event(f"SUMMARY:{n}", uid=f"{n}@x") for n in range(count)), *more)


async def create_job(person: Person, text: str, query: str = "", **headers: str) -> Any:
    return ok(await send(person, text, query, **ASYNC, **headers), 202)


async def get_job(person: Person, id: str) -> Any:
    return ok(await person.get(f"/imports/{id}"))


async def test_a_job_is_created_at_once_and_can_be_polled_until_it_is_done(ada: Person, imports: ImportJobs) -> None:
    response = await send(ada, many(30, event("DTSTART : 2026", uid="bad")), **ASYNC)
    job = ok(response, 202)
    assert response.headers["location"] == f"http://planner.test/api/v1/imports/{job['id']}"
    assert response.headers["preference-applied"] == "respond-async"
    assert (job["status"], job["total"], job["done"], job["finished_at"]) == ("waiting", None, 0, None)
    assert await get_job(ada, job["id"]) == job
    assert await events(ada) == []
    assert imports.wake.is_set()
    assert await imports.run_due() == 1
    done = await get_job(ada, job["id"])
    assert (done["status"], done["total"], done["done"]) == ("done", 31, 31)
    assert [done[name] for name in COUNTS] == [30, 0, 0]
    assert [failure["uid"] for failure in done["failed"]] == ["bad"]
    assert done["finished_at"] >= job["created_at"]
    assert len(await events(ada)) == 30


async def test_only_the_preference_respond_async_creates_a_job(ada: Person) -> None:
    for prefer in ("return=minimal", "wait=10", "x-respond-async"):
        ok(await send(ada, file(event()), prefer=prefer), 200)
    for prefer in ("wait=1, Respond-Async", 'respond-async; a="b"'):
        ok(await send(ada, file(event()), prefer=prefer), 202)


async def test_a_job_can_be_a_dry_run(ada: Person, imports: ImportJobs) -> None:
    job = await create_job(ada, many(3), "?dry_run=true")
    await imports.run_due()
    done = await get_job(ada, job["id"])
    assert (done["status"], done["dry_run"], done["created"]) == ("done", True, 3)
    assert await events(ada) == []


async def test_a_file_without_entries_is_done(ada: Person, imports: ImportJobs) -> None:
    job = await create_job(ada, file())
    await imports.run_due()
    done = await get_job(ada, job["id"])
    assert (done["status"], done["total"], done["done"]) == ("done", 0, 0)


async def test_the_job_of_a_file_that_cannot_be_imported_fails_with_the_reason(
    ada: Person, imports: ImportJobs
) -> None:
    for text, part in ((b"hello", "BEGIN:VCALENDAR"), (b"BEGIN:VCALENDAR\xff", "BEGIN:VCALENDAR")):
        job = ok(await send(ada, text, **ASYNC), 202)
        await imports.run_due()
        done = await get_job(ada, job["id"])
        assert done["status"] == "failed"
        assert part in done["reason"]


async def test_a_job_can_be_read_by_nobody_else(ada: Person, ben: Person) -> None:
    job = await create_job(ada, many(1))
    for id in (job["id"], "f" * 24, "nonsense"):
        assert (await ben.get(f"/imports/{id}")).status_code == 404


async def test_a_user_cannot_have_more_unfinished_jobs_than_the_limit(
    ada: Person, ben: Person, imports: ImportJobs
) -> None:
    responses = await asyncio.gather(*(send(ada, many(1), **ASYNC) for _ in range(MAX_UNFINISHED + 3)))
    assert sorted(response.status_code for response in responses) == [202] * MAX_UNFINISHED + [409] * 3
    await create_job(ben, many(1))
    await imports.run_due()
    await create_job(ada, many(1))


async def test_the_file_of_a_refused_job_is_not_stored(ada: Person) -> None:
    await asyncio.gather(*(send(ada, many(1), **ASYNC) for _ in range(MAX_UNFINISHED + 3)))
    assert await ImportChunk.count() == MAX_UNFINISHED


async def test_the_same_key_creates_one_job(ada: Person, imports: ImportJobs) -> None:
    key = {"idempotency-key": "one"}
    first = await create_job(ada, many(2), **key)
    response = await send(ada, many(2), **ASYNC, **key)
    assert ok(response, 202) == first
    assert response.headers["location"].endswith(first["id"])
    assert (await send(ada, many(3), **ASYNC, **key)).status_code == 422
    assert (await send(ada, many(2), **key)).status_code == 422
    assert await imports.run_due() == 1


async def test_a_repeated_request_gets_the_first_job_also_when_the_limit_is_reached(
    ada: Person, imports: ImportJobs
) -> None:
    for _ in range(MAX_UNFINISHED - 1):
        await create_job(ada, many(1))
    jobs = await asyncio.gather(*(create_job(ada, many(2), **{"idempotency-key": "one"}) for _ in range(5)))
    assert jobs == [jobs[0]] * 5
    assert await imports.run_due() == MAX_UNFINISHED


async def test_a_large_file_is_stored_in_chunks_until_the_job_is_done(ada: Person, imports: ImportJobs) -> None:
    text = many(1, *(event(f"X-A:{'x' * 60_000}", uid=f"large{n}") for n in range(80)))
    assert len(text) > CHUNK_BYTES
    job = await create_job(ada, text)
    assert await ImportChunk.count() == 2
    await imports.run_due()
    assert (await get_job(ada, job["id"]))["created"] == 81
    assert await ImportChunk.count() == 0


async def test_another_process_finishes_a_job_and_writes_no_event_twice(ada: Person) -> None:
    job = await create_job(ada, many(120))
    clock = MovableClock()
    with pytest.raises(ProcessEnded):
        await ImportJobs(EndingImporter(2, clock), UserWriteLocks(), clock).run_due()
    left = await get_job(ada, job["id"])
    assert (left["status"], left["done"], left["created"]) == ("running", 50, 50)
    other = other_process(clock=clock)
    assert await other.run_due() == 0
    clock.move(AFTER_LEASE)
    assert await other.run_due() == 1
    done = await get_job(ada, job["id"])
    assert (done["status"], done["total"], done["done"]) == ("done", 120, 120)
    assert [done[name] for name in COUNTS] == [120, 0, 0]
    assert len((await ada.me())["events"]) == 120


async def test_a_process_that_has_lost_its_lease_writes_nothing(ada: Person) -> None:
    job = await create_job(ada, many(60))
    await other_process(OvertakenImporter).run_due()
    assert (await get_job(ada, job["id"]))["done"] == 0
    assert await events(ada) == []


async def test_a_job_whose_process_is_stopped_is_due_at_once_and_loses_no_attempt(ada: Person) -> None:
    job = await create_job(ada, many(60))
    clock, locks = SystemClock(), UserWriteLocks()
    importer = HangingImporter(ConflictChecker(locks, clock), locks, clock)
    running = asyncio.create_task(ImportJobs(importer, locks, clock).run_due())
    await importer.has_started.wait()
    running.cancel()
    await asyncio.wait([running])
    assert (await get_job(ada, job["id"]))["status"] == "waiting"
    left = await find_one(ImportJob, {})
    assert left is not None and left.attempts == 0
    assert await other_process().run_due() == 1
    assert (await get_job(ada, job["id"]))["created"] == 60


class FailingImporter(Importer):
    """An importer that raises what nobody expects, for the files of one user."""

    def __init__(self, owner: str, clock: Clock) -> None:
        locks = UserWriteLocks()
        super().__init__(ConflictChecker(locks, clock), locks, clock)
        self.owner = owner

    async def import_batch(self, run: ImportRun, batch: DraftBatch, done: int) -> ImportCounts:
        if str(run.owner) == self.owner:
            raise RecursionError("whatever a library may raise")
        return await super().import_batch(run, batch, done)


async def test_whatever_one_job_raises_the_others_are_run_and_it_fails_after_its_last_try(
    ada: Person, ben: Person, app: FastAPI
) -> None:
    poisonous, other, clock = await create_job(ada, many(30)), await create_job(ben, many(30)), clock_of(app)
    imports = ImportJobs(FailingImporter(ada.id, clock), UserWriteLocks(), clock)
    assert await imports.run_due() == 2
    assert (await get_job(ben, other["id"]))["created"] == 30
    assert (await get_job(ada, poisonous["id"]))["status"] == "waiting"
    assert await imports.run_due() == 0, "it waits before it is tried again"
    for _ in range(MAX_ATTEMPTS):
        clock.move(LONGEST_PAUSE)
        await imports.run_due()
    failed = await find_one(ImportJob, {ImportJob.status: "failed"})
    assert failed is not None and failed.reason is not None
    assert str(failed.id) == poisonous["id"] and "failed 10 times" in failed.reason


async def test_a_job_that_ends_every_process_fails(ada: Person, app: FastAPI) -> None:
    job, clock = await create_job(ada, many(30)), clock_of(app)
    imports = ImportJobs(EndingImporter(0, clock), UserWriteLocks(), clock)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(ProcessEnded):
            await imports.run_due()
        clock.move(AFTER_LEASE)
    assert await imports.run_due() == 1
    done = await get_job(ada, job["id"])
    assert (done["status"], done["created"]) == ("failed", 0)


async def test_jobs_and_their_files_expire_after_a_week(ada: Person) -> None:
    job = await create_job(ada, many(1))
    chunk = await find_one(ImportChunk, {})
    stored = await find_one(ImportJob, {})
    assert chunk is not None and stored is not None
    assert str(stored.id) == job["id"]
    assert timedelta(days=7) == LIFETIME
    assert chunk.expires_at == stored.expires_at == stored.created_at + LIFETIME


async def test_jobs_are_deleted_with_their_account(ada: Person, ben: Person, imports: ImportJobs) -> None:
    await create_job(ada, many(1))
    await create_job(ben, many(1))
    assert (await ada.delete("/users/me", json={"password": ada.password})).status_code == 204
    assert [str(job.owner) for job in await find(ImportJob, {})] == [ben.id]
    assert [str(chunk.owner) for chunk in await find(ImportChunk, {})] == [ben.id]
    assert await imports.run_due() == 1


async def test_an_import_needs_an_access_token(api: httpx.AsyncClient) -> None:
    response = await api.post("/events/import", content=many(1), headers={"content-type": "text/calendar"})
    assert response.status_code == 401
