"""Events as files that other calendar programs read."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import NamedTuple

from auth.principal import Principal
from database.queries import Id
from models.events.change_queries import newest
from models.events.event_schema import Scope
from models.events.event_view import EventView
from models.events.tombstone import KNOWN
from models.files.event_export import exported, pages
from models.files.feed import ExportQuery
from models.shared.fields import fold_tag
from planner.clock import Clock
from planner.domain.ics.writing.vcalendar import VCalendarBody, render_vcalendar_start
from planner.domain.ics.writing.vevent import RenderedVEvents
from planner.domain.times import parse_window
from planner.errors import Conflict
from planner.services.events.changes import ChangeNumbering

# What is answered follows from the events, from the rules of the zones, and from how we write both:
# to be counted up whenever that changes.
WRITTEN = f"1 {version('tzdata')}"


class ExportSelection(NamedTuple):
    """What is to be written: whose events, and which of them; a `name` makes it a feed."""

    scope: Scope
    caller: Id
    tag: str | None = None
    since: str | None = None
    until: str | None = None
    name: str | None = None


class Exports:
    """The use cases of files of events."""

    def __init__(self, numbering: ChangeNumbering, clock: Clock) -> None:
        self._numbering = numbering
        self._clock = clock

    def one(self, event: EventView) -> AsyncIterator[bytes]:
        """One event as a file, in parts; raises `Conflict` for an undated one."""
        parts = exported(event.raw)
        first = next(parts, None)
        if first is None:
            raise Conflict("This event has no date yet, and a calendar file cannot hold one without.")
        return _file(first, parts)

    def wanted(self, caller: Principal, query: ExportQuery) -> ExportSelection:
        """What a caller asks for; raises `Invalid` for a window that is none."""
        parse_window(query.since, query.until)
        tag = None if query.tag is None else fold_tag(query.tag)
        return ExportSelection(query.scope, caller.id, tag, query.since, query.until)

    async def tag(self, wanted: ExportSelection) -> str:
        """What changes whenever any of the events does; two reads of an index, however many there are."""
        await self._numbering.last()
        number = await newest(wanted.scope, wanted.caller)
        # What is gone is known for a while. In half of it, nobody's last answer can seem to be the latest
        # one again only because that was forgotten.
        era = int(self._clock.now().timestamp() // (KNOWN.total_seconds() / 2))
        said = f"{WRITTEN}\0{era}\0{number}\0{wanted}"
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    async def written(self, wanted: ExportSelection) -> AsyncIterator[bytes]:
        """The file, in parts; each part is written when the one before has been sent."""
        body = VCalendarBody()
        window = parse_window(wanted.since, wanted.until)
        head = render_vcalendar_start(wanted.name)
        async for events in pages(wanted.scope, wanted.caller, window, wanted.tag):
            yield head + body.render(events)
            head = b""
        yield body.render_end()


async def _file(first: RenderedVEvents, rest: Iterator[RenderedVEvents]) -> AsyncIterator[bytes]:
    body = VCalendarBody()
    yield render_vcalendar_start() + body.render([first])
    for part in rest:
        yield body.render([part])
        await asyncio.sleep(0)
    yield body.render_end()
