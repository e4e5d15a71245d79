"""The kinds of fields that requests are made of."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from models.shared.fields import Email, Password, Username, fold

SECRET = "whisper"


def taken(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        taken(kind, value)
    assert not any(SECRET in problem["msg"] for problem in caught.value.errors())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" ada@example.com ", "ada@example.com"),
        ("ÉMILE@example.com", "émile@example.com"),
        ("e\u0301mile@example.com", "émile@example.com"),
        ("Ada", "aDA"),
    ],
)
def test_letter_case_and_normal_form_make_no_difference_for_a_login(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@straße.example", "ada@strasse.example"),
        ("ada@βόλος.example", "ada@βόλοσ.example"),
        ("adaſ@example.com", "adas@example.com"),
        ("ﬁn@example.com", "fin@example.com"),
        ("ıan@example.com", "ian@example.com"),
    ],
)
def test_addresses_that_only_look_alike_are_different_logins(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada@EXAMPLE.com", "Ada@example.com"),
        ("ada+planner@example.com", "ada+planner@example.com"),
        ("ada@xn--strae-oqa.example", "ada@straße.example"),
        ("a?da=1!#$%&'*/^_`{|}~@example.com", "a?da=1!#$%&'*/^_`{|}~@example.com"),
        ("grün@example.com", "grün@example.com"),
        ("用户@例え.example", "用户@例え.example"),
    ],
)
def test_an_email_address_is_stored_in_its_usual_form(written: str, kept: str) -> None:
    assert taken(Email, written) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        SECRET,
        f"{SECRET}@",
        "@example.com",
        f"{SECRET}@example",
        f"{SECRET}@example..com",
        f"{SECRET} x@example.com",
        f"{SECRET}@example.com\x00",
        f"{SECRET}@[127.0.0.1]",
        f"Ada <{SECRET}@example.com>",
        f"{SECRET}@example.com,ben@example.com",
        f"{SECRET}@example.com\nBcc: ben@example.com",
        "a" * 250 + "@example.com",
        f"=?utf-8?q?{SECRET}?=@example.com",
        "=?utf-8?b?eDAK?=@corp.example",
        f"{SECRET}=?utf-8?q?x?=@example.com",
        f"=?{SECRET}@example.com",
    ],
)
def test_an_invalid_email_address_is_refused_without_being_repeated(text: str) -> None:
    refused(Email, text)


@pytest.mark.parametrize("name", ["ab", "x" * 33, ".ada", "-ada", "ada lovelace", "ada@home", "adä", "ada\n", ""])
def test_a_username_has_3_to_32_plain_characters(name: str) -> None:
    assert taken(Username, "Ada.Love_lace-1815") == "Ada.Love_lace-1815"
    refused(Username, name)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 129, "long enough\x00"])
def test_a_password_has_8_to_128_characters(password: str) -> None:
    for length in (8, 128):
        assert taken(Password, "🦉" * length) == "🦉" * length
    refused(Password, password)
