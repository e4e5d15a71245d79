"""Free/busy as it is asked for and answered."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.events.event_schema import Bound
from models.shared.fields import NO_NUL
from models.shared.schema import Reply

LONGEST_DAYS = 366


class BusyQuery(BaseModel):
    """Whose time is asked for, and which."""

    model_config = ConfigDict(hide_input_in_errors=True)

    since: Annotated[Bound | None, Field(alias="from", description="A date or an RFC 3339 time; now, unless told.")] = (
        None
    )
    until: Annotated[
        Bound | None,
        Field(
            alias="to",
            description=f"The same; exclusive; 31 days after `from`, unless told, and {LONGEST_DAYS} at most.",
        ),
    ] = None
    user: Annotated[
        str | None,
        Field(max_length=200, pattern=NO_NUL, description="The id of somebody who lets you see it; you, unless told."),
    ] = None


class BusyInterval(Reply):
    """Time that is taken."""

    start: datetime
    end: Annotated[datetime, Field(description="Exclusive.")]


class BusyRead(Reply):
    """When somebody is busy in a window."""

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

    user: str
    since: Annotated[datetime, Field(alias="from")]
    until: Annotated[datetime, Field(alias="to")]
    busy: Annotated[
        list[BusyInterval],
        Field(description="In order, in UTC, within the window; none overlaps or touches another."),
    ]
