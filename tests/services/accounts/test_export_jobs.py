"""An export in the background: the same file as at once, with its progress, for some time, for its owner only."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from database.queries import Id, new_id
from models.accounts.export_job import LEASE, LIFETIME, ExportJob
from planner.services.accounts import data_export
from planner.services.shared import leased_work
from tests.support.clients import Person, ok
from tests.support.clocks import clock_of
from tests.support.services import database_of, services_of

pytestmark = pytest.mark.usefixtures("without_background_work")
ASYNC = {"prefer": "respond-async"}


async def ask(person: Person) -> Any:
    """Ask for an export in the background, and return its job."""
    answer = await person.get("/users/me/export", headers=ASYNC)
    job = ok(answer, 202)
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"].endswith(f"/exports/{job['id']}")
    return job


async def make(app: FastAPI) -> int:
    return await services_of(app).data_export.run_due()


async def with_events(ada: Person, number: int = 5) -> None:
    for each in range(number):
        await ada.event(title=f"Reading {each}", description="x" * 500)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are stored in parts of a kilobyte."""
    monkeypatch.setattr(data_export, "PART_OCTETS", 1_000)
    monkeypatch.setattr("planner.services.shared.json_stream.PART_BYTES", 500)


@pytest.mark.usefixtures("small_parts")
async def test_the_file_is_the_one_that_is_sent_at_once(app: FastAPI, ada: Person) -> None:
    await with_events(ada)
    waiting = await ask(ada)
    assert (waiting["status"], waiting["total"], waiting["done"], waiting["file"]) == ("waiting", 5, 0, None)
    ok(await ada.get(f"/exports/{waiting['id']}/file"), 409)
    assert services_of(app).data_export.wake.is_set()
    assert await make(app) == 1
    done = ok(await ada.get(f"/exports/{waiting['id']}"))
    assert (done["status"], done["done"]) == ("done", 5)
    assert await database_of(app)["export_parts"].count_documents({}) > 2
    file = await ada.get(done["file"].partition("/api/v1")[2])
    assert "attachment" in file.headers["content-disposition"]
    assert int(file.headers["content-length"]) == done["size"] == len(file.content)
    at_once = ok(await ada.get("/users/me/export"))
    made = json.loads(file.content)
    for export in (made, at_once):
        for session in export["sessions"]:
            session.pop("last_used_at")
    assert made == at_once


async def test_an_export_is_only_for_its_owner(app: FastAPI, ada: Person, ben: Person) -> None:
    job = await ask(ada)
    await make(app)
    for suffix in ("", "/file"):
        ok(await ada.get(f"/exports/{job['id']}{suffix}"))
        ok(await ben.get(f"/exports/{job['id']}{suffix}"), 404)
        ok(await ada.api.get(f"/exports/{job['id']}{suffix}"), 401)
        ok(await ada.get(f"/exports/nothing{suffix}"), 404)


async def test_who_asks_again_gets_the_job_that_is_not_finished(app: FastAPI, ada: Person) -> None:
    jobs = await asyncio.gather(*(ask(ada) for _ in range(5)))
    assert len({job["id"] for job in jobs}) == 1
    assert await make(app) == 1


async def test_a_later_export_replaces_the_one_before(app: FastAPI, ada: Person) -> None:
    first = await ask(ada)
    await make(app)
    second = await ask(ada)
    ok(await ada.get(f"/exports/{first['id']}"), 404)
    await make(app)
    assert await database_of(app)["export_jobs"].count_documents({}) == 1
    assert await database_of(app)["export_parts"].distinct("job") == [ObjectId(second["id"])]


@pytest.mark.usefixtures("small_parts")
async def test_an_export_whose_process_has_ended_is_begun_anew(app: FastAPI, ada: Person) -> None:
    await with_events(ada)
    job = await ask(ada)
    service, clock = services_of(app).data_export, clock_of(app)
    lost = await ExportJob.lease_due(new_id(), clock.now())
    assert lost is not None
    assert lost.lease_holder is not None
    assert await service._store_part(lost, lost.lease_holder, 0, b"half of it", 1)
    assert await make(app) == 0, "it is leased"
    clock.move(LEASE + timedelta(seconds=1))
    assert await make(app) == 1
    assert await service._store_part(lost, lost.lease_holder, 99, b"too late", 1) is False
    done = ok(await ada.get(f"/exports/{job['id']}"))
    assert done["done"] == 5
    assert len(json.loads((await ada.get(f"/exports/{job['id']}/file")).content)["events"]) == 5


async def test_an_export_whose_process_is_stopped_is_begun_anew_at_once(
    app: FastAPI, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(ada)
    has_begun = asyncio.Event()

    async def wait_forever(*_: Any) -> AsyncIterator[bytes]:
        has_begun.set()
        await asyncio.Event().wait()
        yield b""

    monkeypatch.setattr(data_export, "stream_json_object", wait_forever)
    making = asyncio.create_task(make(app))
    await has_begun.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    monkeypatch.undo()
    waiting = await ExportJob.find_unfinished(Id(ada.id))
    assert waiting is not None
    assert (waiting.status, waiting.attempts) == ("waiting", 0)
    assert await make(app) == 1


async def test_an_export_that_fails_again_and_again_is_given_up(
    app: FastAPI, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await ask(ada)

    def fail(*_: Any) -> None:
        raise ValueError("a test")

    monkeypatch.setattr(data_export, "stream_json_object", fail)
    monkeypatch.setattr(leased_work, "LONGEST_PAUSE", timedelta(seconds=1))
    for _ in range(data_export.MAX_ATTEMPTS + 1):
        assert await make(app) == 0
        clock_of(app).move(leased_work.LONGEST_PAUSE)
    failed = ok(await ada.get(f"/exports/{job['id']}"))
    assert (failed["status"], failed["file"]) == ("failed", None)
    monkeypatch.undo()
    await ask(ada)
    assert await make(app) == 1


async def test_exports_and_their_files_expire(app: FastAPI, ada: Person) -> None:
    job = await ask(ada)
    await make(app)
    for name in ("export_jobs", "export_parts"):
        (stored,) = await database_of(app)[name].find({}).to_list(None)
        created = (await database_of(app)["export_jobs"].find_one({}))["created_at"]
        assert stored["expires_at"] - created == LIFETIME, job


async def test_an_export_goes_with_its_account(app: FastAPI, ada: Person) -> None:
    await ask(ada)
    await make(app)
    await ask(ada)
    ok(await ada.delete("/users/me", json={"password": ada.password}), 204)
    assert await make(app) == 0
    for name in ("export_jobs", "export_parts"):
        assert await database_of(app)[name].count_documents({}) == 0
