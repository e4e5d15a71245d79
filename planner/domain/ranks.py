"""The place of an event among those that were found for some words."""

import re
from hashlib import blake2s
from typing import NamedTuple

from planner.domain.cursors import KEY_SHAPE, from_cursor
from planner.errors import Invalid

_SHAPE = re.compile(rf"([0-9a-f]{{12}}) (0x1\.[0-9a-f]{{13}}p[+-]\d{{1,3}}) ({KEY_SHAPE.pattern})", re.ASCII)


class Rank(NamedTuple):
    """How well words were found in an event, then what events are ordered by otherwise."""

    score: float
    key: str

    def after(self, words: str) -> str:
        """What a cursor says: this rank, to the last bit of the score, and which words it is of."""
        return f"{_digest(words)} {self.score.hex()} {self.key}"


def from_ranked_cursor(cursor: str | None, words: str) -> Rank | None:
    """The rank in the cursor of a search for the same words; None stays None. Raises `Invalid` for any other."""
    said = from_cursor(cursor, _SHAPE)
    if said is None:
        return None
    found = _SHAPE.fullmatch(said)
    if not found or found[1] != _digest(words):
        raise Invalid.field("/cursor", "is not a cursor of a search for these words")
    return Rank(float.fromhex(found[2]), found[3])


def _digest(words: str) -> str:
    return blake2s(words.encode(), digest_size=6).hexdigest()
