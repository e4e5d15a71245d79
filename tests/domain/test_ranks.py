"""Cursors of what was found for some words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.cursors import to_cursor
from planner.domain.ranks import Rank, from_ranked_cursor
from planner.errors import Invalid

KEY = "2026-05-01T16:00:00Z 65f000000000000000000000"


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_a_score_comes_back_to_its_last_bit(score: float) -> None:
    rank = Rank(score, KEY)
    assert from_ranked_cursor(to_cursor(rank.after("jazz")), "jazz") == rank


def test_a_cursor_fits_where_cursors_do() -> None:
    assert len(to_cursor(Rank(1.1e-300, KEY).after("jazz" * 50))) <= 200


def test_no_cursor_is_none() -> None:
    assert from_ranked_cursor(None, "jazz") is None


@pytest.mark.parametrize(
    "said",
    [
        KEY,
        "",
        Rank(1.5, KEY).after("blues"),
        Rank(1.5, KEY).after("jazz") + "0",
        Rank(1.5, KEY).after("jazz").replace("p+0", "p+9999"),
        Rank(1.5, KEY).after("jazz").replace("0x1.8", "nan"),
        Rank(float("inf"), KEY).after("jazz"),
        Rank(-1.5, KEY).after("jazz"),
    ],
)
def test_a_cursor_of_anything_else_is_refused(said: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_ranked_cursor(to_cursor(said), "jazz")
    assert [error.pointer for error in caught.value.errors] == ["/cursor"]
