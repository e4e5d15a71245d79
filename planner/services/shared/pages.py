"""Pages of lists: a slice that was read, rendered, with the cursor of the next page.

Lists are paged by the key that they are sorted by, never by skipping: nothing is left out or
repeated while others write.
"""

from collections.abc import Callable
from typing import TypeVar

from database.documents import StoredDocument
from database.queries import Id, parse_id
from database.reads import Slice
from planner.domain.cursors import ID_PATTERN, decode_cursor, encode_cursor
from planner.services.shared.views import Page

T = TypeVar("T")
D = TypeVar("D", bound=StoredDocument)


def page_of(found: Slice[T], render: Callable[[T], bytes], sort_key: Callable[[T], str]) -> Page:
    """Return the page with a slice of a list that is sorted by `sort_key`, which becomes the cursor."""
    items = [render(item) for item in found.items]
    return Page(items, encode_cursor(sort_key(found.items[-1])) if found.has_more else None)


def page_by_id(found: Slice[D], render: Callable[[D], bytes]) -> Page:
    """Return the page with a slice of a list that is sorted by id; see `parse_id_cursor`."""
    return page_of(found, render, lambda document: str(document.id))


def parse_id_cursor(cursor: str | None) -> Id | None:
    """Return the id with which the page before ended; None for the first page.

    Raises `Invalid` for a cursor that is not one of a list sorted by id.
    """
    key = decode_cursor(cursor, ID_PATTERN)
    return None if key is None else parse_id(key)
