"""Events: what is stored, and every query and conditional write on them."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

from beanie import PydanticObjectId
from pydantic import Field

from database.commit import commit_atomically
from database.documents import StoredDocument
from database.queries import Filter, Id, Stored, index, place_index, text_index
from database.reads import Loader, batches, decode, encode, page
from database.writes import Delete, Forbid, InsertStored, Update, Write
from models.accounts.user import User
from models.events.event_queries import PUBLIC, Window, listing, repeating, singles
from models.events.event_schema import Geo, Recurrence, Scope, Status, Takedown, Visibility
from models.events.event_view import OF_DRAFT, OF_SERIES, EventView, placed, render, rendered
from models.events.public_event_index import WEIGHTS, PublicEventIndex
from models.events.revision import OF_SERVER, Act, Revision
from models.events.tombstone import Tombstone
from models.shared.views import Page
from planner.domain.cursors import encode_cursor
from planner.errors import Invalid

_LONG = {"span": {"$gt": 0}}
_REPEATING = {"repeats": True}
_OWN_UID = {"uid": {"$exists": True}}
# Changes are numbered after they were committed: see `planner/services/events/changes.py`.
WAITING = 0
_NUMBERED = {"change_number": {"$gt": WAITING}}
# As many series are looked into before others have their turn: a few milliseconds' work.
SERIES_AT_ONCE = 100
# The database takes nothing over 16 MiB, and each change keeps what was before.
MOST_BYTES = 2 * 1024 * 1024


class Event(StoredDocument):
    """An event as it is stored. What of a public one is searched is stored as well: see `PublicEventIndex`.

    `begins`, `ends`, `span` and `key` are derived from the times (see
    `planner/domain/times.py`) and are there for the indexes. `uid` is stored only when
    its author gave one; the others follow from the id. `editor` and `act` say who made this
    revision and how: without them its creator did, by a plain change; no `editor` but None is
    one who has left. `change_number` numbers its last change. `ics` is what an imported entry said
    besides (RFC 5545), `sequence` what makes its SEQUENCE of our revision. `place` is `geo` for
    the indexes.
    """

    uid: str | None = None
    title: str
    description: str | None = None
    image: str | None = None
    tags: list[str] = Field(default_factory=list)
    location: str | None = None
    geo: Geo | None = None
    place: dict[str, Any] | None = None
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
    reminders: list[int] = Field(default_factory=list)
    ics: dict[str, Any] | None = None
    sequence: int | None = None
    editor: PydanticObjectId | None = None
    act: Act | None = None
    change_number: int = WAITING
    seconds: int | None = None
    repeats: bool | None = None
    begins: datetime
    ends: datetime | None
    span: int
    key: str

    loader: ClassVar[Loader["Event"]]

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
            index("creator", "span", "key", "ends", name="creator_series", partialFilterExpression=_REPEATING),
            index("span", "key", "ends", name="public_series", partialFilterExpression=PUBLIC | _REPEATING),
            text_index("creator", weights=WEIGHTS, name="creator_words"),
            place_index("creator", place="place", name="creator_place"),
            place_index(place="place", name="public_place", partialFilterExpression=PUBLIC),
            index("creator", "uid", name="creator_uid", unique=True, partialFilterExpression=_OWN_UID),
            index("editor", name="editor", partialFilterExpression={"editor": {"$exists": True}}),
            index("change_number", name="waiting", partialFilterExpression={"change_number": WAITING}),
            index("creator", "change_number", "_id", name="creator_changes", partialFilterExpression=_NUMBERED),
            index("change_number", "_id", name="public_changes", partialFilterExpression=PUBLIC | _NUMBERED),
        ]

    @classmethod
    async def view(cls, id: Id) -> EventView | None:
        """The event with this id, rendered."""
        raw = await cls.loader.get_raw(id)
        return None if raw is None else rendered(raw)

    @classmethod
    async def add(cls, stored: Stored, also: Sequence[Write] = ()) -> bool:
        """Store a new event and its id in its creator's document, and `also`, as one write.

        False when the creator is gone, or `also` is refused. Raises `DuplicateKey` for a uid
        that the creator has used already.
        """
        embed = User.embed_event_write(stored["creator"], stored["_id"], stored["created_at"])
        return await commit_atomically([*also, *cls.inserting(stored), embed])

    @classmethod
    def inserting(cls, stored: Stored) -> list[Write]:
        """The writes that store an event where none was; they belong with one that embeds its id."""
        stored = placed(stored | {"change_number": WAITING})
        return [InsertStored(cls, stored), *PublicEventIndex.adding(stored)]

    @classmethod
    async def change(
        cls,
        before: EventView,
        fields: Stored,
        by: Id,
        *,
        also: Sequence[Write] = (),
        act: Act | None = None,
        clear: Collection[str] = OF_DRAFT,
    ) -> EventView | None:
        """Set `fields` of the event, and take from it what of `clear` they do not say.

        What it was before is kept as a revision, in the same group of writes as `also`. None
        when the event is not what it was `before`, or `also` is refused.
        """
        stored = before.stored
        after, writes = cls.changing(stored, fields, by, act, clear)
        return render(after) if await commit_atomically([*also, *writes]) else None

    @classmethod
    def changing(
        cls, stored: Stored, fields: Stored, by: Id, act: Act | None = None, clear: Collection[str] = OF_DRAFT
    ) -> tuple[Stored, list[Write]]:
        """What a stored event will be with `fields` set, and the writes that make it so; see `change`.

        Raises `Invalid` when that would be too large.
        """
        fields = fields | {"change_number": WAITING} | _made(stored["creator"], by, act)
        if "geo" in fields:
            fields = placed(fields)
        follows = ("act", "editor", *(["place"] if "geo" in fields else []))
        cleared = [name for name in (*clear, *follows) if name not in fields and name in stored]
        change: dict[str, Any] = {"$set": fields, "$inc": {"revision": 1}}
        if cleared:
            change["$unset"] = dict.fromkeys(cleared, "")
        after = {name: value for name, value in (stored | fields).items() if name not in cleared}
        after["revision"] = stored["revision"] + 1
        if act is None:
            _require_room(after, stored)
        writes: list[Write] = [
            Update(cls, _unchanged(stored), change),
            Revision.keeping(stored),
        ]
        if stored["visibility"] == "public" and after["visibility"] != "public":
            writes.append(Tombstone.noting(stored, after["updated_at"], removed=False))
        return after, [*writes, *PublicEventIndex.changing(stored, after)]

    @classmethod
    async def split(cls, before: EventView, head: Stored, tail: Stored, by: Id, *, also: Sequence[Write] = ()) -> bool:
        """Change an event and make another of its later part, if it is still what it was `before`."""
        _, writes = cls.changing(before.stored, head, by, clear=OF_SERIES)
        embed = User.embed_event_write(tail["creator"], tail["_id"], tail["created_at"])
        return await commit_atomically([*also, *writes, *cls.inserting(tail), embed])

    @classmethod
    async def remove(cls, before: EventView, by: Id, now: datetime) -> bool:
        """Remove the event and its id from its creator's document, as one write.

        It stays restorable as a revision, and known as gone. False when it is not what it was
        `before`.
        """
        stored = before.stored
        return await commit_atomically(
            [
                Delete(cls, _unchanged(stored)),
                User.remove_event_write(stored["creator"], stored["_id"], now),
                *Revision.ending(stored, by, now),
                Tombstone.noting(stored, now, removed=True),
                *PublicEventIndex.removing(stored),
            ]
        )

    @classmethod
    async def bring_back(cls, removal: Stored, last: Stored, fields: Stored, by: Id) -> EventView | None:
        """Make a removed event be there again: what it was `last`, with `fields` for its content.

        Its id is in its creator's document again in the same group of writes. None when it is
        there already, its time is over, or its creator is gone. Raises `DuplicateKey` when
        it is there already, and for a uid that the creator has used meanwhile.
        """
        own = {name: value for name, value in last.items() if name in OF_SERVER and name not in ("act", "editor")}
        stored = own | fields | {"revision": removal["revision"] + 1, "change_number": WAITING}
        stored = placed(stored | _made(last["creator"], by, "restored"))
        embed = User.embed_event_write(stored["creator"], stored["_id"], stored["updated_at"])
        writes = [*cls.inserting(stored), Revision.reviving(removal), embed]
        return render(stored) if await commit_atomically(writes) else None

    @classmethod
    def forgetting(cls, editor: Id) -> Update:
        """The write after which nothing says that these events of others are as somebody made them."""
        return Update(cls, {"editor": editor}, {"$set": {"editor": None}}, required=False, many=True)

    @classmethod
    async def delete_all_of(cls, creator: Id, now: datetime) -> list[Write]:
        """The writes that remove all of somebody's events, once and for all.

        Those that others saw are noted as gone; what becomes public meanwhile refuses the group.
        """
        public = {"creator": creator, "visibility": "public"}
        seen = [decode(raw) for raw in await page(cls, public, None, 0, {"creator": 1, "visibility": 1})]
        return [
            Forbid(cls, public | {"_id": {"$nin": [stored["_id"] for stored in seen]}}),
            *(Tombstone.noting(stored, now, removed=True) for stored in seen),
            *Tombstone.forgetting(creator),
            Delete(cls, {"creator": creator}, many=True),
            PublicEventIndex.delete_all_of(creator),
        ]

    @classmethod
    async def stored(cls, id: Id) -> Stored | None:
        """The event's document as it stands."""
        raw = await cls.loader.get_raw(id)
        return None if raw is None else decode(raw)

    @classmethod
    async def find_single_events(
        cls, scope: Scope, caller: Id, window: Window, tag: str | None, after: str | None, limit: int
    ) -> list[bytes]:
        """The first events that do not repeat and touch the window, in the order of `key`."""
        return await page(cls, singles(scope, caller, window, tag, after), [("key", 1)], limit)

    @classmethod
    def find_recurring_events(
        cls, scope: Scope, caller: Id, window: tuple[datetime, datetime], tag: str | None
    ) -> AsyncIterator[list[bytes]]:
        """The events that repeat and may have an occurrence in the window, some at a time, in no order."""
        return batches(cls, repeating(scope, caller, window, tag), SERIES_AT_ONCE)

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
        return Page([view.json for view in found[:limit]], encode_cursor(found[limit - 1].key) if more else None)


Event.loader = Loader(Event)


def _made(creator: Id, by: Id, act: Act | None) -> Stored:
    """Who made a revision and how, as far as it is stored."""
    return ({"editor": by} if by != creator else {}) | ({"act": act} if act else {})


def _require_room(after: Stored, before: Stored) -> None:
    """Raise `Invalid` for an event that a change makes too large; what is too large already may still shrink."""
    if len(encode(after)) > MOST_BYTES and len(encode(after)) > len(encode(before)):
        raise Invalid.field("", "makes the event larger than 2 MiB, with all that single occurrences say")


def _unchanged(stored: Stored) -> Filter:
    """What finds an event as long as it is as it was stored; also who made it so may be forgotten meanwhile."""
    return {"_id": stored["_id"], "revision": stored["revision"], "editor": stored.get("editor")}
