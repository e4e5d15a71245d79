"""The event or the occurrence that a page is about."""

from typing import Any, NamedTuple

import orjson

from auth.principal import Principal
from models.accounts.user import User
from models.events.event_view import EventView, may_change
from planner.domain.recurrence.documents import parse_stored_local
from planner.wiring import Services
from routes.pages.events.form_values import fill_form, find_zone
from routes.pages.events.repeats import Values, fill_repeats


class Target(NamedTuple):
    """An event, or one occurrence of it, as it is sent to who looks at the page."""

    event: EventView
    body: dict[str, Any]
    recurrence_id: str | None
    time_zone: str
    is_own: bool

    @property
    def id(self) -> str:
        """The id of the event."""
        return self.event.id

    @property
    def repeats(self) -> bool:
        """Whether there are several occurrences of the event."""
        return self.event.series is not None

    @property
    def series_body(self) -> dict[str, Any]:
        """The event as a whole."""
        body: dict[str, Any] = orjson.loads(self.event.editors_json)
        return body

    @property
    def query(self) -> str:
        """What an address has at its end to be about the same occurrence."""
        return "" if self.recurrence_id is None else f"?occurrence={self.recurrence_id}"

    @property
    def values(self) -> Values:
        """The values of the form."""
        values = fill_form(self.body, self.time_zone)
        if self.recurrence_id is None:
            return values
        # The rule chose this day, wherever the occurrence has been moved to.
        zone = find_zone(self.series_body, self.time_zone)
        return values | fill_repeats(self.body["recurrence"], parse_stored_local(self.recurrence_id), zone)


async def find_target(
    services: Services, caller: Principal, id: str, recurrence_id: str = "", *, own: bool = False
) -> Target:
    """Return what a page is about; with `own`, only what the caller may change.

    Raises `NotFound`, and `Forbidden` for what the caller may see but not change.
    """
    event = await (services.events.get_own if own else services.events.get)(caller, id)
    is_own, time_zone = may_change(event.creator, caller.id), await User.find_time_zone(caller.id)
    if not recurrence_id:
        return Target(event, orjson.loads(event.json_for(caller.id)), None, time_zone, is_own)
    body = orjson.loads(services.occurrences.get(caller, event, recurrence_id).json)
    return Target(event, body, body["recurrence_id"], time_zone, is_own)
