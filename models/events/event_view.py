"""Events as they are sent: rendered once, and cached by the bytes that they are stored as.

There are two renderings of each: one for its editors, who may change it, and one for everybody else who may see it.
`may_change` alone decides who is an editor, and `planner/domain/fields.py` what only editors get.
"""

from datetime import date, datetime
from typing import Any, NamedTuple, cast

from database.queries import Id
from models.events.event import Event, default_uid
from models.events.event_fields import Visibility, default_content
from models.shared.json_rendering import to_cacheable_json, to_json
from planner.domain.fields import EDITORS_FIELDS, OCCURRENCE_FIELDS, PLAIN_FIELDS
from planner.domain.ics.imported_details import read_details
from planner.domain.recurrence.documents import series_from_event
from planner.domain.recurrence.occurrences import Occurrence
from planner.domain.recurrence.series import Series
from planner.domain.stored_event import NO_LINES, ImportedLines, StoredRecurrence
from planner.domain.times import format_rfc3339, format_stored_end, format_stored_time
from planner.memory.cache import BoundedCache

# Larger documents are not cached: rendering them takes long, but they are few.
_MAX_CACHED_BYTES = 4096
# About what a cached value takes besides its bytes: for an event that does not repeat, and for one that does.
_VIEW_BYTES, _SERIES_VIEW_BYTES = 500, 1_600
_BODY_BYTES, _SERIES_BODY_BYTES = 2_000, 3_200
_DEFAULTS = default_content()


class ShownEvent(NamedTuple):
    """An event as it is sent to one account; `tag` stands for its revision and for what of it the account gets."""

    json: bytes
    id: str
    tag: str


class EventView(NamedTuple):
    """An event as it is sent, and what decides who may see and change it. `raw` is the stored document (BSON)."""

    editors_json: bytes
    others_json: bytes
    id: str
    revision: int
    creator: Id
    visibility: Visibility
    key: str
    raw: bytes
    is_taken_down: bool
    series: Series | None

    @property
    def event(self) -> Event:
        """The stored event; it is decoded each time."""
        return Event.from_raw(self.raw)

    def json_for(self, account: Id) -> bytes:
        """Return the event as it is sent to an account that may see it."""
        # Most events are sent to everybody alike: then the account makes no difference.
        is_editor = self.others_json is self.editors_json or may_change(self.creator, account)
        return self.editors_json if is_editor else self.others_json

    def shown_to(self, account: Id) -> ShownEvent:
        """Return the event as it is sent to an account that may see it, with a tag that no other rendering has."""
        if may_change(self.creator, account):
            return ShownEvent(self.editors_json, self.id, str(self.revision))
        return ShownEvent(self.others_json, self.id, f"{self.revision}-public")


class OccurringEvent(NamedTuple):
    """An event with what is needed to render its occurrences.

    The bodies have the fields of the event as they are sent to its editors and to others. The series is None for an
    event that does not repeat.
    """

    id: str
    key: str
    creator: Id
    editors_body: dict[str, Any]
    others_body: dict[str, Any]
    series: Series | None


_views: BoundedCache[bytes, EventView] = BoundedCache(28 * 2**20)
_occurring: BoundedCache[bytes, OccurringEvent] = BoundedCache(16 * 2**20)


def may_change(creator: Id, account: Id) -> bool:
    """Return whether an account may change the events of this creator."""
    return creator == account


def render_raw(raw: bytes) -> EventView:
    """Return the view of a stored event, from its bytes.

    The view depends on nothing but the bytes, so it is cached by them and never outdated.
    """
    view = _views.get(raw)
    if view is None:
        view = _render(Event.from_raw(raw), raw)
        if len(raw) <= _MAX_CACHED_BYTES:
            jsons = len(view.editors_json) + (0 if view.others_json is view.editors_json else len(view.others_json))
            _views.put(raw, view, len(raw) + jsons + (_VIEW_BYTES if view.series is None else _SERIES_VIEW_BYTES))
    return view


def render_event(event: Event) -> EventView:
    """Return the view of an event."""
    return _render(event, event.to_raw())


def _render(event: Event, raw: bytes) -> EventView:
    body = build_body(event)
    json = to_cacheable_json(body)
    return EventView(
        json,
        to_cacheable_json(hide_from_others(body)) if _has_hidden_fields(body) else json,
        body["id"],
        event.revision,
        event.creator,
        event.visibility,
        event.key,
        raw,
        event.takedown is not None,
        series_from_event(event) if event.repeats else None,
    )


def build_body(event: Event) -> dict[str, Any]:
    """Return the fields of an event as they are sent to its editors; no other function decides this."""
    id, time_zone = str(event.id), event.time_zone
    body: dict[str, Any] = {"id": id, "uid": event.uid or default_uid(id)}
    # This is executed for every event that is sent: one access to all values is faster than one to each.
    values = vars(event)
    for name in PLAIN_FIELDS:
        body[name] = values[name]
    body["start"] = format_stored_time(event.start, time_zone)
    body["end"] = format_stored_end(event.end, time_zone, event.end_time_zone)
    body["all_day"] = event.all_day
    body["time_zone"] = time_zone
    body["recurrence"] = None if event.recurrence is None else _render_recurrence(event.recurrence, time_zone)
    body["creator"] = str(event.creator)
    body["revision"] = event.revision
    body["created_at"] = event.created_at
    body["updated_at"] = event.updated_at
    if event.takedown is not None:
        body["takedown"] = event.takedown
    if event.ics is not None:
        body |= read_details(event.ics)
    return body


def hide_from_others(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an event or occurrence as they are sent to those who may see but not change it.

    What only editors get is left out, or has its default if every event has the field.
    """
    shown = {name: value for name, value in body.items() if name not in EDITORS_FIELDS}
    return shown | {name: _DEFAULTS[name] for name in EDITORS_FIELDS if name in _DEFAULTS}


def _has_hidden_fields(body: dict[str, Any]) -> bool:
    """Return whether others get less of a body than editors: of most events they get the same."""
    return any(name in body and body[name] != _DEFAULTS.get(name) for name in EDITORS_FIELDS)


def _render_recurrence(recurrence: StoredRecurrence, time_zone: str | None) -> dict[str, Any]:
    return {
        "rrule": recurrence["rrule"],
        "rdates": [format_stored_time(value, time_zone) for value in recurrence["rdates"]],
        "exdates": [format_stored_time(value, time_zone) for value in recurrence["exdates"]],
    }


def prepare_occurrences(raw: bytes) -> OccurringEvent:
    """Return a stored event with what is needed to render its occurrences, from its bytes; cached as views are."""
    event = _occurring.get(raw)
    if event is None:
        event = prepare_event(Event.from_raw(raw))
        if len(raw) <= _MAX_CACHED_BYTES:
            _occurring.put(raw, event, 2 * len(raw) + (_BODY_BYTES if event.series is None else _SERIES_BODY_BYTES))
    return event


def prepare_event(event: Event) -> OccurringEvent:
    """Return an event with what is needed to render its occurrences."""
    series = series_from_event(event) if event.repeats else None
    body = build_body(event)
    others_body = hide_from_others(body) if _has_hidden_fields(body) else body
    return OccurringEvent(str(event.id), event.key, event.creator, body, others_body, series)


def render_occurrence(event: OccurringEvent, occurrence: Occurrence | None, account: Id) -> bytes:
    """Return one occurrence as it is sent to an account; None is the only one of an event that does not repeat."""
    return to_json(build_occurrence_body(event, occurrence, account))


def build_occurrence_body(event: OccurringEvent, occurrence: Occurrence | None, account: Id) -> dict[str, Any]:
    """Return the fields of an occurrence as they are sent to an account; see `render_occurrence`."""
    is_editor, series = may_change(event.creator, account), event.series
    body = event.editors_body if is_editor else event.others_body
    if series is None or occurrence is None:
        return body | {"recurrence_id": None}
    override = series.find_override(occurrence.recurrence_id)
    own: dict[str, Any] = {}
    if override is not None:
        # An imported override may also have fields that are not sent.
        own = {name: override.fields[name] for name in OCCURRENCE_FIELDS if name in override.fields}
        own["all_day"] = not isinstance(occurrence.start, datetime)
        if override.time_zone is not None:
            own["time_zone"] = override.time_zone
        if "ics" in override.fields:
            own |= read_details(cast("ImportedLines", override.fields["ics"] or NO_LINES))
        own = own if is_editor else hide_from_others(own)
    time_zone = own.get("time_zone", series.time_zone)
    own["start"] = format_occurrence_time(occurrence.start, time_zone)
    # An occurrence of an event without an end has no end either.
    has_end = series.duration is not None or (override is not None and override.duration is not None)
    is_instant = occurrence.end == occurrence.start
    end_zone = own.get("end_time_zone", body["end_time_zone"]) or time_zone
    own["end"] = format_occurrence_time(occurrence.end, end_zone) if has_end and not is_instant else None
    own["recurrence_id"] = occurrence.recurrence_id.isoformat()
    return body | own


def format_occurrence_time(value: date, time_zone: str) -> str:
    """Format the start or end of an occurrence: a date, or an RFC 3339 time with the offset of the time zone."""
    return format_rfc3339(value, time_zone) if isinstance(value, datetime) else value.isoformat()


async def find_event_view(id: Id) -> EventView | None:
    """Return the view of the event with this id, or None."""
    raw = await Event.loader.get_raw(id)
    return None if raw is None else render_raw(raw)
