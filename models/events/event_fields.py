"""The fields of events: their types, their documentation and their defaults.

`planner/domain/fields.py` says what else is true of each of them. To add a field, see docs/adding-a-field.md.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from models.shared.fields import NO_NUL, TimeZone
from planner.domain.colors import parse_color
from planner.domain.fields import (
    MAX_DESCRIPTION_LENGTH,
    MAX_LOCATION_LENGTH,
    MAX_REMINDERS,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    MAX_TITLE_LENGTH,
    MAX_URL_LENGTH,
)
from planner.domain.ics.alarms import MAX_REMINDER_MINUTES
from planner.domain.urls import is_web_address
from planner.domain.words import fold_case


def _require_visible(text: str) -> str:
    if not text.strip():
        raise ValueError("must contain more than blanks")
    return text


def _require_web_address(text: str) -> str:
    if not is_web_address(text):
        raise ValueError("must be an absolute http or https URL")
    return text


def _require_https_address(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError("must be an https URL")
    return _require_web_address(text)


def fold_tag(tag: str) -> str:
    """Return the form of a tag in which it is compared: without surrounding blanks, whatever its letter case."""
    return fold_case(tag.strip())


def _remove_equal_tags(tags: list[str]) -> list[str]:
    """Return the tags as they are written; of those that differ in letter case only, the first."""
    by_key: dict[str, str] = {}
    for tag in tags:
        by_key.setdefault(fold_tag(tag), tag.strip())
    unique = list(by_key.values())
    if len(unique) > MAX_TAGS:
        raise ValueError(f"must be at most {MAX_TAGS} tags")
    if any(not 1 <= len(tag) <= MAX_TAG_LENGTH for tag in unique):
        raise ValueError(f"each tag must have 1 to {MAX_TAG_LENGTH} characters")
    return unique


def _parse_color(text: str) -> str:
    color = parse_color(text)
    if color is None:
        raise ValueError("must be a CSS3 colour name, such as teal, or #rrggbb")
    return color


Title = Annotated[
    str, Field(min_length=1, max_length=MAX_TITLE_LENGTH, pattern=NO_NUL), AfterValidator(_require_visible)
]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION_LENGTH, pattern=NO_NUL)]
Tags = Annotated[
    list[Annotated[str, StringConstraints(pattern=NO_NUL, max_length=200)]], AfterValidator(_remove_equal_tags)
]
Location = Annotated[str, Field(max_length=MAX_LOCATION_LENGTH, pattern=NO_NUL)]
_Address = Annotated[str, Field(max_length=MAX_URL_LENGTH, pattern=NO_NUL, json_schema_extra={"format": "uri"})]
WebAddress = Annotated[_Address, AfterValidator(_require_web_address)]
HttpsAddress = Annotated[_Address, AfterValidator(_require_https_address)]
Color = Annotated[str, Field(max_length=32, pattern=NO_NUL), AfterValidator(_parse_color)]
Priority = Annotated[int, Field(ge=0, le=9)]
Status = Literal["confirmed", "tentative", "cancelled"]
Transparency = Literal["opaque", "transparent"]
Visibility = Literal["private", "unlisted", "public"]
Reminders = Annotated[
    list[Annotated[int, Field(ge=-MAX_REMINDER_MINUTES, le=MAX_REMINDER_MINUTES)]],
    # The limit counts the numbers that are sent, before duplicates are removed.
    Field(max_length=MAX_REMINDERS),
    AfterValidator(lambda minutes: sorted(set(minutes))),
]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


@with_config(ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True))
class Geo(TypedDict):
    """A place, in degrees (WGS 84)."""

    lat: Latitude
    lon: Longitude


class EventContent(BaseModel):
    """The plain fields of an event: they are stored as the author sends them, and sent as they are stored.

    The document of an event, the bodies of requests and those of responses all have them. A field without a
    default is required; null clears a field, which then has its default.
    """

    title: Annotated[Title, Field(description="The title.", examples=["Book launch"])]
    description: Annotated[
        Description | None, Field(description="A longer text, plain.", examples=["Readings and questions."])
    ] = None
    image: Annotated[
        HttpsAddress | None,
        Field(description="The https URL of an image.", examples=["https://example.com/launch.png"]),
    ] = None
    tags: Annotated[
        Tags,
        Field(
            description="At most 20 tags of at most 32 characters. They keep their letter case, and are compared and "
            "found without it: of `Books` and `books`, the first is stored.",
            examples=[["books", "launch"]],
        ),
    ] = Field(default_factory=list)
    location: Annotated[
        Location | None, Field(description="Where it takes place, as text.", examples=["Town library"])
    ] = None
    geo: Annotated[
        Geo | None, Field(description="Where it takes place, on the map.", examples=[{"lat": 52.52, "lon": 13.405}])
    ] = None
    url: Annotated[
        WebAddress | None,
        Field(description="The URL of a page about the event.", examples=["https://example.com/launch"]),
    ] = None
    color: Annotated[
        Color | None,
        Field(description="Its colour in calendars: a CSS3 name or `#rrggbb`, in lower case.", examples=["teal"]),
    ] = None
    priority: Annotated[
        Priority,
        Field(
            description="1 is the highest and 9 the lowest priority; 0 is undefined (RFC 5545 §3.8.1.9).", examples=[5]
        ),
    ] = 0
    status: Annotated[Status, Field(description="Whether it takes place.", examples=["confirmed", "tentative"])] = (
        "confirmed"
    )
    transparency: Annotated[
        Transparency,
        Field(
            description="`opaque`: it takes its time, so that one is busy; `transparent`: one is free all the same "
            "(RFC 5545 §3.8.2.7).",
            examples=["opaque", "transparent"],
        ),
    ] = "opaque"
    visibility: Annotated[
        Visibility,
        Field(
            description="`private`: only you may see it; `unlisted`: everybody who is signed in and has its id; "
            "`public`: it is listed to everybody who is signed in.",
            examples=["public"],
        ),
    ] = "private"
    reminders: Annotated[
        Reminders,
        Field(
            description="Minutes before the start at which to remind, up to four weeks; negative ones are after the "
            "start, such as -540 for nine o'clock on the day of an all-day event. Only who may change the event gets "
            "them; for others the list is empty.",
            examples=[[10], [-540, 10]],
        ),
    ] = Field(default_factory=list)
    end_time_zone: Annotated[
        TimeZone | None,
        Field(
            description="The IANA time zone of the end if it is another one than that of the start, as of a flight. "
            "A local `end` is in this zone. It means nothing to an end without a time of day.",
            examples=[None, "America/New_York"],
        ),
    ] = None


def example_content() -> dict[str, Any]:
    """Return the fields that have an example, with the first one."""
    return {name: field.examples[0] for name, field in EventContent.model_fields.items() if field.examples}


def default_content() -> dict[str, Any]:
    """Return the fields that have a default, with it."""
    fields = EventContent.model_fields.items()
    return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}
