"""Events: what is stored, and every query and conditional write on them."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from beanie import Document, PydanticObjectId
from pydantic import Field

from database.groups import change, together
from database.queries import Filter, Id, Stored, index
from database.reads import Loader, decode, page
from database.writes import Delete, Insert, Write
from models.event_schema import EventDraft, Geo, Scope, Status, Takedown, Visibility
from models.user import User
from models.views import Page, to_json
from planner.domain.cursors import to_cursor
from planner.domain.times import SPANS, When, order_key, shown

_PUBLIC = {"visibility": "public"}
_LONG = {"span": {"$gt": 0}}
_OWN_UID = {"uid": {"$exists": True}}
_NO_ID = "0" * 24
# Larger documents are rendered anew each time: the memory spent on the others stays bounded.
_REMEMBERED_BYTES = 4096


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
            index("key", name="public_key", partialFilterExpression=_PUBLIC),
            index("span", "key", name="public_span_key", partialFilterExpression=_PUBLIC | _LONG),
            index("tags", "key", name="public_tags_key", partialFilterExpression=_PUBLIC),
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
        match = {"_id": id, "revision": revision}
        raw = await change(cls, match, {"$set": fields, "$inc": {"revision": 1}})
        return None if raw is None else rendered(raw)

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
    async def listed(
        cls,
        scope: Scope,
        caller: Id,
        window: tuple[datetime | None, datetime | None],
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
        to_json(body), id, stored["revision"], stored["creator"], stored["visibility"], stored["key"], taken_down
    )


def default_uid(id: str) -> str:
    """The iCalendar identity of an event whose author gave it none."""
    return f"{id}@planner"


def fields_of(draft: EventDraft, times: When, id: str) -> dict[str, Any]:
    """What a draft says, as it is stored; without the server's own fields."""
    return {
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
        "key": order_key(times.begins, id),
    }


def listing(
    scope: Scope,
    caller: Id,
    window: tuple[datetime | None, datetime | None],
    tag: str | None,
    after: str | None,
) -> Filter:
    """The filter of a list. Each of its branches is answered in order by one index.

    An event that touches the window may begin before it, by as much as it lasts. With a
    `from`, a first branch looks back by the length of short events, and one more for each
    class of longer ones looks back further, in an index that holds only those.
    """
    owners: list[Filter] = [{"creator": caller}, dict(_PUBLIC)]
    if scope != "all":
        owners = owners[:1] if scope == "mine" else owners[1:]
    branches = [
        owner | ({} if tag is None else {"tags": tag}) | times for owner in owners for times in _touching(window, after)
    ]
    return branches[0] if len(branches) == 1 else {"$or": branches}


def _touching(window: tuple[datetime | None, datetime | None], after: str | None) -> Iterator[Filter]:
    since, until = window
    ceiling = {"$lt": order_key(until, _NO_ID)} if until else {}
    if since is None:
        # Even where it bounds nothing: without it, no index would answer a branch of several in order.
        yield {"key": ceiling | {"$gt": after or ""}}
        return
    floors = [_earliest(since, span) for span in range(len(SPANS) + 1)]
    yield {"key": ceiling | {"$gt": max(floors[0], after or "")}, "ends": {"$gt": since}}
    for span, floor in enumerate(floors[1:], start=1):
        yield {"span": span, "key": {"$gt": max(floor, after or ""), "$lt": floors[0]}, "ends": {"$gt": since}}


def _earliest(since: datetime, span: int) -> str:
    """The least key an event of this class can have and still touch a window from `since` on."""
    try:
        return order_key(since - SPANS[span], _NO_ID) if span < len(SPANS) else ""
    except OverflowError:
        return ""
