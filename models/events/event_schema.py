"""Events as they are sent and answered."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from models.shared.fields import NO_NUL, HttpsAddress, Tags, Title, WebAddress
from models.shared.schema import PageQuery, Reply, Request

Status = Literal["confirmed", "tentative", "cancelled"]
Visibility = Literal["private", "unlisted", "public"]
Scope = Literal["mine", "public", "all"]
# For readers of the document; what decides is `planner/domain/times.py`.
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
        description="The iCalendar identity (RFC 5545 §3.8.4.7); made when it is not given, and fixed from then on.",
    ),
]
Moment = Annotated[
    str,
    Field(
        max_length=40,
        description="A date (the event lasts all day), a local time in `time_zone`, or a time with an offset.",
        examples=["2026-12-01T18:00:00"],
        json_schema_extra=_MOMENT,
    ),
]
Description = Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*$")]
Location = Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$")]
ZoneName = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$", examples=["Europe/Berlin"])]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]

Reminders = Annotated[
    list[Annotated[int, Field(ge=0, le=40_320)]],
    # Counted as they are sent, before equal ones become one.
    Field(
        max_length=10, description="Minutes before the start at which to remind; at most four weeks.", examples=[[10]]
    ),
    AfterValidator(lambda minutes: sorted(set(minutes))),
]

EXAMPLE: dict[str, Any] = {
    "title": "Book launch",
    "description": "Readings and questions.",
    "tags": ["books", "launch"],
    "location": "Town library",
    "start": "2026-12-01T18:00:00",
    "end": "2026-12-01T20:00:00",
    "time_zone": "Europe/Berlin",
    "visibility": "public",
}


class Geo(Request):
    """A place on the earth, in degrees (WGS 84)."""

    lat: Latitude
    lon: Longitude


class Recurrence(Request):
    """When an event comes again (RFC 5545 §3.8.5): a rule, extra dates, and dates left out."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rrule": "FREQ=WEEKLY;BYDAY=TU", "rdates": [], "exdates": []}]}
    )

    rrule: Annotated[str | None, Field(max_length=1000, pattern=NO_NUL, description="An RRULE (§3.8.5.3).")] = None
    rdates: Annotated[list[Moment], Field(max_length=5000, description="Of the kind of `start`.")] = Field(
        default_factory=list
    )
    exdates: Annotated[list[Moment], Field(max_length=5000, description="Of the kind of `start`.")] = Field(
        default_factory=list
    )


class Takedown(Reply):
    """Why a moderator made a public event private."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]
    at: datetime


class TakedownCreate(Request):
    """Why a public event is to be taken down; its creator will read it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "It advertises something else."}]})

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]


class EventCreate(Request):
    """An event as its author writes it: the body of POST and PUT."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    uid: Uid | None = None
    title: Title
    description: Description | None = None
    image: HttpsAddress | None = None
    tags: Tags = Field(default_factory=list)
    location: Location | None = None
    geo: Geo | None = None
    url: WebAddress | None = None
    start: Moment | None = None
    end: Annotated[Moment | None, Field(description="Exclusive; of the kind of `start`, and after it.")] = None
    all_day: Annotated[bool | None, Field(description="Follows from `start`; may be sent when it agrees.")] = None
    time_zone: Annotated[ZoneName | None, Field(description="An IANA name; none means UTC.")] = None
    recurrence: Recurrence | None = None
    status: Status = "confirmed"
    visibility: Visibility = "private"
    reminders: Reminders = Field(default_factory=list)


class GeoPatch(Request):
    """The part of a place that changes."""

    lat: Latitude | None = None
    lon: Longitude | None = None


class EventPatch(Request):
    """A change to an event as a JSON merge patch (RFC 7396): null clears, absent keeps."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Book launch, moved", "location": None}]})

    uid: Uid | None = None
    title: Title | None = None
    description: Description | None = None
    image: HttpsAddress | None = None
    tags: Tags | None = None
    location: Location | None = None
    geo: GeoPatch | None = None
    url: WebAddress | None = None
    start: Moment | None = None
    end: Moment | None = None
    all_day: bool | None = None
    time_zone: ZoneName | None = None
    recurrence: Recurrence | None = None
    status: Status | None = None
    visibility: Visibility | None = None
    reminders: Reminders | None = None


class EventQuery(PageQuery):
    """Which events a list shows."""

    scope: Annotated[Scope, Field(description="Your own, everyone's public ones, or both.")] = "mine"
    since: Annotated[Bound | None, Field(alias="from", description="A date or an RFC 3339 time.")] = None
    until: Annotated[Bound | None, Field(alias="to", description="The same; exclusive.")] = None
    tag: Annotated[
        str | None, Field(max_length=200, pattern=NO_NUL, description="Only with this tag, in whatever letter case.")
    ] = None
    q: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=200,
            pattern=NO_NUL,
            description="Only those in whose title, tags, location or description any of these words is found, the "
            "best ones first. Letter case and accents do not matter; "
            '`"some words"` must stand there so, `-word` must not.',
            examples=['book "town library" -film'],
        ),
    ] = None
    near: Annotated[
        str | None,
        Field(
            max_length=80,
            description="Only those within a distance: `lat,lon,km`, in degrees and up to 20037 km.",
            examples=["52.52,13.405,5"],
        ),
    ] = None


class OccurrenceQuery(PageQuery):
    """Which occurrences a list shows: those in a window."""

    scope: Annotated[Scope, Field(description="Your own, everyone's public ones, or both.")] = "all"
    since: Annotated[Bound | None, Field(alias="from", description="A date or an RFC 3339 time; now, unless told.")] = (
        None
    )
    until: Annotated[
        Bound | None, Field(alias="to", description="The same; exclusive; 31 days after `from`, unless told.")
    ] = None
    tag: Annotated[str | None, Field(max_length=200, pattern=NO_NUL, description="Only those with this tag.")] = None


class ChangesQuery(BaseModel):
    """Since when, and of what, changes are wanted."""

    model_config = ConfigDict(hide_input_in_errors=True)

    since: Annotated[
        str | None, Field(max_length=200, description="The `next` of the answer before; without it, everything.")
    ] = None
    scope: Annotated[Scope, Field(description="Your own, everyone's public ones, or both.")] = "mine"
    tag: Annotated[str | None, Field(max_length=200, pattern=NO_NUL, description="Only those with this tag.")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="How many to answer at most.")] = 50


class OccurrencePatch(Request):
    """A change to one occurrence, or to it and all that follow; absent keeps."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"start": "2026-12-08T19:00:00", "end": "2026-12-08T21:00:00"}]}
    )

    title: Title | None = None
    description: Description | None = None
    image: HttpsAddress | None = None
    tags: Tags | None = None
    location: Location | None = None
    geo: Geo | None = None
    url: WebAddress | None = None
    start: Moment | None = None
    end: Moment | None = None
    time_zone: Annotated[ZoneName | None, Field(description="Only for following ones.")] = None
    recurrence: Annotated[Recurrence | None, Field(description="Only for following ones.")] = None
    status: Status | None = None


ANSWER: dict[str, Any] = EXAMPLE | {
    "id": "692000000000000000000001",
    "uid": "692000000000000000000001@planner",
    "image": None,
    "geo": None,
    "url": None,
    "start": "2026-12-01T18:00:00+01:00",
    "end": "2026-12-01T20:00:00+01:00",
    "all_day": False,
    "recurrence": None,
    "status": "confirmed",
    "reminders": [],
    "creator": "692000000000000000000000",
    "revision": 1,
    "created_at": "2026-11-21T09:00:00Z",
    "updated_at": "2026-11-21T09:00:00Z",
}


class EventRead(Reply):
    """An event as the API answers it."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER]})

    id: str
    uid: str
    title: str
    description: str | None
    image: str | None
    tags: list[str]
    location: str | None
    geo: Geo | None
    url: str | None
    start: Annotated[str | None, Field(description="A date, or an RFC 3339 time at the zone's offset.")]
    end: Annotated[str | None, Field(description="Exclusive.")]
    all_day: bool
    time_zone: str | None
    recurrence: Recurrence | None
    status: Status
    visibility: Visibility
    reminders: list[int]
    creator: Annotated[str, Field(description="The id of the account that created it.")]
    revision: Annotated[int, Field(description="Grows with every change; the ETag comes from it.")]
    created_at: datetime
    updated_at: datetime
    takedown: Annotated[
        Takedown | SkipJsonSchema[None],
        Field(default=None, description="Only on an event that a moderator has taken down."),
    ] = None


class OccurrenceRead(EventRead):
    """An occurrence: its event's fields with its own `start` and `end`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                ANSWER
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
        str | None, Field(description="Its original start, as it goes into paths; null for what does not repeat.")
    ]


class OccurrencePage(Reply):
    """A page of occurrences, ordered by start, then event, then recurrence id."""

    items: list[OccurrenceRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]


class EventChanges(Reply):
    """What changed, in the order of the changes."""

    items: Annotated[list[EventRead], Field(description="New and changed events, as they are now.")]
    deleted: Annotated[
        list[str],
        Field(description="Ids of events that are not there any more, or not in this scope or with this tag."),
    ]
    next: Annotated[str, Field(description="The `since` of the next request.")]


class EventPage(Reply):
    """A page of events, ordered by start, then id; undated ones last. With `q`, the best ones first."""

    items: list[EventRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]
