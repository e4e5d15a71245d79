"""Signing up and in: one account for each address and name, and nothing told to those who guess."""

import asyncio
from typing import Any

import bcrypt
import httpx
import pytest
from bson import ObjectId

from database.connection import bound_database
from tests.support.clients import PASSWORD, Person, Planner, headers_of, ok, sign_in, sign_up
from tests.support.servers import RunningServer
from tests.support.stored_data import find_words

NEW = {"email": "ada@example.com", "password": PASSWORD}


async def sign_up_as(api: Planner, **fields: Any) -> httpx.Response:
    return await api.post("/auth/signup", json=NEW | fields)


def refused_at(response: httpx.Response) -> list[str]:
    return [problem["pointer"] for problem in ok(response, 422)["errors"]]


def cases(text: str, number: int) -> list[str]:
    """So many ways to write a text, in different letter case."""
    letters = [at for at, letter in enumerate(text) if letter.isalpha()][:5]
    return [
        "".join(c.upper() if at in letters and pick >> letters.index(at) & 1 else c for at, c in enumerate(text))
        for pick in range(number)
    ]


@pytest.mark.real_server("it is a process of its own")
@pytest.mark.parametrize("name", ["email", "username"])
async def test_of_20_sign_ups_at_once_with_one_address_or_name_one_succeeds(server: RunningServer, name: str) -> None:
    def body(number: int, spelling: str) -> dict[str, str]:
        mine = {"email": f"{name}.{number}@example.com", "username": f"{name}-{number}", "password": PASSWORD}
        return mine | {name: spelling}

    spellings = cases("grace@example.com" if name == "email" else "grace", 20)
    assert len(set(spellings)) == 20
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
        answers = await asyncio.gather(
            *(api.post("/auth/signup", json=body(number, spelling)) for number, spelling in enumerate(spellings))
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
        refused = {answer.content for answer in answers if answer.status_code == 409}
        assert len(refused) == 1
        for spelling in spellings[:3]:
            ok(await sign_in(api, spelling))


async def test_a_new_account_has_the_requested_fields(api: Planner) -> None:
    answer = await sign_up_as(api, username="Ada", full_name="Ada Lovelace")
    user = ok(answer, 201)
    assert answer.headers["location"] == "/api/v1/users/me"
    expected = {
        "email": "ada@example.com",
        "username": "Ada",
        "full_name": "Ada Lovelace",
        "time_zone": "UTC",
        "role": "user",
        "email_verified": False,
        "disabled": False,
    }
    assert user == user | expected
    assert "password" not in user
    assert ok(await sign_in(api, "ada@example.com"))["user"] == user


async def test_an_account_has_a_time_zone_which_is_utc_unless_told(api: Planner) -> None:
    ada = await sign_up(api, "ada@example.com", time_zone="Europe/London")
    assert (await ada.me())["time_zone"] == "Europe/London"
    for sent, kept in [("America/New_York", "America/New_York"), (None, "UTC"), ("Asia/Tokyo", "Asia/Tokyo")]:
        assert ok(await ada.patch("/users/me", json={"time_zone": sent}))["time_zone"] == kept
        assert (await ada.me())["time_zone"] == kept


@pytest.mark.parametrize("name", ["Mars/Olympus", "europe/berlin", "", "localtime", "+02:00", "a\0", 1])
async def test_a_time_zone_of_an_account_must_be_an_iana_one(ada: Person, name: object) -> None:
    answer = await ada.patch("/users/me", json={"time_zone": name})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/time_zone")
    assert (await ada.me())["time_zone"] == "UTC"


@pytest.mark.parametrize("name", ["role", "disabled", "email_verified", "id", "events", "admin"])
async def test_signing_up_with_fields_of_the_server_is_refused(api: Planner, name: str) -> None:
    assert refused_at(await sign_up_as(api, **{name: "admin"})) == [f"/{name}"]


async def test_a_taken_address_or_name_is_a_conflict_in_any_letter_case(api: Planner) -> None:
    ok(await sign_up_as(api, username="Ada"), 201)
    for fields in (
        {"email": "ADA@Example.com"},
        {"email": "Ada@EXAMPLE.COM", "username": "other"},
        {"email": "ben@example.com", "username": "aDA"},
    ):
        ok(await sign_up_as(api, **fields), 409)
    assert await bound_database().handle["users"].count_documents({}) == 1


async def test_addresses_that_only_look_alike_have_different_accounts(api: Planner) -> None:
    for email in ("ada@strasse.example", "ada@straße.example"):
        await sign_up(api, email)
    assert await bound_database().handle["users"].count_documents({}) == 2


async def test_several_accounts_may_have_no_username(api: Planner) -> None:
    ok(await sign_up_as(api), 201)
    ok(await sign_up_as(api, email="ben@example.com", username=None), 201)


STRONG = "Herons wade at dusk; otters sleep. "


@pytest.mark.parametrize("length", [8, 72, 73, 100, 128])
async def test_every_character_of_a_password_of_8_to_128_is_significant(api: Planner, length: int) -> None:
    password = ("zQ7!vB3x" + STRONG * 4)[:length]
    await sign_up(api, "ada@example.com", password)
    for wrong in (password[:-1] + "~", password[:-1], password + "~", "~" + password[1:], password.swapcase()):
        assert (await sign_in(api, "ada@example.com", wrong)).status_code == 401


@pytest.mark.parametrize(
    "password", ["", "zQ7!vB3", "zQ7!vB3x" * 16 + "~", "zQ7!\x00vB3x", 12345678, None, ["zQ7!vB3x"]]
)
async def test_any_other_password_is_refused_without_being_repeated(api: Planner, password: Any) -> None:
    answer = await sign_up_as(api, password=password)
    assert refused_at(answer) == ["/password"]
    assert "zQ7" not in answer.text


async def test_a_password_may_have_characters_of_any_script(api: Planner) -> None:
    password = "пароль из букв 🦉🦉 パスワード"
    await sign_up(api, "ada@example.com", password)
    assert (await sign_in(api, "ada@example.com", password + " ")).status_code == 401


async def test_signing_in_accepts_the_address_or_the_name_in_any_letter_case(api: Planner) -> None:
    await sign_up(api, "Ada@example.com", username="Lovelace")
    for login in ("ada@example.com", "ADA@EXAMPLE.COM", "lovelace", "LoveLace", " lovelace "):
        signed_in = ok(await sign_in(api, login))
        assert signed_in["user"]["username"] == "Lovelace"
        assert (signed_in["token_type"], signed_in["expires_in"]) == ("Bearer", 900)


async def test_an_unknown_account_and_a_wrong_password_get_the_same_response(api: Planner, ada: Person) -> None:
    answers = [
        await sign_in(api, login, "not the password")
        for login in (ada.email, "nobody@example.com", "nobody", "", "@", "a" * 254, "nobody\ud7ff@example.com")
    ]
    first = answers[0]
    assert first.status_code == 401
    assert first.headers["www-authenticate"] == "Bearer"
    for answer in answers[1:]:
        assert (answer.status_code, answer.content) == (401, first.content)
        assert headers_of(answer) == headers_of(first)


async def test_a_wrong_password_of_a_disabled_account_and_an_unknown_one_get_the_same_response(
    api: Planner, ada: Person
) -> None:
    unknown = await sign_in(api, "nobody@example.com")
    await bound_database().handle["users"].update_one({"email_key": ada.email}, {"$set": {"disabled": True}})
    disabled = await sign_in(api, ada.email, "not the password")
    assert (disabled.status_code, disabled.content) == (401, unknown.content)
    assert headers_of(disabled) == headers_of(unknown)


async def test_an_unknown_account_needs_as_many_hashes_as_a_wrong_password(
    api: Planner, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[bytes] = []
    original = bcrypt.hashpw

    def counted(password: bytes, salt: bytes) -> bytes:
        checks.append(salt[:7])
        return original(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    cost = []
    for login in (ada.email, "nobody@example.com", "nobody"):
        checks.clear()
        await sign_in(api, login, "not the password")
        cost.append(list(checks))
    assert len(cost[0]) == 1
    assert cost[1] == cost[2] == cost[0]


async def test_an_old_hash_is_replaced_at_the_next_sign_in(api: Planner, ada: Person) -> None:
    long = "x" * 71 + "é and more"
    old = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    users = bound_database().handle["users"]
    await users.update_one({"email_key": ada.email}, {"$set": {"password": old}})
    assert (await sign_in(api, ada.email, "y" + long)).status_code == 401
    ok(await sign_in(api, ada.email, long))
    stored = await users.find_one({"email_key": ada.email})
    assert stored is not None
    assert stored["password"].startswith("$bcrypt-sha256$")
    ok(await sign_in(api, ada.email, long))
    assert (await sign_in(api, ada.email, long + "!")).status_code == 401


async def test_a_password_is_stored_as_a_hash_and_nowhere_else(api: Planner, ada: Person) -> None:
    database = bound_database().handle
    account = await database["users"].find_one({"email_key": ada.email})
    assert account is not None and account["password"].startswith("$bcrypt-sha256$")
    assert await find_words(database, PASSWORD) == []


async def test_only_one_s_own_account_lists_events_and_no_more_than_the_latest_thousand(ada: Person) -> None:
    ids = [ObjectId() for _ in range(1500)]
    lists: dict[str, list[ObjectId]] = {}
    for id in ids:
        lists.setdefault(str(id)[-2:], []).append(id)
    await bound_database().handle["users"].update_one({"email_key": ada.email}, {"$set": {"events": lists}})
    answer = await ada.get("/users/me")
    assert ok(answer)["events"] == [str(id) for id in ids[-1000:]]
    assert answer.headers["link"] == '<http://planner.test/api/v1/events?scope=mine>; rel="related"'
    changed = await ada.patch("/users/me", json={"full_name": "Ada"})
    assert (len(ok(changed)["events"]), changed.headers["link"]) == (1000, answer.headers["link"])
    assert "events" not in ok(await sign_in(ada.api, ada.email))["user"]
