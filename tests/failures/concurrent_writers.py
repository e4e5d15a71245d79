"""Accounts that write at the same time and remember what was acknowledged, to be compared with what is stored."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.support.clients import Person, ok
from tests.support.waiting import wait_until_async

# How long a writer waits after a request that brought nothing.
PAUSE_SECONDS = 0.1
# Stands for the status of a response that never came.
LOST = 0
# Called with the method and path of a request, its status or LOST, and when it began and ended, by `time.monotonic`.
Observer = Callable[[str, str, int, float, float], None]
# Sixteen writers, of whom eight share two accounts and eight have one each.
WRITERS_PER_ACCOUNT = [4, 4, 1, 1, 1, 1, 1, 1, 1, 1]


@dataclass
class WriterAccount:
    """An account, and what the planner acknowledged to its writers.

    `acknowledged_events` were created and not deleted; `deleted` are ids. A request without a response may have
    succeeded or not: a deletion is then in `uncertain_deletions`, a creation in `uncertain_creations`, by its title,
    with its Idempotency-Key if it had one. `unchecked` are the ids of events that were created or deleted since the
    last comparison.
    """

    person: Person
    acknowledged_events: dict[str, Any] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    uncertain_deletions: dict[str, Any] = field(default_factory=dict)
    uncertain_creations: dict[str, str | None] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)


class WriterGroup:
    """Writers that create and delete events until they are stopped or the planner is killed.

    With an `observer` they go on when a response never comes and when the planner fails (a status of 500 or more), send
    what has an Idempotency-Key again until it is acknowledged, and wait `pause` seconds between two requests.
    """

    def __init__(self, people: list[Person], observer: Observer | None = None, pause: float = 0.0) -> None:
        assert len(people) == len(WRITERS_PER_ACCOUNT)
        self._observer = observer
        self._pause = pause
        self.accounts = [WriterAccount(person) for person in people]
        self.acknowledged = 0
        self._numbers = count(1)
        self._awaited: list[tuple[int, asyncio.Event]] = []
        self._stopping = False
        self._writers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start to write."""
        self._stopping = False
        self._writers = [
            asyncio.create_task(self._write(account))
            for account, share in zip(self.accounts, WRITERS_PER_ACCOUNT, strict=True)
            for _ in range(share)
        ]

    async def stop(self, killed: bool = False) -> None:
        """Wait for the requests that are under way, and stop. Raises what any writer raised.

        With `killed` the planner was killed: requests may fail, and their outcome stays uncertain.
        """
        self._stopping = True
        for outcome in await asyncio.gather(*self._writers, return_exceptions=True):
            if isinstance(outcome, BaseException) and not (killed and isinstance(outcome, httpx.TransportError)):
                raise outcome

    async def cancel(self) -> None:
        """Stop at once, whatever is under way."""
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def wait_for_acknowledged(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more requests have succeeded."""
        reached = asyncio.Event()
        self._awaited.append((self.acknowledged + more, reached))
        waiting = asyncio.create_task(reached.wait())
        # A writer that ends early has failed.
        done, _ = await asyncio.wait([waiting, *self._writers], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for writer in done - {waiting}:
            writer.result()
        waiting.cancel()
        assert reached.is_set(), f"only {self.acknowledged} requests were answered in time"

    async def _write(self, account: WriterAccount) -> None:
        mine: list[str] = []
        while not self._stopping:
            await asyncio.sleep(self._pause)
            chance = random.random()
            if chance < 0.1:
                await self._read(account)
            elif mine and chance < 0.4:
                await self._delete(account, mine.pop(random.randrange(len(mine))))
            elif id := await self._create(account):
                mine.append(id)

    async def _create(self, account: WriterAccount) -> str | None:
        number = next(self._numbers)
        title = f"Event {number}"
        key = f"key-{number}" if number % 2 else None
        account.uncertain_creations[title] = key
        headers = {"Idempotency-Key": key} if key else {}
        event = None
        while event is None:
            event = await self._request(account, "POST", "/events", 201, json={"title": title}, headers=headers)
            if self._observer is None or key is None or self._stopping:
                break
        if event is None:
            return None
        account.acknowledged_events[event["id"]] = event
        account.unchecked.add(event["id"])
        del account.uncertain_creations[title]
        return str(event["id"])

    async def _delete(self, account: WriterAccount, id: str) -> None:
        account.uncertain_deletions[id] = account.acknowledged_events.pop(id)
        if await self._request(account, "DELETE", f"/events/{id}", 204) is not None:
            del account.uncertain_deletions[id]
            account.deleted.add(id)
            account.unchecked.add(id)

    async def _read(self, account: WriterAccount) -> None:
        """Make a request that writes no event; it must succeed or be refused like the others."""
        match random.randrange(3):
            case 0:
                await self._request(account, "GET", "/events", 200)
            case 1:
                await self._request(account, "GET", "/users/me", 200)
            case _:
                who = {"email": account.person.email, "password": account.person.password}
                await self._request(account, "POST", "/auth/signin", 200, json=who)

    async def _request(self, account: WriterAccount, method: str, path: str, expected: int, **options: Any) -> Any:
        """Return the body of a response with the expected status; None for a 503, which must say when to retry.

        With an observer also None when no response came, or another status of 500 or more.
        """
        began = time.monotonic()
        try:
            response = await account.person.request(method, path, **options)
        except httpx.TransportError:
            if self._observer is None:
                raise
            self._observer(method, path, LOST, began, time.monotonic())
            await asyncio.sleep(PAUSE_SECONDS)
            return None
        if self._observer is not None:
            self._observer(method, path, response.status_code, began, time.monotonic())
        if response.status_code == 503:
            assert int(response.headers["Retry-After"]) > 0
            await asyncio.sleep(PAUSE_SECONDS)
            return None
        if response.status_code >= 500 and self._observer is not None:
            # Whoever observes says whether that may happen.
            await asyncio.sleep(PAUSE_SECONDS)
            return None
        body = ok(response, expected)
        self.acknowledged += 1
        for target, reached in self._awaited:
            if self.acknowledged >= target:
                reached.set()
        return body or {}


async def check_stored_data(writers: WriterGroup) -> None:
    """Compare what is stored with what was acknowledged; what was uncertain is then known."""
    await asyncio.gather(*(_check_account(account) for account in writers.accounts))


async def _check_account(account: WriterAccount) -> None:
    person = account.person
    events = {event["id"]: event for event in await list_all_events(person)}
    embedded = (await person.me())["events"]
    assert sorted(embedded) == sorted(events), "the ids in the account are not those of its events"

    lost = {id: (event, events.get(id)) for id, event in account.acknowledged_events.items() if events.get(id) != event}
    assert not lost, "what was acknowledged is not there"
    assert not account.deleted & events.keys(), "what was deleted is there again"
    for id in account.unchecked & account.acknowledged_events.keys():
        assert ok(await person.get(f"/events/{id}")) == account.acknowledged_events[id]
    for id in account.unchecked & account.deleted:
        assert (await person.get(f"/events/{id}")).status_code == 404
    account.unchecked.clear()
    unacknowledged = [
        event
        for id, event in events.items()
        if id not in account.acknowledged_events and id not in account.uncertain_deletions
    ]
    titles = [event["title"] for event in unacknowledged]
    assert set(titles) <= account.uncertain_creations.keys()
    assert len(titles) == len(set(titles)), "a creation without a response happened twice"

    # Whoever asks again with the same key gets what was made the first time, if it was.
    made = {event["title"]: event for event in unacknowledged}
    for title, key in account.uncertain_creations.items():
        if key is not None:
            again = await _create_again(person, title, key)
            made[title] = made.get(title, event := ok(again, 201))
            assert made[title] == event
    account.uncertain_creations.clear()
    account.acknowledged_events |= {event["id"]: event for event in made.values()}
    for id, event in account.uncertain_deletions.items():
        if id in events:
            account.acknowledged_events[id] = event
        else:
            account.deleted.add(id)
    account.uncertain_deletions.clear()


async def _create_again(person: Person, title: str, key: str) -> httpx.Response:
    """Repeat a creation; a 503 is repeated, because a killed worker may have left its transaction open for a while."""

    async def ask() -> Any:
        response = await person.post("/events", json={"title": title}, headers={"Idempotency-Key": key})
        return None if response.status_code == 503 else response

    found: httpx.Response = await wait_until_async(ask)
    return found


async def list_all_events(person: Person) -> list[Any]:
    """Return the person's events, from all pages of the list."""
    items: list[Any] = []
    query = {"scope": "mine", "limit": "200"}
    while True:
        page = ok(await person.get("/events", params=query))
        items += page["items"]
        if page["next"] is None:
            return items
        query["cursor"] = page["next"]
