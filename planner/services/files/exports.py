"""Events as iCalendar files."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import NamedTuple
from uuid import uuid4

from auth.principal import Principal
from database.queries import Id
from models.accounts.closed_account import list_closed_accounts
from models.events.change_queries import find_latest_change_number
from models.events.event_fields import fold_tag
from models.events.event_queries import EventSelection
from models.events.event_view import EventView, may_change
from models.events.tombstone import TOMBSTONE_LIFETIME
from models.files.event_export import find_vevents, render_cached_vevents
from models.files.export_schema import ExportQuery
from planner.clock import Clock
from planner.domain.ics.writing.vcalendar import VCalendarBody, render_vcalendar_start
from planner.domain.ics.writing.vevent import RenderedVEvents
from planner.domain.times import parse_window
from planner.errors import Conflict
from planner.load.lanes import Lane
from planner.services.events.changes import ChangeNumbering

# Besides the events, a file depends on the rules of the time zones and on the code that renders it.
# Increase the first number whenever that code renders the same event differently.
RENDERING_VERSION = f"3 {version('tzdata')}"


class ExportSelection(NamedTuple):
    """The events of a file, and the account that reads it; None is anyone, who may change no event.

    The file of a feed has a `name`, which is displayed to its subscribers.
    """

    events: EventSelection
    reader: Id | None
    name: str | None = None


class Exports:
    """The use cases of exports."""

    def __init__(self, numbering: ChangeNumbering, lane: Lane, clock: Clock) -> None:
        self._lane = lane
        self._numbering = numbering
        self._clock = clock

    def export_event(self, caller: Principal, event: EventView) -> AsyncIterator[bytes]:
        """Return the file of one event in parts, at least two. Raises `Conflict` for an undated event."""
        parts = render_cached_vevents(event.raw, for_editors=may_change(event.creator, caller.id))
        first = next(parts, None)
        if first is None:
            raise Conflict("This event has no date, and cannot be exported without one. Set its start first.")
        return _render_file(first, parts)

    def select(self, caller: Principal, query: ExportQuery) -> ExportSelection:
        """Return the selection that a caller asks for. Raises `Invalid` for a wrong window."""
        tag = None if query.tag is None else fold_tag(query.tag)
        window = parse_window(query.since, query.until)
        return ExportSelection(EventSelection(query.scope, caller.id, window, tag), caller.id)

    async def compute_etag(self, selection: ExportSelection) -> str:
        """Return a text that changes whenever the file does. It takes two reads of an index, however many events."""
        scope, caller = selection.events.scope, selection.events.caller
        is_complete = (await self._numbering.number_changes(scope, caller)).is_complete
        # While changes have no number yet, no text stands for them: one that never returns makes every reader read.
        number = await find_latest_change_number(scope, caller) if is_complete else uuid4()
        # Tombstones expire, and with the newest one expired the number may be a former one again. Half of
        # their lifetime is therefore part of the text: no former ETag can become the current one again.
        period = int(self._clock.now().timestamp() // (TOMBSTONE_LIFETIME.total_seconds() / 2))
        # What belongs to closed accounts is hidden before it is deleted and its tombstones have numbers.
        closed = "" if selection.events.scope == "mine" else " ".join(map(str, list_closed_accounts()))
        text = f"{RENDERING_VERSION}\0{period}\0{number}\0{selection}\0{closed}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def export(self, selection: ExportSelection) -> AsyncIterator[bytes]:
        """Yield the file of a selection in parts, at least two; each is rendered after the one before was sent.

        Raises `Busy` before the first part.
        """
        return self._lane.iterate(self._render(selection), selection.events.caller)

    async def _render(self, selection: ExportSelection) -> AsyncIterator[bytes]:
        body = VCalendarBody()
        start = render_vcalendar_start(selection.name)
        async for vevents in find_vevents(selection.events, selection.reader):
            yield start + body.render(vevents)
            start = b""
        yield body.render_end()


async def _render_file(first: RenderedVEvents, rest: Iterator[RenderedVEvents]) -> AsyncIterator[bytes]:
    body = VCalendarBody()
    yield render_vcalendar_start() + body.render([first])
    for part in rest:
        yield body.render([part])
        await asyncio.sleep(0)
    yield body.render_end()
