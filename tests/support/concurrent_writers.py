"""People who write all at once and remember what they were told, to be compared with what is stored."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.support.clients import Person, ok

# Sixteen writers, of whom eight share two accounts and eight have one each.
SHARES = [4, 4, 1, 1, 1, 1, 1, 1, 1, 1]


@dataclass
class Author:
    """An account, and what its writers were told.

    What was asked and not answered may have happened or not: a removal is then in
    `doubtful`, a creation in `unanswered`, by its title, with its Idempotency-Key if it had one.
    `news` are the ids of events that were created or removed since they were last compared.
    """

    person: Person
    kept: dict[str, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    doubtful: dict[str, Any] = field(default_factory=dict)
    unanswered: dict[str, str | None] = field(default_factory=dict)
    news: set[str] = field(default_factory=set)


class Crowd:
    """Writers who create and remove events until they are told to stop, or are cut off."""

    def __init__(self, people: list[Person]) -> None:
        assert len(people) == len(SHARES)
        self.authors = [Author(person) for person in people]
        self.acknowledged = 0
        self.slowest = 0.0
        self.refused = 0
        self._numbers = count(1)
        self._awaited: list[tuple[int, asyncio.Event]] = []
        self._stopping = False
        self._writers: list[asyncio.Task[None]] = []

    def set_out(self) -> None:
        """Begin to write."""
        self._stopping = False
        self._writers = [
            asyncio.create_task(self._write(author))
            for author, share in zip(self.authors, SHARES, strict=True)
            for _ in range(share)
        ]

    async def come_back(self, cut_off: bool = False) -> None:
        """Finish what is under way and stop; raises what any writer found wrong.

        With `cut_off` the planner is gone, and what was under way stays in doubt.
        """
        self._stopping = True
        for outcome in await asyncio.gather(*self._writers, return_exceptions=True):
            if isinstance(outcome, BaseException) and not (cut_off and isinstance(outcome, httpx.TransportError)):
                raise outcome

    async def until_acknowledged(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more requests have been answered with success."""
        reached = asyncio.Event()
        self._awaited.append((self.acknowledged + more, reached))
        waiting = asyncio.create_task(reached.wait())
        # A writer that ends early has found something wrong, or nobody to talk to.
        done, _ = await asyncio.wait([waiting, *self._writers], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for writer in done - {waiting}:
            writer.result()
        waiting.cancel()
        assert reached.is_set(), f"only {self.acknowledged} requests were answered in time"

    async def _write(self, author: Author) -> None:
        mine: list[str] = []
        while not self._stopping:
            chance = random.random()
            if chance < 0.1:
                await self._look(author)
            elif mine and chance < 0.4:
                await self._remove(author, mine.pop(random.randrange(len(mine))))
            elif id := await self._create(author):
                mine.append(id)

    async def _create(self, author: Author) -> str | None:
        number = next(self._numbers)
        title = f"Event {number}"
        key = f"key-{number}" if number % 2 else None
        author.unanswered[title] = key
        headers = {"Idempotency-Key": key} if key else {}
        event = await self._ask(author, "POST", "/events", 201, json={"title": title}, headers=headers)
        if event is None:
            return None
        author.kept[event["id"]] = event
        author.news.add(event["id"])
        del author.unanswered[title]
        return str(event["id"])

    async def _remove(self, author: Author, id: str) -> None:
        author.doubtful[id] = author.kept.pop(id)
        if await self._ask(author, "DELETE", f"/events/{id}", 204) is not None:
            del author.doubtful[id]
            author.gone.add(id)
            author.news.add(id)

    async def _look(self, author: Author) -> None:
        """Something else than writing events, to see that it, too, is answered well or refused well."""
        match random.randrange(3):
            case 0:
                await self._ask(author, "GET", "/events", 200)
            case 1:
                await self._ask(author, "GET", "/users/me", 200)
            case _:
                who = {"email": author.person.email, "password": author.person.password}
                await self._ask(author, "POST", "/auth/signin", 200, json=who)

    async def _ask(self, author: Author, method: str, path: str, good: int, **options: Any) -> Any:
        """The body of a good answer, or None for a refusal, which must be a 503 that says when to come again."""
        begun = time.monotonic()
        response = await author.person.request(method, path, **options)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        if response.status_code == 503:
            assert int(response.headers["Retry-After"]) > 0
            self.refused += 1
            return None
        body = ok(response, good)
        self.acknowledged += 1
        for target, reached in self._awaited:
            if self.acknowledged >= target:
                reached.set()
        return body or {}


async def check(crowd: Crowd) -> None:
    """Compare what is stored with what every author was told; what was in doubt is then settled."""
    await asyncio.gather(*(_check(author) for author in crowd.authors))


async def _check(author: Author) -> None:
    person = author.person
    events = {event["id"]: event for event in await all_events(person)}
    embedded = (await person.me())["events"]
    assert sorted(embedded) == sorted(events), "the ids in the account are not those of its events"

    lost = {id: (event, events.get(id)) for id, event in author.kept.items() if events.get(id) != event}
    assert not lost, "what was acknowledged is not there"
    assert not author.gone & events.keys(), "what was removed is there again"
    for id in author.news & author.kept.keys():
        assert ok(await person.get(f"/events/{id}")) == author.kept[id]
    for id in author.news & author.gone:
        assert (await person.get(f"/events/{id}")).status_code == 404
    author.news.clear()
    strangers = [event for id, event in events.items() if id not in author.kept and id not in author.doubtful]
    titles = [event["title"] for event in strangers]
    assert set(titles) <= author.unanswered.keys()
    assert len(titles) == len(set(titles)), "a creation that was not answered happened twice"

    # Whoever asks again with the same key gets what was made the first time, if it was.
    made = {event["title"]: event for event in strangers}
    for title, key in author.unanswered.items():
        if key is not None:
            again = await person.post("/events", json={"title": title}, headers={"Idempotency-Key": key})
            made[title] = made.get(title, event := ok(again, 201))
            assert made[title] == event
    author.unanswered.clear()
    author.kept |= {event["id"]: event for event in made.values()}
    for id, event in author.doubtful.items():
        if id in events:
            author.kept[id] = event
        else:
            author.gone.add(id)
    author.doubtful.clear()


async def all_events(person: Person) -> list[Any]:
    """The person's events, from all pages of the list."""
    items: list[Any] = []
    query = {"scope": "mine", "limit": "200"}
    while True:
        page = ok(await person.get("/events", params=query))
        items += page["items"]
        if page["next"] is None:
            return items
        query["cursor"] = page["next"]
