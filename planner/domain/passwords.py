"""The rule for passwords that are too weak, and the reasons it gives."""

import re
from collections.abc import Iterable

from zxcvbn import zxcvbn

# A word of the context in which the password is used (ASVS 5.0, 6.2.11).
PLANNER_NAME = "planner"
# The strength of the first characters only is estimated, because the estimate takes longer for a longer
# password. If its beginning is strong enough, the whole password is.
ESTIMATED_LENGTH = 40
# Characters that may stand for letters. The estimate tries out what each stands for: with many different ones it would
# take a second. Then shorter parts of the password are estimated, and it is as strong as the strongest.
LEET = frozenset("4@8({[<369!1|0$5+7%2")
MAX_LEET = 6
PART_LENGTH = 16
# On the scale of zxcvbn, 0 and 1 mean fewer than a million guesses.
MIN_SCORE = 2
# Shorter parts of a name are also parts of too many other words.
MIN_PART_LENGTH = 4


def find_weakness(password: str, personal_data: Iterable[str | None] = ()) -> str | None:
    """Return why the password must be refused, or None if it is strong enough.

    `personal_data` is what others know of its owner: e-mail address, username, full name.
    """
    if PLANNER_NAME in password.casefold():
        return "must not contain the name of the planner"
    known = [text for text in personal_data if text]
    if contained := _find_contained(password, known):
        return f"must not contain your own {contained}"
    parts = [part for text in known for part in _split_parts(text)]
    for part in _split_for_estimate(password[:ESTIMATED_LENGTH]):
        estimate = zxcvbn(part, user_inputs=[*known, *parts])
        if estimate["score"] >= MIN_SCORE:
            return None
    sequence = estimate["sequence"]
    if len(sequence) == 1 and sequence[0].get("dictionary_name") == "passwords":
        return "is one of the most common passwords; use several unrelated words"
    warning = estimate["feedback"]["warning"].rstrip(".")
    return "is too easy to guess" + (f": {warning.lower()}" if warning else "") + "; use several unrelated words"


def _split_for_estimate(password: str) -> list[str]:
    """Return the password, or parts of it that can be estimated in less time."""
    if len(LEET.intersection(password)) <= MAX_LEET:
        return [password]
    return [password[start : start + PART_LENGTH] for start in range(0, len(password), PART_LENGTH)]


def _find_contained(password: str, known: list[str]) -> str | None:
    """Return the kind of the first known text that the password contains a part of."""
    folded = password.casefold()
    for text in known:
        kind = "e-mail address" if "@" in text else "name"
        parts = (text.casefold(), *_split_parts(text))
        if any(len(part) >= MIN_PART_LENGTH and part in folded for part in parts):
            return kind
    return None


def _split_parts(text: str) -> list[str]:
    """Return the parts of a name, or of an e-mail address before its @, in lower case."""
    return [part for part in re.split(r"[\W_]+", text.partition("@")[0].casefold()) if part]
