"""Imports with `on_conflict=reject`: entries that overlap with an event fail."""

import asyncio
from typing import Any

from fastapi import FastAPI

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import events, imported, send
from tests.support.clients import Person, ok
from tests.support.services import services_of

REJECT = "?on_conflict=reject"


def hour(uid: str, day: int, *lines: str, at: int = 18) -> str:
    return event("DURATION:PT1H", f"SUMMARY:{uid}", *lines, uid=uid, start=f"DTSTART:202605{day:02}T{at}0000Z")


async def uids(person: Person) -> set[str]:
    return {found["uid"] for found in await events(person)}


async def test_an_entry_that_overlaps_with_an_event_fails_and_the_others_are_imported(ada: Person) -> None:
    await ada.event(title="Dinner", start="2026-05-02T18:30:00Z", end="2026-05-02T20:00:00Z")
    text = file(hour("one", 1), hour("two", 2), hour("three", 3))
    reason = 'it overlaps with "Dinner", which starts at 2026-05-02T18:30:00Z'
    failed = [{"uid": "two", "reason": reason}]
    assert await imported(ada, text, f"{REJECT}&dry_run=true") == [2, 0, 0, failed]
    assert len(await events(ada)) == 1
    assert await imported(ada, text, REJECT) == [2, 0, 0, failed]
    assert await uids(ada) >= {"one", "three"} and len(await events(ada)) == 3
    # The entries that were imported overlap only with the one that was not.
    assert await imported(ada, text, REJECT) == [0, 0, 2, failed]
    assert await imported(ada, text) == [1, 0, 2]


async def test_of_two_entries_that_overlap_the_first_is_imported(ada: Person) -> None:
    clash = [hour("b", 1), hour("c", 1, "TRANSP:TRANSPARENT"), hour("d", 1, "STATUS:CANCELLED")]
    created, updated, unchanged, failed = await imported(ada, file(hour("a", 1), *clash), REJECT)
    assert (created, updated, unchanged, [one["uid"] for one in failed]) == (3, 0, 0, ["b"])
    assert await uids(ada) == {"a", "c", "d"}


async def test_entries_of_different_batches_that_overlap_are_detected(ada: Person) -> None:
    entries = [hour(f"{n}", 1 + n % 28, at=10 + n // 28) for n in range(60)]
    again = [hour(f"again {n}", 1 + n % 28, at=10 + n // 28) for n in range(60)]
    created, _, _, failed = await imported(ada, file(*entries, *again), REJECT)
    assert created == 60
    assert [one["uid"] for one in failed] == [f"again {n}" for n in range(60)]


async def test_entries_that_move_are_compared_with_each_other_at_their_new_times(ada: Person) -> None:
    assert await imported(ada, file(hour("a", 1), hour("b", 2), hour("c", 3))) == [3, 0, 0]
    # The second entry moves to the time that the first one leaves.
    moved = file(hour("a", 5, "SEQUENCE:1"), hour("b", 1, "SEQUENCE:1"), hour("c", 5, "SEQUENCE:1"))
    created, updated, unchanged, failed = await imported(ada, moved, REJECT)
    assert (created, updated, unchanged, [one["uid"] for one in failed]) == (0, 2, 0, ["c"])
    assert {found["uid"]: found["start"][8:10] for found in await events(ada)} == {"a": "05", "b": "01", "c": "03"}


async def test_a_series_fails_if_one_of_its_occurrences_overlaps(ada: Person) -> None:
    await ada.event(start="2026-05-08T18:00:00Z", end="2026-05-08T19:00:00Z")
    rule = "RRULE:FREQ=WEEKLY;COUNT=3"
    moved = hour("a", 8, "RECURRENCE-ID:20260508T180000Z", at=20)
    _, _, _, failed = await imported(ada, file(hour("a", 1, rule)), REJECT)
    assert [one["uid"] for one in failed] == ["a"]
    assert await imported(ada, file(hour("a", 1, rule), moved), REJECT) == [1, 0, 0]


async def test_an_import_job_rejects_conflicts_too(ada: Person, app: FastAPI) -> None:
    await ada.event(start="2026-05-02T18:00:00Z", end="2026-05-02T19:00:00Z")
    job: Any = ok(await send(ada, file(hour("one", 1), hour("two", 2)), REJECT, prefer="respond-async"), 202)
    while job["status"] not in ("done", "failed"):
        await services_of(app).import_jobs.run_due()
        job = ok(await ada.get(f"/imports/{job['id']}"))
    assert (job["created"], [one["uid"] for one in job["failed"]]) == (1, ["two"])


async def test_of_an_import_and_a_booking_of_the_same_hour_at_the_same_moment_one_succeeds(ada: Person) -> None:
    for day in range(1, 9):
        text = file(*(hour(f"{day} {n}", day, at=10 + n) for n in range(6)))
        body = {"title": "Booked", "start": f"2026-05-{day:02}T12:00:00Z", "end": f"2026-05-{day:02}T13:00:00Z"}
        file_, booked = await asyncio.gather(send(ada, text, REJECT), ada.post(f"/events{REJECT}", json=body))
        failed = [one["uid"] for one in ok(file_)["failed"]]
        assert (booked.status_code, failed) in ((201, [f"{day} 2"]), (409, []))
