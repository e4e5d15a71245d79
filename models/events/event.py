"""The document of an event, and the next revision of one."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import Field
from typing_extensions import TypedDict

from database.documents import StoredDocument
from database.queries import Changes, Filter, Id, assign, index, new_id, within, without
from database.reads import Loader
from database.writes import Update
from models.events.event_fields import EventContent, fold_tag
from planner.domain.fields import CONTENT_FIELDS
from planner.domain.recurrence.documents import compute_extent, series_from_event
from planner.domain.recurrence.hours import list_hours
from planner.domain.search.cells import list_cells
from planner.domain.search.searchable_text import SearchableText, build_searchable_text
from planner.domain.stored_event import ImportedLines, StoredOverride, StoredRecurrence, StoredSource
from planner.domain.times import build_order_key

# How a revision came to be, where it is not a plain change.
Act = Literal["deleted", "restored", "taken-down", "takedown-lifted"]
# The index of the words of one's own events.
WORD_INDEX = "creator_words"
CREATOR_CELLS = "creator_cells_key"
# In the indexes of cells are only the events that have a place.
IN_CELLS = {"cells": {"$exists": True}}
_CONTENT_FIELDS = frozenset(CONTENT_FIELDS)
_PUBLIC = {"visibility": "public"}
_LONG = {"span": {"$gt": 0}}
_REPEATING = {"repeats": True}
_TAKEN_DOWN = {"takedown": {"$exists": True}}


class GeoJsonPoint(TypedDict):
    """A point as the database indexes it (RFC 7946): its longitude, then its latitude."""

    type: Literal["Point"]
    coordinates: list[float]


class StoredTakedown(TypedDict):
    """Why and when a moderator made an event private."""

    reason: str
    at: datetime


class StoredSplit(TypedDict):
    """The event of which another one was a part, and its last revision before it was split."""

    event: Id
    revision: int


class Event(EventContent, StoredDocument):
    """An event: its content, and the fields below.

    `uid` is stored only if the author chose one. `start` and `end` are a date or a local time in
    `time_zone`, in ISO 8601. `recurrence`, `overrides`, `seconds` (the duration), `nominal_days` and `repeats`
    are stored only for a recurring event. `ics` has what an imported entry said besides (RFC 5545), `declined`
    whether its creator has declined the invitation, and `source` what the organizer of an imported event wrote
    last. `sequence` is what is added to the revision to get the SEQUENCE of an export; only events that were
    imported before there was a `source` have it.

    `editor` and `act` say who made this revision, and how: see `made_by`. `continued_by` is the event that has
    the later occurrences of a series that was split, and `split_from` says there which event that was. For the
    indexes, `begins`, `ends`, `span` and `key` are computed from the times (see `planner/domain/times.py`),
    `hours` from those of a recurring event (see `planner/domain/recurrence/hours.py`; without them it can be in
    every hour), `place` and `cells` from `geo` (see `planner/domain/search/cells.py`), `tag_keys` from `tags`, and
    `search` from what is searched. `search` is about as large as the rest of the event; it is not read with it, and
    `cells` are not either.
    """

    uid: str | None = None
    start: str | None = None
    end: str | None = None
    all_day: bool = False
    time_zone: str | None = None
    recurrence: StoredRecurrence | None = None
    overrides: list[StoredOverride] = Field(default_factory=list)
    seconds: int | None = None
    nominal_days: int | None = None
    repeats: bool = False
    ics: ImportedLines | None = None
    declined: bool = False
    sequence: int | None = None
    source: StoredSource | None = None
    creator: PydanticObjectId
    revision: int = Field(1, ge=1)
    created_at: datetime
    updated_at: datetime
    takedown: StoredTakedown | None = None
    editor: PydanticObjectId | None = None
    act: Act | None = None
    continued_by: PydanticObjectId | None = None
    split_from: StoredSplit | None = None
    begins: datetime
    ends: datetime | None
    span: int
    hours: list[int] | None = None
    key: str
    place: GeoJsonPoint | None = None
    cells: list[int] | None = None
    tag_keys: list[str] = Field(default_factory=list)
    search: SearchableText | None = None

    fields_to_read: ClassVar = without("search", "cells")
    loader: ClassVar[Loader["Event"]]

    class Settings:
        """Where events are stored, with an index for each query that the routes can make."""

        name = "events"
        indexes: ClassVar = [
            index("creator", "key", name="creator_key"),
            index("creator", "span", "key", name="creator_span_key", partialFilterExpression=_LONG),
            index("creator", "tag_keys", "key", name="creator_tags_key"),
            index("key", "ends", name="public_key_ends", partialFilterExpression=_PUBLIC),
            index("span", "key", name="public_span_key", partialFilterExpression=_PUBLIC | _LONG),
            index("tag_keys", "key", "ends", name="public_tags_key_ends", partialFilterExpression=_PUBLIC),
            index("tag_keys", "span", "key", name="public_tags_span_key", partialFilterExpression=_PUBLIC | _LONG),
            index(
                *("tag_keys", "span", "key", "ends"),
                name="public_tags_series",
                partialFilterExpression=_PUBLIC | _REPEATING,
            ),
            index("creator", "span", "key", "ends", name="creator_series", partialFilterExpression=_REPEATING),
            index("span", "key", "ends", name="public_series", partialFilterExpression=_PUBLIC | _REPEATING),
            index(
                *("hours", "span", "key", "ends"),
                name="public_series_hours",
                partialFilterExpression=_PUBLIC | _REPEATING,
            ),
            index("creator", within("search", "words"), name=WORD_INDEX),
            index("creator", "cells", "key", "ends", name=CREATOR_CELLS, partialFilterExpression=IN_CELLS),
            index(
                *("creator", "cells", "span", "key"),
                name="creator_cells_span_key",
                partialFilterExpression=IN_CELLS | _LONG,
            ),
            index(
                *("creator", "cells", "span", "key", "ends"),
                name="creator_cells_series",
                partialFilterExpression=IN_CELLS | _REPEATING,
            ),
            index(
                "creator",
                "uid",
                name="creator_uid",
                unique=True,
                partialFilterExpression={"uid": {"$exists": True}},
            ),
            # Of two indexes over the same fields, Beanie makes only one.
            index("key", within("takedown", "at"), name="taken_down_key", partialFilterExpression=_TAKEN_DOWN),
            index("editor", name="editor", partialFilterExpression={"editor": {"$exists": True}}),
        ]

    @classmethod
    def new(cls, creator: Id, content: Changes, *, now: datetime, uid: str | None = None) -> "Event":
        """Return the first revision of an event with this content; it is not stored yet."""
        id = new_id()
        fields = content | {cls.id: id, cls.creator: creator, cls.created_at: now, cls.updated_at: now}
        fields |= assign(cls.revision, 1)
        if uid is not None and uid != default_uid(id):
            fields[cls.uid] = uid
        return cls.from_stored(_with_computed_fields(fields))

    def revise(
        self,
        changes: Changes,
        *,
        by: Id | None,
        now: datetime,
        act: Act | None = None,
        clear: Collection[Any] = (),
    ) -> "Event":
        """Return the next revision of the event, which is not stored yet.

        It has the `changes`, and none of the fields in `clear` that these do not set.
        """
        removed: set[Any] = {*clear, Event.editor, Event.act} - changes.keys()
        fields: Changes = {name: value for name, value in self.to_stored().items() if name not in removed}
        fields |= changes
        fields |= {Event.revision: self.revision + 1, Event.updated_at: now}
        if by != self.creator:
            fields[Event.editor] = by
        if act is not None:
            fields[Event.act] = act
        return Event.from_stored(_with_computed_fields(fields))

    @property
    def ical_uid(self) -> str:
        """The UID of the event (RFC 5545 §3.8.4.7): its author's, or one that is made from its id."""
        return self.uid or default_uid(self.id)

    @property
    def content(self) -> Changes:
        """The stored fields that are restored with an earlier revision."""
        return {name: value for name, value in self.to_stored().items() if name in _CONTENT_FIELDS}

    @property
    def made_by(self) -> Id | None:
        """Who made this revision; None if their account has been deleted."""
        return self.editor if self.is_stored(Event.editor) else self.creator

    def store_source_write(self, source: StoredSource) -> Update:
        """Return the write that stores what its organizer wrote last; refused when the event has been changed."""
        return Update(Event, self.unchanged_filter(), {"$set": assign(Event.source, source)})

    def compute_again(self) -> "Event":
        """Return the event with what is computed from its other fields as it is computed now; it is not stored yet."""
        return Event.from_stored(_with_computed_fields(self.to_stored()))

    def unchanged_filter(self) -> Filter:
        """Return the filter that matches the event as long as it is stored as it is here."""
        # The editor's account may be deleted without a new revision.
        return {Event.id: self.id, Event.revision: self.revision, Event.editor: self.editor}

    @classmethod
    def anonymize_editor_write(cls, editor: Id) -> Update:
        """Return the write that removes an account's id from the events of others that it has changed."""
        return Update(cls, {cls.editor: editor}, {"$set": {cls.editor: None}}, required=False, many=True)


Event.loader = Loader(Event)


def default_uid(id: Id | str) -> str:
    """Return the UID of an event whose author did not choose one."""
    return f"{id}@planner"


def _with_computed_fields(fields: Changes) -> Changes:
    """Return the stored fields of an event with those for the indexes that are computed from others."""
    fields = {name: value for name, value in fields.items() if name not in (Event.place, Event.cells, Event.hours)}
    if fields.get(Event.repeats):
        # Those of an earlier revision that is restored may have been computed otherwise.
        series = series_from_event(Event.from_stored(fields))
        fields |= compute_extent(series)
        fields[Event.hours] = list_hours(series)
    fields[Event.key] = build_order_key(fields[Event.begins], str(fields[Event.id]))
    if geo := fields.get(Event.geo):
        fields[Event.place] = GeoJsonPoint(type="Point", coordinates=[geo["lon"], geo["lat"]])
        fields[Event.cells] = list_cells(geo["lat"], geo["lon"])
    fields[Event.tag_keys] = [fold_tag(tag) for tag in fields.get(Event.tags) or ()]
    fields[Event.search] = build_searchable_text(fields)
    return fields
