"""A recurring event between its three forms: as it is sent, as a series, and as it is kept.

Kept are local values as ISO 8601 text. The text of an occurrence's original start is its
recurrence id, in paths and answers alike: `2026-05-01T18:00:00`, or a date.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from planner.domain.recurrence.occurrences import first_start, last_end
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Override, Series, validate
from planner.domain.times import TIME_RESOLUTION, UNDATED_INSTANT, EventTimes, parse_date_or_time
from planner.domain.zones import to_local, to_utc
from planner.errors import Invalid, NotFound

# How long a series goes on, from its first occurrence to the end of its last, in classes: a window's
# query looks only as far back as a series of the class can reach. See models/events/event_queries.py.
REACHES = (timedelta(days=8), timedelta(days=64), timedelta(days=512), timedelta(days=4096))
NO_TIME = timedelta(0)
# What has no end is kept as ending here, so that one comparison finds it.
ENDLESS = UNDATED_INSTANT


def span_of_series(reach: timedelta) -> int:
    """The class of a series that goes on for so long: -1 for the shortest, lower for longer ones."""
    return -1 - next((n for n, most in enumerate(REACHES) if reach <= most), len(REACHES))


def read_series(times: EventTimes, rrule: str | None, rdates: Iterable[str], exdates: Iterable[str]) -> Series:
    """The series that an event's author wrote; raises `Invalid` at the field that does not fit."""
    if times.start is None or times.ends is None:
        raise Invalid.field("/recurrence", "needs a start")
    zone = times.time_zone or "UTC"
    first = local(times.start)
    duration = None
    if times.end is not None:
        duration = local(times.end) - first if times.all_day else times.ends - times.begins
    try:
        return validate(
            Series(
                first,
                duration,
                zone,
                rrule,
                frozenset(read_local(value, zone, f"/recurrence/rdates/{n}") for n, value in enumerate(rdates)),
                frozenset(read_local(value, zone, f"/recurrence/exdates/{n}") for n, value in enumerate(exdates)),
            )
        )
    except RecurrenceError as error:
        raise refused(error) from None


def refused(error: RecurrenceError) -> Invalid:
    """What a series refuses, at the field of the request that says it."""
    place = {"start": "/start", "duration": "/end", "zone": "/time_zone"}.get(error.field)
    return Invalid.field(place or f"/recurrence/{error.field}", str(error))


def read_local(value: str, zone: str, pointer: str) -> date:
    """A date or time as it was sent, as a local value of the zone; raises `Invalid` at `pointer`."""
    moment = parse_date_or_time(value, pointer)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        try:
            return to_local(moment.astimezone(UTC), zone)
        except OverflowError:
            raise Invalid.field(pointer, "is outside the years 1 to 9999") from None
    return moment


def recurrence_id(text: str, zone: str) -> date:
    """The recurrence id in a path, also when it carries an offset; raises `NotFound` for anything else."""
    try:
        return read_local(text.replace(" ", "+"), zone, "/")
    except Invalid:
        raise NotFound from None


def local(kept: str) -> date:
    """A kept start or end as a local value. In the hour that comes twice it is the first."""
    if len(kept) == 10:
        return date.fromisoformat(kept)
    return datetime.fromisoformat(kept).replace(tzinfo=None)


def series_of(stored: Mapping[str, Any]) -> Series:
    """The series of a stored event; one that does not repeat is a series of one."""
    recurrence = stored.get("recurrence") or {}
    start, end, zone = local(stored["start"]), stored.get("end"), stored.get("time_zone") or "UTC"
    duration = None
    if end is not None:
        # Instants, not local times: a length is exact, whatever the clocks do meanwhile.
        duration = local(end) - start if stored["all_day"] else timedelta(seconds=stored["seconds"])
    return Series(
        start,
        duration,
        zone,
        recurrence.get("rrule"),
        frozenset(map(local, recurrence.get("rdates", ()))),
        frozenset(map(local, recurrence.get("exdates", ()))),
        {local(kept["id"]): _override(kept) for kept in stored.get("overrides", ())},
    )


def _override(kept: Mapping[str, Any]) -> Override:
    start, seconds = kept.get("start"), kept.get("seconds")
    return Override(
        None if start is None else local(start),
        None if seconds is None else timedelta(seconds=seconds),
        kept.get("excluded", False),
        kept.get("fields", {}),
    )


def kept(series: Series) -> dict[str, Any]:
    """What is kept of a series, and what is derived from it for the indexes."""
    begins, ends = first_start(series), last_end(series)
    # What has no length touches the instant at which it begins, as an event without an end does.
    least = TIME_RESOLUTION if not series.length else NO_TIME
    ends = ENDLESS if ends is None else max(ends + least, begins + TIME_RESOLUTION)
    fields: dict[str, Any] = {
        "start": series.start.isoformat(),
        "end": None,
        "all_day": series.all_day,
        "recurrence": {
            "rrule": series.rrule,
            "rdates": sorted(value.isoformat() for value in series.rdates),
            "exdates": sorted(value.isoformat() for value in series.exdates),
        },
        "overrides": [_kept_override(id, override) for id, override in sorted(series.overrides.items())],
        "begins": begins,
        "ends": ends,
        "span": span_of_series(ends - begins),
        "repeats": True,
    }
    if series.duration is not None:
        fields["end"] = _end_of(series).isoformat()
        fields["seconds"] = int(series.duration.total_seconds())
    return fields


def _end_of(series: Series) -> date:
    if not isinstance(series.start, datetime):
        return series.start + series.length
    return to_local(to_utc(series.start, series.zone) + series.length, series.zone)


def _kept_override(id: date, override: Override) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": id.isoformat()}
    if override.start is not None:
        fields["start"] = override.start.isoformat()
    if override.duration is not None:
        fields["seconds"] = int(override.duration.total_seconds())
    if override.excluded:
        fields["excluded"] = True
    if override.fields:
        fields["fields"] = dict(override.fields)
    return fields
