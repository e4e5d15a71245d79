"""The VEVENTs of stored events."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from hashlib import blake2b

from database.queries import Id
from database.reads import find_raw
from models.events.event import Event
from models.events.event_queries import EventSelection, list_filter
from models.events.event_view import may_change
from planner.domain.ics.writing.vevent import PART_OCTETS, RenderedVEvents, render_vevents, render_vevents_in_parts
from planner.memory.cache import BoundedCache

# The number of events that are read in one query. Other requests are served in between.
READ_EVENTS = 100
# The VEVENTs of these events are yielded in lists of about this size, in octets.
LIST_OCTETS = 4 * PART_OCTETS
# Larger documents are rendered each time, in parts. This limits the memory that the cache takes.
_CACHED_BYTES = 2048


def render_cached_vevents(raw: bytes, *, for_editors: bool) -> Iterator[RenderedVEvents]:
    """Yield the VEVENTs of an event, given as stored bytes, in parts; nothing for an undated event.

    The result depends on nothing but the arguments, and is cached by them: an event that was changed has other bytes.
    """
    if len(raw) > _CACHED_BYTES:
        event = Event.from_raw(raw)
        yield from render_vevents_in_parts(event, event.ical_uid, for_editors=for_editors)
    elif (vevents := _render_small(raw, for_editors)) is not None:
        yield vevents


# A feed is always read from its beginning. The VEVENTs that do not fit into half of their cache are forgotten before
# they are needed again, and are rendered each time.
_vevents: BoundedCache[tuple[bytes, bool], RenderedVEvents] = BoundedCache(24 * 2**20)
_creators: BoundedCache[bytes, Id] = BoundedCache(8 * 2**20)
# What a VEVENT takes besides its text, and what a creator takes, about.
_VEVENT_BYTES, _CREATOR_BYTES = 400, 150


def _render_small(raw: bytes, for_editors: bool) -> RenderedVEvents | None:
    key = (_digest(raw), for_editors)
    vevents = _vevents.get(key)
    if vevents is None:
        event = Event.from_raw(raw)
        vevents = render_vevents(event, event.ical_uid, for_editors=for_editors)
        if vevents is not None:
            _vevents.put(key, vevents, len(vevents.content) + _VEVENT_BYTES)
    return vevents


def _read_creator(raw: bytes) -> Id:
    key = _digest(raw)
    creator = _creators.get(key)
    if creator is None:
        creator = Event.from_raw(raw).creator
        _creators.put(key, creator, _CREATOR_BYTES)
    return creator


def _digest(raw: bytes) -> bytes:
    # The bytes themselves would take more memory than what is cached by them.
    return blake2b(raw, digest_size=16).digest()


async def find_vevents(selection: EventSelection, reader: Id | None) -> AsyncIterator[list[RenderedVEvents]]:
    """Yield the VEVENTs of the selected events that have a date, sorted by `key`, some events at a time.

    They are those for the account `reader`; None may change no event.

    An event that is moved to a later time meanwhile is yielded only once, because two VEVENTs with
    the same UID would contradict each other.
    """
    seen: set[bytes] = set()
    after: str | None = None
    while True:
        found = await find_raw(Event, list_filter(selection, after), order=[(Event.key, 1)], limit=READ_EVENTS)
        # The server stores `_id` first: its 12 bytes follow the length and the head of the element.
        new = {raw[9:21]: raw for raw in found if raw[9:21] not in seen}
        seen.update(new)
        vevents: list[RenderedVEvents] = []
        octets = 0
        for part in (part for raw in new.values() for part in _render_for(reader, raw, selection)):
            vevents.append(part)
            octets += len(part.content)
            if octets > LIST_OCTETS:
                yield vevents
                vevents, octets = [], 0
                # The client may read faster than we render: other requests are served in between.
                await asyncio.sleep(0)
        yield vevents
        if len(found) < READ_EVENTS:
            return
        last = Event.from_raw(found[-1])
        if last.start is None:
            return  # Undated events are sorted last.
        after = last.key


def _render_for(reader: Id | None, raw: bytes, selection: EventSelection) -> Iterator[RenderedVEvents]:
    # One's own events need not be decoded to know whose they are.
    is_own = selection.scope == "mine" and reader == selection.caller
    is_editor = is_own or (reader is not None and may_change(_read_creator(raw), reader))
    return render_cached_vevents(raw, for_editors=is_editor)
