"""The content of an event as its author has sent it, as it is stored."""

from collections.abc import Sequence

from database.queries import Changes
from models.events.event import Event
from models.events.event_schema import Alarm, EventCreate, OccurrencePatch
from planner.domain.fields import PLAIN_FIELDS, SERIES_FIELDS
from planner.domain.ics.alarms import remove_alarms
from planner.domain.ics.twins import remove_twins
from planner.domain.recurrence.documents import build_series, series_to_stored
from planner.domain.recurrence.series import Override, Series
from planner.domain.stored_event import NO_LINES, ImportedLines, StoredOverride
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


def without_twins(before: Event, content: Changes) -> Changes:
    """Return the new content of an event without imported lines that repeat what it no longer says.

    The lines of an occurrence with an entry of its own repeat what its event says, as far as it does not differ.
    """
    old = vars(before)
    new: Changes = old | dict.fromkeys(SERIES_FIELDS) | content
    changed: Changes = {}
    if new[Event.ics] is not None and (ics := remove_twins(new[Event.ics], old, new)) != new[Event.ics]:
        changed[Event.ics] = ics
    if new[Event.overrides]:
        changed[Event.overrides] = [_without_twins(override, old, new) for override in new[Event.overrides]]
    return content | changed


def _without_twins(override: StoredOverride, old: Changes, new: Changes) -> StoredOverride:
    fields: Changes = {**override.get("fields", {})}
    if not fields.get(Event.ics):
        return override
    fields[Event.ics] = remove_twins(fields[Event.ics], old | fields, new | fields)
    return {**override, "fields": fields}


def patch_imported_lines(before: Event, fields: Changes, patch: OccurrencePatch, override: Override) -> Changes:
    """Return the fields that a patch gives to an occurrence, with what it leaves of the occurrence's imported lines.

    Without lines of its own it has those of its event. Raises `Invalid` for alarms that it does not have.
    """
    old: Changes = {**vars(before), **override.fields}
    new = old | fields
    if {"start", "end", "time_zone"} & patch.model_fields_set:
        new[Event.start] = None
    ics = old[Event.ics]
    left = None if ics is None else remove_twins(ics, old, new)
    if "alarms" in patch.model_fields_set:
        left = keep_alarms(left, patch.alarms)
    return fields if left == ics else fields | {Event.ics: left}
