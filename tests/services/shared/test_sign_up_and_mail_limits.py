"""Sign-ups are limited for an address, and mails for whoever would get them."""

from datetime import timedelta

import httpx
import pytest

from planner.settings import Settings
from tests.services.shared.limited_requests import HOUR, SECOND, assert_limited
from tests.support.clients import PASSWORD, Person, Planner, ok, sign_up
from tests.support.clocks import MovableClock


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limits": "on"})


async def test_the_twenty_first_sign_up_of_an_address_within_an_hour_is_refused(
    api: Planner, clock: MovableClock, client_elsewhere: Planner
) -> None:
    async def up(client: Planner, name: str) -> httpx.Response:
        return await client.post("/auth/signup", json={"email": f"{name}@example.com", "password": PASSWORD})

    for one in range(20):
        ok(await up(api, f"p{one}"), 201)
        clock.move(SECOND)
    assert_limited(await up(api, "late"), HOUR)
    ok(await up(client_elsewhere, "other"), 201)
    clock.move(HOUR)
    ok(await up(api, "late"), 201)


async def test_a_sign_up_sent_again_with_its_key_counts_once(api: Planner) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    for _ in range(30):
        ok(await api.post("/auth/signup", json=form, headers={"Idempotency-Key": "one"}), 201)
    ok(await api.post("/auth/signup", json=form | {"email": "ben@example.com"}), 201)


@pytest.mark.parametrize("address", ["ada@example.com", "nobody@example.com"])
async def test_the_sixth_recovery_mail_within_an_hour_is_refused(
    ada: Person, clock: MovableClock, address: str
) -> None:
    async def forgot(email: str) -> httpx.Response:
        return await ada.api.post("/auth/password/forgot", json={"email": email})

    for spelling in (address, address.upper(), address.title(), address, address):
        ok(await forgot(spelling), 202)
    assert assert_limited(await forgot(address), HOUR) == 3600
    ok(await forgot("another@example.com"), 202)
    clock.move(HOUR)
    assert [(await forgot(address)).status_code for _ in range(6)] == [202] * 5 + [429]


async def test_constant_requests_for_mails_do_not_block_the_owner_for_ever(ada: Person, clock: MovableClock) -> None:
    answers = []
    for _ in range(61):
        answers.append((await ada.api.post("/auth/password/forgot", json={"email": ada.email})).status_code)
        clock.move(timedelta(minutes=1))
    # Five at once, the whole hour from the fifth of them barred, and then again.
    clock.move(timedelta(minutes=4))
    answers.append((await ada.api.post("/auth/password/forgot", json={"email": ada.email})).status_code)
    assert answers == [202] * 5 + [429] * 56 + [202]


async def test_all_mails_that_an_account_requests_share_one_counter_whatever_its_address(ada: Person) -> None:
    for _ in range(3):
        ok(await ada.post("/auth/email/verification"), 202)
    for number in range(2):
        ok(await ada.patch("/users/me", json={"email": f"ada{number}@example.com"}))
    before = await ada.me()
    assert_limited(await ada.post("/auth/email/verification"), HOUR)
    assert_limited(await ada.patch("/users/me", json={"email": "new@example.com"}), HOUR)
    assert await ada.me() == before


async def test_the_requests_of_strangers_do_not_block_the_mails_of_the_account(ada: Person) -> None:
    for _ in range(5):
        ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    assert_limited(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), HOUR)
    ok(await ada.post("/auth/email/verification"), 202)
    ok(await ada.patch("/users/me", json={"email": "new@example.com"}))


async def test_a_network_address_can_ask_for_thirty_recovery_mails_an_hour(
    api: Planner, clock: MovableClock, client_elsewhere: Planner
) -> None:
    async def forgot(client: Planner, number: int) -> httpx.Response:
        return await client.post("/auth/password/forgot", json={"email": f"p{number}@example.com"})

    for number in range(30):
        ok(await forgot(api, number), 202)
    assert_limited(await forgot(api, 30), HOUR)
    ok(await forgot(client_elsewhere, 30), 202)


async def test_many_accounts_cannot_send_more_than_five_mails_an_hour_to_an_address_of_others(
    api: Planner, clock: MovableClock
) -> None:
    for number in range(5):
        person = await sign_up(api, f"p{number}@example.com")
        ok(await person.patch("/users/me", json={"email": ["target@example.com", "TARGET@example.com"][number % 2]}))
    last = await sign_up(api, "last@example.com")
    assert_limited(await last.patch("/users/me", json={"email": "target@example.com"}), HOUR)
