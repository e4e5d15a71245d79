"""An admin always remains, however many requests demote, disable and delete them at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_up
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until_async


@pytest.mark.real_server("it counts the other admins in a transaction")
async def test_the_last_admin_cannot_be_demoted_disabled_or_deleted(admin: Person, ada: Person) -> None:
    for change in ({"role": "user"}, {"role": "moderator"}, {"disabled": True}, {"role": "user", "disabled": True}):
        assert "last admin" in ok(await admin.patch(f"/users/{admin.id}", json=change), 409)["detail"]
    ok(await admin.request("DELETE", "/users/me", json={"password": PASSWORD}), 409)
    assert (await admin.me())["role"] == "admin"
    ok(await admin.patch(f"/users/{ada.id}", json={"role": "admin"}))
    ok(await admin.request("DELETE", "/users/me", json={"password": PASSWORD}), 204)
    assert "last admin" in ok(await ada.patch(f"/users/{ada.id}", json={"role": "user"}), 409)["detail"]


@pytest.mark.real_server("it counts the other admins in a transaction")
async def test_a_disabled_admin_does_not_count_as_the_remaining_one(admin: Person, ada: Person) -> None:
    ok(await admin.patch(f"/users/{ada.id}", json={"role": "admin", "disabled": True}))
    ok(await admin.patch(f"/users/{admin.id}", json={"role": "user"}), 409)


@pytest.fixture(scope="module")
def server_and_users(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, Any]]:
    """Two worker processes on one database, and the collection of its accounts."""
    name = f"test_{uuid4().hex[:12]}"
    data = tmp_path_factory.mktemp("planner") / "data"
    with (
        MongoClient[Any](mongo_url) as client,
        running(data, ("--workers", "2"), DATABASE_URL=url_of(mongo_url, name), SECRET_KEY=SECRET) as server,
    ):
        yield server, client[name]["users"]
        client.drop_database(name)


@pytest.fixture
async def remote(server_and_users: tuple[RunningServer, Any]) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=server_and_users[0].url, timeout=60) as api:
        yield api


@pytest.fixture
def users(server_and_users: tuple[RunningServer, Any]) -> Any:
    return server_and_users[1]


async def two_admins(api: Planner, users: Any) -> list[Person]:
    """Two new admins, and no other."""
    people = [await sign_up(api, f"{uuid4().hex[:12]}@example.com") for _ in range(2)]
    users.update_many({}, {"$set": {"role": "user"}})
    users.update_many({"email": {"$in": [one.email for one in people]}}, {"$set": {"role": "admin"}})
    # Each worker process may remember for a moment that they were users.
    for one in people:

        async def is_known_as_admin(person: Person = one) -> bool:
            return [(await person.get("/audit")).status_code for _ in range(4)] == [200] * 4

        await wait_until_async(is_known_as_admin)
    return people


def acting_admins(users: Any) -> int:
    return int(users.count_documents({"role": "admin", "disabled": False}))


@pytest.mark.real_server("the planner is two processes")
async def test_of_two_admins_who_demote_each_other_at_once_one_remains(remote: Planner, users: Any) -> None:
    for _ in range(3):
        ada, ben = await two_admins(remote, users)
        answers = await asyncio.gather(
            ada.patch(f"/users/{ben.id}", json={"role": "user"}), ben.patch(f"/users/{ada.id}", json={"role": "user"})
        )
        assert acting_admins(users) == 1
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 200
        assert statuses[1] in (403, 409)


@pytest.mark.real_server("the planner is two processes")
async def test_of_two_admins_whom_twenty_requests_demote_disable_and_delete_at_once_one_remains(
    remote: Planner, users: Any
) -> None:
    ada, ben = await two_admins(remote, users)
    requests = [
        doer.patch(f"/users/{target.id}", json=change)
        for doer in (ada, ben)
        for target in (ada, ben)
        for change in ({"role": "user"}, {"disabled": True}, {"role": "moderator"}, {"role": "user", "disabled": True})
    ]
    requests += [one.request("DELETE", "/users/me", json={"password": PASSWORD}) for one in (ada, ben) for _ in "12"]
    answers = await asyncio.gather(*requests)
    assert len(answers) == 20
    assert acting_admins(users) == 1
    assert {answer.status_code for answer in answers} <= {200, 204, 401, 403, 404, 409}
