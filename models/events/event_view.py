"""Events as they are answered, and drafts of them as they are stored."""

from functools import lru_cache
from typing import Any, NamedTuple

from database.queries import Id, Stored
from database.reads import decode, encode
from models.events.event_schema import EventCreate, Visibility
from models.shared.views import to_json
from planner.domain.recurrence.documents import series_from_document, series_to_document
from planner.domain.recurrence.series import Series
from planner.domain.times import EventTimes, build_order_key, format_stored_time

# What only a repeating event has.
OF_SERIES = ("recurrence", "overrides", "seconds", "repeats")
# What a draft may say, and is not stored when it does not.
OF_DRAFT = OF_SERIES
# Larger documents are rendered anew each time: the memory spent on the others stays bounded.
_REMEMBERED_BYTES = 4096


class EventView(NamedTuple):
    """An event as it is answered, and what decides who may see and change it; `raw` is as it is stored."""

    json: bytes
    id: str
    revision: int
    creator: Id
    visibility: Visibility
    key: str
    raw: bytes
    taken_down: bool = False
    series: Series | None = None

    @property
    def stored(self) -> Stored:
        """The document that this is the view of."""
        return decode(self.raw)


def rendered(raw: bytes) -> EventView:
    """The view of a stored document.

    It follows from the bytes alone, so it is remembered by them: what was changed has
    other bytes, and nothing outdated can be answered.
    """
    return _remembered(raw) if len(raw) <= _REMEMBERED_BYTES else _render(decode(raw), raw)


@lru_cache(maxsize=4096)
def _remembered(raw: bytes) -> EventView:
    return _render(decode(raw), raw)


def render(stored: Stored) -> EventView:
    """The view of a document that is at hand decoded."""
    return _render(stored, encode(stored))


def _render(stored: Stored, raw: bytes) -> EventView:
    """The view of a document; the only place that says which field is answered how."""
    id, zone, get = str(stored["_id"]), stored.get("time_zone"), stored.get
    body = {
        "id": id,
        "uid": get("uid") or default_uid(id),
        "title": stored["title"],
        "description": get("description"),
        "image": get("image"),
        "tags": stored["tags"],
        "location": get("location"),
        "geo": get("geo"),
        "url": get("url"),
        "start": format_stored_time(get("start"), zone),
        "end": format_stored_time(get("end"), zone),
        "all_day": stored["all_day"],
        "time_zone": zone,
        "recurrence": _recurrence(stored),
        "status": stored["status"],
        "visibility": stored["visibility"],
        "reminders": get("reminders", []),
        "creator": str(stored["creator"]),
        "revision": stored["revision"],
        "created_at": stored["created_at"],
        "updated_at": stored["updated_at"],
    }
    taken_down = "takedown" in stored
    if taken_down:
        body["takedown"] = stored["takedown"]
    return EventView(
        to_json(body),
        id,
        stored["revision"],
        stored["creator"],
        stored["visibility"],
        stored["key"],
        raw,
        taken_down,
        series_from_document(stored) if stored.get("repeats") else None,
    )


def _recurrence(stored: Stored) -> dict[str, Any] | None:
    recurrence, zone = stored.get("recurrence"), stored.get("time_zone")
    if recurrence is None:
        return None
    dates = {name: [format_stored_time(value, zone) for value in recurrence[name]] for name in ("rdates", "exdates")}
    return {"rrule": recurrence["rrule"], **dates}


@lru_cache(maxsize=1024)
def _remembered_series(raw: bytes) -> Series:
    return series_from_document(decode(raw))


def series_in(raw: bytes) -> Series:
    """The series of a stored document, which must have a start; remembered as `rendered` is."""
    return _remembered_series(raw) if len(raw) <= _REMEMBERED_BYTES else series_from_document(decode(raw))


def placed(stored: Stored) -> Stored:
    """A stored document with the `place` that follows from its `geo`: a GeoJSON point (RFC 7946), for the indexes."""
    rest = {name: value for name, value in stored.items() if name != "place"}
    if geo := rest.get("geo"):
        rest["place"] = {"type": "Point", "coordinates": [geo["lon"], geo["lat"]]}
    return rest


def default_uid(id: str) -> str:
    """The iCalendar identity of an event whose author gave it none."""
    return f"{id}@planner"


def fields_of(draft: EventCreate, times: EventTimes, id: str, series: Series | None = None) -> dict[str, Any]:
    """What a draft says, as it is stored; without the server's own fields.

    With a `series`, the draft's times are those of an event that repeats.
    """
    fields: dict[str, Any] = {
        "title": draft.title,
        "description": draft.description,
        "image": draft.image,
        "tags": draft.tags,
        "location": draft.location,
        "geo": None if draft.geo is None else {"lat": draft.geo.lat, "lon": draft.geo.lon},
        "url": draft.url,
        "start": times.start,
        "end": times.end,
        "all_day": times.all_day,
        "time_zone": times.time_zone,
        "status": draft.status,
        "visibility": draft.visibility,
        "reminders": draft.reminders,
        "begins": times.begins,
        "ends": times.ends,
        "span": times.span,
    }
    if series is not None:
        fields |= series_to_document(series)
    return fields | {"key": build_order_key(fields["begins"], id)}
