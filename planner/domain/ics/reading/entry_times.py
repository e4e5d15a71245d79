"""The times of an entry, converted to the time zone and the kind of its event.

The result has the form of a request: local times and dates as ISO 8601 text.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from planner.domain.ics.reading.properties import ICalTime, Unreadable
from planner.domain.ics.reading.rules import EntryRules
from planner.domain.ics.reading.tzids import TzidResolver
from planner.domain.ics.reading.vevent import ParsedVEvent
from planner.domain.ics.versions import Version
from planner.domain.times import stored_time_to_utc
from planner.domain.zones import MIDNIGHT, to_local, to_utc

DAY = timedelta(days=1)


class CalendarContext(NamedTuple):
    """What a VCALENDAR says about all of its entries.

    `method` is its METHOD in upper case; `time_zone` is the zone of floating times.
    """

    method: str | None
    tzids: TzidResolver
    time_zone: str


class ParsedOccurrence(NamedTuple):
    """An occurrence with an entry of its own: its recurrence id, local in `time_zone`, and its fields.

    `fields` is empty if the entry cancels the occurrence, and says nothing else about it.
    """

    recurrence_id: date
    time_zone: str
    fields: dict[str, Any]
    version: Version


class EntryTimes:
    """The conversion of times to those of one event: local in the zone of its start, or dates if it is an all-day one.

    `start` is the local start of the event. `warnings` say which times are not those that are written.
    """

    def __init__(self, main: ParsedVEvent, context: CalendarContext) -> None:
        """Raise `Unreadable` if the time zone of the start is unknown."""
        self.start, self._time_zone = resolve_local(main.start, context, "DTSTART")
        self._is_all_day = main.start.is_date
        self._context = context
        self.warnings: list[str] = []

    def build_fields(self, vevent: ParsedVEvent) -> dict[str, Any]:
        """Return the event as a request would send it, with `ics` as an additional field."""
        fields = dict(vevent.fields)
        fields["start"] = self.start.isoformat()
        fields["end"] = _build_end(vevent, self.start, self._time_zone, self._context, self.warnings)
        fields["time_zone"] = None if self._is_all_day else self._time_zone
        if vevent.rrules or vevent.rdates or vevent.periods:
            periods = (self._convert(period.start, self._context, "RDATE") for period in vevent.periods)
            rules = EntryRules(
                self.start,
                self._time_zone,
                vevent.rrules,
                vevent.exrules,
                {*self._convert_dates(vevent.rdates, "RDATE"), *periods},
                set(self._convert_dates(vevent.exdates, "EXDATE")),
                self.warnings,
            )
            rrule = rules.combine()
            fields["recurrence"] = {
                "rrule": rrule,
                "rdates": sorted(local.isoformat() for local in rules.rdates),
                "exdates": sorted(local.isoformat() for local in rules.exdates),
            }
        return fields

    def build_periods(self, vevent: ParsedVEvent) -> Iterator[ParsedOccurrence]:
        """Yield the occurrences that have a length of their own, because they are periods in RDATE (§3.8.5.2)."""
        for period in vevent.periods:
            start, end, duration = period
            own = vevent._replace(recurrence_id=start, start=start, end=end, duration=duration)
            try:
                recurrence_id = self._convert(start, self._context, "RDATE")
                yield self.build_occurrence(own, self._context, recurrence_id)
            except Unreadable as error:
                self.warnings.append(f"a period in its RDATE is as long as the other occurrences: {error}")

    def convert_recurrence_id(self, recurrence_id: ICalTime, context: CalendarContext) -> date:
        """Return a RECURRENCE-ID in the time zone and the kind of the event. Raises `Unreadable`."""
        return self._convert(recurrence_id, context, "RECURRENCE-ID")

    def build_cancellation(self, recurrence_id: date, version: Version) -> ParsedOccurrence:
        """Return an occurrence that is cancelled, and about which nothing else is said."""
        return ParsedOccurrence(recurrence_id, self._time_zone, {}, version)

    def build_occurrence(self, vevent: ParsedVEvent, context: CalendarContext, recurrence_id: date) -> ParsedOccurrence:
        """Return an occurrence with its times in the time zone of the event.

        Only times in an all-day event are in their own. Raises `Unreadable`.
        """
        start, time_zone = resolve_local(vevent.start, context, "DTSTART")
        end = _build_end(vevent, start, time_zone, context, self.warnings)
        own_zone: str | None = time_zone
        if vevent.start.is_date:
            own_zone = None if self._is_all_day else self._time_zone
        elif not self._is_all_day and time_zone != self._time_zone:
            own_zone = self._time_zone
            end = None if end is None else _format_instant(stored_time_to_utc(end, time_zone), self._time_zone)
            start = to_local(to_utc(start, time_zone), self._time_zone)
        times = {"start": start.isoformat(), "end": end, "time_zone": own_zone}
        return ParsedOccurrence(recurrence_id, self._time_zone, vevent.fields | times, vevent.version)

    def _convert_dates(self, times: list[ICalTime], name: str) -> Iterator[date]:
        return (self._convert(time, self._context, name) for time in times)

    def _convert(self, time: ICalTime, context: CalendarContext, name: str) -> date:
        """Return a date or time as the start of an occurrence of the event, whichever of both kinds it is."""
        if self._is_all_day:
            return time.value.date() if isinstance(time.value, datetime) else time.value
        if time.is_date:
            assert isinstance(self.start, datetime)
            return datetime.combine(time.value, self.start.time())
        local, time_zone = resolve_local(time, context, name)
        return local if time_zone == self._time_zone else to_local(to_utc(local, time_zone), self._time_zone)


def resolve_local(time: ICalTime, context: CalendarContext, name: str) -> tuple[date, str]:
    """Return a date or local time and its time zone. Raises `Unreadable` if the zone is unknown."""
    value = time.value
    if not isinstance(value, datetime):
        return value, "UTC"
    if time.tzid is None:
        return value, context.time_zone
    time_zone = "UTC" if time.tzid == "UTC" else context.tzids.resolve(time.tzid, value)
    if time_zone is None:
        shortened = time.tzid if len(time.tzid) <= 60 else f"{time.tzid[:59]}…"
        raise Unreadable(
            f"the time zone {shortened!r} of its {name} is not known, and no VTIMEZONE defines it as one that is"
        )
    return value, time_zone


def _build_end(
    vevent: ParsedVEvent, start: date, time_zone: str, context: CalendarContext, warnings: list[str]
) -> str | None:
    """Return the end of a VEVENT in the time zone of its start, or None if it has no end or no duration."""
    if vevent.end is not None:
        return _convert_end(vevent.end, start, time_zone, context, warnings)
    if vevent.duration is None or not any(vevent.duration):
        return None
    nominal, exact = vevent.duration
    try:
        if not isinstance(start, datetime):
            days = -(-(nominal + exact) // DAY)
            if (nominal + exact) % DAY:
                warnings.append(f"its DTSTART is a date, but its DURATION is not a whole number of days; it has {days}")
            return (start + days * DAY).isoformat()
        return _format_instant(to_utc(start + nominal, time_zone) + exact, time_zone)
    except OverflowError:
        raise Unreadable("its DURATION leads outside the years 1 to 9999") from None


def _convert_end(
    end: ICalTime, start: date, time_zone: str, context: CalendarContext, warnings: list[str]
) -> str | None:
    """Return a DTEND in the time zone of the start, or None if it is not after the start."""
    local, end_zone = resolve_local(end, context, "DTEND")
    if isinstance(start, datetime) is not isinstance(local, datetime):
        local, end_zone = _match_kind(local, start), time_zone
        warnings.append(f"one of its DTSTART and DTEND is a date, and the other a time; it ends at {local.isoformat()}")
    # Both are dates, or both are instants.
    start_value = to_utc(start, time_zone) if isinstance(start, datetime) else start
    end_value = to_utc(local, end_zone) if isinstance(local, datetime) else local
    if end_value < start_value:
        warnings.append("its DTEND is before its DTSTART; it was left out")
    if end_value <= start_value:
        # Some programs write an all-day event of one day with the same date for both.
        return None
    if isinstance(end_value, datetime) and end_zone != time_zone:
        return _format_instant(end_value, time_zone)
    # In the same zone, also a local time that a clock change skips stays as it was written.
    return local.isoformat()


def _match_kind(end: date, start: date) -> date:
    """Return an end of the other kind than its start as one of the same kind; the whole last day is included."""
    if isinstance(end, datetime):
        return end.date() if end.time() == MIDNIGHT else end.date() + DAY
    assert isinstance(start, datetime)
    return datetime.combine(end if end > start.date() else end + DAY, MIDNIGHT)


def _format_instant(instant: datetime, time_zone: str) -> str:
    """Return the local time at an instant as text; the second occurrence of a local time is in UTC, with its offset."""
    local = to_local(instant, time_zone)
    return local.isoformat() if to_utc(local, time_zone) == instant else instant.isoformat()
