"""A limit says when it ends, is stored without anybody's address, and can be turned off."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from database.connection import bound_database
from planner.services.shared.rate_limiter import failed_sign_ins, network
from tests.services.shared.limited_requests import QUARTER, SECOND, assert_limited, client_at, guess_passwords
from tests.support.clients import Person, ok, sign_in
from tests.support.clocks import MovableClock


@pytest.fixture
def settings_changes() -> dict[str, Any]:
    return {"rate_limits": "on"}


async def test_after_the_block_the_whole_limit_is_available_again(ada: Person, clock: MovableClock) -> None:
    await guess_passwords(ada.api, ada.email, 10)
    clock.move(QUARTER)
    assert await guess_passwords(ada.api, ada.email, 11) == [401] * 10 + [429]
    clock.move(QUARTER)
    ok(await sign_in(ada.api, ada.email))


async def test_retry_after_is_exact_to_the_second(ada: Person, clock: MovableClock) -> None:
    for _ in range(10):
        clock.move(7 * SECOND)
        assert await guess_passwords(ada.api, ada.email, 1) == [401]
    clock.move(100 * SECOND)
    wait = assert_limited(await sign_in(ada.api, ada.email), QUARTER)
    assert wait == 15 * 60 - 100
    clock.move((wait - 1) * SECOND)
    assert assert_limited(await sign_in(ada.api, ada.email), QUARTER) == 1
    clock.move(SECOND)
    ok(await sign_in(ada.api, ada.email))


async def test_retry_after_is_that_of_the_longest_block(app: FastAPI, ada: Person, clock: MovableClock) -> None:
    await guess_passwords(ada.api, ada.email, 10)
    async with client_at(app, "198.51.100.1") as crowd:
        clock.move(10 * 60 * SECOND)
        for one in range(6):
            await guess_passwords(crowd, f"nobody{one}@example.com", 10)
        assert assert_limited(await sign_in(crowd, ada.email), QUARTER) == 15 * 60


async def test_a_refusal_says_which_limit_it_is_and_until_when(ada: Person, clock: MovableClock) -> None:
    async def detail(path: str, body: dict[str, str]) -> str:
        answer = await ada.post(path, json=body)
        assert answer.status_code == 429
        until = clock.now() + int(answer.headers["retry-after"]) * SECOND
        text = str(answer.json()["detail"])
        assert re.search(r"after (.*)\.$", text)[1] in {  # type: ignore[index]
            (until + each * SECOND).strftime("%Y-%m-%dT%H:%M:%SZ") for each in (0, 1)
        }
        return text

    wrong = {"current_password": "wrong", "new_password": "something else that is long"}
    for _ in range(10):
        await ada.post("/auth/password", json=wrong)
    assert "wrong passwords in this session: at most 10 in 15 minutes" in await detail("/auth/password", wrong)
    await guess_passwords(ada.api, ada.email, 10)
    sign_in_form = {"email": ada.email, "password": "wrong"}
    assert "failed sign-ins with this name: at most 10 in 15 minutes" in await detail("/auth/signin", sign_in_form)
    for one in range(5):
        await guess_passwords(ada.api, f"nobody{one}@example.com", 10)
    sign_in_form["email"] = "nobody@example.com"
    assert "from this network address: at most 60 in 15 minutes" in await detail("/auth/signin", sign_in_form)


async def test_refused_attempts_do_not_prolong_the_block(ada: Person, clock: MovableClock) -> None:
    await guess_passwords(ada.api, ada.email, 10)
    for _ in range(14):
        clock.move(60 * SECOND)
        assert await guess_passwords(ada.api, ada.email, 2) == [429, 429]
    clock.move(60 * SECOND)
    ok(await sign_in(ada.api, ada.email))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_of_one_network_count_as_one(address: str, counted: str) -> None:
    assert network(address) == counted


@pytest.mark.parametrize("settings_changes", [{"rate_limits": "off"}])
async def test_with_limits_off_nothing_is_counted_or_refused(ada: Person) -> None:
    assert await guess_passwords(ada.api, ada.email, 15) == [401] * 15
    ok(await sign_in(ada.api, ada.email))
    for _ in range(7):
        ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    assert await bound_database().handle["rate_limit_counters"].count_documents({}) == 0


async def test_a_stored_counter_contains_nobodys_address(ada: Person) -> None:
    await guess_passwords(ada.api, ada.email, 2)
    await guess_passwords(ada.api, "nobody@example.com", 2)
    stored = repr(await bound_database().handle["rate_limit_counters"].find({}).to_list(None))
    for text in (ada.email, ada.id, "nobody", "127.0.0.1"):
        assert text not in stored
    known = await bound_database().handle["rate_limit_counters"].find_one({"_id": failed_sign_ins(ada.email).id})
    assert known is not None
    assert len(known["times"]) == 2


async def test_a_counter_has_no_more_times_than_it_needs_and_expires(ada: Person, clock: MovableClock) -> None:
    for _ in range(4):
        await guess_passwords(ada.api, ada.email, 12)
        clock.move(QUARTER)
    id = failed_sign_ins(ada.email).id
    counter = await bound_database().handle["rate_limit_counters"].find_one({"_id": id})
    assert counter is not None
    assert len(counter["times"]) <= 11
    assert counter["expires_at"] >= counter["times"][-1] + QUARTER
    indexes = await bound_database().handle["rate_limit_counters"].index_information()
    assert indexes["expired"]["expireAfterSeconds"] == 0
