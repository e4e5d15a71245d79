"""The searchable copy of public events, with an index of its own.

The index of the words of all events begins with the creator, so that the cost of a search among one's own
events does not depend on how many others there are. See docs/decisions/0022-folded-words.md.
"""

from datetime import datetime
from typing import ClassVar

from beanie import PydanticObjectId
from pydantic import Field

from database.documents import StoredDocument
from database.queries import Changes, clear, index, within
from database.writes import Delete, Insert, Update, Write
from models.events.event import IN_CELLS, Event, GeoJsonPoint
from planner.domain.search.cells import list_cells, list_tag_cells
from planner.domain.search.searchable_text import SearchableText, build_searchable_text

_WORDS = within("search", "words")
_LONG = {"span": {"$gt": 0}}
_REPEATING = {"span": {"$lt": 0}}


class PublicEventIndex(StoredDocument):
    """What can be searched of a public event, under the event's id.

    Its fields are those of the event; `cells` has those of its tags too.
    """

    creator: PydanticObjectId
    tag_keys: list[str] = Field(default_factory=list)
    search: SearchableText | None = None
    place: GeoJsonPoint | None = None
    cells: list[int] | None = None
    ends: datetime | None = None
    span: int
    key: str

    class Settings:
        """Where the copies are stored."""

        name = "public_event_index"
        indexes: ClassVar = [
            index(_WORDS, "key", name="words_key"),
            index(_WORDS, "span", "key", name="words_span_key", partialFilterExpression=_LONG),
            index(_WORDS, "span", "key", "ends", name="words_series", partialFilterExpression=_REPEATING),
            index("cells", "key", "ends", name="cells_key", partialFilterExpression=IN_CELLS),
            index("cells", "span", "key", name="cells_span_key", partialFilterExpression=IN_CELLS | _LONG),
            index("cells", "span", "key", "ends", name="cells_series", partialFilterExpression=IN_CELLS | _REPEATING),
        ]

    @classmethod
    def insert_writes(cls, event: Event) -> list[Write]:
        """Return the writes that belong to the insertion of an event."""
        copy = copy_public_event(event)
        return [] if copy is None else [Insert(copy)]

    @classmethod
    def update_writes(cls, before: Event, after: Event) -> list[Write]:
        """Return the writes that belong to the update of an event."""
        old, new = copy_public_event(before), copy_public_event(after)
        if new is None:
            return cls.delete_writes(before)
        if new == old:
            return []
        values = new.to_stored()
        changes: Changes = {"$set": {name: value for name, value in values.items() if name != cls.id}}
        if missing := [name for name in COPIED_FIELDS if name not in values]:
            changes["$unset"] = clear(*missing)
        return [Update(cls, {cls.id: after.id}, changes, upsert=True)]

    @classmethod
    def delete_writes(cls, event: Event) -> list[Write]:
        """Return the writes that belong to the deletion of an event."""
        return [] if copy_public_event(event) is None else [Delete(cls, {cls.id: event.id}, required=False)]


COPIED_FIELDS = sorted(PublicEventIndex.model_fields.keys() - StoredDocument.model_fields.keys())


def copy_public_event(event: Event) -> PublicEventIndex | None:
    """Return the searchable copy of an event; None if it is not public. Fields without a value are not stored."""
    if event.visibility != "public":
        return None
    copied: Changes = {name: value for name in COPIED_FIELDS if (value := getattr(event, name)) is not None}
    if event.search is None:
        copied[PublicEventIndex.search] = build_searchable_text(event.to_stored())
    if event.geo is not None:
        cells = list_cells(event.geo["lat"], event.geo["lon"])
        copied[PublicEventIndex.cells] = cells + list_tag_cells(cells, event.tag_keys)
    return PublicEventIndex.from_stored({PublicEventIndex.id: event.id} | copied)
