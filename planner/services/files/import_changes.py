"""What an import changes about a stored event."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from database.queries import Changes, assign
from models.events.event import Event
from planner.domain.recurrence.documents import series_from_event, series_to_stored
from planner.domain.recurrence.series import validate_series
from planner.domain.zones import to_local, to_utc
from planner.services.files.import_drafts import ImportDraft, OccurrenceDraft, build_override


def compute_changes(draft: ImportDraft, stored: Event) -> Changes | None:
    """Return the fields that a draft gives to a stored event.

    Returns None when the draft has occurrences, and the event does not recur. Raises `RecurrenceError` for
    occurrences of another kind, such as dates for an event with times.
    """
    match draft.kind:
        case "event":
            return dict(draft.content)
        case "occurrences":
            return _merge_occurrences(stored, draft.occurrences)
        case "cancel" if not draft.occurrences:
            return assign(Event.status, "cancelled")
        case "cancel":
            cancelled = [
                occurrence._replace(content=occurrence.content | assign(Event.status, "cancelled"))
                for occurrence in draft.occurrences
            ]
            return _merge_occurrences(stored, cancelled)


def _merge_occurrences(stored: Event, occurrences: Sequence[OccurrenceDraft]) -> Changes | None:
    """Return the fields of a stored event that change when these occurrences of it get overrides."""
    if not stored.repeats:
        return None
    series = series_from_event(stored)
    overrides, content = dict(series.overrides), stored.content
    for occurrence in occurrences:
        converted = occurrence if series.all_day else _convert_to_zone(occurrence, series.time_zone)
        overrides[converted.recurrence_id] = build_override(series, content, converted)
    return {**series_to_stored(validate_series(replace(series, overrides=overrides)))}


def _convert_to_zone(occurrence: OccurrenceDraft, time_zone: str) -> OccurrenceDraft:
    """Return an occurrence with its local times in another time zone."""
    recurrence_id, content = occurrence.recurrence_id, occurrence.content
    if occurrence.time_zone == time_zone or not isinstance(recurrence_id, datetime):
        return occurrence
    converted_id = to_local(to_utc(recurrence_id, occurrence.time_zone), time_zone)
    start = content[Event.start]
    if not content[Event.all_day]:
        start = to_local(content[Event.begins], time_zone).isoformat()
    return OccurrenceDraft(converted_id, time_zone, content | assign(Event.start, start))
