"""What is tried too often is refused: whoever tries, on whichever worker, right or wrong."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from database.connection import bound
from planner.services.shared.rate_limiter import SIGN_IN_ACCOUNT, Counted, network
from planner.settings import Settings
from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_in, sign_up
from tests.support.clocks import Clock, install_clock
from tests.support.servers import RunningServer, running
from tests.support.workers import both_workers

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
SECOND = timedelta(seconds=1)
WRONG = "not the password at all"
on_processes = pytest.mark.real_server("the planner is a process of its own")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limits": "on"})


@pytest.fixture
def clock(app: FastAPI) -> Clock:
    return install_clock(app)


@pytest.fixture
async def elsewhere(app: FastAPI) -> AsyncIterator[Planner]:
    """A client at another address than everybody else."""
    async with at(app, "198.51.100.1") as client:
        yield client


def at(app: FastAPI, address: str) -> Planner:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1")


async def guesses(api: Planner, login: str, times: int, password: str = WRONG) -> list[int]:
    return [(await sign_in(api, login, password)).status_code for _ in range(times)]


def refused(response: httpx.Response, within: timedelta) -> int:
    """In how many seconds it may be tried again, from a refusal that must be one."""
    assert response.status_code == 429
    assert response.json()["type"] == "/problems/too-many-requests"
    seconds = int(response.headers["retry-after"])
    assert 0 < seconds <= within.total_seconds()
    return seconds


async def test_the_eleventh_failure_of_an_account_is_refused(ada: Person) -> None:
    assert await guesses(ada.api, ada.email, 10) == [401] * 10
    refused(await sign_in(ada.api, ada.email, WRONG), QUARTER)


async def test_while_it_lasts_the_right_password_is_refused_just_as_a_wrong_one(ada: Person, clock: Clock) -> None:
    await guesses(ada.api, ada.email, 10)
    wrong, right = await sign_in(ada.api, ada.email, WRONG), await sign_in(ada.api, ada.email)
    refused(right, QUARTER)
    assert (right.content, right.headers.multi_items()) == (wrong.content, wrong.headers.multi_items())


async def test_the_whole_allowance_returns_when_it_is_over(ada: Person, clock: Clock) -> None:
    await guesses(ada.api, ada.email, 10)
    clock.move(QUARTER)
    assert await guesses(ada.api, ada.email, 11) == [401] * 10 + [429]
    clock.move(QUARTER)
    ok(await sign_in(ada.api, ada.email))


async def test_retry_after_tells_to_the_second_when_it_is_over(ada: Person, clock: Clock) -> None:
    for _ in range(10):
        clock.move(7 * SECOND)
        assert await guesses(ada.api, ada.email, 1) == [401]
    clock.move(100 * SECOND)
    wait = refused(await sign_in(ada.api, ada.email), QUARTER)
    assert wait == 15 * 60 - 100
    clock.move((wait - 1) * SECOND)
    assert refused(await sign_in(ada.api, ada.email), QUARTER) == 1
    clock.move(SECOND)
    ok(await sign_in(ada.api, ada.email))


async def test_retry_after_is_that_of_the_limit_that_lasts_longest(app: FastAPI, ada: Person, clock: Clock) -> None:
    await guesses(ada.api, ada.email, 10)
    async with at(app, "198.51.100.1") as crowd:
        clock.move(10 * 60 * SECOND)
        for one in range(6):
            await guesses(crowd, f"nobody{one}@example.com", 10)
        assert refused(await sign_in(crowd, ada.email), QUARTER) == 15 * 60


async def test_what_is_refused_does_not_prolong_the_refusal(ada: Person, clock: Clock) -> None:
    await guesses(ada.api, ada.email, 10)
    for _ in range(14):
        clock.move(60 * SECOND)
        assert await guesses(ada.api, ada.email, 2) == [429, 429]
    clock.move(60 * SECOND)
    ok(await sign_in(ada.api, ada.email))


async def test_a_success_resets_nothing(ada: Person) -> None:
    assert await guesses(ada.api, ada.email, 9) == [401] * 9
    ok(await sign_in(ada.api, ada.email))
    assert await guesses(ada.api, ada.email, 2) == [401, 429]


async def test_a_right_password_is_refused_when_ten_others_failed_while_it_was_compared(
    app: FastAPI, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = app.state.accounts._hasher
    compare = hasher.verify
    meanwhile: list[int] = []

    async def slowly(password: str, stored: str | None, gone: Any = None) -> Any:
        if password == PASSWORD and not meanwhile:
            meanwhile.extend(await guesses(ada.api, ada.email, 10))
        return await compare(password, stored, gone)

    monkeypatch.setattr(hasher, "verify", slowly)
    refused(await sign_in(ada.api, ada.email), QUARTER)
    assert meanwhile == [401] * 10
    assert len(ok(await ada.get("/auth/sessions"))["items"]) == 1


async def test_failures_spread_over_more_than_the_time_are_not_refused(ada: Person, clock: Clock) -> None:
    for _ in range(25):
        assert await guesses(ada.api, ada.email, 1) == [401]
        clock.move(timedelta(minutes=15) / 9)
    ok(await sign_in(ada.api, ada.email))


async def test_email_username_and_every_letter_case_of_them_share_one_tally(api: Planner) -> None:
    await sign_up(api, "ada@example.com", username="Countess")
    spellings = itertools.cycle(["ada@example.com", "Countess", "ADA@Example.COM", "countess"])
    assert [(await sign_in(api, next(spellings), WRONG)).status_code for _ in range(10)] == [401] * 10
    for login in ("ada@example.com", "COUNTESS", "countess", "Ada@example.com"):
        assert (await sign_in(api, login)).status_code == 429


async def test_an_unknown_account_is_limited_just_as_a_known_one(ada: Person, clock: Clock) -> None:
    known = [await sign_in(ada.api, ada.email, WRONG) for _ in range(12)]
    unknown = [await sign_in(ada.api, "nobody@example.com", WRONG) for _ in range(12)]
    answers = [(answer.status_code, answer.content, answer.headers.multi_items()) for answer in known]
    assert answers == [(answer.status_code, answer.content, answer.headers.multi_items()) for answer in unknown]


async def test_one_account_being_limited_limits_no_other(ada: Person, ben: Person) -> None:
    await guesses(ada.api, ada.email, 11)
    ok(await sign_in(ben.api, ben.email))


async def test_who_is_signed_in_stays_signed_in_while_others_guess(api: Planner, ada: Person) -> None:
    tokens = ok(await sign_in(api, ada.email))
    await guesses(api, ada.email, 11)
    assert (await ada.me())["id"] == ada.id
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    ok(await api.post("/auth/token", data=form))


async def test_the_sixty_first_failure_of_an_address_is_refused_whatever_the_account(
    ada: Person, clock: Clock, elsewhere: Planner
) -> None:
    for one in range(12):
        assert await guesses(ada.api, f"nobody{one}@example.com", 5) == [401] * 5
    refused(await sign_in(ada.api, ada.email), QUARTER)
    ok(await sign_in(elsewhere, ada.email))
    clock.move(QUARTER)
    ok(await sign_in(ada.api, ada.email))


async def test_an_account_is_limited_whatever_the_address(app: FastAPI, ada: Person) -> None:
    for one in range(10):
        async with at(app, f"198.51.100.{one}") as client:
            assert await guesses(client, ada.email, 1) == [401]
    async with at(app, "198.51.100.99") as client:
        assert (await sign_in(client, ada.email)).status_code == 429


async def test_the_addresses_of_one_ipv6_household_share_a_tally(app: FastAPI) -> None:
    for one in range(60):
        async with at(app, f"2001:db8:1:2::{one:x}") as client:
            assert await guesses(client, f"nobody{one}@example.com", 1) == [401]
    async with at(app, "2001:db8:1:2:ffff::1") as client:
        assert await guesses(client, "somebody@example.com", 1) == [429]
    async with at(app, "2001:db8:1:3::1") as client:
        assert await guesses(client, "somebody@example.com", 1) == [401]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert network(address) == counted


async def test_wrong_passwords_at_the_token_endpoint_count_too_and_are_refused_in_its_own_shape(ada: Person) -> None:
    async def grant(password: str) -> httpx.Response:
        form = {"grant_type": "password", "username": ada.email, "password": password}
        return await ada.api.post("/auth/token", data=form)

    for _ in range(5):
        assert (await grant(WRONG)).json()["error"] == "invalid_grant"
        assert await guesses(ada.api, ada.email, 1) == [401]
    answer = await grant(PASSWORD)
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert answer.headers["cache-control"] == "no-store"
    assert await guesses(ada.api, ada.email, 1, PASSWORD) == [429]


async def test_guessing_the_current_password_counts_like_a_failed_sign_in(ada: Person) -> None:
    form = {"current_password": WRONG, "new_password": "something else that is long"}
    assert [(await ada.post("/auth/password", json=form)).status_code for _ in range(10)] == [403] * 10
    refused(await ada.post("/auth/password", json=form | {"current_password": PASSWORD}), QUARTER)
    refused(await sign_in(ada.api, ada.email), QUARTER)


async def test_a_disabled_account_answers_as_if_the_password_were_wrong_and_counts(ada: Person) -> None:
    await bound().handle["users"].update_one({"email_key": ada.email}, {"$set": {"disabled": True}})
    assert await guesses(ada.api, ada.email, 11, PASSWORD) == [401] * 10 + [429]


async def test_the_twenty_first_sign_up_of_an_address_within_an_hour_is_refused(
    api: Planner, clock: Clock, elsewhere: Planner
) -> None:
    async def up(client: Planner, name: str) -> httpx.Response:
        return await client.post("/auth/signup", json={"email": f"{name}@example.com", "password": PASSWORD})

    for one in range(20):
        ok(await up(api, f"p{one}"), 201)
        clock.move(SECOND)
    refused(await up(api, "late"), HOUR)
    ok(await up(elsewhere, "other"), 201)
    clock.move(HOUR)
    ok(await up(api, "late"), 201)


async def test_a_sign_up_sent_again_with_its_key_counts_once(api: Planner) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    for _ in range(30):
        ok(await api.post("/auth/signup", json=form, headers={"Idempotency-Key": "one"}), 201)
    ok(await api.post("/auth/signup", json=form | {"email": "ben@example.com"}), 201)


@pytest.mark.parametrize("address", ["ada@example.com", "nobody@example.com"])
async def test_the_sixth_recovery_mail_within_an_hour_is_refused(ada: Person, clock: Clock, address: str) -> None:
    async def forgot(email: str) -> httpx.Response:
        return await ada.api.post("/auth/password/forgot", json={"email": email})

    for spelling in (address, address.upper(), address.title(), address, address):
        ok(await forgot(spelling), 202)
    assert refused(await forgot(address), HOUR) == 3600
    ok(await forgot("another@example.com"), 202)
    clock.move(HOUR)
    assert [(await forgot(address)).status_code for _ in range(6)] == [202] * 5 + [429]


async def test_asking_for_mails_on_and_on_does_not_keep_their_owner_from_one_for_ever(
    ada: Person, clock: Clock
) -> None:
    answers = []
    for _ in range(61):
        answers.append((await ada.api.post("/auth/password/forgot", json={"email": ada.email})).status_code)
        clock.move(timedelta(minutes=1))
    # Five at once, the whole hour from the fifth of them barred, and then again.
    clock.move(timedelta(minutes=4))
    answers.append((await ada.api.post("/auth/password/forgot", json={"email": ada.email})).status_code)
    assert answers == [202] * 5 + [429] * 56 + [202]


async def test_all_mails_that_an_account_asks_for_share_one_tally(ada: Person) -> None:
    for _ in range(3):
        ok(await ada.post("/auth/email/verification"), 202)
    for _ in range(2):
        ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    refused(await ada.post("/auth/email/verification"), HOUR)
    refused(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), HOUR)
    refused(await ada.patch("/users/me", json={"email": "new@example.com"}), HOUR)
    assert (await ada.me())["email"] == ada.email


async def test_without_limits_nothing_is_counted_and_nothing_refused(app: FastAPI, ada: Person) -> None:
    app.state.accounts._limiter._on = app.state.recovery._limiter._on = False
    await bound().handle["tallies"].delete_many({})
    assert await guesses(ada.api, ada.email, 15) == [401] * 15
    ok(await sign_in(ada.api, ada.email))
    for _ in range(7):
        ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    assert await bound().handle["tallies"].count_documents({}) == 0


@pytest.mark.parametrize(("setting", "on"), [("on", True), ("off", False)])
def test_the_setting_turns_all_limits_on_or_off(settings: Settings, setting: str, on: bool) -> None:
    from planner.app import create_app

    state = create_app(settings.model_copy(update={"rate_limits": setting})).state
    assert (state.accounts._limiter._on, state.recovery._limiter._on) == (on, on)


async def test_what_is_stored_of_a_tally_tells_nobodys_address(ada: Person) -> None:
    await guesses(ada.api, ada.email, 2)
    await guesses(ada.api, "nobody@example.com", 2)
    stored = repr(await bound().handle["tallies"].find({}).to_list(None))
    assert "tallies" not in stored
    for told in (ada.email, ada.id, "nobody", "127.0.0.1"):
        assert told not in stored
    known = await bound().handle["tallies"].find_one({"_id": Counted(SIGN_IN_ACCOUNT, "sign-in account", ada.id).id})
    assert known is not None
    assert len(known["times"]) == 2


async def test_a_tally_keeps_no_more_than_it_needs_and_is_removed_when_it_no_longer_matters(
    ada: Person, clock: Clock
) -> None:
    for _ in range(4):
        await guesses(ada.api, ada.email, 12)
        clock.move(QUARTER)
    id = Counted(SIGN_IN_ACCOUNT, "sign-in account", ada.id).id
    tally = await bound().handle["tallies"].find_one({"_id": id})
    assert tally is not None
    assert len(tally["times"]) <= 11
    assert tally["expires_at"] >= tally["times"][-1] + QUARTER
    indexes = await bound().handle["tallies"].index_information()
    assert indexes["expired"]["expireAfterSeconds"] == 0


@pytest.fixture(scope="module")
def server(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Two workers behind a proxy, so that each test can have addresses of its own."""
    with running(
        tmp_path_factory.mktemp("limits") / "data",
        ["--workers", "2"],
        DATABASE_URL=url_of(mongo_url, f"test_{uuid4().hex[:12]}"),
        SECRET_KEY=SECRET,
        RATE_LIMITS="on",
        TRUSTED_PROXIES="127.0.0.1",
    ) as server:
        yield server


_address = itertools.count(1)


def own_address() -> dict[str, str]:
    number = next(_address)
    return {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250}"}


@pytest.fixture
async def outside(server: RunningServer) -> AsyncIterator[Planner]:
    async with httpx.AsyncClient(base_url=server.url, timeout=90, headers=own_address()) as client:
        yield client


async def somebody(api: Planner) -> Person:
    return await sign_up(api, f"p{uuid4().hex}@example.com")


async def wrong(api: Planner, email: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return await api.post("/auth/signin", json={"email": email, "password": WRONG}, headers=headers)


@on_processes
async def test_twenty_guesses_at_once_all_count(outside: Planner) -> None:
    person = await somebody(outside)
    answers = await asyncio.gather(*(wrong(outside, person.email) for _ in range(20)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= 10
    refused(await sign_in(outside, person.email), QUARTER)


@on_processes
async def test_a_right_guess_among_many_at_once_is_worth_nothing_once_ten_have_failed(outside: Planner) -> None:
    person = await somebody(outside)
    await asyncio.gather(*(wrong(outside, person.email) for _ in range(9)))
    passwords = [WRONG] * 10 + [PASSWORD] * 10
    answers = await asyncio.gather(*(sign_in(outside, person.email, password) for password in passwords))
    assert sum(answer.status_code == 401 for answer in answers) <= 1
    assert (await sign_in(outside, person.email)).status_code == 429


@on_processes
async def test_two_workers_share_the_tallies(server: RunningServer, outside: Planner) -> None:
    person = await somebody(outside)
    async with both_workers(server) as (one, other):
        here, there = own_address(), own_address()
        for _ in range(5):
            assert (await wrong(one, person.email, here)).status_code == 401
            assert (await wrong(other, person.email, there)).status_code == 401
        for worker in (one, other):
            refused(await wrong(worker, person.email, own_address()), QUARTER)
            refused(await sign_in(worker, person.email), QUARTER)


@on_processes
async def test_behind_a_trusted_proxy_the_forwarded_address_counts(outside: Planner) -> None:
    household, other = own_address(), own_address()
    person = await somebody(outside)
    guessed = [wrong(outside, f"nobody{one}{uuid4().hex}@example.com", household) for one in range(60)]
    assert {answer.status_code for answer in await asyncio.gather(*guessed)} == {401}
    refused(await wrong(outside, person.email, household), QUARTER)
    forged = {"X-Forwarded-For": f"192.0.2.77, {household['X-Forwarded-For']}"}
    refused(await wrong(outside, person.email, forged), QUARTER)
    assert (await wrong(outside, person.email, other)).status_code == 401


@on_processes
async def test_a_forged_forwarded_address_resets_nothing(
    mongo_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = url_of(mongo_url, f"test_{uuid4().hex[:12]}")
    folder = tmp_path_factory.mktemp("forged") / "data"
    with running(folder, DATABASE_URL=database, SECRET_KEY=SECRET, RATE_LIMITS="on") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=90) as api:
            person = await somebody(api)

            def forged() -> dict[str, Any]:
                return own_address() | {"Forwarded": "for=192.0.2.60", "X-Real-IP": "192.0.2.61"}

            guessed = [wrong(api, f"nobody{one}@example.com", forged()) for one in range(60)]
            assert {answer.status_code for answer in await asyncio.gather(*guessed)} == {401}
            refused(await wrong(api, person.email, forged()), QUARTER)
            refused(await wrong(api, person.email), QUARTER)
            [session] = ok(await person.get("/auth/sessions"))["items"]
            assert session["address"] == "127.0.0.1"
