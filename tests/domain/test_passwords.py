"""Which passwords are refused and why: as a rule on values, and in the responses of the API."""

import random
import string

import pytest

from planner.domain.passwords import find_weakness
from tests.support.clients import Planner, ok, sign_up
from tests.support.work import count_lines

ABOUT = ("ada.lovelace@example.com", "enchantress", "Ada King")
GOOD = ["correct horse battery staple", "nine quiet otters", "Tr4verse-Copper-Lamp", "жёлтая лодка плывёт ночью"]
COMMON = ["password", "12345678", "qwertyuiop", "iloveyou", "PASSWORD", "football", "sunshine", "password1"]
WEAK = ["aaaaaaaaaaaa", "abcdefgh", "98765432", "qwertyasdfgh", "20101999", "abcabcabcabc", "        ", "p4ssw0rd"]
OWN = {
    "ada.lovelace@example.com": "e-mail address",
    "my Lovelace horse battery": "e-mail address",
    "LOVELACE2026!Kz": "e-mail address",
    "xx-enchantress-xx": "name",
    "the Enchantress of Number": "name",
}


@pytest.mark.parametrize("password", GOOD)
def test_a_strong_password_is_accepted(password: str) -> None:
    assert find_weakness(password, ABOUT) is None


def test_a_long_passphrase_is_accepted_without_digits_or_marks() -> None:
    assert find_weakness("seven lazy herons cross the canal", ABOUT) is None


@pytest.mark.parametrize("password", COMMON)
def test_a_common_password_is_refused_with_that_reason(password: str) -> None:
    assert "most common passwords" in (find_weakness(password) or "")


@pytest.mark.parametrize("password", WEAK)
def test_a_weak_password_is_refused_with_the_reason(password: str) -> None:
    reason = find_weakness(password) or ""
    assert "easy to guess" in reason or "most common" in reason
    assert "unrelated words" in reason


@pytest.mark.parametrize("password", ["planner2026!Kz", "My Planner, seven lazy herons", "xxPLANNERxx-Kz7"])
def test_a_password_with_the_name_of_the_planner_is_refused_with_that_reason(password: str) -> None:
    assert find_weakness(password) == "must not contain the name of the planner"


def test_a_password_is_strong_if_a_part_of_it_is() -> None:
    assert find_weakness("password12345678" + "4@8({[<369!1|0$5") is None


@pytest.mark.parametrize("password", OWN)
def test_a_password_with_its_owner_s_address_or_name_is_refused_with_that_reason(password: str) -> None:
    assert find_weakness(password, ABOUT) == f"must not contain your own {OWN[password]}"


def test_very_short_parts_of_a_name_are_allowed() -> None:
    assert find_weakness("a canada goose over seven lakes", ("ada@example.com", "ada", "Ada")) is None


def test_a_password_may_contain_the_domain_of_the_owner_s_address() -> None:
    assert find_weakness("my example of seven lazy herons", ("ada@example.com",)) is None


def test_the_reason_never_repeats_the_password() -> None:
    for password in [*COMMON, *WEAK, *OWN]:
        if password.isspace() or password.casefold() == "password":
            continue  # Every sentence about passwords holds these.
        assert password.casefold() not in (find_weakness(password, ABOUT) or password).casefold()


HOSTILE = [
    "a" * 128,
    "aA1" * 42 + "aa",
    "password" * 16,
    "qwerty" * 21 + "qw",
    "".join(chr(ord("a") + number % 26) for number in range(128)),
    "1" * 64 + "2" * 64,
    "4@8({[<369|!10$5+7%2" * 6 + "4@8({[<3",
    "aaaaaaaaaaaaaaaa" + "4@8({[<369!1|0$5" * 7,
    "1|7({[<" * 18 + "11",
    "é" * 128,
    "🦉" * 128,
    "".join(random.Random(7).choices(string.printable[:94], k=128)),
]


@pytest.mark.parametrize("password", HOSTILE, ids=range(len(HOSTILE)))
def test_the_estimate_of_a_hostile_password_of_128_characters_is_bounded(password: str) -> None:
    find_weakness("load the word lists", ABOUT)
    assert len(password) == 128
    about_others = ["x" * 64 + "@example.com", "y" * 32, "z" * 200]
    assert find_weakness(password, about_others) != "must not contain your own name", "nothing would be estimated"
    # With all characters that may stand for a letter, the 72 that zxcvbn takes would be 40 million, three seconds.
    assert count_lines(lambda: find_weakness(password, about_others)) < 2_000_000


async def refusal(api: Planner, **fields: str) -> str:
    answer = await api.post("/auth/signup", json={"email": "ada.lovelace@example.com"} | fields)
    (error,) = ok(answer, 422)["errors"]
    assert error["pointer"] == "/password"
    return str(error["message"])


async def test_signing_up_refuses_a_weak_password_saying_which_field_and_why(api: Planner) -> None:
    assert "most common passwords" in await refusal(api, password="password")
    assert "easy to guess" in await refusal(api, password="aaaaaaaaaaaa")
    assert await refusal(api, password="oh Lovelace, dear") == "must not contain your own e-mail address"
    assert await refusal(api, password="xx-countess-xx", username="countess") == "must not contain your own name"
    assert await refusal(api, password="Analytica at sea", full_name="Analytica K.") == "must not contain your own name"


async def test_a_refused_password_makes_no_account(api: Planner) -> None:
    await refusal(api, password="password")
    await sign_up(api, "ada.lovelace@example.com")


async def test_no_refusal_repeats_the_password(api: Planner) -> None:
    for password in ("hunter2hunter2", "my lovelace horse battery", "short", "x" * 129):
        body = {"email": "ada.lovelace@example.com", "password": password}
        answer = await api.post("/auth/signup", json=body)
        assert answer.status_code == 422
        assert password not in answer.text
        assert password not in str(answer.headers)


@pytest.mark.parametrize(
    ("password", "status"),
    [
        ("k7#Qz!9", 422),
        ("k7#Qz!9w", 201),
        ("seven lazy herons " * 7 + "12", 201),
        ("seven lazy herons " * 7 + "123", 422),
    ],
    ids=["7", "8", "128", "129"],
)
async def test_a_password_has_8_to_128_characters(api: Planner, password: str, status: int) -> None:
    ok(await api.post("/auth/signup", json={"email": "ada@example.com", "password": password}), status)


async def test_a_long_lower_case_passphrase_opens_an_account(api: Planner) -> None:
    await sign_up(api, "ada@example.com", "seven lazy herons cross the canal")


async def test_changing_a_password_refuses_what_signing_up_refuses(api: Planner) -> None:
    ada = await sign_up(api, "ada.lovelace@example.com", username="enchantress")
    for new in ("password", "xx-enchantress-xx", "oh Lovelace, dear", "short", "x" * 129):
        answer = await ada.post("/auth/password", json={"current_password": ada.password, "new_password": new})
        assert [error["pointer"] for error in ok(answer, 422)["errors"]] == ["/new_password"]
