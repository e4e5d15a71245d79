"""While one account does much that is slow, it is refused what is too much, and everything else goes on."""

import asyncio
from typing import Any

import pytest

from tests.support.clients import Person, ok
from tests.support.waiting import wait_until_async

WINDOW = "from=2026-12-01T00:00:00Z&to=2026-12-31T00:00:00Z"
# What is slow, the function that takes the time, and what the refusal calls it.
SLOW = [
    ("/events?q=harbour", "planner.services.events.events.search_words", "searches"),
    ("/events?near=52.5,13.4,10", "planner.services.events.events.search_place", "searches"),
    (f"/events/occurrences?{WINDOW}", "planner.services.events.occurrences.find_occurrences", "occurrences"),
    (f"/freebusy?{WINDOW}", "planner.services.events.free_busy._find_busy_slots", "occurrences"),
    ("/events.ics", "planner.services.files.exports.find_vevents", "exports"),
    ("/users/me/export", "planner.services.accounts.data_export.read_own", "exports"),
]


@pytest.fixture
def settings_changes() -> dict[str, Any]:
    return {"lane_wait_seconds": 0.05, "search_slots": 2, "occurrence_slots": 2, "export_slots": 2}


class SlowWork:
    """Stands for what takes long; it ends when `go` is set, and then fails."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.running = 0

    async def wait(self, *_: Any, **__: Any) -> Any:
        self.running += 1
        await self.go.wait()
        raise NotImplementedError

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return _Either(self)


class _Either:
    """What can be awaited, and iterated over, as the functions that it replaces."""

    def __init__(self, work: SlowWork) -> None:
        self._work = work

    def __await__(self) -> Any:
        return self._work.wait().__await__()

    def __aiter__(self) -> "_Either":
        return self

    async def __anext__(self) -> Any:
        return await self._work.wait()


@pytest.mark.parametrize(("path", "function", "name"), SLOW, ids=[path.partition("?")[0] for path, _, _ in SLOW])
async def test_what_is_too_much_is_refused_and_the_rest_goes_on(
    ada: Person, ben: Person, monkeypatch: pytest.MonkeyPatch, path: str, function: str, name: str
) -> None:
    event = await ada.event()
    work = SlowWork()
    monkeypatch.setattr(function, work)
    first = asyncio.create_task(ada.get(path))
    await wait_until_async(lambda: work.running == 1)

    refused = await ada.get(path)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    problem = refused.json()
    assert problem["type"] == "/problems/busy"
    assert name in problem["detail"]
    assert "database" not in problem["detail"]

    # Another account has its turn all the same, and what is fast waits for nobody.
    second = asyncio.create_task(ben.get(path))
    await wait_until_async(lambda: work.running == 2)
    assert (await ada.get(f"/events/{event['id']}")).status_code == 200
    await ben.event()
    ok(await ada.get("/events"))

    work.go.set()
    assert [(await task).status_code for task in (first, second)] == [500, 500]
