"""Taking one's data along, and leaving without a trace."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI
from pymongo import MongoClient

from auth.opaque_tokens import digest
from auth.principal import Principal
from database.commit import commit_atomically
from database.queries import parse_id
from database.writes import Insert
from models.accounts.oidc_login import CODE_LIFETIME, AuthorizationCode
from models.accounts.one_time_token import OneTimeToken
from models.accounts.user import User
from models.shared.guard import Guard
from planner.clock import SystemClock
from planner.domain.times import build_order_key
from planner.services.shared.rate_limiter import RateLimiter
from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, Planner, bearer, ok, sign_in, sign_up
from tests.support.servers import running
from tests.support.services import database_of, services_of
from tests.support.sessions import get_me, refresh
from tests.support.stored_data import find_words, read_all_documents

EMAIL, USERNAME = "ada.lovelace@example.com", "enchantress.of.number"

pytestmark = pytest.mark.usefixtures("without_background_work")


@pytest.fixture
async def ada(api: Planner) -> Person:
    return await sign_up(api, EMAIL, username=USERNAME, full_name="Augusta Ada King")


async def export(person: Person) -> Any:
    answer = await person.get("/users/me/export")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    return ok(answer)


async def delete_account(person: Person, password: str = PASSWORD) -> httpx.Response:
    return await person.delete("/users/me", json={"password": password})


async def create_data_everywhere(ada: Person, app: FastAPI, admin: Person) -> None:
    """Leave something of this person in every collection that takes it."""
    for number in range(3):
        key = {"Idempotency-Key": f"event-{number}"}
        ok(await ada.post("/events", json={"title": f"Reading {number}"}, headers=key), 201)
    event = await ada.event(visibility="public")
    ok(await admin.put(f"/events/{event['id']}/takedown", json={"reason": "It advertises something else."}))
    removed = await ada.event(title="Fair")
    ok(await ada.delete(f"/events/{removed['id']}"), 204)
    ok(await ada.post("/auth/tokens", json={"name": "script", "scopes": ["account:read"]}), 201)
    ok(await ada.put(f"/freebusy/shares/{admin.id}"), 204)
    ok(await admin.put(f"/freebusy/shares/{ada.id}"), 204)
    ok(await sign_in(ada.api, USERNAME))
    ok(await sign_in(ada.api, ada.email, "not the password"), 401)
    for address in (EMAIL, EMAIL.upper()):
        ok(await ada.api.post("/auth/password/forgot", json={"email": address}), 202)
    ok(await admin.patch(f"/users/{ada.id}", json={"role": "admin"}))
    ok(await ada.get("/users"))
    ok(await ada.patch(f"/users/{admin.id}", json={"role": "admin"}))
    database = database_of(app)
    await database["users"].update_one(
        {"email": EMAIL}, {"$set": {"identities": [{"issuer": "https://accounts.example.com", "subject": "ada-1843"}]}}
    )
    id = parse_id(ada.id)
    assert id is not None
    now = SystemClock().now()
    code = AuthorizationCode(
        id=digest("a code"),
        user=id,
        provider="acme",
        redirect_uri="https://app.example.com/",
        code_challenge="x" * 43,
        expires_at=now + CODE_LIFETIME,
    )
    await commit_atomically([Insert(code), OneTimeToken.insert_write(digest("a token"), "verify", id, EMAIL, now)])
    calendar = {"content-type": "text/calendar", "prefer": "respond-async"}
    event_file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    for _ in range(2):
        ok(await ada.post("/events/import", content=event_file, headers=calendar), 202)


async def test_an_export_contains_everything_that_is_stored_about_an_account(
    ada: Person, app: FastAPI, admin: Person, ben: Person
) -> None:
    await create_data_everywhere(ada, app, admin)
    await ben.event()
    id, stored = ObjectId(ada.id), await read_all_documents(database_of(app))
    taken = await export(ada)
    me = await ada.me()
    assert sorted(me.pop("events")) == sorted(event["id"] for event in taken["events"])
    assert taken["account"] == me
    (account,) = [user for user in stored["users"] if user["_id"] == id]
    assert taken["identities"] == account["identities"] != []
    for name, collection, owner in (
        ("sessions", "sessions", "user"),
        ("tokens", "personal_tokens", "user"),
        ("audit", "audit", "account"),
        ("imports", "import_jobs", "owner"),
        ("events", "events", "creator"),
    ):
        held = {str(document["_id"]) for document in stored[collection] if document[owner] == id}
        assert {item["id"] for item in taken[name]} == held != set(), name
    shared = [document["reader"] for document in stored["busy_shares"] if document["owner"] == id]
    assert [share["user"] for share in taken["free_busy_shares"]] == [str(reader) for reader in shared] != []
    revisions = {(str(kept["event"]), kept["revision"]) for kept in stored["revisions"] if kept["creator"] == id}
    assert {(item["id"], item["revision"]) for item in taken["revisions"]} == revisions
    assert "Fair" in {item["event"]["title"] for item in taken["revisions"] if item["event"]}
    for event in taken["events"]:
        assert event == ok(await ada.get(f"/events/{event['id']}"))
    # What nobody may take along, for it could be used: hashes of the password and of tokens.
    assert account["password"] not in json.dumps(taken)
    assert ben.email not in json.dumps(taken)


async def with_a_thousand_events(ada: Person, app: FastAPI) -> list[str]:
    """The ids of a thousand events of this person's, as they would be stored one by one."""
    first = await ada.event(description="x" * 300)
    database = database_of(app)
    pattern = await database["events"].find_one({"_id": ObjectId(first["id"])})
    ids = [ObjectId() for _ in range(999)]
    await database["events"].insert_many(
        [pattern | {"_id": id, "key": build_order_key(pattern["begins"], str(id))} for id in ids]
    )
    lists: dict[str, list[ObjectId]] = {}
    for id in [pattern["_id"], *ids]:
        lists.setdefault(str(id)[-2:], []).append(id)
    await database["users"].update_one({"_id": ObjectId(ada.id)}, {"$set": {"events": lists}})
    return [first["id"], *(str(id) for id in ids)]


async def test_an_export_of_a_thousand_events_contains_each_once(ada: Person, app: FastAPI) -> None:
    ids = await with_a_thousand_events(ada, app)
    taken = await export(ada)
    assert sorted(event["id"] for event in taken["events"]) == sorted(ids)


async def test_an_export_of_a_thousand_events_is_sent_in_parts(ada: Person, app: FastAPI) -> None:
    await with_a_thousand_events(ada, app)
    id = parse_id(ada.id)
    assert id is not None
    parts = [part async for part in services_of(app).data_export.export(Principal(id, "user"))]
    assert len(parts) > 4
    assert max(len(part) for part in parts) < sum(len(part) for part in parts) / 3
    assert len(json.loads(b"".join(parts))["events"]) == 1000


async def test_an_export_is_refused_without_a_token_and_to_tokens_with_scopes(ada: Person) -> None:
    ok(await ada.api.get("/users/me/export"), 401)
    draft = {"name": "script", "scopes": ["events:read", "events:write", "account:read"]}
    token = ok(await ada.post("/auth/tokens", json=draft), 201)["token"]
    ok(await ada.api.get("/users/me/export", headers=bearer(token)), 403)


async def test_deleting_an_account_requires_the_password(ada: Person) -> None:
    ok(await delete_account(ada, "not my password"), 403)
    ok(await ada.delete("/users/me", json={}), 422)
    ok(await ada.delete("/users/me"), 422)
    assert (await ada.me())["id"] == ada.id


async def test_no_reference_to_a_deleted_account_is_stored(
    ada: Person, app: FastAPI, admin: Person, ben: Person
) -> None:
    await create_data_everywhere(ada, app, admin)
    kept = await ben.event()
    database = database_of(app)
    events = (await ada.me())["events"]
    sessions = [item["id"] for item in ok(await ada.get("/auth/sessions"))["items"]]
    assert len(await find_words(database, ada.id)) > 10
    ok(await delete_account(ada), 204)
    assert await find_words(database, ada.id, EMAIL, USERNAME, "Augusta", "ada-1843", *sessions) == []
    stored = await read_all_documents(database)
    assert [str(event["_id"]) for event in stored["events"]] == [kept["id"]]
    assert not {str(event["_id"]) for event in stored["events"]} & set(events)
    assert "account-deleted" in [note["event"] for note in stored["audit"]]
    assert (await ben.me())["events"] == [kept["id"]]


async def test_every_token_of_a_deleted_account_is_refused_at_once(ada: Person) -> None:
    token = ok(await ada.post("/auth/tokens", json={"name": "script", "scopes": ["account:read"]}), 201)["token"]
    other = ok(await sign_in(ada.api, ada.email))
    tokens = [ada.token, other["access_token"], token]
    for one in tokens:
        ok(await get_me(ada.api, one))
    ok(await delete_account(ada), 204)
    for one in tokens:
        ok(await get_me(ada.api, one), 401)
        ok(await ada.api.post("/events", json={"title": "Still here"}, headers=bearer(one)), 401)
    ok(await refresh(ada.api, other["refresh_token"]), 400)
    ok(await sign_in(ada.api, ada.email), 401)


async def test_the_address_and_name_of_a_deleted_account_can_sign_up_again(ada: Person) -> None:
    ok(await delete_account(ada), 204)
    again = await sign_up(ada.api, EMAIL, username=USERNAME)
    assert again.id != ada.id
    me = await again.me()
    assert (me["events"], me["role"], me["full_name"]) == ([], "user", None)


async def test_a_repeated_sign_up_after_its_account_was_deleted_creates_a_new_one(api: Planner) -> None:
    body, key = {"email": EMAIL, "password": PASSWORD}, {"Idempotency-Key": "sign-up"}
    first = ok(await api.post("/auth/signup", json=body, headers=key), 201)
    tokens = ok(await sign_in(api, EMAIL))
    ok(await delete_account(Person(api, first["id"], EMAIL, tokens["access_token"])), 204)
    assert ok(await api.post("/auth/signup", json=body, headers=key), 201)["id"] != first["id"]


@pytest.mark.real_server("the mock has no transactions")
async def test_an_account_that_cannot_be_closed_keeps_everything(
    ada: Person, app: FastAPI, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_data_everywhere(ada, app, admin)
    database = database_of(app)
    await database["guards"].insert_one({"_id": "in the way", "version": 0})
    before = await read_all_documents(database)
    # Among the last of the writes that close it: everything that goes first has been done by then.
    monkeypatch.setattr(RateLimiter, "clear_write", lambda *_: Insert(Guard(id="in the way")))
    assert (await delete_account(ada)).status_code >= 400
    assert await read_all_documents(database) == before
    monkeypatch.undo()
    assert (await ada.me())["id"] == ada.id
    ok(await delete_account(ada), 204)
    assert await database["users"].count_documents({"_id": ObjectId(ada.id)}) == 0


@pytest.mark.real_server("the mock has no transactions")
async def test_an_account_is_not_deleted_with_an_old_etag(ada: Person) -> None:
    tag = (await ada.get("/users/me")).headers["etag"]
    ok(await ada.patch("/users/me", json={"full_name": "Ada King"}))
    ok(await ada.request("DELETE", "/users/me", json={"password": PASSWORD}, headers={"If-Match": tag}), 412)
    assert (await ada.me())["id"] == ada.id


@pytest.fixture(scope="module")
def server(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """The address of two worker processes, and their database."""
    name = f"test_{uuid4().hex[:12]}"
    data = tmp_path_factory.mktemp("planner") / "data"
    with (
        MongoClient[Any](mongo_url) as client,
        running(data, ("--workers", "2"), DATABASE_URL=url_of(mongo_url, name), SECRET_KEY=SECRET) as server,
    ):
        yield server.url, client[name]
        client.drop_database(name)


@pytest.fixture
async def client_of_workers(server: tuple[str, Any]) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=server[0], timeout=60) as api:
        yield api


@pytest.mark.real_server("the planner is two processes")
async def test_requests_during_the_deletion_of_an_account_leave_nothing_behind(
    client_of_workers: Planner, server: tuple[str, Any]
) -> None:
    ada = await sign_up(client_of_workers, f"{uuid4().hex[:12]}@example.com")
    draft = {"name": "script", "scopes": ["account:read"]}
    answers = await asyncio.gather(
        *(ada.post("/events", json={"title": f"Reading {number}"}) for number in range(5)),
        *(sign_in(client_of_workers, ada.email) for _ in range(3)),
        *(ada.post("/auth/tokens", json=draft) for _ in range(3)),
        delete_account(ada),
        *(ada.post("/events", json={"title": f"Talk {number}"}) for number in range(4)),
        *(sign_in(client_of_workers, ada.email) for _ in range(2)),
        *(ada.post("/auth/tokens", json=draft) for _ in range(2)),
    )
    assert len(answers) == 20
    assert {answer.status_code for answer in answers} <= {200, 201, 204, 401, 404}
    assert answers[11].status_code == 204
    database, id = server[1], ObjectId(ada.id)
    for name, owner in (("users", "_id"), ("events", "creator"), ("sessions", "user"), ("personal_tokens", "user")):
        assert database[name].count_documents({owner: id}) == 0, name


@pytest.mark.real_server("the planner is two processes")
async def test_of_twenty_deletions_of_an_account_at_once_one_succeeds(
    client_of_workers: Planner, server: tuple[str, Any]
) -> None:
    ada = await sign_up(client_of_workers, f"{uuid4().hex[:12]}@example.com")
    answers = await asyncio.gather(*(delete_account(ada) for _ in range(20)))
    statuses = sorted(answer.status_code for answer in answers)
    # On a busy machine, passwords that would have to wait for too long are not compared.
    assert (statuses.count(204), set(statuses) - {204, 503}) == (1, {401})
    assert server[1][str(User.get_settings().name)].count_documents({"email": ada.email}) == 0
