"""Failed sign-ins are limited for an account and for an address, whoever tries and whatever the password."""

import itertools
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.hash_password import PasswordHasher
from database.connection import bound_database
from planner.settings import Settings
from tests.services.shared.limited_requests import QUARTER, WRONG, assert_limited, client_at, guess_passwords
from tests.support.clients import PASSWORD, Person, Planner, headers_of, ok, sign_in, sign_up
from tests.support.clocks import MovableClock
from tests.support.sessions import refresh


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limits": "on"})


async def test_the_eleventh_failure_of_an_account_is_refused(ada: Person) -> None:
    assert await guess_passwords(ada.api, ada.email, 10) == [401] * 10
    assert_limited(await sign_in(ada.api, ada.email, WRONG), QUARTER)


async def test_during_the_block_the_right_password_is_refused_like_a_wrong_one(
    ada: Person, clock: MovableClock
) -> None:
    await guess_passwords(ada.api, ada.email, 10)
    wrong, right = await sign_in(ada.api, ada.email, WRONG), await sign_in(ada.api, ada.email)
    assert_limited(right, QUARTER)
    assert (right.content, headers_of(right)) == (wrong.content, headers_of(wrong))


async def test_a_success_resets_nothing(ada: Person) -> None:
    assert await guess_passwords(ada.api, ada.email, 9) == [401] * 9
    ok(await sign_in(ada.api, ada.email))
    assert await guess_passwords(ada.api, ada.email, 2) == [401, 429]


async def test_a_right_password_is_refused_when_ten_others_failed_while_it_was_compared(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = PasswordHasher.verify
    meanwhile: list[int] = []

    async def slowly(self: PasswordHasher, password: str, stored: str | None, gone: Any = None) -> Any:
        if password == PASSWORD and not meanwhile:
            meanwhile.extend(await guess_passwords(ada.api, ada.email, 10))
        return await compare(self, password, stored, gone)

    monkeypatch.setattr(PasswordHasher, "verify", slowly)
    assert_limited(await sign_in(ada.api, ada.email), QUARTER)
    assert meanwhile == [401] * 10
    assert len(ok(await ada.get("/auth/sessions"))["items"]) == 1


async def test_failures_spread_over_more_than_the_period_are_not_blocked(ada: Person, clock: MovableClock) -> None:
    for _ in range(25):
        assert await guess_passwords(ada.api, ada.email, 1) == [401]
        clock.move(timedelta(minutes=15) / 9)
    ok(await sign_in(ada.api, ada.email))


async def test_all_spellings_of_one_name_share_one_counter(api: Planner) -> None:
    await sign_up(api, "ada@bücher.example", username="Countess")
    for spellings in (
        ["ada@bücher.example", "ADA@Bücher.example", " ada@xn--bcher-kva.example ", "ada@bu\u0308cher.example"],
        ["Countess", "countess", "\u00a0COUNTESS", "countess\u200b"],
    ):
        logins = itertools.cycle(spellings)
        assert [(await sign_in(api, next(logins), WRONG)).status_code for _ in range(10)] == [401] * 10
        assert {(await sign_in(api, login)).status_code for login in spellings} == {429}


async def test_the_limits_do_not_tell_which_names_are_one_account(api: Planner) -> None:
    await sign_up(api, "ada@example.com", username="Countess")
    await guess_passwords(api, "ada@example.com", 11)
    for name in ("Countess", "nobody", "nobody@example.com"):
        assert await guess_passwords(api, name, 1) == [401]
    ok(await sign_in(api, "Countess"))


async def test_an_unknown_account_is_limited_like_a_known_one(ada: Person, clock: MovableClock) -> None:
    known = [await sign_in(ada.api, ada.email, WRONG) for _ in range(12)]
    unknown = [await sign_in(ada.api, "nobody@example.com", WRONG) for _ in range(12)]
    answers = [(answer.status_code, answer.content, headers_of(answer)) for answer in known]
    assert answers == [(answer.status_code, answer.content, headers_of(answer)) for answer in unknown]


async def test_the_limit_of_one_account_does_not_affect_another(ada: Person, ben: Person) -> None:
    await guess_passwords(ada.api, ada.email, 11)
    ok(await sign_in(ben.api, ben.email))


async def test_sessions_stay_valid_while_others_guess_the_password(api: Planner, ada: Person) -> None:
    tokens = ok(await sign_in(api, ada.email))
    await guess_passwords(api, ada.email, 11)
    assert (await ada.me())["id"] == ada.id
    ok(await refresh(api, tokens["refresh_token"]))


async def test_the_sixty_first_failure_of_an_address_is_refused_whatever_the_account(
    ada: Person, clock: MovableClock, client_elsewhere: Planner
) -> None:
    for one in range(12):
        assert await guess_passwords(ada.api, f"nobody{one}@example.com", 5) == [401] * 5
    assert_limited(await sign_in(ada.api, ada.email), QUARTER)
    ok(await sign_in(client_elsewhere, ada.email))
    clock.move(QUARTER)
    ok(await sign_in(ada.api, ada.email))


async def test_an_account_is_limited_whatever_the_address(app: FastAPI, ada: Person) -> None:
    for one in range(10):
        async with client_at(app, f"198.51.100.{one}") as client:
            assert await guess_passwords(client, ada.email, 1) == [401]
    async with client_at(app, "198.51.100.99") as client:
        assert (await sign_in(client, ada.email)).status_code == 429


async def test_the_addresses_of_one_ipv6_network_share_a_counter(app: FastAPI) -> None:
    for one in range(60):
        async with client_at(app, f"2001:db8:1:2::{one:x}") as client:
            assert await guess_passwords(client, f"nobody{one}@example.com", 1) == [401]
    async with client_at(app, "2001:db8:1:2:ffff::1") as client:
        assert await guess_passwords(client, "somebody@example.com", 1) == [429]
    async with client_at(app, "2001:db8:1:3::1") as client:
        assert await guess_passwords(client, "somebody@example.com", 1) == [401]


async def test_wrong_passwords_at_the_token_endpoint_count_too_and_are_refused_as_rfc_6749(ada: Person) -> None:
    async def grant(password: str) -> httpx.Response:
        form = {"grant_type": "password", "username": ada.email, "password": password}
        return await ada.api.post("/auth/token", data=form)

    for _ in range(5):
        assert (await grant(WRONG)).json()["error"] == "invalid_grant"
        assert await guess_passwords(ada.api, ada.email, 1) == [401]
    answer = await grant(PASSWORD)
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert answer.headers["cache-control"] == "no-store"
    assert await guess_passwords(ada.api, ada.email, 1, PASSWORD) == [429]


async def test_the_password_prompts_of_a_session_have_a_limit_of_their_own(ada: Person) -> None:
    other = Person(ada.api, ada.id, ada.email, ok(await sign_in(ada.api, ada.email))["access_token"])
    form = {"current_password": WRONG, "new_password": "something else that is long"}
    assert [(await ada.post("/auth/password", json=form)).status_code for _ in range(10)] == [403] * 10
    assert_limited(await ada.post("/auth/password", json=form | {"current_password": PASSWORD}), QUARTER)
    assert (await other.post("/auth/password", json=form)).status_code == 403
    ok(await sign_in(ada.api, ada.email))
    await guess_passwords(ada.api, ada.email, 11)
    ok(await other.post("/auth/password", json=form | {"current_password": PASSWORD}), 204)


async def test_a_sign_in_to_a_disabled_account_counts_as_a_wrong_password(ada: Person) -> None:
    await bound_database().handle["users"].update_one({"email_key": ada.email}, {"$set": {"disabled": True}})
    wrong, right = await sign_in(ada.api, ada.email, WRONG), await sign_in(ada.api, ada.email)
    assert "disabled" in right.json()["detail"]
    assert "disabled" not in wrong.text
    assert await guess_passwords(ada.api, ada.email, 9, PASSWORD) == [401] * 8 + [429]
