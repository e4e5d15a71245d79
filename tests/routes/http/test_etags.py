"""Entity tags and the two headers that compare them (RFC 9110 §8.8.3, §13.1)."""

import pytest

from planner.errors import Malformed
from routes.http.etags import format_etag, matches_if_none_match, parse_if_match
from tests.support.waiting import must_finish


def test_a_tag_is_strong_and_quoted() -> None:
    assert format_etag(3) == '"3"'


@pytest.mark.parametrize("header", ['"3"', 'W/"3"', '"1", "3"', '"1","3"', '"1" ,\t"3" ', '"a,b", "3"', "*", " * "])
def test_if_none_match_matches_a_revision_that_it_names(header: str) -> None:
    assert matches_if_none_match(header, 3)


@pytest.mark.parametrize("header", [None, '"4"', '"33"', '"1", W/"2"', '""', '"W/3"'])
def test_if_none_match_does_not_match_another_revision(header: str | None) -> None:
    assert not matches_if_none_match(header, 3)


@pytest.mark.parametrize(
    ("header", "revisions"), [('"3"', {3}), ('"3", "4"', {3, 4}), (' "3" ', {3}), ('"3",,"4",', {3, 4})]
)
def test_if_match_is_parsed_to_the_revisions_that_it_names(header: str, revisions: set[int]) -> None:
    assert parse_if_match(header) == frozenset(revisions)


@pytest.mark.parametrize("header", [None, "*", " * "])
def test_without_if_match_or_with_a_star_every_revision_matches(header: str | None) -> None:
    assert parse_if_match(header) is None


@pytest.mark.parametrize(
    "header",
    ['W/"3"', '"three"', '"-3"', '"+3"', '"3.0"', '"03"', '"\u00b3"', '"' + "9" * 400 + '"', '""'],
)
def test_if_match_ignores_weak_and_unknown_tags(header: str) -> None:
    assert parse_if_match(header) == frozenset()


@pytest.mark.parametrize("header", ["3", '"3', "3\"'", "W/3", 'w/"3"', '"3" "4"', '*, "3"', '"a b"', "\u2603"])
def test_a_header_that_is_no_list_of_tags_is_malformed(header: str) -> None:
    with pytest.raises(Malformed):
        parse_if_match(header)
    with pytest.raises(Malformed):
        matches_if_none_match(header, 3)


def test_a_very_long_header_is_read_in_linear_time() -> None:
    # With a number of steps that grows with the square of the length, a million characters would take hours.
    with must_finish():
        assert matches_if_none_match(", ".join(f'"{n}"' for n in range(100_000)), 99_999)
        for malformed in (" " * 1_000_000 + "x", '"' + "a" * 1_000_000, ", " * 500_000 + '"'):
            with pytest.raises(Malformed):
                parse_if_match(malformed)
