"""The content of an event as its author has sent it, as it is stored."""

from collections.abc import Sequence

from database.queries import Changes
from models.events.event_schema import Alarm, EventCreate
from planner.domain.fields import PLAIN_FIELDS
from planner.domain.ics.alarms import remove_alarms
from planner.domain.recurrence.documents import build_series, series_to_stored
from planner.domain.recurrence.series import Series
from planner.domain.stored_event import NO_LINES, ImportedLines
from planner.domain.times import EventTimes
from planner.errors import Invalid


def build_content(draft: EventCreate, times: EventTimes, series: Series | None) -> Changes:
    """Return the fields that are stored of a draft; a series replaces its times."""
    content: Changes = {name: getattr(draft, name) for name in PLAIN_FIELDS}
    content |= times._asdict()
    return content if series is None else content | series_to_stored(series)


def repeats(draft: EventCreate) -> bool:
    """Return whether a draft has a rule or additional dates."""
    return draft.recurrence is not None and bool(draft.recurrence.rrule or draft.recurrence.rdates)


def build_requested_series(draft: EventCreate, times: EventTimes) -> Series | None:
    """Return the series that a draft describes; None if it does not repeat. Raises `Invalid`."""
    recurrence = draft.recurrence
    if recurrence is None or not repeats(draft):
        return None
    return build_series(times, recurrence.rrule, recurrence.rdates, recurrence.exdates)


def keep_alarms(ics: ImportedLines | None, kept: Sequence[Alarm] | None) -> ImportedLines | None:
    """Return what is stored of an imported entry besides its fields, with no other alarms than these.

    Those that reminders express are left alone. Raises `Invalid` for an alarm that the entry does not have.
    """
    stored = ics or NO_LINES
    alarms = remove_alarms(stored["alarms"], [alarm.model_dump() for alarm in kept or ()])
    if alarms is None:
        raise Invalid.field("/alarms", "must be some of the alarms that the event has, as they were sent")
    return None if ics is None else ImportedLines(lines=stored["lines"], alarms=alarms)
