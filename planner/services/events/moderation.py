"""Takedowns: what moderators do with public events that do not belong there."""

from auth.principal import Principal
from models.events.event import Event
from models.events.event_view import EventView
from planner.clock import Clock
from planner.errors import Conflict
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo

CHANGED = "The event was changed by another request. Read it again."


class Moderation:
    """The use cases of moderators, as far as they concern events."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    async def take_down(self, moderator: Principal, event: EventView, reason: str, client: ClientInfo) -> EventView:
        """Make a public event private until a moderator lifts the takedown; its creator can read the reason.

        Raises `Conflict` for an event that is not public, or was changed meanwhile.
        """
        if event.visibility != "public":
            raise Conflict("Only a public event can be taken down.")
        now = self._clock.now()
        fields = {"visibility": "private", "takedown": {"reason": reason, "at": now}, "updated_at": now}
        entry = self._audit.entry_write("event-taken-down", client, event.creator, moderator.id, event.id)
        return _require_written(
            await Event.change(event, fields, moderator.id, also=[entry], act="taken-down", clear=())
        )

    async def lift_takedown(self, moderator: Principal, event: EventView, client: ClientInfo) -> EventView:
        """Let the creator of an event that was taken down publish it again.

        Raises `Conflict` for an event that is not taken down, or was changed meanwhile.
        """
        if not event.taken_down:
            raise Conflict(CHANGED)
        fields = {"updated_at": self._clock.now()}
        entry = self._audit.entry_write("event-restored", client, event.creator, moderator.id, event.id)
        return _require_written(
            await Event.change(event, fields, moderator.id, also=[entry], act="takedown-lifted", clear=("takedown",))
        )


def _require_written(changed: EventView | None) -> EventView:
    if changed is None:
        raise Conflict(CHANGED)
    return changed
