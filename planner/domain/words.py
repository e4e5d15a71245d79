"""The words of texts, folded: so they are compared without regard to letter case, accents and width."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

# Scripts that do not, or not always, separate words by blanks: Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3021-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_ASCII_WORD: Final = re.compile("[0-9a-z]+")
_RUN: Final = re.compile(f"[{_UNSPACED}]+|[^ {_UNSPACED}]+")
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_VARIATION_SELECTORS: Final = range(0xFE00, 0xFE10)
_LAST_IN_TABLE: Final = 0xFFFF
# Letters that Unicode does not decompose, as people write them who do not have them on their keyboard.
_LETTERS: Final = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"}


class _WordTable(dict[int, str]):
    """What becomes of each character of a decomposed text: accents vanish, what is no part of a word is a blank.

    The entries of the Basic Multilingual Plane are computed once.
    """

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if code <= _LAST_IN_TABLE:
            self[code] = folded
        return folded


def _fold_character(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cf" or _is_accent(char) or ord(char) in _VARIATION_SELECTORS:
        return ""
    if char.isalnum() or category[0] == "M":
        return _LETTERS.get(char, char)
    return " "


def _is_accent(char: str) -> bool:
    """Return whether a mark is one of those that may be left out: not one that makes another letter, as in か and が.

    Those are the accents of Latin, Greek and Cyrillic letters, and the points of Hebrew and Arabic ones, by their
    combining classes (Unicode §4.3).
    """
    combining_class = unicodedata.combining(char)
    return 10 <= combining_class <= 36 or combining_class >= 200


_TABLE: Final = _WordTable()


def fold_case(text: str) -> str:
    """Return the form of a text in which those are equal that differ in letter case only, in any language.

    That is default case folding (Unicode §3.13), with all forms of the letter i made equal: the Turkish İ and ı are
    two cases of two letters there, and of one letter elsewhere.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return folded.replace("i\u0307", "i").replace("ı", "i")


def fold_words(text: str) -> str:
    """Return the words of a text, folded, with one blank between two.

    Characters of a script that does not separate words are a word together, up to the next blank, sign or letter of
    another script.
    """
    if text.isascii():
        return " ".join(_ASCII_WORD.findall(text.lower()))
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    composed = unicodedata.normalize("NFKC", decomposed.translate(_TABLE))
    return " ".join(_RUN.findall(composed))


def is_unspaced(word: str) -> bool:
    """Return whether a folded word is of a script that does not separate words, so that it may contain several."""
    return _IS_UNSPACED.match(word) is not None


def list_grams(word: str, length: int) -> Iterator[str]:
    """Yield what begins at each character of a word, up to this length."""
    return (word[start : start + length] for start in range(len(word)))
