"""What a change of an occurrence means for the series that it belongs to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from planner.domain.recurrence.documents import parse_local
from planner.domain.recurrence.edits import SeriesChanges
from planner.domain.recurrence.occurrences import Occurrence
from planner.domain.recurrence.series import DAY, NO_DURATION, Series
from planner.domain.zones import measure_duration, to_local, to_utc
from planner.errors import Invalid


def resolve_occurrence_times(
    series: Series, occurrence: Occurrence, changes: Mapping[str, Any]
) -> tuple[date | None, timedelta | None]:
    """Return the local start and the duration that a patch gives to an occurrence; None for what it does not change.

    Raises `Invalid` at the field that is wrong.
    """
    if "start" not in changes and "end" not in changes:
        return None, None
    time_zone = changes.get("time_zone") or series.time_zone
    start, end = _to_local(occurrence.start, series.time_zone), _to_local(occurrence.end, series.time_zone)
    if "start" in changes:
        if changes["start"] is None:
            raise Invalid.field("/start", "cannot be cleared")
        start = parse_local(changes["start"], time_zone, "/start")
    if changes.get("end") is not None:
        end = parse_local(changes["end"], time_zone, "/end")
    elif "end" in changes or series.duration is None:
        return start, NO_DURATION if isinstance(start, datetime) else DAY
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise Invalid.field("/end", "must be a date if start is a date, and a time if start is a time")
    if to_utc(end, time_zone) <= to_utc(start, time_zone):
        raise Invalid.field("/end", "must be after start, because the end is exclusive")
    return start, measure_duration(start, end, time_zone)


def build_series_changes(series: Series, occurrence: Occurrence, changes: Mapping[str, Any]) -> SeriesChanges:
    """Return what a patch changes in the series of an occurrence and all later ones. Raises `Invalid`."""
    start, duration = resolve_occurrence_times(series, occurrence, changes)
    result = SeriesChanges() if start is None else SeriesChanges(start=start, duration=duration)
    if "time_zone" in changes:
        result = replace(result, time_zone=changes["time_zone"] or "UTC")
    if "recurrence" not in changes:
        return result
    recurrence = changes["recurrence"]
    if not recurrence:
        raise Invalid.field("/recurrence", "cannot be cleared for following occurrences; delete them instead")
    if "rrule" in recurrence:
        result = replace(result, rrule=recurrence["rrule"])
    time_zone = changes.get("time_zone") or series.time_zone
    if "rdates" in recurrence:
        result = replace(result, rdates=_parse_dates(recurrence["rdates"], time_zone, "/recurrence/rdates"))
    if "exdates" in recurrence:
        result = replace(result, exdates=_parse_dates(recurrence["exdates"], time_zone, "/recurrence/exdates"))
    return result


def _parse_dates(texts: list[str], time_zone: str, pointer: str) -> frozenset[date]:
    return frozenset(parse_local(text, time_zone, f"{pointer}/{index}") for index, text in enumerate(texts))


def _to_local(value: date, time_zone: str) -> date:
    return to_local(value, time_zone) if isinstance(value, datetime) else value
