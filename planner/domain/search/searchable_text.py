"""What is searched of an event. See docs/decisions/0022-folded-words.md."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from typing_extensions import TypedDict

from planner.domain.fields import SEARCH_WEIGHTS
from planner.domain.stored_event import StoredOverride
from planner.domain.words import fold_words, is_unspaced, list_grams

# So many different words of an event are searched, and so much text; what comes later in it is not found.
MAX_INDEXED_WORDS: Final = 1000
MAX_TEXT_LENGTH: Final = 32_000
# Longer words are indexed by their beginning, and those of a script without blanks by what begins at each character.
MAX_WORD_LENGTH: Final = 40
GRAM_LENGTH: Final = 4
_WEIGHTS: Final = sorted(SEARCH_WEIGHTS.items(), key=lambda field: -field[1])


class SearchableText(TypedDict):
    """What is searched of an event, folded.

    `text` has a line for each value of a searched field: the weight of the field, then the words in their order,
    each after a blank. The lines with the greatest weight come first. `words` are what the index contains.
    """

    words: list[str]
    text: str


def build_searchable_text(fields: Mapping[Any, Any]) -> SearchableText:
    """Return what is searched of an event, from its stored fields: those of its own, and those of its occurrences."""
    lines: dict[tuple[int, str], None] = {}
    words: dict[str, None] = {}
    room = MAX_TEXT_LENGTH
    for weight, value in _list_values(fields):
        text = fold_words(value)
        if (weight, text) in lines or not text:
            continue
        if len(text) > room:
            text = text[:room].rpartition(" ")[0]
        room -= len(text)
        lines[weight, text] = None
        if len(words) < MAX_INDEXED_WORDS:
            words.update(dict.fromkeys(_list_indexed(text)))
    text = "\n".join([f"{weight} {text}" for weight, text in lines])
    return SearchableText(words=list(words)[:MAX_INDEXED_WORDS], text=text)


def _list_values(fields: Mapping[Any, Any]) -> Iterable[tuple[int, str]]:
    """Yield the searched values and their weights; those with the greatest weight, and of these its own, first."""
    overrides: list[StoredOverride] = fields.get("overrides") or []
    sources = [fields, *(override.get("fields") or {} for override in overrides if not override.get("excluded"))]
    for name, weight in _WEIGHTS:
        for source in sources:
            value = source.get(name)
            for text in [value] if isinstance(value, str) else value or ():
                yield weight, text


def _list_indexed(text: str) -> Iterable[str]:
    """Return what the index contains of folded words."""
    words = text.split(" ")
    if text.isascii():
        return [word[:MAX_WORD_LENGTH] for word in words]
    return chain.from_iterable(map(_list_indexed_of_word, words))


def _list_indexed_of_word(word: str) -> Iterable[str]:
    return list_grams(word, GRAM_LENGTH) if is_unspaced(word) else (word[:MAX_WORD_LENGTH],)
