"""The request and response bodies of events and occurrences, and the queries of their lists."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from models.events.event_fields import EventContent, Latitude, Longitude, default_content, example_content
from models.shared.derived_schema import with_optional_fields, with_required_fields
from models.shared.fields import NO_NUL
from models.shared.schema import PageQuery, Query, Reply, Request
from planner.domain.fields import OCCURRENCE_FIELDS
from planner.domain.search.query import MAX_TERMS
from planner.domain.search.searchable_text import MAX_INDEXED_WORDS

Scope = Literal["mine", "public", "all"]
ScopeFilter = Annotated[
    Scope, Field(description="`mine`: your own events; `public`: public events of everybody; `all`: both.")
]
TagFilter = Annotated[
    str | None, Field(max_length=200, pattern=NO_NUL, description="Only events with this tag; letter case is ignored.")
]
# The pattern is documentation; `planner/domain/times.py` parses and checks the value.
_MOMENT = {
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?$"
}
Bound = Annotated[str, Field(max_length=40, examples=["2026-12-01T00:00:00Z"], json_schema_extra=_MOMENT)]
Uid = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The iCalendar UID (RFC 5545 §3.8.4.7). Generated if absent; it cannot be changed later.",
    ),
]
Moment = Annotated[
    str,
    Field(
        max_length=40,
        description="A date (an all-day event), a local time in `time_zone`, or an RFC 3339 time with an offset.",
        examples=["2026-12-01T18:00:00"],
        json_schema_extra=_MOMENT,
    ),
]
ZoneName = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$", examples=["Europe/Berlin"])]
EXAMPLE: dict[str, Any] = example_content() | {
    "start": "2026-12-01T18:00:00",
    "end": "2026-12-01T20:00:00",
    "time_zone": "Europe/Berlin",
}


class Recurrence(Request):
    """The recurrence of an event (RFC 5545 §3.8.5): a rule, additional dates and excluded dates."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rrule": "FREQ=WEEKLY;BYDAY=TU", "rdates": [], "exdates": []}]}
    )

    rrule: Annotated[
        str | None,
        Field(
            max_length=1000,
            pattern=NO_NUL,
            description="The recurrence rule (§3.8.5.3), with `RSCALE=GREGORIAN` and `SKIP` as in RFC 7529. The month"
            " or weekday that a yearly rule lacks is that of the start (RFC 8984 §4.3.3.1).",
        ),
    ] = None
    rdates: Annotated[
        list[Moment], Field(max_length=5000, description="Additional occurrences, in the same form as `start`.")
    ] = Field(default_factory=list)
    exdates: Annotated[
        list[Moment], Field(max_length=5000, description="Excluded occurrences, in the same form as `start`.")
    ] = Field(default_factory=list)


class Takedown(Reply):
    """The takedown of an event by a moderator."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL, description="Why it was taken down.")]
    at: Annotated[datetime, Field(description="When it was taken down.")]


class Alarm(Request):
    """An alarm of an imported event that no reminder can express: at a fixed time, or relative to the end."""

    action: Annotated[str, Field(description="What it does: `display`, `audio`, `email`; RFC 5545 §3.8.6.1.")]
    trigger: Annotated[str, Field(description="A duration, negative if it is before; or a time in RFC 3339.")]
    related: Annotated[
        Literal["start", "end"] | None, Field(description="What the duration is relative to; null for a fixed time.")
    ] = None
    description: Annotated[str | None, Field(description="What it displays.")] = None


KeptAlarms = Annotated[
    list[Alarm] | None,
    Field(
        max_length=1000,
        description="Alarms of an imported event can only be removed: send those that stay, as they were read.",
    ),
]


class Organizer(Reply):
    """Who organizes an imported event."""

    name: str | None
    email: str | None


class ImportedAttendee(Organizer):
    """Somebody whom the organizer of an imported event has invited, as the file said it."""

    status: Annotated[
        Literal["needs-action", "accepted", "declined", "tentative", "delegated"],
        Field(description="What they have answered; PARTSTAT in RFC 5545 §3.2.12."),
    ]
    role: Annotated[
        Literal["req-participant", "opt-participant", "non-participant", "chair"],
        Field(description="Whether they are needed; ROLE in RFC 5545 §3.2.16."),
    ]


class TakedownCreate(Request):
    """The takedown of a public event."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "It advertises something else."}]})

    reason: Annotated[
        str,
        Field(min_length=1, max_length=1000, pattern=NO_NUL, description="Why; the creator of the event can read it."),
    ]


class EventCreate(EventContent, Request):
    """The fields of an event that a client can write."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    uid: Uid | None = None
    start: Moment | None = None
    end: Annotated[
        Moment | None,
        Field(
            description="Exclusive; in the same form as `start`, and after it. A local time is in `end_time_zone`, if "
            "that is set."
        ),
    ] = None
    all_day: Annotated[
        bool | None, Field(description="Whether `start` is a date; it may be sent if it agrees with `start`.")
    ] = None
    time_zone: Annotated[ZoneName | None, Field(description="An IANA time zone. Default: UTC.")] = None
    recurrence: Recurrence | None = None
    alarms: KeptAlarms = None


class GeoPatch(Request):
    """A change to a place."""

    lat: Latitude | None = None
    lon: Longitude | None = None


@with_optional_fields(EventCreate)
class EventPatch(Request):
    """A change to an event as a JSON merge patch (RFC 7396): null clears a field, an absent field stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Book launch, moved", "location": None}]})

    geo: GeoPatch | None = None


class EventQuery(PageQuery):
    """Filters of the list of events."""

    scope: ScopeFilter = "mine"
    since: Annotated[
        Bound | None,
        Field(
            alias="from",
            description="Start of the window: a date or an RFC 3339 time. Events that overlap with the window are "
            "listed. Default: no limit.",
        ),
    ] = None
    until: Annotated[
        Bound | None,
        Field(alias="to", description="End of the window, exclusive, in the same form. Default: no limit."),
    ] = None
    tag: TagFilter = None
    q: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=200,
            pattern=NO_NUL,
            description="Only events that have one of these words, or one that begins with it, in title, tags, "
            "location or description, their own or those of a single occurrence; the most relevant first. Letter case "
            "and accents are ignored. In Chinese, Japanese, Korean, Thai and other scripts that need no blanks between "
            "words, a word is found anywhere. "
            '`"some words"` must occur in this order, as whole words; `-word` must not occur. Of more than '
            f"{MAX_TERMS} words the first are searched, and of each event its first {MAX_INDEXED_WORDS:,} different "
            "words, those of the description last.",
            examples=['book "town library" -film'],
        ),
    ] = None
    near: Annotated[
        str | None,
        Field(
            max_length=80,
            description="Only events within a distance: `lat,lon,km`, in degrees and up to 20037 km.",
            examples=["52.52,13.405,5"],
        ),
    ] = None


class OccurrenceQuery(PageQuery):
    """Filters of the list of occurrences."""

    scope: ScopeFilter = "mine"
    since: Annotated[
        Bound | None,
        Field(alias="from", description="Start of the window: a date or an RFC 3339 time. Default: now."),
    ] = None
    until: Annotated[
        Bound | None,
        Field(alias="to", description="End of the window, exclusive, in the same form. Default: 31 days after `from`."),
    ] = None
    tag: TagFilter = None


class ChangesQuery(Query):
    """Since when, and of which events, to list changes."""

    since: Annotated[
        str | None,
        Field(max_length=200, description="The `next` of the previous response. Default: all events are listed."),
    ] = None
    scope: ScopeFilter = "mine"
    tag: TagFilter = None
    limit: Annotated[int, Field(ge=1, le=200, description="The largest number of items on the page.")] = 50


@with_optional_fields(EventContent, OCCURRENCE_FIELDS)
class OccurrencePatch(Request):
    """A change to an occurrence, or to it and all later ones; an absent field stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"start": "2026-12-08T19:00:00", "end": "2026-12-08T21:00:00"}]}
    )

    start: Moment | None = None
    end: Moment | None = None
    time_zone: Annotated[
        ZoneName | None,
        Field(
            description="With `scope=following`, the new time zone. Otherwise only for an occurrence of an all-day "
            "event that is to be at a time of day: the zone of that time."
        ),
    ] = None
    recurrence: Annotated[Recurrence | None, Field(description="Only with `scope=following`.")] = None
    alarms: KeptAlarms = None


_ONLY_IMPORTED = "Present only on an imported event, for who may change it."
RESPONSE_EXAMPLE: dict[str, Any] = {
    "id": "692000000000000000000001",
    "uid": "692000000000000000000001@planner",
    **default_content(),
    **example_content(),
    "start": "2026-12-01T18:00:00+01:00",
    "end": "2026-12-01T20:00:00+01:00",
    "all_day": False,
    "time_zone": "Europe/Berlin",
    "recurrence": None,
    "creator": "692000000000000000000000",
    "revision": 1,
    "created_at": "2026-11-21T09:00:00Z",
    "updated_at": "2026-11-21T09:00:00Z",
}


@with_required_fields(EventContent)
class EventRead(Reply):
    """An event."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESPONSE_EXAMPLE]})

    id: str
    uid: Annotated[str, Field(description="The iCalendar UID (RFC 5545 §3.8.4.7).")]
    start: Annotated[str | None, Field(description="A date, or an RFC 3339 time with the offset of the time zone.")]
    end: Annotated[str | None, Field(description="Exclusive; in the same form as `start`.")]
    all_day: Annotated[bool, Field(description="Whether `start` is a date.")]
    time_zone: Annotated[str | None, Field(description="An IANA time zone; null: UTC.")]
    recurrence: Recurrence | None
    creator: Annotated[str, Field(description="The id of the account that created it.")]
    revision: Annotated[int, Field(description="Increases with every change; the `ETag` is made from it.")]
    created_at: datetime
    updated_at: datetime
    takedown: Annotated[
        Takedown | SkipJsonSchema[None],
        Field(default=None, description="Present only on an event that a moderator has taken down."),
    ] = None
    organizer: Annotated[
        Organizer | None, Field(default=None, description=f"Who organizes it. {_ONLY_IMPORTED} It cannot be changed.")
    ] = None
    attendees: Annotated[
        list[ImportedAttendee] | SkipJsonSchema[None],
        Field(default=None, description=f"Who is invited. {_ONLY_IMPORTED} They cannot be changed."),
    ] = None
    conference: Annotated[
        str | None,
        Field(default=None, description=f"The address of a conference. {_ONLY_IMPORTED} It cannot be changed."),
    ] = None
    alarms: Annotated[
        list[Alarm] | SkipJsonSchema[None],
        Field(default=None, description=f"Alarms that are no `reminders`. {_ONLY_IMPORTED} They can be removed."),
    ] = None


class OccurrenceRead(EventRead):
    """An occurrence: the fields of its event, with its own `start` and `end`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                RESPONSE_EXAMPLE
                | {
                    "start": "2026-12-08T18:00:00+01:00",
                    "end": "2026-12-08T20:00:00+01:00",
                    "recurrence": {"rrule": "FREQ=WEEKLY", "rdates": [], "exdates": []},
                    "recurrence_id": "2026-12-08T18:00:00",
                }
            ]
        }
    )

    recurrence_id: Annotated[
        str | None, Field(description="The original start, as it is used in paths; null for a single event.")
    ]


class OccurrencePage(Reply):
    """A page of occurrences, sorted by start, then by event, then by recurrence id."""

    items: list[OccurrenceRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]


class EventChanges(Reply):
    """A page of changes, in their order."""

    items: Annotated[list[EventRead], Field(description="The events that were created or changed, as they are now.")]
    deleted: Annotated[
        list[str],
        Field(description="The ids of events that were deleted, or that no longer have this scope or tag."),
    ]
    next: Annotated[str, Field(description="Send it as `since` in the next request.")]


class EventPage(Reply):
    """A page of events, sorted by start, then by id; events without a date last. With `q`: sorted by relevance."""

    items: list[EventRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
    truncated: Annotated[
        Literal[True] | SkipJsonSchema[None],
        Field(
            description="True, or else absent: with `q`, so many public events have one of the words that only some of"
            " them were ranked, 500 from today on and 500 before, or 500 of the window. A smaller window or"
            " another word finds the others."
        ),
    ] = None
