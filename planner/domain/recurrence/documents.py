"""Conversion of a recurring event between its three forms: as it is sent, as a series, and as it is stored.

Local values are stored as ISO 8601 text. The original start of an occurrence in this form is its
recurrence id in paths, responses and documents: `2026-05-01T18:00:00`, or a date.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from planner.domain.recurrence.occurrences import find_first_start, find_last_end
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import (
    Override,
    Series,
    find_first_local,
    set_fold_of_start,
    validate_series,
)
from planner.domain.stored_event import StoredExtent, StoredOverride, StoredSeries, TimesOfEvent
from planner.domain.times import (
    TIME_RESOLUTION,
    UNDATED_INSTANT,
    EventTimes,
    format_local,
    format_local_instant,
    has_offset,
    parse_date_or_time,
)
from planner.domain.zones import to_local_with_fold
from planner.errors import Invalid, NotFound

# The greatest length of each class of series, from the start of the first occurrence to the end of the last. The
# query for a window looks back, in each class, only by the greatest length of that class; see
# models/events/event_queries.py.
SERIES_SPAN_LIMITS = (timedelta(days=8), timedelta(days=64), timedelta(days=512), timedelta(days=4096))
# A series without an end is stored as ending at this instant, so that queries can compare it like any other.
ENDLESS_INSTANT = UNDATED_INSTANT

# The field of a request for each field of a series that is not inside `recurrence`.
_POINTERS = {"start": "/start", "duration": "/end", "time_zone": "/time_zone"}


def compute_series_span(length: timedelta) -> int:
    """Return the class of a series by its length: -1 for the shortest class, less for longer ones.

    Classes of single events are not negative, see `times.compute_span`.
    """
    limits = enumerate(SERIES_SPAN_LIMITS)
    return -1 - next((index for index, limit in limits if length <= limit), len(SERIES_SPAN_LIMITS))


def build_series(times: EventTimes, rrule: str | None, rdates: Iterable[str], exdates: Iterable[str]) -> Series:
    """Return the series that an event's author sent. Raises `Invalid` at the field that is wrong."""
    if times.start is None or times.ends is None:
        raise Invalid.field("/recurrence", "cannot be set without a start")
    time_zone = times.time_zone or "UTC"
    start = parse_stored_local(times.start)
    duration = None
    if times.end is not None:
        duration = parse_stored_local(times.end) - start if times.all_day else times.ends - times.begins
    try:
        series = validate_series(
            Series(
                start,
                duration,
                time_zone,
                rrule,
                frozenset(parse_local(text, time_zone, f"/recurrence/rdates/{n}") for n, text in enumerate(rdates)),
                frozenset(parse_local(text, time_zone, f"/recurrence/exdates/{n}") for n, text in enumerate(exdates)),
            )
        )
    except RecurrenceError as error:
        raise to_invalid(error) from None
    return set_fold_of_start(series, 1) if has_offset(times.start) else series


def to_invalid(error: RecurrenceError) -> Invalid:
    """Return the `Invalid` for a `RecurrenceError`, at the field of the request that is wrong."""
    return Invalid.field(_POINTERS.get(error.field) or f"/recurrence/{error.field}", str(error))


def parse_local(text: str, time_zone: str, pointer: str) -> date:
    """Parse a date or time that was sent into a local value of the time zone. Raises `Invalid` at `pointer`.

    It has `fold=1` if it is the second of two equal local times.
    """
    moment = parse_date_or_time(text, pointer)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        try:
            return to_local_with_fold(moment.astimezone(UTC), time_zone)
        except OverflowError:
            raise Invalid.field(pointer, "must be within the years 1 to 9999") from None
    return moment


def parse_recurrence_id(text: str, time_zone: str) -> date:
    """Parse the recurrence id in a path, which may have an offset. Raises `NotFound` for any other text."""
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        found = parse_local(text.replace(" ", "+"), time_zone, "/")
    except Invalid:
        raise NotFound from None
    return found.replace(fold=0) if isinstance(found, datetime) else found


def parse_stored_local(stored: str) -> date:
    """Parse a stored start or end into a local value. A time that occurs twice becomes its first occurrence."""
    if len(stored) == len("2026-05-01"):
        return date.fromisoformat(stored)
    return datetime.fromisoformat(stored).replace(tzinfo=None)


def series_from_event(event: TimesOfEvent) -> Series:
    """Return the series of a stored event, which must have a start; one that does not repeat has one occurrence."""
    assert event.start is not None
    start, duration = parse_stored_local(event.start), None
    if event.end is not None:
        # The duration of a timed series is stored in seconds, because it may be exact.
        duration = parse_stored_local(event.end) - start if event.all_day else timedelta(seconds=event.seconds or 0)
    time_zone, recurrence = event.time_zone or "UTC", event.recurrence
    if recurrence is None:
        return Series(start, duration, time_zone)
    return Series(
        start,
        duration,
        time_zone,
        recurrence["rrule"],
        frozenset(map(parse_stored_local, recurrence["rdates"])),
        frozenset(map(parse_stored_local, recurrence["exdates"])),
        dict(_override_from_stored(stored) for stored in event.overrides if not stored.get("following")),
        event.nominal_days or 0,
        dict(_override_from_stored(stored) for stored in event.overrides if stored.get("following")),
    )


def _override_from_stored(stored: StoredOverride) -> tuple[date, Override]:
    """Return the recurrence id and the override in a stored override."""
    start, seconds = stored.get("start"), stored.get("seconds")
    return parse_stored_local(stored["id"]), Override(
        None if start is None else _parse_own_start(start),
        None if seconds is None else timedelta(seconds=seconds),
        stored.get("excluded", False),
        stored.get("fields", {}),
        stored.get("time_zone"),
    )


def _parse_own_start(stored: str) -> date:
    start = parse_stored_local(stored)
    return start.replace(fold=1) if isinstance(start, datetime) and has_offset(stored) else start


def compute_extent(series: Series) -> StoredExtent:
    """Return the fields of a stored event by which a query for a window finds it."""
    begins, ends = find_first_start(series), find_last_end(series)
    ends = ENDLESS_INSTANT if ends is None else max(ends, begins + TIME_RESOLUTION)
    return {"begins": begins, "ends": ends, "span": compute_series_span(ends - begins)}


def series_to_stored(series: Series) -> StoredSeries:
    """Return the fields of a stored event that follow from its series."""
    extent = compute_extent(series)
    fields: StoredSeries = {
        "start": format_local(find_first_local(series), series.time_zone),
        "end": None,
        "all_day": series.all_day,
        "recurrence": {
            "rrule": series.rrule,
            "rdates": sorted(local.isoformat() for local in series.rdates),
            "exdates": sorted(local.isoformat() for local in series.exdates),
        },
        "overrides": [
            *(_override_to_stored(series, *item) for item in sorted(series.overrides.items())),
            *(_override_to_stored(series, *item, is_range=True) for item in sorted(series.ranges.items())),
        ],
        "begins": extent["begins"],
        "ends": extent["ends"],
        "span": extent["span"],
        "repeats": True,
    }
    if series.duration is not None:
        fields["end"] = _format_local_end(series)
        fields["seconds"] = int(series.duration.total_seconds())
    if series.nominal_days:
        fields["nominal_days"] = series.nominal_days
    return fields


def _format_local_end(series: Series) -> str:
    """Return the local end of the occurrence at the start of the series, as it is stored."""
    if not isinstance(series.start, datetime):
        return (series.start + series.effective_duration).isoformat()
    first = Override(start=find_first_local(series))
    return format_local_instant(series.compute_row_with(series.start, first)[2], series.time_zone)


def _override_to_stored(
    series: Series, recurrence_id: date, override: Override, *, is_range: bool = False
) -> StoredOverride:
    fields: StoredOverride = {"id": recurrence_id.isoformat()}
    if override.start is not None:
        fields["start"] = format_local(override.start, override.time_zone or series.time_zone)
    if override.duration is not None:
        fields["seconds"] = int(override.duration.total_seconds())
    if override.excluded:
        fields["excluded"] = True
    if override.fields:
        fields["fields"] = dict(override.fields)
    if override.time_zone is not None:
        fields["time_zone"] = override.time_zone
    if is_range:
        fields["following"] = True
    return fields
