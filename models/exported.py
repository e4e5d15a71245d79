"""Events as other calendar programs read them: each written once, and remembered by its bytes."""

from collections.abc import AsyncIterator
from functools import lru_cache

from database.queries import Id
from database.reads import decode, page
from models.event import Event
from models.event_queries import Window, listing
from models.event_schema import Scope
from models.event_view import default_uid
from planner.domain.ics.vevent import Rendered, vevents

# So much of the events is read at a time: what others ask for is answered in between.
PAGE = 100
# Larger documents are written anew each time: the memory spent on the others stays bounded.
_REMEMBERED_BYTES = 2048


def exported(raw: bytes) -> Rendered | None:
    """The VEVENTs of a stored document; None for an undated event.

    They follow from the bytes alone, and are remembered by them: what was changed has other bytes.
    """
    return _remembered(raw) if len(raw) <= _REMEMBERED_BYTES else _written(raw)


# A feed is read again and again from its beginning: fewer than one has would not be remembered at all.
@lru_cache(maxsize=12_288)
def _remembered(raw: bytes) -> Rendered | None:
    return _written(raw)


def _written(raw: bytes) -> Rendered | None:
    stored = decode(raw)
    return vevents(stored, stored.get("uid") or default_uid(str(stored["_id"])))


async def pages(scope: Scope, caller: Id, window: Window, tag: str | None) -> AsyncIterator[list[Rendered]]:
    """The dated events in the scope that touch the window, in the order of `key`, page by page.

    One that is moved to a later time meanwhile is not told twice: two entries with the same uid
    would contradict each other.
    """
    told: set[bytes] = set()
    after: str | None = None
    while True:
        found = await page(Event, listing(scope, caller, window, tag, after), [("key", 1)], PAGE)
        # The server stores `_id` first: its 12 bytes follow the length and the element's head.
        written = [exported(raw) for raw in found if raw[9:21] not in told]
        told.update(raw[9:21] for raw in found)
        yield [rendered for rendered in written if rendered is not None]
        # The undated ones are last.
        if len(found) < PAGE or written[-1:] == [None]:
            return
        after = decode(found[-1])["key"]
