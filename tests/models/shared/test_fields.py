"""The kinds of fields that requests are made of."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from models.shared.fields import Email, HttpsAddress, Password, Tags, Title, Username, WebAddress, fold

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
    ],
)
def test_an_invalid_email_address_is_refused_without_being_repeated(text: str) -> None:
    refused(Email, text)


def test_tags_are_folded_without_duplicates_in_their_order() -> None:
    assert taken(Tags, ["Books", " books ", "BOOKS", "Straße", "STRASSE", "art"]) == ["books", "strasse", "art"]


def test_at_most_20_tags_are_accepted_counted_after_folding() -> None:
    many = [f"tag{n}" for n in range(20)]
    assert taken(Tags, [*many, "TAG1"]) == many
    refused(Tags, [*many, "one more"])


@pytest.mark.parametrize("tag", ["", "  ", "x" * 33, "ß" * 17, "a\x00b", 7, None])
def test_a_tag_has_1_to_32_characters_counted_after_folding(tag: Any) -> None:
    assert taken(Tags, ["x" * 32]) == ["x" * 32]
    assert taken(Tags, [" " + "x" * 32 + " "]) == ["x" * 32]
    refused(Tags, [tag])


@pytest.mark.parametrize("title", ["", " ", "\t\n", "\u3000", "x" * 201, "a\x00b"])
def test_a_title_has_1_to_200_characters_and_a_visible_one(title: str) -> None:
    assert taken(Title, "x" * 200) == "x" * 200
    refused(Title, title)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "//example.com/a.png",
        "example.com/a.png",
        "https://",
        "https:///a.png",
        "https://:443/",
        "https://exa mple.com/",
        "https://example.com/\n",
        "https://example.com:99999/",
        "https://example.com:x/",
        "https://[::1/",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "HTTPS://example.com/\u202egnp.a",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_an_image_must_be_an_https_address(url: str) -> None:
    refused(HttpsAddress, url)


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:8443/a.png?b=c#d", "https://[::1]/"])
def test_an_address_is_stored_as_it_was_written(url: str) -> None:
    assert taken(HttpsAddress, url) == url
    assert taken(WebAddress, url.replace("https", "http")) == url.replace("https", "http")


@pytest.mark.parametrize("name", ["ab", "x" * 33, ".ada", "-ada", "ada lovelace", "ada@home", "adä", "ada\n", ""])
def test_a_username_has_3_to_32_plain_characters(name: str) -> None:
    assert taken(Username, "Ada.Love_lace-1815") == "Ada.Love_lace-1815"
    refused(Username, name)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 129, "long enough\x00"])
def test_a_password_has_8_to_128_characters(password: str) -> None:
    for length in (8, 128):
        assert taken(Password, "🦉" * length) == "🦉" * length
    refused(Password, password)
