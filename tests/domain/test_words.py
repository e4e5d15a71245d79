"""Folding: which words and tags are equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.words import fold_case, fold_words

# The same word in other letter case, for tags and for searched words alike.
SAME_LETTERS = [
    ("Straße", "STRASSE", "strasse", "straẞe"),
    ("İstanbul", "istanbul", "ISTANBUL", "I\u0307stanbul", "ıstanbul"),
    ("DIYARBAKIR", "diyarbakır", "Diyarbakir"),
    ("ΟΔΟΣ", "οδος", "οδοσ"),
    ("ÜBER", "über", "U\u0308ber"),
    ("ŁÓDŹ", "łódź"),
    ("ЁЛКА", "ёлка"),
    ("ﬁsh", "FISH"),
]


@pytest.mark.parametrize("words", SAME_LETTERS)
def test_words_that_differ_in_letter_case_are_equal(words: tuple[str, ...]) -> None:
    assert len({fold_case(word) for word in words}) == 1
    assert len({fold_words(word) for word in words}) == 1


@pytest.mark.parametrize(("first", "second"), [("cafe", "café"), ("か", "が"), ("ｱ", "ア"), ("2", "²")])
def test_tags_with_other_accents_or_forms_are_not_equal(first: str, second: str) -> None:
    assert fold_case(first) != fold_case(second)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Crème brûlée, à la carte!", "creme brulee a la carte"),
        ("O'Brien: co-op_x 18:00", "o brien co op x 18 00"),
        ("第３回 定例会議（ｵﾝﾗｲﾝ）", "第 3 回 定例会議 オンライン"),
        ("ガ カ", "ガ カ"),
        ("हिन्दी में", "हिन्दी में"),
        ("מִלָּה", "מלה"),
        ("Tiếng Việt Søren Łódź", "tieng viet soren lodz"),
        ("soft\u00adhyphen zero\u200dwidth", "softhyphen zerowidth"),
        ("❤️ 👨‍👩‍👧 … — ", ""),
        ("", ""),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_accents_and_width(text: str, words: str) -> None:
    assert fold_words(text) == words


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_words(fold_words(text)) == fold_words(text)
    assert fold_case(fold_case(text)) == fold_case(text)


@given(st.text())
def test_folded_words_are_separated_by_one_blank_and_have_no_sign_with_a_meaning_in_patterns(text: str) -> None:
    words = fold_words(text)
    assert words == " ".join(words.split())
    assert not set(words) & set("\\.^$*+?{}[]|()-#&~'\"\n\0")


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_texts_are_folded_as_others_are(text: str) -> None:
    assert fold_words(text) == fold_words(text + " é").removesuffix("e").removesuffix(" ")
    assert fold_case(text) == fold_case(text + "é").removesuffix("é")
