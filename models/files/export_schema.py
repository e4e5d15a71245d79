"""The query parameters of an export."""

from typing import Annotated

from pydantic import Field

from models.events.event_schema import Bound, ScopeFilter, TagFilter
from models.shared.schema import Query


class ExportQuery(Query):
    """Which events to export."""

    scope: ScopeFilter = "mine"
    since: Annotated[
        Bound | None,
        Field(alias="from", description="Start of the window: a date or an RFC 3339 time. Default: no limit."),
    ] = None
    until: Annotated[
        Bound | None,
        Field(alias="to", description="End of the window, exclusive, in the same form. Default: no limit."),
    ] = None
    tag: TagFilter = None
