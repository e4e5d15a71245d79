"""Cursors: the place in a list, as a word that only this list's keys can be in."""

import base64
import re

import pytest

from planner.domain.cursors import from_cursor, to_cursor
from planner.errors import Invalid

SHAPE = re.compile(r"\d{4} [a-f]{6}", re.ASCII)
KEY = "2026 abcdef"


def test_a_cursor_leads_back_to_its_key() -> None:
    assert from_cursor(to_cursor(KEY), SHAPE) == KEY


def test_a_cursor_needs_no_quoting_in_a_url() -> None:
    for length in range(1, 20):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", to_cursor("\u00ff?>~" * length))


def test_no_cursor_is_the_beginning() -> None:
    assert from_cursor(None, SHAPE) is None


def _word(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "a",
        "é",
        "\x00",
        "a b",
        "%00",
        to_cursor(KEY)[:-2],
        to_cursor(KEY) + "!",
        to_cursor(KEY) + "\n",
        _word(b"2026 ABCDEF"),
        _word(b"2026 abcdef\n"),
        _word(b"x2026 abcdef"),
        _word("٢٠٢٦ abcdef".encode()),
        _word(b'{"$gt": ""}'),
        _word(b"\xff\xfe"),
    ],
)
def test_a_word_that_no_list_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_cursor(cursor, SHAPE)
    assert [wrong.pointer for wrong in caught.value.errors] == ["/cursor"]
