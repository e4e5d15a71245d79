"""When an event is: what people write, what is kept, and the instants that follow from it.

Kept are the local time and the zone; instants in UTC are derived from them. So an event
at 18:00 in Berlin stays at 18:00 there, whatever the rules for summer time become.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from planner.domain.zones import UnknownZone, strict_instant, to_utc, zone
from planner.errors import Invalid

# Undated events are listed last: this is the instant they are ordered by.
UNDATED = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
# The least that the database can tell apart.
INSTANT = timedelta(milliseconds=1)

_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<time>(?:[01]\d|2[0-3]):\d\d(?::\d\d)?)(?:\.\d{1,9})?(?P<offset>[Zz]|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)

# After a time, that is; after a date the blank stands for the `T`.
_BLANK_OFFSET = re.compile(r"(?<!-\d\d) (\d\d:\d\d)$", re.ASCII)


class When(NamedTuple):
    """The times of an event as they are kept, and the instants derived from them.

    `start` and `end` are ISO 8601 dates, or local times, or None. A local time carries an
    offset only where it is the second of two equal ones.
    `begins` and `ends` are UTC. `ends` is exclusive: an event without an end touches the
    one instant at which it begins. `span` is the class of its length, see `span_of`.
    """

    start: str | None
    end: str | None
    all_day: bool
    time_zone: str | None
    begins: datetime
    ends: datetime | None
    span: int


NEVER = When(None, None, False, None, UNDATED, None, 0)

# Lengths up to which an event belongs to a class. A window's query looks, in each class,
# only as far back before the window as the longest event of that class can reach.
SPANS = (timedelta(days=1), timedelta(days=8), timedelta(days=64), timedelta(days=512))


def span_of(length: timedelta) -> int:
    """The class of a length: the index of the first of `SPANS` it fits, else one more."""
    return next((n for n, most in enumerate(SPANS) if length <= most), len(SPANS))


def parse_moment(text: str, pointer: str) -> date | datetime:
    """A date, a local time, or a time with an offset (RFC 3339); seconds are the finest kept.

    Raises `Invalid` at `pointer`.
    """
    parts = _MOMENT.fullmatch(text)
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


def require_zone(name: str) -> None:
    """Raise `Invalid` for a name that is not a time zone's."""
    try:
        zone(name)
    except UnknownZone as error:
        raise Invalid.field("/time_zone", str(error)) from None


def when(start: str | None, end: str | None, all_day: bool | None, time_zone: str | None) -> When:
    """Read the times of an event as its author wrote them.

    A local time belongs to `time_zone`, UTC when there is none; a time with an offset is
    an instant, and is kept as the local time it is in that zone. Dates make the event
    last all day. `end` is exclusive, of the kind of `start`, and after it.

    Raises `Invalid` at the field that does not fit.
    """
    if time_zone is not None:
        require_zone(time_zone)
    if start is None:
        if end is not None:
            raise Invalid.field("/end", "needs a start")
        if all_day:
            raise Invalid.field("/all_day", "needs a start")
        return NEVER._replace(time_zone=time_zone)

    first = parse_moment(start, "/start")
    last = None if end is None else parse_moment(end, "/end")
    dated = not isinstance(first, datetime)
    if last is not None and isinstance(last, datetime) == dated:
        raise Invalid.field("/end", "must be of the kind of start: both dates, or both times")
    if all_day is not None and all_day != dated:
        raise Invalid.field("/all_day", "is true exactly when start is a date")
    try:
        return _all_day(first, last, time_zone) if dated else _timed(first, last, time_zone or "UTC")
    except OverflowError:
        raise Invalid.field("/start", "is outside the years 1 to 9999") from None


def _all_day(first: date, last: date | None, time_zone: str | None) -> When:
    if last is not None and last <= first:
        raise Invalid.field("/end", "must be after start; it is exclusive")
    begins = strict_instant(first, time_zone or "UTC")
    # A zone can skip a whole day, as Samoa did in 2011: then both are the same instant.
    ends = max(strict_instant(last or first + timedelta(days=1), time_zone or "UTC"), begins + INSTANT)
    return When(
        first.isoformat(),
        last.isoformat() if last else None,
        True,
        time_zone,
        begins,
        ends,
        span_of(ends - begins),
    )


def _timed(first: date, last: date | None, time_zone: str) -> When:
    begins, start = _instant(first, time_zone)
    if last is None:
        return When(start, None, False, time_zone, begins, begins + INSTANT, 0)
    ends, end = _instant(last, time_zone)
    if ends <= begins:
        raise Invalid.field("/end", "must be after start; it is exclusive")
    return When(start, end, False, time_zone, begins, ends, span_of(ends - begins))


def _instant(moment: date, time_zone: str) -> tuple[datetime, str]:
    """The instant of a time, and how the clocks of the zone show it."""
    assert isinstance(moment, datetime)
    if moment.tzinfo is None:
        return strict_instant(moment, time_zone), moment.isoformat()
    instant = moment.astimezone(UTC)
    local = instant.astimezone(zone(time_zone))
    # In the hour that comes twice a bare local time means the first; the second keeps its offset.
    return instant, (local if local.fold else local.replace(tzinfo=None)).isoformat()


def order_key(instant: datetime, id: str) -> str:
    """What events are ordered by: the UTC instant they begin at, then their id.

    One word, so that a place in a list is one comparison: `2026-05-01T16:00:00Z 65f0…`.
    """
    return f"{instant.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z {id}"


def parse_window(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The instants of a `from` and a `to`, where a date is its midnight and no offset is UTC.

    Raises `Invalid` for what is not a time, and for a window that is empty.
    """
    first = None if since is None else _bound(since, "/from")
    last = None if until is None else _bound(until, "/to")
    if first and last and last <= first:
        raise Invalid.field("/to", "must be after from; it is exclusive")
    return first, last


def _bound(text: str, pointer: str) -> datetime:
    # A plus sign that was not percent-encoded arrives as a blank.
    moment = parse_moment(_BLANK_OFFSET.sub(r"+\1", text), pointer)
    try:
        if not isinstance(moment, datetime):
            return strict_instant(moment, "UTC")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise Invalid.field(pointer, "is outside the years 1 to 9999") from None


def shown(kept: str | None, time_zone: str | None) -> str | None:
    """A kept start or end as the API answers it: a date, or an RFC 3339 time with its offset."""
    if kept is None or len(kept) == 10:
        return kept
    return rfc3339(local_instant(kept, time_zone or "UTC"), time_zone or "UTC")


def local_instant(kept: str, time_zone: str) -> datetime:
    """The instant of a kept start or end."""
    moment = datetime.fromisoformat(kept)
    return to_utc(moment, time_zone) if moment.tzinfo is None else moment.astimezone(UTC)


def rfc3339(instant: datetime, time_zone: str = "UTC") -> str:
    """An instant as RFC 3339, at the zone's offset; `Z` for UTC."""
    if time_zone == "UTC":
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    try:
        local = instant.astimezone(zone(time_zone))
    except OverflowError:  # The calendar ends between UTC and the zone.
        return rfc3339(instant)
    # Before time zones, clocks showed the sun's time; RFC 3339 cannot write offsets with seconds.
    return rfc3339(instant) if (local.utcoffset() or timedelta()) % timedelta(minutes=1) else local.isoformat()
