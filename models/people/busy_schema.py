"""The query and the response of free/busy."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from models.events.event_schema import Bound
from models.shared.fields import NO_NUL
from models.shared.json_rendering import to_json
from models.shared.schema import Query, Reply
from planner.domain.busy import Slot

MAX_WINDOW_DAYS = 366


class BusyQuery(Query):
    """Whose busy times to return, and in which window."""

    since: Annotated[
        Bound | None, Field(alias="from", description="Start of the window: a date or an RFC 3339 time. Default: now.")
    ] = None
    until: Annotated[
        Bound | None,
        Field(
            alias="to",
            description="End of the window, exclusive, in the same form. Default: 31 days after `from`. "
            f"The window may have at most {MAX_WINDOW_DAYS} days.",
        ),
    ] = None
    user: Annotated[
        str | None,
        Field(max_length=200, pattern=NO_NUL, description="The id of a person who shares with you. Default: yourself."),
    ] = None


class BusyInterval(Reply):
    """A busy interval."""

    start: Annotated[datetime, Field(description="Inclusive, in UTC.")]
    end: Annotated[datetime, Field(description="Exclusive, in UTC.")]


class BusyRead(Reply):
    """The busy intervals of a person in a window."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user": "692000000000000000000000",
                    "from": "2026-12-01T00:00:00Z",
                    "to": "2026-12-02T00:00:00Z",
                    "busy": [{"start": "2026-12-01T17:00:00Z", "end": "2026-12-01T19:00:00Z"}],
                }
            ]
        }
    )

    user: Annotated[str, Field(description="The id of the person's account.")]
    since: Annotated[datetime, Field(alias="from", description="Start of the window, in UTC.")]
    until: Annotated[datetime, Field(alias="to", description="End of the window, exclusive, in UTC.")]
    busy: Annotated[
        list[BusyInterval],
        Field(description="Sorted, within the window; intervals that overlap or touch are merged."),
    ]


def render_free_busy(user: str, since: datetime, until: datetime, busy: Iterable[Slot]) -> bytes:
    """Return the JSON of a `BusyRead`."""
    # Not by way of `BusyRead`, because tens of thousands of intervals would block all other requests for too long.
    intervals = [{"start": slot.start, "end": slot.end} for slot in busy]
    return to_json({"user": user, "from": since, "to": until, "busy": intervals})
