"""Events: what is stored, and every query and conditional write on them."""

from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from beanie import Document, PydanticObjectId
from pydantic import Field

from database.groups import change, together
from database.queries import Filter, Id, Stored, index
from database.reads import Loader, decode, page
from database.writes import Delete, Insert, Update, Write
from models.event_queries import PUBLIC, Window, listing, repeating, singles
from models.event_schema import EventDraft, Geo, Recurrence, Scope, Status, Takedown, Visibility
from models.user import User
from models.views import Page, to_json
from planner.domain.cursors import to_cursor
from planner.domain.recurrence import Series
from planner.domain.repeats import kept, series_of
from planner.domain.times import When, order_key, shown

_LONG = {"span": {"$gt": 0}}
_REPEATING = {"repeats": True}
_OWN_UID = {"uid": {"$exists": True}}
# Larger documents are rendered anew each time: the memory spent on the others stays bounded.
_REMEMBERED_BYTES = 4096
# As many series as one answer looks into; who follows more of them asks for a narrower scope.
MOST_SERIES = 10_000


class Event(Document):
    """An event as it is stored.

    `begins`, `ends`, `span` and `key` are derived from the times (see
    `planner/domain/times.py`) and are there for the indexes. `uid` is stored only when
    its author gave one; the others follow from the id.
    """

    uid: str | None = None
    title: str
    description: str | None = None
    image: str | None = None
    tags: list[str] = Field(default_factory=list)
    location: str | None = None
    geo: Geo | None = None
    url: str | None = None
    start: str | None = None
    end: str | None = None
    all_day: bool = False
    time_zone: str | None = None
    status: Status = "confirmed"
    visibility: Visibility = "private"
    creator: PydanticObjectId
    revision: int = Field(1, ge=1)
    created_at: datetime
    updated_at: datetime
    takedown: Takedown | None = None
    recurrence: Recurrence | None = None
    overrides: list[dict[str, Any]] = Field(default_factory=list)
    seconds: int | None = None
    repeats: bool | None = None
    begins: datetime
    ends: datetime | None
    span: int
    key: str

    loader: ClassVar[Loader]

    class Settings:
        """Where events are stored, with an index for each query that the routes can make."""

        name = "events"
        indexes: ClassVar = [
            index("creator", "key", name="creator_key"),
            index("creator", "span", "key", name="creator_span_key", partialFilterExpression=_LONG),
            index("creator", "tags", "key", name="creator_tags_key"),
            index("key", name="public_key", partialFilterExpression=PUBLIC),
            index("span", "key", name="public_span_key", partialFilterExpression=PUBLIC | _LONG),
            index("tags", "key", name="public_tags_key", partialFilterExpression=PUBLIC),
            index("creator", "key", "ends", name="creator_repeating", partialFilterExpression=_REPEATING),
            index("creator", "ends", "begins", name="creator_series", partialFilterExpression=_REPEATING),
            index("key", "ends", name="public_repeating", partialFilterExpression=PUBLIC | _REPEATING),
            index("ends", "begins", name="public_series", partialFilterExpression=PUBLIC | _REPEATING),
            index("creator", "uid", name="creator_uid", unique=True, partialFilterExpression=_OWN_UID),
        ]

    @classmethod
    async def view(cls, id: Id) -> "EventView | None":
        """The event with this id, rendered."""
        raw = await cls.loader.get(id)
        return None if raw is None else rendered(raw)

    @classmethod
    async def add(cls, stored: Stored, also: list[Write]) -> bool:
        """Store a new event and its id in its creator's document, and `also`, as one write.

        False when the creator is gone. Raises `DuplicateKey` for a uid that the creator has
        used already.
        """
        embed = User.embed(stored["creator"], stored["_id"], stored["created_at"])
        return await together([*also, Insert(cls, stored), embed])

    @classmethod
    async def change(cls, id: Id, revision: int, fields: Stored) -> "EventView | None":
        """Set `fields` if the event still has this revision, and count it up; None if not."""
        raw = await change(cls, {"_id": id, "revision": revision}, _setting(fields))
        return None if raw is None else rendered(raw)

    @classmethod
    async def split(cls, id: Id, revision: int, head: Stored, tail: Stored) -> bool:
        """Change an event and make another of its later part, if it still has this revision."""
        writes: list[Write] = [
            Update(cls, {"_id": id, "revision": revision}, _setting(head)),
            Insert(cls, tail),
            User.embed(tail["creator"], tail["_id"], tail["created_at"]),
        ]
        return await together(writes)

    @classmethod
    async def remove(cls, id: Id, creator: Id, revisions: frozenset[int] | None, now: datetime) -> bool:
        """Remove the event and its id from its creator's document, as one write.

        False when it is gone, or has none of the `revisions` (None: any).
        """
        match: Filter = {"_id": id}
        if revisions is not None:
            match["revision"] = {"$in": sorted(revisions)}
        return await together([Delete(cls, match), User.release(creator, id, now)])

    @classmethod
    async def stored(cls, id: Id) -> Stored | None:
        """The event's document as it stands."""
        raw = await cls.loader.get(id)
        return None if raw is None else decode(raw)

    @classmethod
    async def once_in(
        cls, scope: Scope, caller: Id, window: Window, tag: str | None, after: str | None, limit: int
    ) -> list[bytes]:
        """The first events that do not repeat and touch the window, in the order of `key`."""
        return await page(cls, singles(scope, caller, window, tag, after), [("key", 1)], limit)

    @classmethod
    async def repeating_in(
        cls, scope: Scope, caller: Id, window: tuple[datetime, datetime], tag: str | None
    ) -> list[bytes]:
        """The events that repeat and may have an occurrence in the window."""
        return await page(cls, repeating(scope, caller, window, tag), None, MOST_SERIES)

    @classmethod
    async def listed(
        cls,
        scope: Scope,
        caller: Id,
        window: Window,
        tag: str | None,
        after: str | None,
        limit: int,
    ) -> Page:
        """A page of the events in the scope that touch the window, in the order of `key`."""
        match = listing(scope, caller, window, tag, after)
        found = [rendered(raw) for raw in await page(cls, match, [("key", 1)], limit + 1)]
        more = len(found) > limit
        return Page([view.json for view in found[:limit]], to_cursor(found[limit - 1].key) if more else None)


Event.loader = Loader(Event)


class EventView(NamedTuple):
    """An event as it is answered, and what decides who may see and change it."""

    json: bytes
    id: str
    revision: int
    creator: Id
    visibility: Visibility
    key: str
    taken_down: bool = False
    series: Series | None = None


def rendered(raw: bytes) -> EventView:
    """The view of a stored document.

    It follows from the bytes alone, so it is remembered by them: what was changed has
    other bytes, and nothing outdated can be answered.
    """
    return _remembered(raw) if len(raw) <= _REMEMBERED_BYTES else render(decode(raw))


@lru_cache(maxsize=4096)
def _remembered(raw: bytes) -> EventView:
    return render(decode(raw))


def render(stored: Stored) -> EventView:
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
        "start": shown(get("start"), zone),
        "end": shown(get("end"), zone),
        "all_day": stored["all_day"],
        "time_zone": zone,
        "recurrence": _recurrence(stored),
        "status": stored["status"],
        "visibility": stored["visibility"],
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
        taken_down,
        series_of(stored) if stored.get("repeats") else None,
    )


def _recurrence(stored: Stored) -> dict[str, Any] | None:
    recurrence, zone = stored.get("recurrence"), stored.get("time_zone")
    if recurrence is None:
        return None
    dates = {name: [shown(value, zone) for value in recurrence[name]] for name in ("rdates", "exdates")}
    return {"rrule": recurrence["rrule"], **dates}


@lru_cache(maxsize=1024)
def _remembered_series(raw: bytes) -> Series:
    return series_of(decode(raw))


def series_in(raw: bytes) -> Series:
    """The series of a stored document, which must have a start; remembered as `rendered` is."""
    return _remembered_series(raw) if len(raw) <= _REMEMBERED_BYTES else series_of(decode(raw))


def default_uid(id: str) -> str:
    """The iCalendar identity of an event whose author gave it none."""
    return f"{id}@planner"


# What only a repeating event has.
_OF_SERIES = ("recurrence", "overrides", "seconds", "repeats")


def _setting(fields: Stored) -> dict[str, Any]:
    """The update that sets the fields of an event, and clears what they say nothing about of a series."""
    cleared = {name: "" for name in _OF_SERIES if name not in fields}
    return {"$set": fields, "$inc": {"revision": 1}} | ({"$unset": cleared} if cleared else {})


def fields_of(draft: EventDraft, times: When, id: str, series: Series | None = None) -> dict[str, Any]:
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
        "begins": times.begins,
        "ends": times.ends,
        "span": times.span,
    }
    if series is not None:
        fields |= kept(series)
    return fields | {"key": order_key(fields["begins"], id)}
