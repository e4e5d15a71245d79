"""Cursors of lists: the position at which a page ends, as an opaque string that a client sends back.

A position is the key of the last item on the page. Each list has a pattern for its keys.
"""

import base64
import binascii
import re
from hashlib import blake2s
from typing import NamedTuple

from planner.errors import Invalid

# The keys of lists that are ordered by id.
ID_PATTERN = re.compile(r"[0-9a-f]{24}", re.ASCII)
# The keys of lists of events: see `times.build_order_key`.
ORDER_KEY_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [0-9a-f]{24}", re.ASCII)
# The keys of lists of revisions: their numbers.
REVISION_PATTERN = re.compile(r"[1-9]\d{0,14}", re.ASCII)
# The keys of lists of occurrences: the order key of the occurrence, and its recurrence id if it has one.
OCCURRENCE_PATTERN = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [0-9a-f]{24} (?:\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d)?)?", re.ASCII
)
# A position in the changes of events: see `planner/services/events/changes.py`.
CHANGES_PATTERN = re.compile(
    r"\d{1,18} [0-9a-f]{24} \d{1,18} \d{1,12} (?:mine|public|all) (?:-|[0-9a-f]{16})", re.ASCII
)
# The keys of search results: a digest of the searched words, the score of the result, and its order key.
_SEARCH_PATTERN = re.compile(rf"[0-9a-f]{{12}} 0x1\.[0-9a-f]{{13}}p[+-]\d{{1,3}} {ORDER_KEY_PATTERN.pattern}", re.ASCII)


class SearchRank(NamedTuple):
    """The position of an event in search results: its score, then its order key."""

    score: float
    key: str


def encode_cursor(key: str) -> str:
    """Return the cursor for a key; it has only characters that are safe in a URL."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, pattern: re.Pattern[str], pointer: str = "/cursor") -> str | None:
    """Return the key in a cursor; None stays None.

    Raises `Invalid` at `pointer` if the key does not match the pattern of the list's keys.
    """
    if cursor is None:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not pattern.fullmatch(key):
        raise Invalid.field(pointer, "must be a cursor that a response of this list contained")
    return key


def encode_search_cursor(rank: SearchRank, words: str) -> str:
    """Return the cursor for a position in the results of a search for these words; the score loses no precision."""
    return encode_cursor(f"{_digest(words)} {rank.score.hex()} {rank.key}")


def decode_search_cursor(cursor: str | None, words: str) -> SearchRank | None:
    """Return the position in the cursor of a search for the same words; None stays None.

    Raises `Invalid` at `/cursor` for the cursor of any other list or search.
    """
    key = decode_cursor(cursor, _SEARCH_PATTERN)
    if key is None:
        return None
    digest, score, order_key = key.split(" ", 2)
    if digest != _digest(words):
        raise Invalid.field("/cursor", "must be a cursor of a search for the same words")
    return SearchRank(float.fromhex(score), order_key)


def _digest(words: str) -> str:
    return blake2s(words.encode(), digest_size=6).hexdigest()
