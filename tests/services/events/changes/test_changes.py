"""What changed since somebody last asked."""

import asyncio
import base64
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from database.connection import Database
from database.queries import Id, new_id
from models.events.change_numbers import EventChange
from tests.conftest import SECRET, url_of
from tests.services.events.changes.event_copies import EventCopy
from tests.support.clients import Person, Planner, bearer, ok, sign_up
from tests.support.documents import build_event_document
from tests.support.servers import running
from tests.support.services import services_of
from tests.support.stored_documents import name_of

real_server = pytest.mark.real_server("the mock has no transactions and no processes")


async def changes(person: Person, query: str = "") -> Any:
    return ok(await person.get(f"/events/changes?{query}"))


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer["items"]]


async def test_the_first_pages_contain_all_events(ada: Person) -> None:
    made = [(await ada.event())["id"] for _ in range(5)]
    first = await ada.get("/events/changes?limit=3")
    page = ok(first)
    assert ids(page) == made[:3]
    assert f"since={page['next']}" in first.headers["link"]
    rest = await ada.get(f"/events/changes?limit=3&since={page['next']}")
    assert ids(ok(rest)) == made[3:]
    assert "link" not in rest.headers
    assert await changes(ada, f"since={ok(rest)['next']}") | {"next": ""} == {"items": [], "deleted": [], "next": ""}


async def test_each_created_changed_and_deleted_event_is_listed_once(ada: Person) -> None:
    kept, changed, removed = [await ada.event() for _ in range(3)]
    token = (await changes(ada))["next"]
    ok(await ada.patch(f"/events/{changed['id']}", json={"title": "Moved"}))
    ok(await ada.delete(f"/events/{removed['id']}"), 204)
    made = await ada.event()
    answer = await changes(ada, f"since={token}")
    assert sorted(ids(answer)) == sorted([changed["id"], made["id"]])
    assert answer["deleted"] == [removed["id"]]
    assert ids(await changes(ada, f"since={answer['next']}")) == []
    assert kept["id"] not in ids(answer)


async def test_an_item_equals_the_event_of_other_routes(ada: Person) -> None:
    made = await ada.event(title="Weekly", start="2026-12-01T18:00:00Z", recurrence={"rrule": "FREQ=WEEKLY"})
    assert (await changes(ada))["items"] == [made]


async def test_an_event_created_and_deleted_between_two_requests_is_only_in_deleted(ada: Person) -> None:
    token = (await changes(ada))["next"]
    made = await ada.event()
    ok(await ada.delete(f"/events/{made['id']}"), 204)
    answer = await changes(ada, f"since={token}")
    assert (ids(answer), answer["deleted"]) == ([], [made["id"]])


async def test_a_first_request_lists_no_deleted_events(ada: Person) -> None:
    made = await ada.event(visibility="public")
    ok(await ada.delete(f"/events/{made['id']}"), 204)
    for scope in ("mine", "public", "all"):
        assert (await changes(ada, f"scope={scope}"))["deleted"] == []


async def test_others_get_changes_of_public_events_only(ada: Person, ben: Person) -> None:
    token = (await changes(ben, "scope=all"))["next"]
    await ada.event(title="Secret")
    await ada.event(title="Hidden", visibility="unlisted")
    seen = await ada.event(title="Open", visibility="public")
    assert ids(await changes(ben, f"scope=all&since={token}")) == [seen["id"]]


@pytest.mark.parametrize("visibility", ["private", "unlisted"])
async def test_an_event_that_becomes_private_is_deleted_for_others_and_changed_for_its_creator(
    ada: Person, ben: Person, visibility: str
) -> None:
    made = await ada.event(visibility="public")
    tokens = {(who, scope): (await changes(who_is, f"scope={scope}"))["next"]
              for who, who_is in (("ada", ada), ("ben", ben)) for scope in ("public", "all", "mine")}  # fmt: skip
    ok(await ada.patch(f"/events/{made['id']}", json={"visibility": visibility}))

    async def news(who: Person, scope: str) -> tuple[list[str], list[str]]:
        name = "ada" if who is ada else "ben"
        answer = await changes(who, f"scope={scope}&since={tokens[name, scope]}")
        return ids(answer), answer["deleted"]

    assert await news(ben, "public") == await news(ben, "all") == ([], [made["id"]])
    assert await news(ada, "public") == ([], [made["id"]])
    assert await news(ada, "all") == await news(ada, "mine") == ([made["id"]], [])
    assert await news(ben, "mine") == ([], [])


async def test_changes_of_an_event_that_is_private_now_are_not_listed_to_others(ada: Person, ben: Person) -> None:
    made = await ada.event(visibility="public")
    ok(await ada.patch(f"/events/{made['id']}", json={"visibility": "private"}))
    token = (await changes(ben, "scope=public"))["next"]
    ok(await ada.patch(f"/events/{made['id']}", json={"title": "Still at it"}))
    ok(await ada.delete(f"/events/{made['id']}"), 204)
    answer = await changes(ben, f"scope=public&since={token}")
    assert (answer["items"], answer["deleted"]) == ([], [])


async def test_an_event_that_is_published_again_is_listed_again(ada: Person, ben: Person) -> None:
    made = await ada.event(visibility="public")
    copy = EventCopy(ben, "scope=public")
    await copy.fetch_all()
    for visibility in ("private", "public"):
        ok(await ada.patch(f"/events/{made['id']}", json={"visibility": visibility}))
    await copy.fetch_all()
    assert list(copy.known) == [made["id"]]


async def test_with_a_tag_events_that_lose_it_are_deleted_and_those_that_get_it_are_listed(ada: Person) -> None:
    loses, gets, never = await ada.event(tags=["books"]), await ada.event(), await ada.event(tags=["other"])
    first = await changes(ada, "tag=BOOKS")
    assert ids(first) == [loses["id"]]
    ok(await ada.patch(f"/events/{loses['id']}", json={"tags": []}))
    ok(await ada.patch(f"/events/{gets['id']}", json={"tags": ["Books"]}))
    answer = await changes(ada, f"tag=books&since={first['next']}")
    assert ids(answer) == [gets["id"]]
    assert answer["deleted"] == [loses["id"]]
    assert never["id"] not in answer["deleted"]


async def test_a_taken_down_event_is_deleted_for_others(
    api: Planner, ada: Person, ben: Person, database: Database
) -> None:
    await database.handle["users"].update_one({"email": ben.email}, {"$set": {"role": "moderator"}})
    moderator = await sign_up(api, "mo@example.com")
    await database.handle["users"].update_one({"email": moderator.email}, {"$set": {"role": "moderator"}})
    made = await ada.event(visibility="public")
    token = (await changes(moderator, "scope=public"))["next"]
    ok(await moderator.put(f"/events/{made['id']}/takedown", json={"reason": "It is none."}))
    assert (await changes(moderator, f"scope=public&since={token}"))["deleted"] == [made["id"]]


async def test_public_events_of_a_deleted_account_are_deleted(ada: Person, ben: Person) -> None:
    made = [(await ada.event(visibility="public"))["id"] for _ in range(3)]
    copy = EventCopy(ben, "scope=all")
    await copy.fetch_all()
    assert sorted(copy.known) == sorted(made)
    ok(await ada.request("DELETE", "/users/me", json={"password": ada.password}), 204)
    await copy.fetch_all()
    assert copy.known == {}


@pytest.mark.parametrize("token", ["x", "%00", "e30", "a" * 200])
async def test_a_malformed_token_is_refused_at_since(ada: Person, token: str) -> None:
    refused = ok(await ada.get(f"/events/changes?since={token}"), 422)
    assert [error["pointer"] for error in refused["errors"]] == ["/since"]


async def test_a_token_is_refused_with_another_scope_or_tag(ada: Person) -> None:
    token = (await changes(ada, "scope=mine&tag=books"))["next"]
    for query in ("scope=all&tag=books", "scope=mine", "scope=mine&tag=other", ""):
        assert (await ada.get(f"/events/changes?{query}&since={token}")).status_code == 422
    await changes(ada, f"tag=%20BOOKS&since={token}")


def rewritten(token: str, **fields: int) -> str:
    """The token with another time or number in it."""
    words = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().split(" ")
    for place, name in enumerate(("seq", "id", "new", "issued")):
        words[place] = str(fields.get(name, words[place]))
    return base64.urlsafe_b64encode(" ".join(words).encode()).decode().rstrip("=")


async def test_a_token_expires_after_ninety_days(ada: Person) -> None:
    token = (await changes(ada))["next"]
    now = datetime.now(UTC)
    young, old = (int((now - timedelta(days=days)).timestamp()) for days in (89, 91))
    ok(await ada.get(f"/events/changes?since={rewritten(token, issued=young)}"))
    problem = ok(await ada.get(f"/events/changes?since={rewritten(token, issued=old)}"), 410)
    assert problem["type"] == "/problems/gone"
    assert "read everything again" in problem["detail"]


async def test_a_token_that_is_newer_than_a_restored_database_has_expired(ada: Person) -> None:
    token = (await changes(ada))["next"]
    assert (await ada.get(f"/events/changes?since={rewritten(token, seq=10**9)}")).status_code == 410


async def test_reading_changes_requires_the_scope_for_reading_events(api: Planner, ada: Person) -> None:
    assert (await api.get("/events/changes")).status_code == 401
    made = ok(await ada.post("/auth/tokens", json={"name": "writer", "scopes": ["events:write"]}), 201)
    headers = bearer(made["token"])
    assert (await api.get("/events/changes", headers=headers)).status_code == 403


async def test_requests_at_once_all_contain_every_change_before_them(ada: Person) -> None:
    tokens = [(await changes(ada))["next"]] * 10

    async def make_and_ask(token: str) -> bool:
        made = await ada.event()
        return made["id"] in ids(await changes(ada, f"limit=200&since={token}"))

    assert all(await asyncio.gather(*(make_and_ask(token) for token in tokens)))


@pytest.fixture
async def database(app: Any) -> Database:
    """The database of the planner in this process."""
    found: Database = services_of(app).database
    return found


@real_server
async def test_a_change_that_is_committed_after_a_later_one_was_read_is_not_missed(
    app: Any, ada: Person, mongo_url: str
) -> None:
    owner = (await ada.event())["creator"]
    event = build_event_document(Id(owner))
    token = (await changes(ada))["next"]
    with MongoClient[Any](mongo_url) as client, client.start_session() as session, session.start_transaction():
        database = client[services_of(app).database.name]
        for document in (event, EventChange.insert_write(event).document):
            database[name_of(type(document))].insert_one(document.to_stored(), session=session)
        later = await ada.event()
        answer = await changes(ada, f"since={token}")
        assert ids(answer) == [later["id"]]
    assert ids(await changes(ada, f"since={answer['next']}")) == [str(event.id)]


@real_server
async def test_more_changes_than_one_batch_are_all_numbered(
    database: Database, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.services.events.changes.BATCH_SIZE", 3)
    made = {(await ada.event())["id"] for _ in range(10)}
    assert set(ids(await changes(ada))) == made
    assert await database.handle["event_changes"].count_documents({"change_number": 0}) == 0


async def _write(people: list[Person], steps: int, seed: int) -> None:
    """Make, change, publish, withdraw, tag and remove events, as one of many who do."""
    choice = random.Random(seed)
    mine: list[tuple[Person, str]] = []
    for _ in range(steps):
        person = choice.choice(people)
        fields = {
            "visibility": choice.choice(["private", "public", "unlisted"]),
            "tags": choice.choice([[], ["books"], ["books", "other"]]),
        }
        what = choice.random()
        if what < 0.4 or not mine:
            mine.append((person, (await person.event(**fields))["id"]))
        elif what < 0.8:
            owner, id = choice.choice(mine)
            ok(await owner.patch(f"/events/{id}", json=fields))
        else:
            owner, id = mine.pop(choice.randrange(len(mine)))
            ok(await owner.delete(f"/events/{id}"), 204)


@real_server
@pytest.mark.parametrize("seed", range(3))
async def test_copies_made_of_changes_equal_the_server_after_many_writes_through_two_processes(
    mongo_url: str, tmp_path: Path, seed: int
) -> None:
    url = url_of(mongo_url, f"test_changes_{new_id()}")
    with running(tmp_path / "data", ["--workers", "2"], DATABASE_URL=url, SECRET_KEY=SECRET) as server:
        # Each task has a connection of its own, and so they are dealt out to the processes.
        async with httpx.AsyncClient(base_url=server.url) as left, httpx.AsyncClient(base_url=server.url) as right:
            people = [await sign_up(left, "ada@example.com"), await sign_up(right, "ben@example.com")]
            elsewhere = [Person(right, people[0].id, people[0].email, people[0].token), people[1]]
            queries = ["scope=mine", "scope=public", "scope=all", "scope=all&tag=books", "scope=mine&tag=books"]
            sizes = dict(zip(queries, (7, 50, 3, 11, 200), strict=True))
            copies = [EventCopy(person, query, sizes[query]) for person in elsewhere for query in queries]
            over = asyncio.Event()
            async with asyncio.TaskGroup() as following:
                for copy in copies:
                    following.create_task(copy.fetch_until(over))
                async with asyncio.TaskGroup() as writing:
                    for n in range(8):
                        writing.create_task(_write([*people, elsewhere[0]], 25, seed * 100 + n))
                over.set()
            for copy in copies:
                await copy.fetch_all()
                assert copy.known == await copy.list_events(), copy.query
    _drop(mongo_url, url)


@real_server
async def test_a_token_survives_a_crash_and_a_restart(mongo_url: str, tmp_path: Path) -> None:
    url = url_of(mongo_url, f"test_changes_{new_id()}")
    with running(tmp_path / "data", DATABASE_URL=url, SECRET_KEY=SECRET) as server:
        async with httpx.AsyncClient(base_url=server.url) as api:
            ada = await sign_up(api, "ada@example.com")
            await ada.event(title="Before")
            token = (await changes(ada))["next"]
            await ada.event(title="Between")
        server.kill()
        server.start()
        async with httpx.AsyncClient(base_url=server.url) as api:
            answer = await changes(Person(api, ada.id, ada.email, ada.token), f"since={token}")
    assert [item["title"] for item in answer["items"]] == ["Between"]
    _drop(mongo_url, url)


def _drop(mongo_url: str, url: str) -> None:
    with MongoClient[Any](mongo_url) as client:
        client.drop_database(re.sub(r"\?.*", "", url).rsplit("/", 1)[1])
