"""The place in a list where a page ended, as an opaque word that a client sends back."""

import base64
import binascii
import re

from planner.errors import Invalid

# The key of lists that are ordered by id.
ID_SHAPE = re.compile(r"[0-9a-f]{24}", re.ASCII)
# The key of lists of events: see `times.build_order_key`.
KEY_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [0-9a-f]{24}", re.ASCII)

# The key of lists of revisions.
REVISION_SHAPE = re.compile(r"[1-9]\d{0,14}", re.ASCII)
# The same for lists of occurrences, with the recurrence id of those that have one.
OCCURRENCE_SHAPE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [0-9a-f]{24} (?:\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d)?)?", re.ASCII
)

# A place among the changes of events: see `planner/services/events/changes.py`.
CHANGES_SHAPE = re.compile(r"\d{1,18} [0-9a-f]{24} \d{1,18} \d{1,12} (?:mine|public|all) (?:-|[0-9a-f]{16})", re.ASCII)


def to_cursor(key: str) -> str:
    """The key of the last thing on a page, as a word safe in a URL."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def from_cursor(cursor: str | None, shape: re.Pattern[str], pointer: str = "/cursor") -> str | None:
    """The key that `to_cursor` was given; None stays None.

    Raises `Invalid` at `pointer` for a word whose key has not the `shape` of this list's keys.
    """
    if cursor is None:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not shape.fullmatch(key):
        raise Invalid.field(pointer, "is not one that this list gave out")
    return key
