"""What is true of each field of an event, said once.

Whatever treats some fields differently from others asks this table: rendering, storing, patches, occurrences,
revisions, search, and the import and export of files. The types of the fields, their documentation and their
defaults are in `models/events/event_fields.py`. To add a field, see docs/adding-a-field.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from planner.domain.ics.field_properties import (
    ChoiceProperty,
    ColorProperty,
    FieldProperty,
    GeoProperty,
    ImageProperty,
    IntegerProperty,
    TagsProperty,
    TextProperty,
    UrlProperty,
)

MAX_TITLE_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 20_000
MAX_LOCATION_LENGTH = 300
MAX_URL_LENGTH = 2_000
MAX_TAGS = 20
MAX_TAG_LENGTH = 32
MAX_REMINDERS = 10
STATUSES: Final = ("confirmed", "tentative", "cancelled")
TRANSPARENCIES: Final = ("opaque", "transparent")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventField:
    """What is true of one field of an event.

    `written_by` says whose value it has: the author sends it; an `importer` takes it from a file; the server or a
    moderator decides it; or it is `computed` from other fields. A field `is_plain` if it is stored as its author
    sends it, and sent as it is stored. It is `sent_to` everyone who may see the event, only to `editors`, who
    may change the event, or to nobody. It `is_stored` under its name, or else it is read from `ics` when the event is
    sent. It `is_content` if it is restored with an earlier revision.

    `occurrences` says whether one occurrence of a recurring event may differ in it: if its author may change it
    there (`author`), only in an imported file (`importer`), or `never`. `is_of_series` means that only recurring
    events have it.

    `is_of_times` means that it says when the event takes place. A field `is_organizers` if a change of it by the
    organizer of an imported event replaces one's own change; of other fields, one's own stays.

    `search_weight` is how much a word in it counts in a search; 0 if it is not searched. `is_compared` means that
    an import changes an event if the field differs. `ics` is its iCalendar property, or None.
    """

    written_by: Literal["author", "importer", "moderator", "server", "computed"]
    is_plain: bool = False
    sent_to: Literal["everyone", "editors", "nobody"] = "everyone"
    is_stored: bool = True
    is_content: bool = True
    occurrences: Literal["author", "importer", "never"] = "never"
    is_of_series: bool = False
    is_of_times: bool = False
    is_organizers: bool = False
    search_weight: int = 0
    is_compared: bool = False
    ics: FieldProperty | None = None


def _plain(
    ics: FieldProperty | None = None,
    *,
    sent_to: Literal["everyone", "editors"] = "everyone",
    occurrences: Literal["author", "importer", "never"] = "author",
    search_weight: int = 0,
    is_compared: bool = True,
    is_organizers: bool = False,
) -> EventField:
    """Return a field that is stored as its author sends it, and sent as it is stored."""
    return EventField(
        written_by="author",
        is_plain=True,
        sent_to=sent_to,
        occurrences=occurrences,
        search_weight=search_weight,
        is_compared=is_compared,
        is_organizers=is_organizers,
        ics=ics,
    )


def _time() -> EventField:
    """Return a field that says when the event takes place; occurrences have their own times in their overrides."""
    return EventField(written_by="author", is_of_times=True, is_compared=True)


def _of_series(*, is_compared: bool = True) -> EventField:
    """Return a field that only recurring events have."""
    return EventField(
        written_by="computed", sent_to="nobody", is_of_series=True, is_of_times=True, is_compared=is_compared
    )


def _of_record(*, sent_to: Literal["everyone", "nobody"] = "everyone") -> EventField:
    """Return a field in which the server keeps a record of the event."""
    return EventField(written_by="server", sent_to=sent_to, is_content=False)


def _computed(*, is_content: bool = True, is_of_times: bool = False) -> EventField:
    """Return a field for the indexes, which is computed from other fields."""
    return EventField(written_by="computed", sent_to="nobody", is_content=is_content, is_of_times=is_of_times)


def _of_entry(*, written_by: Literal["author", "importer"] = "importer") -> EventField:
    """Return a field that is read from what an imported entry says besides, each time the event is sent."""
    return EventField(written_by=written_by, sent_to="editors", is_stored=False, is_content=False)


# The properties of a file are in the order of this table.
FIELDS: Final[Mapping[str, EventField]] = {
    "id": _of_record(),
    "uid": EventField(written_by="author", is_content=False),
    "title": _plain(TextProperty("SUMMARY", MAX_TITLE_LENGTH), search_weight=10),
    "description": _plain(TextProperty("DESCRIPTION", MAX_DESCRIPTION_LENGTH), search_weight=1),
    "location": _plain(TextProperty("LOCATION", MAX_LOCATION_LENGTH), search_weight=3, is_organizers=True),
    "geo": _plain(GeoProperty(), is_organizers=True),
    "url": _plain(UrlProperty("URL", MAX_URL_LENGTH)),
    "image": _plain(ImageProperty(MAX_URL_LENGTH)),
    "tags": _plain(TagsProperty(MAX_TAGS, MAX_TAG_LENGTH), search_weight=5),
    "color": _plain(ColorProperty()),
    "priority": _plain(IntegerProperty("PRIORITY", 0, 9)),
    "status": _plain(ChoiceProperty("STATUS", STATUSES), is_organizers=True),
    "transparency": _plain(ChoiceProperty("TRANSP", TRANSPARENCIES)),
    "visibility": _plain(occurrences="never", is_compared=False),
    # As VALARM components, see `planner/domain/ics/alarms.py`.
    "reminders": _plain(sent_to="editors"),
    # What an imported entry says besides. See `planner/domain/ics/reading/vevent.py`.
    "ics": EventField(written_by="importer", sent_to="nobody", occurrences="importer", is_compared=True),
    # Whether the user of the account has declined an imported invitation.
    "declined": EventField(written_by="importer", sent_to="nobody", is_organizers=True),
    # Read from `ics`. See `planner/domain/ics/imported_details.py`.
    "organizer": _of_entry(),
    "attendees": _of_entry(),
    "conference": _of_entry(),
    # The author may remove alarms.
    "alarms": _of_entry(written_by="author"),
    "start": _time(),
    "end": _time(),
    "all_day": _time(),
    "time_zone": _time(),
    "end_time_zone": replace(_plain(), is_of_times=True),
    "recurrence": EventField(written_by="author", is_of_series=True, is_of_times=True, is_compared=True),
    "overrides": _of_series(),
    "seconds": _of_series(),
    "nominal_days": _of_series(),
    "repeats": _of_series(is_compared=False),
    "begins": _computed(is_of_times=True),
    "ends": _computed(is_of_times=True),
    "span": _computed(is_of_times=True),
    "hours": _computed(is_content=False),
    "key": _computed(),
    "place": _computed(is_content=False),
    "cells": _computed(is_content=False),
    "tag_keys": _computed(is_content=False),
    "search": _computed(is_content=False),
    "creator": _of_record(),
    "revision": _of_record(),
    "created_at": _of_record(),
    "updated_at": _of_record(),
    "takedown": EventField(written_by="moderator", is_content=False),
    "editor": _of_record(sent_to="nobody"),
    "act": _of_record(sent_to="nobody"),
    "sequence": EventField(written_by="importer", sent_to="nobody", is_content=False),
    # What the organizer of an imported event wrote last, as far as it is not in the event.
    "source": EventField(written_by="importer", sent_to="nobody", is_content=False),
    # The two events that a series was split into. An undo of the split takes both back.
    "continued_by": EventField(written_by="server", sent_to="nobody"),
    "split_from": _of_record(sent_to="nobody"),
}


PLAIN_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.is_plain)
SENT_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.sent_to != "nobody")
# What only those get who may change the event.
EDITORS_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.sent_to == "editors")
AUTHOR_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.written_by == "author")
CONTENT_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.is_content)
SERIES_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.is_of_series)
TIME_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.is_of_times)
COMPARED_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.is_compared)
# The fields in which one occurrence may differ: those that its author may change, and those that a file may.
OCCURRENCE_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.occurrences == "author")
IMPORTED_OCCURRENCE_FIELDS: Final = tuple(name for name, field in FIELDS.items() if field.occurrences != "never")
SEARCH_WEIGHTS: Final = {name: field.search_weight for name, field in FIELDS.items() if field.search_weight}
PROPERTIES: Final = {name: field.ics for name, field in FIELDS.items() if field.ics is not None}
