"""Cursors: a position in a list, as a string that only this list accepts."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.cursors import SearchRank, decode_cursor, decode_search_cursor, encode_cursor, encode_search_cursor
from planner.errors import Invalid

PATTERN = re.compile(r"\d{4} [a-f]{6}", re.ASCII)
KEY = "2026 abcdef"


def test_a_cursor_decodes_to_its_key() -> None:
    assert decode_cursor(encode_cursor(KEY), PATTERN) == KEY


def test_a_cursor_needs_no_quoting_in_a_url() -> None:
    for length in range(1, 20):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", encode_cursor("\u00ff?>~" * length))


def test_no_cursor_means_the_beginning_of_the_list() -> None:
    assert decode_cursor(None, PATTERN) is None


def _encode(key: bytes) -> str:
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
        encode_cursor(KEY)[:-2],
        encode_cursor(KEY) + "!",
        encode_cursor(KEY) + "\n",
        _encode(b"2026 ABCDEF"),
        _encode(b"2026 abcdef\n"),
        _encode(b"x2026 abcdef"),
        _encode("٢٠٢٦ abcdef".encode()),
        _encode(b'{"$gt": ""}'),
        _encode(b"\xff\xfe"),
    ],
)
def test_a_string_that_is_no_cursor_of_the_list_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode_cursor(cursor, PATTERN)
    assert [wrong.pointer for wrong in caught.value.errors] == ["/cursor"]


ORDER_KEY = "2026-05-01T16:00:00Z 65f000000000000000000000"
JAZZ = encode_search_cursor(SearchRank(1.5, ORDER_KEY), "jazz")
JAZZ_KEY = base64.b64decode(JAZZ + "=" * (-len(JAZZ) % 4), altchars=b"-_").decode()


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_the_score_in_a_search_cursor_keeps_all_its_bits(score: float) -> None:
    rank = SearchRank(score, ORDER_KEY)
    assert decode_search_cursor(encode_search_cursor(rank, "jazz"), "jazz") == rank


def test_the_longest_search_cursor_is_not_longer_than_a_cursor_may_be() -> None:
    assert len(encode_search_cursor(SearchRank(1.1e-300, ORDER_KEY), "jazz" * 50)) <= 200


def test_no_search_cursor_means_the_beginning_of_the_results() -> None:
    assert decode_search_cursor(None, "jazz") is None


@pytest.mark.parametrize(
    "cursor",
    [
        encode_cursor(ORDER_KEY),
        encode_cursor(""),
        encode_search_cursor(SearchRank(1.5, ORDER_KEY), "blues"),
        encode_cursor(JAZZ_KEY + "0"),
        encode_cursor(JAZZ_KEY.replace("p+0", "p+9999")),
        encode_cursor(JAZZ_KEY.replace("0x1.8", "nan")),
        encode_search_cursor(SearchRank(float("inf"), ORDER_KEY), "jazz"),
        encode_search_cursor(SearchRank(-1.5, ORDER_KEY), "jazz"),
    ],
)
def test_a_cursor_of_another_list_or_search_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode_search_cursor(cursor, "jazz")
    assert [error.pointer for error in caught.value.errors] == ["/cursor"]
