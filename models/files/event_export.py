"""Events as other calendar programs read them: each written once, and remembered by its bytes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache

from database.queries import Id, Stored
from database.reads import decode, page
from models.events.event import Event
from models.events.event_queries import Window, listing
from models.events.event_schema import Scope
from models.events.event_view import default_uid
from planner.domain.ics.writing.vevent import PART_OCTETS, RenderedVEvents, render_vevents, render_vevents_in_parts

# So much of the events is read at a time: what others ask for is answered in between.
PAGE = 100
# And as many octets of them are handed on at a time, unless a single one is larger.
MOST = 4 * PART_OCTETS
# Larger documents are written anew each time, in parts: the memory that is spent stays bounded.
_REMEMBERED_BYTES = 2048


def exported(raw: bytes) -> Iterator[RenderedVEvents]:
    """The VEVENTs of a stored document, in parts; nothing for an undated event.

    They follow from the bytes alone, and are remembered by them: what was changed has other bytes.
    """
    if len(raw) > _REMEMBERED_BYTES:
        stored = decode(raw)
        yield from render_vevents_in_parts(stored, _uid(stored))
    elif (found := _remembered(raw)) is not None:
        yield found


# A feed is read again and again from its beginning: fewer than one has would not be remembered at all.
@lru_cache(maxsize=12_288)
def _remembered(raw: bytes) -> RenderedVEvents | None:
    stored = decode(raw)
    return render_vevents(stored, _uid(stored))


def _uid(stored: Stored) -> str:
    return stored.get("uid") or default_uid(str(stored["_id"]))


async def pages(scope: Scope, caller: Id, window: Window, tag: str | None) -> AsyncIterator[list[RenderedVEvents]]:
    """The dated events in the scope that touch the window, in the order of `key`, page by page.

    One that is moved to a later time meanwhile is not told twice: two entries with the same uid
    would contradict each other.
    """
    told: set[bytes] = set()
    after: str | None = None
    while True:
        found = await page(Event, listing(scope, caller, window, tag, after), [("key", 1)], PAGE)
        written: list[RenderedVEvents] = []
        size = 0
        for raw in found:
            # The server stores `_id` first: its 12 bytes follow the length and the element's head.
            if raw[9:21] in told:
                continue
            told.add(raw[9:21])
            for part in exported(raw):
                written.append(part)
                size += len(part.content)
                if size > MOST:
                    yield written
                    written, size = [], 0
                    # The reader may be faster than we are: what others ask for is answered in between.
                    await asyncio.sleep(0)
        yield written
        if len(found) < PAGE:
            return
        last = decode(found[-1])
        if last.get("start") is None:
            return  # The undated ones are listed last.
        after = last["key"]
