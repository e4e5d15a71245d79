"""The times of an entry, converted to the time zone and the kind of its event.

The result has the form of a request: local times and dates as ISO 8601 text.
"""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from planner.domain.ics.reading.event_zones import EventZone, SeriesStart, choose_series_zone, choose_single_zone
from planner.domain.ics.reading.properties import ICalTime, Unreadable
from planner.domain.ics.reading.rules import EntryRules
from planner.domain.ics.reading.tzids import UTC_ZONE, FileZone, TzidResolver
from planner.domain.ics.reading.vevent import ParsedVEvent
from planner.domain.ics.versions import Version
from planner.domain.times import format_local_instant, stored_time_to_utc
from planner.domain.zones import MIDNIGHT, to_local, to_utc

DAY = timedelta(days=1)


class FloatingZone(NamedTuple):
    """The time zone of floating times: the one that is requested, else that of the file, else that of the account."""

    requested: str | None = None
    of_account: str = "UTC"


class CalendarContext(NamedTuple):
    """What a VCALENDAR says about all of its entries.

    `method` is its METHOD in upper case. `day_zone` is the time zone of its all-day entries, or None if that of the
    account is meant.
    """

    method: str | None
    tzids: TzidResolver
    day_zone: str | None


class ParsedOccurrence(NamedTuple):
    """An occurrence with an entry of its own: its recurrence id, local in `time_zone`, and its fields.

    `fields` is empty if the entry cancels the occurrence, and says nothing else about it. With `following`, the
    entry is about all later ones as well.
    """

    recurrence_id: date
    time_zone: str
    fields: dict[str, Any]
    version: Version
    following: bool = False


class EntryTimes:
    """The conversion of times to those of one event: local in the zone of its start, or dates if it is an all-day one.

    `start` is the local start of the event. `warnings` say what is done otherwise than it is written.
    """

    def __init__(self, main: ParsedVEvent, context: CalendarContext) -> None:
        """Choose the time zone of the event."""
        self.start, self.warnings = main.start.value, list[str]()
        self._is_all_day = main.start.is_date
        self._context = context
        self._exdates = set[date]()
        # The zone of floating times is that of the event as soon as this is known.
        self._file_zone = UTC_ZONE if self._is_all_day else self._find_zone(main.start, context, context.tzids.floating)
        self._zone = EventZone("UTC") if self._is_all_day else self._choose_zone(main)
        self._time_zone = self._zone.name
        self._stored_zone = context.day_zone if self._is_all_day else self._time_zone
        if self._zone.warning:
            self.warnings.append(self._zone.warning)
        if isinstance(self.start, datetime) and not self._zone.keeps_local_times:
            self.start = to_local(self._file_zone.to_utc(self.start), self._time_zone)

    def _choose_zone(self, main: ParsedVEvent) -> EventZone:
        start, tzids = main.start.value, self._context.tzids
        assert isinstance(start, datetime)
        if not (main.rrules or main.rdates or main.periods or main.recurrence_id):
            return choose_single_zone(self._file_zone, start, tzids)
        dates = (*main.rdates, *(period.start for period in main.periods))
        rdates = {self._to_file_time(time) for time in dates if not time.is_date}
        rrule = main.rrules[0] if main.rrules else None
        nominal = main.duration.nominal if main.duration is not None and main.end is None else timedelta(0)
        return choose_series_zone(self._file_zone, SeriesStart(start, rrule, rdates, nominal), tzids)

    def _find_zone(self, time: ICalTime, context: CalendarContext, floating: FileZone) -> FileZone:
        """Return the zone of a time. If nobody knows it, the time is a floating one."""
        zone = floating if time.tzid is None else context.tzids.find(time.tzid)
        if zone is None:
            assert time.tzid is not None
            tzid = time.tzid if len(time.tzid) <= 60 else f"{time.tzid[:59]}…"
            self.warnings.append(
                f"the time zone {tzid!r} is not known, and the file does not describe it; "
                f"its times are read as times of {floating.name or floating.tzid}"
            )
        return zone or floating

    def _to_file_time(self, time: ICalTime, context: CalendarContext | None = None) -> datetime:
        """Return a time as the local time in the clocks that the file describes for the zone of the event."""
        assert isinstance(time.value, datetime)
        zone = self._find_zone(time, context or self._context, self._file_zone)
        return time.value if zone == self._file_zone else self._file_zone.to_local(zone.to_utc(time.value))

    def _resolve(self, time: ICalTime, context: CalendarContext) -> tuple[date, str]:
        """Return a date or local time and its time zone."""
        value = time.value
        if not isinstance(value, datetime):
            return value, "UTC"
        zone = self._find_zone(time, context, context.tzids.floating if self._is_all_day else self._file_zone)
        if zone == self._file_zone and zone.to_utc(value) == to_utc(value, self._time_zone):
            return value, self._time_zone
        chosen = choose_single_zone(zone, value, context.tzids)
        return value if chosen.keeps_local_times else to_local(zone.to_utc(value), chosen.name), chosen.name

    def build_fields(self, vevent: ParsedVEvent) -> dict[str, Any]:
        """Return the event as a request would send it, with additional fields: `ics`, and a `length` in days."""
        fields = dict(vevent.fields)
        fields["start"] = self.start.isoformat()
        start, time_zone = self._resolve(vevent.start, self._context)
        end = self._build_end(vevent, start, time_zone, self._context)
        if end is not None and isinstance(start, datetime) and isinstance(self.start, datetime):
            # In the clocks of the file and in those of the zone, it may start at different instants.
            length = stored_time_to_utc(end, time_zone) - to_utc(start, time_zone)
            if time_zone != self._time_zone:
                end = format_local_instant(to_utc(self.start, self._time_zone) + length, self._time_zone)
        fields["end"] = end
        fields["time_zone"] = self._stored_zone
        fields |= self._build_end_zone(vevent, end, self._time_zone, self._context)
        has_days = vevent.end is None and vevent.duration is not None and bool(vevent.duration.nominal)
        if has_days and not self._is_all_day and self._zone.keeps_local_times:
            fields["length"] = vevent.duration
        if vevent.rrules or vevent.rdates or vevent.periods:
            periods = [period.start for period in vevent.periods]
            rules = EntryRules(
                self.start,
                self._time_zone,
                vevent.rrules if self._zone.rrule is None else [self._zone.rrule, *vevent.rrules[1:]],
                vevent.exrules,
                {self._convert(time, self._context) for time in (*vevent.rdates, *periods)},
                {self._convert(time, self._context) for time in vevent.exdates},
                self.warnings,
            )
            rrule = rules.combine()
            self._exdates = rules.exdates
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
                recurrence_id = self._convert(start, self._context)
                yield self.build_occurrence(own, self._context, recurrence_id)
            except Unreadable as error:
                self.warnings.append(f"a period in its RDATE is as long as the other occurrences: {error}")

    def convert_recurrence_id(self, recurrence_id: ICalTime, context: CalendarContext) -> date:
        """Return a RECURRENCE-ID in the time zone and the kind of the event."""
        return self._convert(recurrence_id, context)

    def build_cancellation(self, recurrence_id: date, version: Version) -> ParsedOccurrence:
        """Return an occurrence that is cancelled, and about which nothing else is said."""
        return ParsedOccurrence(recurrence_id, self._time_zone, {}, version)

    def build_occurrence(self, vevent: ParsedVEvent, context: CalendarContext, recurrence_id: date) -> ParsedOccurrence:
        """Return an occurrence with its times in the time zone of the event.

        Only times in an all-day event are in their own. Raises `Unreadable`.
        """
        start, time_zone = self._resolve(vevent.start, context)
        end = self._build_end(vevent, start, time_zone, context)
        own_zone: str | None = time_zone
        start_text = start.isoformat()
        if vevent.start.is_date:
            own_zone = self._stored_zone
        elif not self._is_all_day and time_zone != self._time_zone:
            own_zone = self._time_zone
            end = None if end is None else format_local_instant(stored_time_to_utc(end, time_zone), self._time_zone)
            start_text = format_local_instant(to_utc(start, time_zone), self._time_zone)
        times = {"start": start_text, "end": end, "time_zone": own_zone}
        times |= self._build_end_zone(vevent, end, own_zone or "UTC", context)
        return ParsedOccurrence(recurrence_id, self._time_zone, vevent.fields | times, vevent.version)

    def _build_end_zone(
        self, vevent: ParsedVEvent, end: str | None, time_zone: str, context: CalendarContext
    ) -> dict[str, str | None]:
        """Return the end and its zone if the file has it in another zone than the start; otherwise nothing.

        An end in UTC has no zone of its own: programs write it so where a local time would be ambiguous.
        """
        written = vevent.end
        if end is None or written is None or written.is_date or vevent.start.is_date:
            return {}
        end_zone = self._resolve(written, context)[1]
        if written.tzid in (None, "UTC", vevent.start.tzid) or end_zone == time_zone:
            return {}
        return {"end": format_local_instant(stored_time_to_utc(end, time_zone), end_zone), "end_time_zone": end_zone}

    def build_moved(self, vevent: ParsedVEvent, except_ids: Collection[date]) -> Iterator[ParsedOccurrence]:
        """Yield the occurrences of a series that begin at other instants than they would in its time zone."""
        if not isinstance(self.start, datetime):
            return
        start, time_zone = self._resolve(vevent.start, self._context)
        end = self._build_end(vevent, start, time_zone, self._context)
        for recurrence_id in self._zone.moved:
            if recurrence_id not in except_ids and recurrence_id not in self._exdates:
                begins = self._file_zone.to_utc(recurrence_id)
                fields = vevent.fields | {"start": format_local_instant(begins, self._time_zone), "end": None}
                if end is not None:
                    ends = begins + (stored_time_to_utc(end, time_zone) - self._file_zone.to_utc(self.start))
                    if vevent.end is None and vevent.duration is not None:
                        nominal, exact = vevent.duration
                        ends = self._file_zone.to_utc(recurrence_id + nominal) + exact
                    fields["end"] = format_local_instant(ends, self._time_zone)
                    fields |= self._build_end_zone(vevent, fields["end"], self._time_zone, self._context)
                fields["time_zone"] = self._time_zone
                yield ParsedOccurrence(recurrence_id, self._time_zone, fields, vevent.version)

    def _convert(self, time: ICalTime, context: CalendarContext) -> date:
        """Return a date or time as the start of an occurrence of the event, whichever of both kinds it is."""
        if self._is_all_day:
            return time.value.date() if isinstance(time.value, datetime) else time.value
        if time.is_date:
            assert isinstance(self.start, datetime)
            return datetime.combine(time.value, self.start.time())
        local = self._to_file_time(time, context)
        return local if self._zone.keeps_local_times else to_local(self._file_zone.to_utc(local), self._time_zone)

    def _build_end(self, vevent: ParsedVEvent, start: date, time_zone: str, context: CalendarContext) -> str | None:
        """Return the end of a VEVENT in the time zone of its start, or None if it has no end or no duration."""
        if vevent.end is not None:
            return self._convert_end(vevent.end, start, time_zone, context)
        if vevent.duration is None or not any(vevent.duration):
            return None
        nominal, exact = vevent.duration
        try:
            if not isinstance(start, datetime):
                days = -(-(nominal + exact) // DAY)
                if (nominal + exact) % DAY:
                    self.warnings.append(
                        f"its DTSTART is a date, but its DURATION is not a whole number of days; it has {days}"
                    )
                return (start + days * DAY).isoformat()
            return format_local_instant(to_utc(start + nominal, time_zone) + exact, time_zone)
        except OverflowError:
            raise Unreadable("its DURATION leads outside the years 1 to 9999") from None

    def _convert_end(self, end: ICalTime, start: date, time_zone: str, context: CalendarContext) -> str | None:
        """Return a DTEND in the time zone of the start, or None if it is not after the start."""
        local, end_zone = self._resolve(end, context)
        if isinstance(start, datetime) is not isinstance(local, datetime):
            local, end_zone = _match_kind(local, start), time_zone
            self.warnings.append(
                f"one of its DTSTART and DTEND is a date, and the other a time; it ends at {local.isoformat()}"
            )
        # Both are dates, or both are instants.
        start_value = to_utc(start, time_zone) if isinstance(start, datetime) else start
        end_value = to_utc(local, end_zone) if isinstance(local, datetime) else local
        if end_value < start_value:
            self.warnings.append("its DTEND is before its DTSTART; it was left out")
        if end_value <= start_value:
            # Some programs write an all-day event of one day with the same date for both.
            return None
        if isinstance(end_value, datetime) and end_zone != time_zone:
            return format_local_instant(end_value, time_zone)
        # In the same zone, also a local time that a clock change skips stays as it was written.
        return local.isoformat()


def resolve_recurrence_id(recurrence_id: ICalTime, context: CalendarContext) -> tuple[date, str]:
    """Return a RECURRENCE-ID of an event that the file does not describe, and its time zone."""
    local = recurrence_id.value
    if not isinstance(local, datetime):
        return local, "UTC"
    tzids = context.tzids
    zone = (recurrence_id.tzid and tzids.find(recurrence_id.tzid)) or tzids.floating
    chosen = choose_series_zone(zone, SeriesStart(local), tzids)
    return local if chosen.keeps_local_times else to_local(zone.to_utc(local), chosen.name), chosen.name


def _match_kind(end: date, start: date) -> date:
    """Return an end of the other kind than its start as one of the same kind; the whole last day is included."""
    if isinstance(end, datetime):
        return end.date() if end.time() == MIDNIGHT else end.date() + DAY
    assert isinstance(start, datetime)
    return datetime.combine(end if end > start.date() else end + DAY, MIDNIGHT)
