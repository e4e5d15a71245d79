"""What a change that was sent means for a series: of one occurrence, of it and all later ones, or of all."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta

from models.events.event import Event
from models.events.event_schema import EventCreate, OccurrencePatch, Recurrence
from planner.domain.recurrence.documents import parse_local, parse_stored_local, to_invalid
from planner.domain.recurrence.edits import UNSET, SeriesChanges, edit_series
from planner.domain.recurrence.occurrences import Occurrence
from planner.domain.recurrence.rrule import RecurrenceError, parse_rule
from planner.domain.recurrence.series import DAY, NO_DURATION, Override, Series, canonicalize_rule, set_fold_of_start
from planner.domain.recurrence.shift import Shift
from planner.domain.times import EventTimes, has_offset, parse_date_or_time, resolve_end
from planner.domain.zones import measure_duration, resolve_local, to_local_with_fold, to_utc
from planner.errors import Invalid

_NOT_FOR_ONE = "can be changed for following occurrences or for all, not for one"


def resolve_local_end(patch: OccurrencePatch, end_time_zone: str | None) -> OccurrencePatch:
    """Return a patch whose end has an offset if it is a local time in a zone of its own, which the occurrence has.

    Raises `Invalid`.
    """
    if Event.end_time_zone in patch.model_fields_set:
        end_time_zone = getattr(patch, Event.end_time_zone)
    end = None if patch.end is None else parse_date_or_time(patch.end, "/end")
    if end_time_zone is None or not isinstance(end, datetime):
        return patch
    resolved = resolve_end(end, end_time_zone)
    return patch if resolved is None else patch.model_copy(update={"end": resolved.isoformat()})


def build_own_times(series: Series, occurrence: Occurrence, patch: OccurrencePatch) -> Override:
    """Return the times that a patch gives to one occurrence. Raises `Invalid` at the field that is wrong.

    Only a time in an all-day series may be in a time zone of its own.
    """
    if "recurrence" in patch.model_fields_set:
        raise Invalid.field("/recurrence", _NOT_FOR_ONE)
    before = series.find_override(occurrence.recurrence_id) or Override()
    time_zone = patch.time_zone or before.time_zone or series.time_zone
    start, duration = _resolve_times(series, occurrence, patch, time_zone)
    if "time_zone" in patch.model_fields_set and not (series.all_day and isinstance(start, datetime)):
        raise Invalid.field("/time_zone", _NOT_FOR_ONE)
    has_own_zone = series.all_day and isinstance(start, datetime)
    return Override(start, duration, time_zone=time_zone if has_own_zone else None)


def _resolve_times(
    series: Series, occurrence: Occurrence, patch: OccurrencePatch, time_zone: str
) -> tuple[date | None, timedelta | None]:
    """Return the local start and the duration that a patch gives to an occurrence; None for what it does not change.

    Raises `Invalid` at the field that is wrong.
    """
    sent = patch.model_fields_set
    if "start" not in sent and "end" not in sent:
        return None, None
    old_start, end = _to_local(occurrence.start, time_zone), _to_local(occurrence.end, time_zone)
    start = old_start
    if patch.start is not None:
        start = parse_local(patch.start, time_zone, "/start")
    elif "start" in sent:
        raise Invalid.field("/start", "cannot be cleared")
    override = series.find_override(occurrence.recurrence_id) or Override()
    has_end = (override.duration or series.duration) and occurrence.start != occurrence.end
    is_same_kind = isinstance(start, datetime) is isinstance(old_start, datetime)
    if patch.end is not None:
        end = parse_local(patch.end, time_zone, "/end")
    elif "end" in sent or not is_same_kind or not has_end:
        return start, NO_DURATION if isinstance(start, datetime) else DAY
    error = _find_error_of_end(start, end, time_zone)
    if error is not None:
        raise refuse_end(error, None if "end" in sent else end)
    return start if "start" in sent else None, measure_duration(start, end, time_zone)


def _find_error_of_end(start: date, end: date, time_zone: str) -> str | None:
    if isinstance(start, datetime) != isinstance(end, datetime):
        return "must be a date if start is a date, and a time if start is a time"
    if resolve_local(end, time_zone) <= resolve_local(start, time_zone):
        return "must be after start, because the end is exclusive"
    return None


def refuse_end(message: str, kept_end: date | str | None) -> Invalid:
    """Return the error for an end that does not go with the start: at the end, or at the start if only that was sent.

    `kept_end` is the end that stays because it was not sent, or None.
    """
    if kept_end is None:
        return Invalid.field("/end", message)
    shown = kept_end if isinstance(kept_end, str) else kept_end.isoformat()
    return Invalid.field("/start", f"does not go with the end, which stays {shown} and {message}; send end too")


def build_series_changes(series: Series, occurrence: Occurrence, patch: OccurrencePatch) -> SeriesChanges:
    """Return what a patch changes in the series of an occurrence and all later ones. Raises `Invalid`."""
    time_zone, sent = patch.time_zone or series.time_zone, patch.model_fields_set
    start, duration = _resolve_times(series, occurrence, patch, time_zone)
    changes = SeriesChanges() if duration is None else SeriesChanges(duration=duration)
    if start is not None:
        changes = replace(changes, start=start)
    if "time_zone" in sent:
        changes = replace(changes, time_zone=patch.time_zone or "UTC")
    changes = _keep_nominal_duration(series, changes, _to_local(occurrence.start, time_zone))
    recurrence = patch.recurrence
    if "recurrence" not in sent:
        return changes
    if recurrence is None or not recurrence.model_fields_set:
        raise Invalid.field("/recurrence", "cannot be cleared for following occurrences; delete them instead")
    shift = Shift(occurrence.recurrence_id, occurrence.recurrence_id if start is None else start)
    return _add_recurrence(changes, series, recurrence, recurrence.model_fields_set, shift)


def edit_whole_series(series: Series, draft: EventCreate, times: EventTimes) -> Series:
    """Return the series that an event has after its author has sent it anew. Raises `Invalid`.

    Its exceptions move along with their occurrences. A rule and dates that are sent as they were also move with
    the start; otherwise they are taken as they are.
    """
    assert draft.recurrence is not None and times.start is not None and times.ends is not None
    start, time_zone = parse_stored_local(times.start), times.time_zone or "UTC"
    is_same_kind = times.all_day is series.all_day
    if time_zone == series.time_zone and is_same_kind and times.begins == to_utc(series.start, time_zone):
        # A local time that a clock change skips comes back as another one that means the same.
        start = series.start
    duration = None
    if times.end is not None:
        duration = parse_stored_local(times.end) - start if times.all_day else times.ends - times.begins
    changes = SeriesChanges(start=start, duration=duration, time_zone=time_zone)
    changes = _keep_nominal_duration(series, changes, start)
    shift = Shift(series.start, start)
    changes = _add_recurrence(changes, series, draft.recurrence, ("rrule", "rdates", "exdates"), shift)
    try:
        edited = edit_series(set_fold_of_start(series, 0), changes)
    except RecurrenceError as error:
        raise to_invalid(error) from None
    return set_fold_of_start(edited, 1) if has_offset(times.start) else edited


def _keep_nominal_duration(series: Series, changes: SeriesChanges, old_start: date) -> SeriesChanges:
    """Return the changes without a duration that is the one of the series, whose days are days by the clock."""
    start = old_start if changes.start is UNSET else changes.start
    if changes.duration is UNSET or not series.nominal_days or not isinstance(start, datetime):
        return changes
    time_zone = series.time_zone if changes.time_zone is UNSET else changes.time_zone
    is_same = changes.duration == replace(series, time_zone=time_zone).measure_occurrence(start)
    return replace(changes, duration=UNSET) if is_same else changes


def _add_recurrence(
    changes: SeriesChanges, series: Series, recurrence: Recurrence, sent: Collection[str], shift: Shift
) -> SeriesChanges:
    """Add the rule and the dates that differ from those of the series. Raises `Invalid`."""
    time_zone = changes.time_zone if isinstance(changes.time_zone, str) else series.time_zone
    if "rrule" in sent and not _is_same_rule(recurrence.rrule, series):
        changes = replace(changes, rrule=recurrence.rrule)
    if "rdates" in sent:
        dates = _parse_dates(recurrence.rdates, series.rdates, "rdates", (series.time_zone, time_zone), shift)
        changes = changes if dates is None else replace(changes, rdates=dates)
    if "exdates" in sent:
        dates = _parse_dates(recurrence.exdates, series.exdates, "exdates", (series.time_zone, time_zone), shift)
        changes = changes if dates is None else replace(changes, exdates=dates)
    return changes


def _is_same_rule(text: str | None, series: Series) -> bool:
    if text is None or text == series.rrule:
        return text == series.rrule
    try:
        return str(canonicalize_rule(parse_rule(text), series)) == series.rrule
    except RecurrenceError:
        return False


def _parse_dates(
    texts: list[str], stored: Collection[date], name: str, zones: tuple[str, str], shift: Shift
) -> frozenset[date] | None:
    """Return the local dates or times that were sent, in the second of the two zones; None if they are the stored ones.

    They are compared in the first zone, in which they were stored. When the zone changes, a time with an offset that
    is one of those stored still means the same occurrence, and moves along with it.
    """
    old_zone, new_zone = zones
    by_instant = {_instant_of(value, old_zone): value for value in stored}
    old = [parse_local(text, old_zone, f"/recurrence/{name}/{index}") for index, text in enumerate(texts)]
    if {_instant_of(value, old_zone) for value in old} == by_instant.keys():
        return None
    if old_zone == new_zone:
        return frozenset(old)
    found: set[date] = set()
    for index, (text, value) in enumerate(zip(texts, old, strict=True)):
        pointer = f"/recurrence/{name}/{index}"
        sent = parse_date_or_time(text, pointer)
        known = by_instant.get(_instant_of(value, old_zone))
        is_instant = isinstance(sent, datetime) and sent.tzinfo is not None
        found.add(shift.apply(known) if known and is_instant else parse_local(text, new_zone, pointer))
    return frozenset(found)


def _instant_of(value: date, time_zone: str) -> tuple[bool, datetime]:
    """Return whether a value is a time, and the instant at which it begins."""
    return isinstance(value, datetime), to_utc(value, time_zone)


def _to_local(value: date, time_zone: str) -> date:
    return to_local_with_fold(value, time_zone) if isinstance(value, datetime) else value
