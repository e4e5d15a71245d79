"""The content of an event as its author has sent it, as it is stored."""

from database.queries import Changes
from models.events.event_schema import EventCreate
from planner.domain.recurrence.documents import build_series, series_to_stored
from planner.domain.recurrence.series import Series
from planner.domain.stored_event import GeoPoint
from planner.domain.times import EventTimes

# The fields that are stored only for a recurring event.
SERIES_FIELDS = ("recurrence", "overrides", "seconds", "repeats")
_PLAIN_FIELDS = (*("title", "description", "image", "tags", "location", "url", "status", "visibility", "reminders"),)


def build_content(draft: EventCreate, times: EventTimes, series: Series | None) -> Changes:
    """Return the fields that are stored of a draft; a series replaces its times."""
    content: Changes = {name: getattr(draft, name) for name in _PLAIN_FIELDS}
    content["geo"] = None if draft.geo is None else GeoPoint(lat=draft.geo.lat, lon=draft.geo.lon)
    content |= times._asdict()
    return content if series is None else content | series_to_stored(series)


def build_requested_series(draft: EventCreate, times: EventTimes) -> Series | None:
    """Return the series that a draft describes; None if it does not repeat. Raises `Invalid`."""
    recurrence = draft.recurrence
    if recurrence is None or not (recurrence.rrule or recurrence.rdates):
        return None
    return build_series(times, recurrence.rrule, recurrence.rdates, recurrence.exdates)
