"""Imports that go on by themselves: answered at once, carried on by whoever lives, finished once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from database.queries import Id, new_id
from models.files.import_job import CHUNK_BYTES, KEPT, LEASE, MOST_ATTEMPTS, SLOTS, ImportChunk, ImportJob
from planner.clock import SystemClock
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.import_jobs import ImportJobs
from planner.services.files.importer import Importer
from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import events, send
from tests.support.clients import Person, ok
from tests.support.clocks import MovableClock, clock_of
from tests.support.services import services_of

ASYNC = {"prefer": "respond-async"}
COUNTS = ("created", "updated", "unchanged")

pytestmark = pytest.mark.usefixtures("without_background_work")


@pytest.fixture
def imports(app: FastAPI) -> ImportJobs:
    found: ImportJobs = services_of(app).import_jobs
    return found


def many(count: int, *more: str) -> str:
    return file(*(event(f"SUMMARY:{n}", uid=f"{n}@x") for n in range(count)), *more)


async def order(person: Person, text: str, query: str = "", **headers: str) -> Any:
    """An import that is ordered; answers the job."""
    response = await send(person, text, query, **ASYNC, **headers)
    return ok(response, 202)


async def job_of(person: Person, id: str) -> Any:
    return ok(await person.get(f"/imports/{id}"))


async def test_it_is_answered_at_once_and_can_be_followed_until_it_is_done(ada: Person, imports: ImportJobs) -> None:
    response = await send(ada, many(30, event("nonsense", uid="bad")), **ASYNC)
    job = ok(response, 202)
    assert response.headers["location"] == f"http://planner.test/api/v1/imports/{job['id']}"
    assert response.headers["preference-applied"] == "respond-async"
    assert (job["status"], job["total"], job["done"], job["finished_at"]) == ("waiting", None, 0, None)
    assert await job_of(ada, job["id"]) == job
    assert await events(ada) == []
    assert imports.wake.is_set()
    assert await imports.do_due() == 1
    done = await job_of(ada, job["id"])
    assert (done["status"], done["total"], done["done"]) == ("done", 31, 31)
    assert [done[name] for name in COUNTS] == [30, 0, 0]
    assert [failure["uid"] for failure in done["failed"]] == ["bad"]
    assert done["finished_at"] >= job["created_at"]
    assert len(await events(ada)) == 30


async def test_other_wishes_do_not_make_it_one(ada: Person) -> None:
    for prefer in ("return=minimal", "wait=10", "x-respond-async"):
        ok(await send(ada, file(event()), prefer=prefer), 200)
    for prefer in ("wait=1, Respond-Async", 'respond-async; a="b"'):
        ok(await send(ada, file(event()), prefer=prefer), 202)


async def test_a_dry_run_can_be_ordered_too(ada: Person, imports: ImportJobs) -> None:
    job = await order(ada, many(3), "?dry_run=true")
    await imports.do_due()
    done = await job_of(ada, job["id"])
    assert (done["status"], done["dry_run"], done["created"]) == ("done", True, 3)
    assert await events(ada) == []


async def test_a_file_that_cannot_be_imported_fails_the_job_with_the_reason(ada: Person, imports: ImportJobs) -> None:
    for text, part in ((b"hello", "BEGIN:VCALENDAR"), (b"BEGIN:VCALENDAR\xff", "utf-8")):
        job = ok(await send(ada, text, **ASYNC), 202)
        await imports.do_due()
        done = await job_of(ada, job["id"])
        assert done["status"] == "failed"
        assert part in done["reason"]


async def test_an_import_is_nobody_elses(ada: Person, ben: Person) -> None:
    job = await order(ada, many(1))
    for id in (job["id"], "f" * 24, "nonsense"):
        assert (await ben.get(f"/imports/{id}")).status_code == 404


async def test_one_person_has_a_few_under_way_at_most(ada: Person, ben: Person, imports: ImportJobs) -> None:
    answers = await asyncio.gather(*(send(ada, many(1), **ASYNC) for _ in range(SLOTS + 3)))
    assert sorted(answer.status_code for answer in answers) == [202] * SLOTS + [409] * 3
    await order(ben, many(1))
    await imports.do_due()
    await order(ada, many(1))


async def test_the_same_key_orders_it_once(ada: Person, imports: ImportJobs) -> None:
    key = {"idempotency-key": "one"}
    first = await order(ada, many(2), **key)
    response = await send(ada, many(2), **ASYNC, **key)
    assert ok(response, 202) == first
    assert response.headers["location"].endswith(first["id"])
    assert (await send(ada, many(3), **ASYNC, **key)).status_code == 422
    assert (await send(ada, many(2), **key)).status_code == 422
    assert await imports.do_due() == 1


async def test_a_large_file_is_kept_in_chunks_and_forgotten_when_it_is_done(ada: Person, imports: ImportJobs) -> None:
    text = many(1, *(event(f"X-A:{'x' * 60_000}", uid=f"large{n}") for n in range(80)))
    assert len(text) > CHUNK_BYTES
    job = await order(ada, text)
    assert await ImportChunk.count() == 2
    await imports.do_due()
    assert (await job_of(ada, job["id"]))["created"] == 81
    assert await ImportChunk.count() == 0


class Struck(Exception):
    """The process ended here."""


def struck_after(importing: Importer, batches: int) -> None:
    """Have an import end, as though its process did, after so many batches were written."""
    whole: Callable[..., Any] = importing._take

    async def take(*arguments: Any) -> Any:
        nonlocal batches
        if not batches:
            raise Struck
        batches -= 1
        return await whole(*arguments)

    importing._take = take  # type: ignore[method-assign, assignment]


async def test_what_one_process_began_another_finishes_with_nothing_done_twice(
    ada: Person, imports: ImportJobs
) -> None:
    job = await order(ada, many(120))
    struck_after(imports._importing, 2)
    with pytest.raises(Struck):
        await imports.do_due()
    left = await job_of(ada, job["id"])
    assert (left["status"], left["done"], left["created"]) == ("running", 50, 50)
    clock = MovableClock()
    other = ImportJobs(Importer(ConflictChecker(UserWriteLocks(), clock), clock), clock)
    assert await other.do_due() == 0
    clock.move(timedelta(seconds=LEASE.total_seconds() + 1))
    assert await other.do_due() == 1
    done = await job_of(ada, job["id"])
    assert (done["status"], done["total"], done["done"], done["created"], done["unchanged"]) == (
        "done",
        120,
        120,
        120,
        0,
    )
    assert len((await ada.me())["events"]) == 120


async def test_whoever_lost_an_import_writes_no_more_of_it(ada: Person, imports: ImportJobs) -> None:
    job = await order(ada, many(60))
    taken: list[Id] = []
    whole = imports._importing._take

    async def slow(*arguments: Any) -> Any:
        if not taken:
            taken.append(new_id())
            later = MovableClock()
            later.move(timedelta(seconds=LEASE.total_seconds() + 1))
            assert await ImportJob.claim(taken[0], later.now()) is not None
        return await whole(*arguments)

    imports._importing._take = slow  # type: ignore[method-assign, assignment]
    await imports.do_due()
    assert (await job_of(ada, job["id"]))["done"] == 0
    assert await events(ada) == []


async def test_an_import_that_is_cut_off_is_let_go_of_at_once(ada: Person, imports: ImportJobs) -> None:
    job = await order(ada, many(60))
    begun = asyncio.Event()

    async def never(*_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    imports._importing._take = never  # type: ignore[method-assign, assignment]
    doing = asyncio.create_task(imports.do_due())
    await begun.wait()
    doing.cancel()
    await asyncio.wait([doing])
    assert (await job_of(ada, job["id"]))["status"] == "waiting"
    left = await ImportJob.find_one()
    assert left is not None and left.attempts == 0
    clock = SystemClock()
    other = ImportJobs(Importer(ConflictChecker(UserWriteLocks(), clock), clock), clock)
    assert await other.do_due() == 1
    assert (await job_of(ada, job["id"]))["created"] == 60


async def test_an_import_that_nobody_survives_is_given_up(ada: Person, app: FastAPI, imports: ImportJobs) -> None:
    job, clock = await order(ada, many(30)), clock_of(app)
    struck_after(imports._importing, 0)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Struck):
            await imports.do_due()
        clock.move(timedelta(seconds=LEASE.total_seconds() + 1))
    assert await imports.do_due() == 1
    done = await job_of(ada, job["id"])
    assert (done["status"], done["created"]) == ("failed", 0)


async def test_imports_and_their_files_are_kept_for_a_week(ada: Person, imports: ImportJobs) -> None:
    job = await order(ada, many(1))
    chunk = await ImportChunk.find_one()
    stored = await ImportJob.find_one()
    assert chunk is not None and stored is not None
    assert str(stored.id) == job["id"]
    assert timedelta(days=7) == KEPT
    assert chunk.expires_at == stored.expires_at == stored.created_at + KEPT


async def test_imports_go_with_the_account(ada: Person, ben: Person, imports: ImportJobs) -> None:
    await order(ada, many(1))
    await order(ben, many(1))
    assert (await ada.delete("/users/me", json={"password": ada.password})).status_code == 204
    assert [str(job.owner) for job in await ImportJob.find_all().to_list()] == [ben.id]
    assert [str(chunk.owner) for chunk in await ImportChunk.find_all().to_list()] == [ben.id]
    assert await imports.do_due() == 1


async def test_without_being_signed_in_nobody_imports(api: httpx.AsyncClient) -> None:
    answer = await api.post("/events/import", content=many(1), headers={"content-type": "text/calendar"})
    assert answer.status_code == 401
