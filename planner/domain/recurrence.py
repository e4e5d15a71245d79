"""Repeating events: what other parts of the planner use of the recurrence modules.

| module        | knows |
|---|---|
| `zones`       | local time and instants |
| `rrule`       | how a rule is written and which ones there are |
| `yeardays`    | which days of a year a rule's BY parts choose |
| `pattern`     | the instances of one rule, in any stretch of time |
| `series`      | an event's start, rule, extra dates, exclusions and overrides; what of that makes sense |
| `occurrences` | which of them are in a window |
| `shift`       | what becomes of a rule when its start moves |
| `edits`       | changes to one occurrence, to one and those that follow, to all |

Each imports only those above it.
"""

from planner.domain.edits import (
    UNSET,
    Changes,
    Unset,
    delete_following,
    delete_this,
    edit_all,
    edit_this,
    split_following,
)
from planner.domain.occurrences import (
    Cursor,
    Occurrence,
    Page,
    first_start,
    is_empty,
    last_end,
    occurrence,
    occurrences,
    position,
)
from planner.domain.rrule import RecurrenceError
from planner.domain.series import Override, Series, validate
from planner.domain.zones import UnknownZone, instant, lasting, to_local, to_utc

__all__ = [
    "UNSET",
    "Changes",
    "Cursor",
    "Occurrence",
    "Override",
    "Page",
    "RecurrenceError",
    "Series",
    "UnknownZone",
    "Unset",
    "delete_following",
    "delete_this",
    "edit_all",
    "edit_this",
    "first_start",
    "instant",
    "is_empty",
    "last_end",
    "lasting",
    "occurrence",
    "occurrences",
    "position",
    "split_following",
    "to_local",
    "to_utc",
    "validate",
]
