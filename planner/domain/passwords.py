"""Which passwords are refused, and why."""

import re
from collections.abc import Iterable

from zxcvbn import zxcvbn

# Guessing takes longer the more of a password there is, and so does estimating how long:
# the beginning of one that is strong enough makes the whole strong enough.
ESTIMATED = 40
# zxcvbn's scale: 0 and 1 fall to fewer than a million guesses.
LEAST_SCORE = 2
# Shorter parts of a name stand in too many words by chance.
TELLING = 4


def weakness(password: str, about: Iterable[str | None] = ()) -> str | None:
    """Why the password is refused, or None.

    `about` is what everybody knows of its owner: e-mail address, username, name.
    """
    known = [text for text in about if text]
    if held := _held(password, known):
        return f"must not hold your own {held}"
    parts = [part for text in known for part in _parts(text)]
    estimate = zxcvbn(password[:ESTIMATED], user_inputs=[*known, *parts])
    if estimate["score"] >= LEAST_SCORE:
        return None
    sequence = estimate["sequence"]
    if len(sequence) == 1 and sequence[0].get("dictionary_name") == "passwords":
        return "is one of the most common passwords; take a few unrelated words"
    advice = estimate["feedback"]["warning"].rstrip(".")
    return "is too easy to guess" + (f": {advice.lower()}" if advice else "") + "; take a few unrelated words"


def _held(password: str, known: list[str]) -> str | None:
    folded = password.casefold()
    for text in known:
        what = "e-mail address" if "@" in text else "name"
        if any(len(part) >= TELLING and part in folded for part in (text.casefold(), *_parts(text))):
            return what
    return None


def _parts(text: str) -> list[str]:
    """The parts of a name, or of an e-mail address before its @."""
    return [part for part in re.split(r"[\W_]+", text.partition("@")[0].casefold()) if part]
