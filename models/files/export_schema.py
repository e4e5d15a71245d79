"""The query parameters of an export."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.events.event_schema import Bound, Scope
from models.shared.fields import NO_NUL


class ExportQuery(BaseModel):
    """Which events to export."""

    model_config = ConfigDict(hide_input_in_errors=True)

    scope: Annotated[
        Scope, Field(description="`mine`: your own events; `public`: public events of everybody; `all`: both.")
    ] = "mine"
    since: Annotated[
        Bound | None,
        Field(alias="from", description="Start of the window: a date or an RFC 3339 time. Default: no limit."),
    ] = None
    until: Annotated[
        Bound | None,
        Field(alias="to", description="End of the window, exclusive, in the same form. Default: no limit."),
    ] = None
    tag: Annotated[
        str | None,
        Field(max_length=200, pattern=NO_NUL, description="Only events with this tag; letter case is ignored."),
    ] = None
