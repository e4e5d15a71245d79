"""A removed event can be restored for thirty days, and is then forgotten."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from models.events import revision as states
from planner import background
from planner.clock import SystemClock
from tests.services.events.test_revisions import changed, history, remove, restore
from tests.support.clients import Person, ok, sign_in
from tests.support.clocks import freeze_clock
from tests.support.services import database_of, services_of
from tests.support.waiting import DEADLINE_SECONDS

MONTH = timedelta(days=30)

pytestmark = pytest.mark.usefixtures("without_background_work")


class ProcessEnded(BaseException):
    """The process ended here."""


async def test_a_deleted_event_cannot_be_restored_after_thirty_days_though_it_is_still_stored(
    ada: Person, app: FastAPI
) -> None:
    database = database_of(app)
    clock = freeze_clock(app)
    kept, lost = await ada.event(), await ada.event()
    await changed(ada, lost, title="Reading")
    await remove(ada, kept)
    await remove(ada, lost)
    removals = await database["revisions"].find({"act": "deleted"}).to_list(None)
    assert {entry["expires_at"] for entry in removals} == {clock.now() + MONTH}
    clock.move(MONTH - timedelta(milliseconds=1))
    ada = await with_new_token(ada)
    assert len(await history(ada, kept["id"])) == 2
    ok(await restore(ada, kept["id"]))
    clock.move(timedelta(milliseconds=1))
    id = lost["id"]
    ok(await ada.get(f"/events/{id}/revisions"), 404)
    ok(await restore(ada, id), 404)
    ok(await restore(ada, id, 1), 404)
    assert await database["revisions"].count_documents({"event": ObjectId(id)}) == 3
    # What was restored in time is kept on.
    assert len(await history(ada, kept["id"])) == 3


async def with_new_token(person: Person) -> Person:
    """The same person with a token that holds by now."""
    token = ok(await sign_in(person.api, person.email))["access_token"]
    return Person(person.api, person.id, person.email, token)


async def test_revisions_of_an_expired_deletion_are_deleted(
    ada: Person, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, undo = database_of(app), services_of(app).revisions
    monkeypatch.setattr(states, "DELETE_BATCH_SIZE", 2)
    clock = freeze_clock(app)
    kept, back, lost = await ada.event(), await ada.event(), await ada.event()
    for event in (kept, back, lost):
        for number in range(4):
            await changed(ada, event, title=str(number))
    for event in (back, lost):
        await remove(ada, event)
    ok(await restore(ada, back["id"]))
    clock.move(MONTH - timedelta(milliseconds=1))
    assert await undo.delete_expired() == 0
    clock.move(timedelta(milliseconds=1))
    assert await undo.delete_expired() == 1
    ada = await with_new_token(ada)
    assert await database["revisions"].count_documents({"event": ObjectId(lost["id"])}) == 0
    assert [len(await history(ada, event["id"])) for event in (kept, back)] == [5, 7]
    assert await undo.delete_expired() == 0


async def test_deleting_the_revisions_of_an_event_is_finished_after_an_interruption(
    ada: Person, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, undo = database_of(app), services_of(app).revisions
    clock = freeze_clock(app)
    event = await ada.event()
    for number in range(4):
        await changed(ada, event, title=str(number))
    await remove(ada, event)
    clock.move(MONTH)
    original, done = vars(states)["commit_atomically"], 0

    async def cut_short(writes: Any) -> Any:
        nonlocal done
        done += 1
        if done > 2:
            raise ProcessEnded
        return await original(writes)

    with monkeypatch.context() as patched:
        patched.setattr(states, "DELETE_BATCH_SIZE", 2)
        patched.setattr(states, "commit_atomically", cut_short)
        with pytest.raises(ProcessEnded):
            await undo.delete_expired()
    left = await database["revisions"].find({"event": ObjectId(event["id"])}).to_list(None)
    assert [entry["revision"] for entry in left if entry.get("act") == "deleted"] == [6] and len(left) == 2
    assert await undo.delete_expired() == 1
    assert await database["revisions"].count_documents({"event": ObjectId(event["id"])}) == 0


async def test_expired_revisions_are_deleted_in_the_background(
    ada: Person, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    await remove(ada, await ada.event())
    database, undo = database_of(app), services_of(app).revisions
    await database["revisions"].update_one({"act": "deleted"}, {"$set": {"expires_at": SystemClock().now()}})
    delete_expired, forgotten = undo.delete_expired, asyncio.Event()

    async def noted() -> int:
        if number := await delete_expired():
            forgotten.set()
        return int(number)

    monkeypatch.setattr(undo, "delete_expired", noted)
    loop = asyncio.create_task(background.run_due_work(services_of(app)))
    try:
        await asyncio.wait_for(forgotten.wait(), DEADLINE_SECONDS)
    finally:
        await background.stop(loop)
    assert await database["revisions"].count_documents({}) == 0
