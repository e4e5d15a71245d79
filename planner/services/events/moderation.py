"""Takedowns: what moderators do with public events that do not belong there."""

import orjson

from auth.principal import Principal
from database.commit import commit_atomically
from database.queries import assign
from database.writes import Write
from models.events.event import Event, StoredTakedown
from models.events.event_queries import list_taken_down_events
from models.events.event_view import EventView, render_event
from models.events.event_writes import update_event_writes
from models.shared.json_rendering import to_json
from models.shared.schema import PageQuery
from planner.clock import Clock
from planner.domain.cursors import ORDER_KEY_PATTERN, decode_cursor
from planner.errors import Conflict
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_of
from planner.services.shared.views import Page

CHANGED = "The event was changed by another request. Read it again."


class Moderation:
    """The use cases of moderators, as far as they concern events."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    async def get_taken_down_page(self, query: PageQuery) -> Page:
        """Return a page of the events that are taken down, by start, each with the reason. Raises `Invalid`."""
        after = decode_cursor(query.cursor, ORDER_KEY_PATTERN)
        found = await list_taken_down_events(after, query.limit)
        return page_of(found, _render_taken_down, lambda view: view.key)

    async def take_down(self, moderator: Principal, event: EventView, reason: str, client: ClientInfo) -> EventView:
        """Make a public event private until a moderator lifts the takedown; its creator can read the reason.

        Raises `Conflict` for an event that is not public, or was changed meanwhile.
        """
        if event.visibility != "public":
            raise Conflict("Only a public event can be taken down.")
        before, now = event.event, self._clock.now()
        changes = assign(Event.visibility, "private") | assign(Event.takedown, StoredTakedown(reason=reason, at=now))
        after = before.revise(changes, by=moderator.id, now=now, act="taken-down")
        entry = self._audit.entry_write("event-taken-down", client, event.creator, moderator.id, event.id)
        return await _commit(entry, before, after)

    async def lift_takedown(self, moderator: Principal, event: EventView, client: ClientInfo) -> EventView:
        """Let the creator of an event that was taken down publish it again.

        Raises `Conflict` for an event that is not taken down, or was changed meanwhile.
        """
        if not event.is_taken_down:
            raise Conflict(CHANGED)
        before = event.event
        after = before.revise({}, by=moderator.id, now=self._clock.now(), act="takedown-lifted", clear=[Event.takedown])
        entry = self._audit.entry_write("event-restored", client, event.creator, moderator.id, event.id)
        return await _commit(entry, before, after)


def _render_taken_down(view: EventView) -> bytes:
    """Return an event as everybody would see it, and why it was taken down."""
    return to_json(orjson.loads(view.others_json) | {"takedown": view.event.takedown})


async def _commit(entry: Write, before: Event, after: Event) -> EventView:
    if not await commit_atomically([entry, *update_event_writes(before, after)]):
        raise Conflict(CHANGED)
    return render_event(after)
