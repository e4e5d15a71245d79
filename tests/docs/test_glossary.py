"""The glossary is in order, and each term has a line, a meaning and a place in the code."""

import re

import pytest

from tests.docs.test_references import ROOT

PAGE = (ROOT / "docs" / "glossary.md").read_text()
SECTIONS = {
    section.partition("\n")[0]: re.findall(r"^\| (?!term |-)(.*) \|$", section, re.MULTILINE)
    for section in PAGE.split("\n## ")[1:]
}


def test_every_section_has_terms() -> None:
    assert SECTIONS
    assert [title for title, rows in SECTIONS.items() if not rows] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_the_terms_of_a_section_are_in_alphabetical_order(section: str) -> None:
    terms = [row.partition(" |")[0].casefold() for row in SECTIONS[section]]
    assert terms == sorted(terms)


def test_a_term_has_one_line() -> None:
    terms = [row.partition(" |")[0].casefold() for rows in SECTIONS.values() for row in rows]
    assert sorted(set(terms)) == sorted(terms)


@pytest.mark.parametrize("section", SECTIONS)
def test_each_term_has_a_meaning_and_a_place_in_the_code(section: str) -> None:
    for row in SECTIONS[section]:
        term, meaning, _, place = (cell.strip() for cell in row.split("|"))
        assert meaning.endswith("."), term
        assert re.match(r"`[\w/]+\.py`", place), term
