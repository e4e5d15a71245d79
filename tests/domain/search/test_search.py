"""What is searched of an event, and what a query looks for."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.search.query import (
    MAX_TERMS,
    format_phrase_pattern,
    format_prefix_pattern,
    list_index_prefixes,
    parse_search,
)
from planner.domain.search.searchable_text import MAX_INDEXED_WORDS, MAX_TEXT_LENGTH, build_searchable_text


def test_each_value_is_a_line_with_its_weight_the_greatest_first() -> None:
    fields = {"title": "Book launch", "description": "Come!", "location": "Library", "tags": ["Books", "Art"]}
    found = build_searchable_text(fields)
    assert found["text"] == "10 book launch\n5 books\n5 art\n3 library\n1 come"
    assert found["words"] == ["book", "launch", "books", "art", "library", "come"]


def test_occurrences_that_take_place_are_searched_too_and_equal_values_once() -> None:
    overrides = [
        {"id": "2026-05-01", "fields": {"title": "Gala", "location": "Opera"}},
        {"id": "2026-05-02", "fields": {"title": "Gala", "location": None}},
        {"id": "2026-05-03", "excluded": True, "fields": {"title": "Cancelled"}},
        {"id": "2026-05-04", "seconds": 60},
    ]
    found = build_searchable_text({"title": "Reading", "description": "Long", "overrides": overrides})
    assert found["text"] == "10 reading\n10 gala\n3 opera\n1 long"


@pytest.mark.parametrize("fields", [{}, {"title": "…", "tags": [], "description": None}])
def test_an_event_without_words_has_nothing_to_search(fields: dict[str, Any]) -> None:
    assert build_searchable_text(fields) == {"words": [], "text": ""}


def test_words_of_scripts_without_blanks_are_indexed_at_each_character() -> None:
    assert build_searchable_text({"title": "定例会議 ok"})["words"] == ["定例会議", "例会議", "会議", "議", "ok"]


@pytest.mark.parametrize("character", ["議", "ﷺ", "a ", "ß", "\u0390", "ab "])
def test_what_is_stored_is_bounded_however_the_letters_grow(character: str) -> None:
    overrides = [{"id": "x", "fields": {"title": f"title {number}"}} for number in range(5000)]
    found = build_searchable_text({"title": "Needle", "description": character * 20_000, "overrides": overrides})
    assert len(found["words"]) <= MAX_INDEXED_WORDS
    assert len(found["text"]) <= MAX_TEXT_LENGTH + 10 * found["text"].count("\n") + 10
    assert found["words"][0] == "needle"


@pytest.mark.parametrize(
    ("text", "terms", "phrases", "excluded"),
    [
        ("Book  LAUNCH", ("book", "launch"), (), ()),
        ("book book-launch", ("book", "launch"), (), ()),
        ('"Book Launch" party', ("book", "launch", "party"), ("book launch",), ()),
        ("launch -book", ("launch",), (), ("book",)),
        ('launch -"book club" --film', ("launch",), (), ("book club", "film")),
        ('"unfinished phrase', ("unfinished", "phrase"), (), ()),
        ('a"b c"d', ("a", "b", "c", "d"), ("b c",), ()),
        ("-book", (), (), ("book",)),
        (' - " "" ... ', (), (), ()),
    ],
)
def test_a_query_has_terms_phrases_and_exclusions(
    text: str, terms: tuple[str, ...], phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    assert parse_search(text) == (terms, phrases, excluded)


def test_so_many_words_of_a_query_count() -> None:
    assert len(parse_search(" ".join(f"w{number}" for number in range(50))).terms) == MAX_TERMS


def finds(query: str, title: str) -> bool:
    """Whether the index and the patterns of a query, without exclusions, find a title; as the database does."""
    stored, parsed = build_searchable_text({"title": title}), parse_search(query)
    prefixes = list_index_prefixes(parsed)
    return (
        any(word.startswith(prefix) for word in stored["words"] for prefix in prefixes)
        and all(re.search(format_phrase_pattern(phrase), stored["text"]) for phrase in parsed.phrases)
        and any(re.search(format_prefix_pattern(term), stored["text"]) for term in parsed.terms)
    )


@pytest.mark.parametrize(
    ("query", "title", "expected"),
    [
        ("lun", "Lunch", True),
        ("unch", "Lunch", False),
        ("10", "Lunch", False),
        ("会議", "定例会議", True),
        ("定例会議室", "定例会議", False),
        ('"例会"', "定例会議", True),
        ('"book lau"', "Book launch", False),
        ('"launch"', "Book launch", True),
        ("x" * 50, "x" * 60, True),
        ("x" * 61, "x" * 60, False),
    ],
)
def test_beginnings_of_words_and_whole_phrases_are_found(query: str, title: str, expected: bool) -> None:
    assert finds(query, title) is expected


@given(st.lists(st.text("aZß İç定例会が-'", min_size=1, max_size=6), min_size=1, max_size=4), st.data())
def test_every_part_of_a_title_finds_it_as_words_and_as_a_phrase(words: list[str], data: st.DataObject) -> None:
    title = " ".join(words)
    part = data.draw(st.sampled_from(words)).lstrip("-")
    if parse_search(part).terms:
        assert finds(part, title)
        assert finds(f'"{part}"', title)
