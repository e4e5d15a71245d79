"""When an event takes place: as it is sent, as it is stored, and the instants computed from it.

An event stores its local time and its time zone; its instants in UTC are computed from them. So an event
at 18:00 in Berlin stays at 18:00 there, however the rules for daylight saving time change.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from planner.domain.zones import UnknownZone, load_utc_offset, load_zone, to_local_with_fold, to_utc
from planner.errors import Invalid

# Undated events are listed last, because they are ordered as if they began at this instant.
UNDATED_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
# The smallest difference between two instants in the database.
TIME_RESOLUTION = timedelta(milliseconds=1)

_DATE_OR_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<time>(?:[01]\d|2[0-3]):\d\d(?::\d\d)?)(?:\.\d{1,9})?(?P<offset>[Zz]|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)

# A space before the offset of a time. A space that follows a date stands for the `T`, and does not match.
_SPACE_BEFORE_OFFSET = re.compile(r"(?<!-\d\d) (\d\d:\d\d)$", re.ASCII)

_OUTSIDE_CALENDAR = "must be within the years 1 to 9999"


class EventTimes(NamedTuple):
    """The times of an event as they are stored, and the instants computed from them.

    `start` and `end` are ISO 8601 dates or local times, or None. A local time has an offset only
    if it occurs twice and its second occurrence is meant.
    `begins` and `ends` are in UTC. `ends` is exclusive; for an event without an end it is the
    smallest step after `begins`, so that the event has the one instant at which it begins.
    `span` is the class of the event's length, see `compute_span`.
    """

    start: str | None
    end: str | None
    all_day: bool
    time_zone: str | None
    begins: datetime
    ends: datetime | None
    span: int


UNDATED_TIMES = EventTimes(None, None, False, None, UNDATED_INSTANT, None, 0)

# The greatest length of each class of events. The query for a window looks back, in each class, only
# by the greatest length of that class.
SPAN_LIMITS = (timedelta(days=1), timedelta(days=8), timedelta(days=64), timedelta(days=512))


def compute_span(length: timedelta) -> int:
    """Return the class of a length: the index of the first of `SPAN_LIMITS` that is not less, or one more."""
    return next((span for span, limit in enumerate(SPAN_LIMITS) if length <= limit), len(SPAN_LIMITS))


def parse_date_or_time(text: str, pointer: str) -> date | datetime:
    """Parse a date, a local time, or a time with an offset (RFC 3339), and drop fractions of seconds.

    Raises `Invalid` at `pointer`.
    """
    parts = _DATE_OR_TIME.fullmatch(text)
    if parts:
        try:
            if parts["time"] is None:
                return date.fromisoformat(parts["day"])
            offset = (parts["offset"] or "").upper()
            return datetime.fromisoformat(f"{parts['day']}T{parts['time']}{offset}")
        except ValueError:
            pass
    raise Invalid.field(
        pointer, "must be a date, a local time, or a time with an offset, such as 2026-05-01T18:00:00+02:00"
    )


def require_time_zone(time_zone: str) -> None:
    """Raise `Invalid` at `/time_zone` unless this is the name of a time zone."""
    try:
        load_zone(time_zone)
    except UnknownZone as error:
        raise Invalid.field("/time_zone", str(error)) from None


def resolve_times(
    start: str | None,
    end: str | None,
    all_day: bool | None,
    time_zone: str | None,
    end_time_zone: str | None = None,
) -> EventTimes:
    """Compute the times of an event from what its author sent.

    A local time is in `time_zone`, or in UTC if that is None. A time with an offset is an instant,
    and is stored as the local time at that instant. A date as start makes the event an all-day one.
    `end` is exclusive; it must be after `start`, and a date if `start` is one. A local end is in `end_time_zone`, if
    that is not None.

    Raises `Invalid` at the field that is wrong.
    """
    if time_zone is not None:
        require_time_zone(time_zone)
    if start is None:
        if end is not None:
            raise Invalid.field("/end", "cannot be set without a start")
        if all_day:
            raise Invalid.field("/all_day", "cannot be true without a start")
        return UNDATED_TIMES._replace(time_zone=time_zone)

    parsed_start = parse_date_or_time(start, "/start")
    parsed_end = None if end is None else parse_date_or_time(end, "/end")
    if end_time_zone is not None:
        parsed_end = resolve_end(parsed_end, end_time_zone)
    is_date = not isinstance(parsed_start, datetime)
    if parsed_end is not None and isinstance(parsed_end, datetime) == is_date:
        raise Invalid.field("/end", "must be a date if start is a date, and a time if start is a time")
    if all_day is not None and all_day != is_date:
        raise Invalid.field("/all_day", "must be true if start is a date, and false if start is a time")
    try:
        if isinstance(parsed_start, datetime):
            return _resolve_timed(parsed_start, parsed_end, time_zone or "UTC")
        return _resolve_all_day(parsed_start, parsed_end, time_zone)
    except OverflowError:
        raise Invalid.field("/start", _OUTSIDE_CALENDAR) from None


def resolve_end(end: date | None, end_time_zone: str) -> date | None:
    """Return the instant of an end that is a local time in a zone of its own; any other end stays as it is."""
    return to_utc(end, end_time_zone) if isinstance(end, datetime) and end.tzinfo is None else end


def _resolve_all_day(start: date, end: date | None, time_zone: str | None) -> EventTimes:
    if end is not None and end <= start:
        raise Invalid.field("/end", "must be after start, because the end is exclusive")
    begins = to_utc(start, time_zone or "UTC", clamp=False)
    ends = to_utc(end or start + timedelta(days=1), time_zone or "UTC", clamp=False)
    # A zone can skip a whole day, as Samoa did in 2011. Then both midnights are the same instant.
    ends = max(ends, begins + TIME_RESOLUTION)
    stored_end = end.isoformat() if end else None
    return EventTimes(start.isoformat(), stored_end, True, time_zone, begins, ends, compute_span(ends - begins))


def _resolve_timed(start: datetime, end: date | None, time_zone: str) -> EventTimes:
    begins, stored_start = _resolve_time(start, time_zone)
    if not isinstance(end, datetime):
        return EventTimes(stored_start, None, False, time_zone, begins, begins + TIME_RESOLUTION, 0)
    ends, stored_end = _resolve_time(end, time_zone)
    if ends <= begins:
        raise Invalid.field("/end", "must be after start, because the end is exclusive")
    return EventTimes(stored_start, stored_end, False, time_zone, begins, ends, compute_span(ends - begins))


def _resolve_time(moment: datetime, time_zone: str) -> tuple[datetime, str]:
    """Return the instant of a time that was sent, and the local time to store for it."""
    if moment.tzinfo is None:
        return to_utc(moment, time_zone, clamp=False), moment.isoformat()
    instant = moment.astimezone(UTC)
    local = instant.astimezone(load_zone(time_zone))
    # A local time that occurs twice means its first occurrence, so the second one keeps its offset.
    return instant, (local if local.fold else local.replace(tzinfo=None)).isoformat()


def build_order_key(begins: datetime, id: str) -> str:
    """Return the sort key of an event: the instant at which it begins, then its id.

    Both are in one string, such as `2026-05-01T16:00:00Z 65f0…`, so that a position in a list is one
    comparison.
    """
    return f"{begins.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z {id}"


def parse_window(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Parse the query parameters `from` and `to` into instants; None stays None.

    A date means its midnight, and both a date and a time without an offset are in UTC.
    Raises `Invalid` at `/from` or `/to`, also if the window is empty.
    """
    window_start = None if since is None else _parse_window_bound(since, "/from")
    window_end = None if until is None else _parse_window_bound(until, "/to")
    if window_start and window_end and window_end <= window_start:
        raise Invalid.field("/to", "must be after from, because it is exclusive")
    return window_start, window_end


def _parse_window_bound(text: str, pointer: str) -> datetime:
    # A plus sign that was not percent-encoded arrives as a space.
    moment = parse_date_or_time(_SPACE_BEFORE_OFFSET.sub(r"+\1", text), pointer)
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return to_utc(moment, "UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid.field(pointer, _OUTSIDE_CALENDAR) from None


def format_stored_time(stored: str | None, time_zone: str | None) -> str | None:
    """Format a stored start or end for a response: a date, or an RFC 3339 time with its offset; None stays None."""
    if stored is None or len(stored) == len("2026-05-01"):
        return stored
    time_zone = time_zone or "UTC"
    if has_offset(stored):
        return format_rfc3339(stored_time_to_utc(stored, time_zone), time_zone)
    if time_zone == "UTC":
        return f"{stored}Z"
    moment = datetime.fromisoformat(stored)
    instant = to_utc(moment, time_zone)
    # A local time that no clock change skips stays as it is. Not to format it again makes rendering faster.
    local = _localize(instant, time_zone)
    offset = None if local is None else local.utcoffset()
    if offset is None or offset != load_utc_offset(time_zone)(moment):
        return format_rfc3339(instant, time_zone)
    return f"{stored}{_format_offset(offset)}"


def format_stored_end(stored: str | None, time_zone: str | None, end_time_zone: str | None) -> str | None:
    """Format a stored end for a response as `format_stored_time` does, with the offset of its own zone if any."""
    if stored is None or end_time_zone is None or len(stored) == len("2026-05-01"):
        return format_stored_time(stored, time_zone)
    return format_rfc3339(stored_time_to_utc(stored, time_zone or "UTC"), end_time_zone)


def has_offset(stored: str) -> bool:
    """Return whether a stored time has an offset: then it is the second of two equal local times."""
    return len(stored) > len("2026-05-01T18:00:00")


def format_local(local: date, time_zone: str) -> str:
    """Return a date or local time as it is stored; one with `fold=1` with its offset."""
    if isinstance(local, datetime) and local.fold:
        return local.replace(tzinfo=load_zone(time_zone)).isoformat()
    return local.isoformat()


def format_local_instant(instant: datetime, time_zone: str) -> str:
    """Return the local time at an instant as it is stored; the second of two equal local times has its offset."""
    return format_local(to_local_with_fold(instant, time_zone), time_zone)


def stored_time_to_utc(stored: str, time_zone: str) -> datetime:
    """Return the instant of a stored local time, which may have an offset."""
    moment = datetime.fromisoformat(stored)
    return to_utc(moment, time_zone) if moment.tzinfo is None else moment.astimezone(UTC)


def format_rfc3339(instant: datetime, time_zone: str = "UTC") -> str:
    """Format an instant as RFC 3339 with the offset of the time zone, or with `Z` for UTC."""
    local = None if time_zone == "UTC" else _localize(instant, time_zone)
    if local is None:
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return local.isoformat()


def _localize(instant: datetime, time_zone: str) -> datetime | None:
    """Return the local time with its offset; None if it is outside the calendar, or its offset has seconds.

    RFC 3339 cannot write an offset with seconds, such as that of the local mean time before time zones.
    """
    try:
        local = instant.astimezone(load_zone(time_zone))
    except OverflowError:
        return None
    offset = local.utcoffset()
    return None if offset is None or offset.seconds % 60 else local


@lru_cache(maxsize=256)
def _format_offset(offset: timedelta) -> str:
    """Format an offset without seconds, such as `+02:00`."""
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}:{minutes % 60:02}"
