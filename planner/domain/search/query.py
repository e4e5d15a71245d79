"""What a search looks for, and the patterns that find it in a searchable text."""

import re
from typing import Final, NamedTuple

from planner.domain.search.searchable_text import GRAM_LENGTH, MAX_WORD_LENGTH
from planner.domain.words import fold_words, is_unspaced

# So many words of a query count.
MAX_TERMS: Final = 16
_PART: Final = re.compile(r'(-?)(?:"([^"]*)"|([^\s"]+))')


class SearchQuery(NamedTuple):
    """What a search looks for: one of the `terms` and all `phrases`, without what is `excluded`; all are folded."""

    terms: tuple[str, ...]
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]


def parse_search(text: str) -> SearchQuery:
    """Return what a query looks for; without a term or a phrase, that is nothing."""
    terms: dict[str, None] = {}
    phrases, excluded = [], []
    for sign, phrase, plain in _PART.findall(text):
        words = fold_words(phrase or plain)
        if not words:
            continue
        if sign:
            excluded.append(words)
            continue
        if phrase:
            phrases.append(words)
        terms |= dict.fromkeys(words.split(" "))
    return SearchQuery(tuple(terms)[:MAX_TERMS], tuple(phrases), tuple(excluded))


def list_index_prefixes(query: SearchQuery) -> list[str]:
    """Return beginnings of indexed words of which every event that a query finds has at least one."""
    if query.phrases:
        # All words of a phrase are there. The longest one is probably in the fewest events.
        return [_cut(max(query.phrases[0].split(" "), key=len))]
    return [_cut(term) for term in query.terms]


def _cut(word: str) -> str:
    return word[: GRAM_LENGTH if is_unspaced(word) else MAX_WORD_LENGTH]


def format_prefix_pattern(term: str) -> str:
    """Return a regular expression for a searchable text, of a word that begins with the term.

    A term of a script without blanks may be anywhere in a word. Folded words have no character with a
    meaning in regular expressions.
    """
    return term if is_unspaced(term) else f" {term}"


def format_phrase_pattern(words: str) -> str:
    """Return a regular expression for a searchable text, of whole words in their order."""
    before = "" if is_unspaced(words) else " "
    after = "" if is_unspaced(words[-1]) else r"(?= |\n|$)"
    return f"{before}{words}{after}"
