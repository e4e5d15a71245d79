"""What a change of an occurrence means for the series that it belongs to."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from models.events.event_schema import OccurrencePatch
from planner.domain.recurrence.documents import parse_local
from planner.domain.recurrence.edits import SeriesChanges
from planner.domain.recurrence.occurrences import Occurrence
from planner.domain.recurrence.series import DAY, NO_DURATION, Series
from planner.domain.zones import measure_duration, to_local, to_utc
from planner.errors import Invalid


def resolve_occurrence_times(
    series: Series, occurrence: Occurrence, patch: OccurrencePatch
) -> tuple[date | None, timedelta | None]:
    """Return the local start and the duration that a patch gives to an occurrence; None for what it does not change.

    Raises `Invalid` at the field that is wrong.
    """
    sent = patch.model_fields_set
    if "start" not in sent and "end" not in sent:
        return None, None
    time_zone = patch.time_zone or series.time_zone
    start, end = _to_local(occurrence.start, series.time_zone), _to_local(occurrence.end, series.time_zone)
    if patch.start is not None:
        start = parse_local(patch.start, time_zone, "/start")
    elif "start" in sent:
        raise Invalid.field("/start", "cannot be cleared")
    if patch.end is not None:
        end = parse_local(patch.end, time_zone, "/end")
    elif "end" in sent or series.duration is None:
        return start, NO_DURATION if isinstance(start, datetime) else DAY
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise Invalid.field("/end", "must be a date if start is a date, and a time if start is a time")
    if to_utc(end, time_zone) <= to_utc(start, time_zone):
        raise Invalid.field("/end", "must be after start, because the end is exclusive")
    return start, measure_duration(start, end, time_zone)


def build_series_changes(series: Series, occurrence: Occurrence, patch: OccurrencePatch) -> SeriesChanges:
    """Return what a patch changes in the series of an occurrence and all later ones. Raises `Invalid`."""
    start, duration = resolve_occurrence_times(series, occurrence, patch)
    changes = SeriesChanges() if start is None else SeriesChanges(start=start, duration=duration)
    if "time_zone" in patch.model_fields_set:
        changes = replace(changes, time_zone=patch.time_zone or "UTC")
    if "recurrence" not in patch.model_fields_set:
        return changes
    recurrence, time_zone = patch.recurrence, patch.time_zone or series.time_zone
    if recurrence is None or not recurrence.model_fields_set:
        raise Invalid.field("/recurrence", "cannot be cleared for following occurrences; delete them instead")
    if "rrule" in recurrence.model_fields_set:
        changes = replace(changes, rrule=recurrence.rrule)
    if "rdates" in recurrence.model_fields_set:
        changes = replace(changes, rdates=_parse_dates(recurrence.rdates, time_zone, "/recurrence/rdates"))
    if "exdates" in recurrence.model_fields_set:
        changes = replace(changes, exdates=_parse_dates(recurrence.exdates, time_zone, "/recurrence/exdates"))
    return changes


def _parse_dates(texts: list[str], time_zone: str, pointer: str) -> frozenset[date]:
    return frozenset(parse_local(text, time_zone, f"{pointer}/{index}") for index, text in enumerate(texts))


def _to_local(value: date, time_zone: str) -> date:
    return to_local(value, time_zone) if isinstance(value, datetime) else value
