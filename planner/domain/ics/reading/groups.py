"""The entries of a file: everything that it says of one UID put together, ready to become an event.

An entry is what a request would hold: local times, a zone, a rule (`draft`), and the occurrences
that differ. What cannot become an event is a `ImportFailure` with its reason, and hinders nothing else.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple

from planner.domain.ics.reading.components import Component, parse_calendars
from planner.domain.ics.reading.custom_timezones import parse_vtimezone
from planner.domain.ics.reading.properties import ICalTime, Unreadable, parse_property, parse_text
from planner.domain.ics.reading.tzids import TzidResolver, resolve_tzid_name
from planner.domain.ics.reading.vevent import ParsedVEvent, parse_vevent
from planner.domain.zones import to_local, to_utc

# `event` tells all of an event, `occurrences` only some of them; `cancel` says that it does not take
# place, or those occurrences that it names.
EntryKind = Literal["event", "occurrences", "cancel"]

_ALLOWED_METHODS = frozenset({None, "", "PUBLISH", "REQUEST", "CANCEL"})
DAY = timedelta(days=1)


class ImportFailure(NamedTuple):
    """What was not imported, and why in plain words; without a UID where there is none."""

    uid: str | None
    reason: str


class ParsedOccurrence(NamedTuple):
    """An occurrence that differs: its recurrence id, local in `zone`, and its own draft."""

    id: date
    zone: str
    draft: dict[str, Any]


class ParsedEntry(NamedTuple):
    """What a file says of one UID; `draft` has the fields of the API, and `ics`."""

    uid: str
    sequence: int
    kind: EntryKind
    draft: dict[str, Any]
    occurrences: list[ParsedOccurrence]


class CalendarContext(NamedTuple):
    """What a VCALENDAR says about its entries: its METHOD, its zones, and the zone of floating times."""

    method: str | None
    zones: TzidResolver
    zone: str


@dataclass
class EntryGroup:
    """The VEVENTs of one UID, each with where it stood."""

    uid: str
    parts: list[tuple[Component, CalendarContext]] = field(default_factory=list)
    failures: list[ImportFailure] = field(default_factory=list)


class ParsedGroup(NamedTuple):
    """What became of a group."""

    entry: ParsedEntry | None
    failures: list[ImportFailure]


def parse_groups(text: str) -> list[EntryGroup]:
    """The groups of a file, in order; raises `NotACalendar`."""
    found: dict[str, EntryGroup] = {}
    others: list[EntryGroup] = []
    for calendar in parse_calendars(text):
        context = _context(calendar)
        for block in calendar.blocks:
            if block.name == "VTIMEZONE":
                continue
            given = _uid(block)
            if block.name != "VEVENT":
                reason = f"it is a {block.name}, and only VEVENTs are imported"
                others.append(EntryGroup(given or "", failures=[ImportFailure(given, reason)]))
                continue
            uid = given or _made_uid(block)
            found.setdefault(uid, EntryGroup(uid)).parts.append((block, context))
    return [*found.values(), *others]


def parse_group(group: EntryGroup) -> ParsedGroup:
    """The entry that a group makes, and what of it cannot be imported."""
    failures = list(group.failures)
    whole: dict[date | None, tuple[ParsedVEvent, CalendarContext]] = {}
    for block, context in group.parts:
        try:
            if context.method not in _ALLOWED_METHODS:
                raise Unreadable(f"it is an answer to or a step of an invitation (METHOD:{context.method})")
            this = parse_vevent(block, group.uid)
        except Unreadable as error:
            failures.append(ImportFailure(group.uid, str(error)))
            continue
        key = None if this.id is None else this.id.value
        # The highest SEQUENCE holds, and the last of equal ones.
        if key not in whole or whole[key][0].sequence <= this.sequence:
            whole[key] = (this, context)
    try:
        entry, more = _entry(group.uid, whole)
    except Unreadable as error:
        return ParsedGroup(None, [*failures, ImportFailure(group.uid, str(error))])
    return ParsedGroup(entry, failures + more)


def _entry(
    uid: str, parts: dict[date | None, tuple[ParsedVEvent, CalendarContext]]
) -> tuple[ParsedEntry | None, list[ImportFailure]]:
    if not parts:
        return None, []
    main = parts.get(None)
    if main is not None:
        times = _Times(main[0], main[1])
        cancels = main[1].method == "CANCEL"
        entry = ParsedEntry(uid, main[0].sequence, "cancel" if cancels else "event", times.draft(main[0]), [])
        if cancels:
            return entry, []
    else:
        # Some occurrences of an event that the file does not tell: the first stands for it, until it is known.
        first, context = min(parts.values(), key=lambda part: _sortable(part[0], part[1]))
        assert first.id is not None
        alone = first._replace(start=first.id, rrule=None, rdates=[], exdates=[])
        if first.start != first.id:
            # It was moved, and how long the others last is not known.
            alone = alone._replace(end=None, length=None)
        times = _Times(alone, context)
        sequence = max(part.sequence for part, _ in parts.values())
        draft = times.draft(alone)
        cancels = all(context.method == "CANCEL" for _, context in parts.values())
        entry = ParsedEntry(uid, sequence, "cancel" if cancels else "occurrences", draft, [])
    failures = []
    for id, (part, context) in parts.items():
        if id is not None:
            try:
                entry.occurrences.append(times.occurrence(part, context))
            except Unreadable as error:
                failures.append(ImportFailure(uid, f"the occurrence of {id.isoformat()}: {error}"))
    if main is None and not entry.occurrences:
        return None, failures
    return entry, failures


def _sortable(part: ParsedVEvent, context: CalendarContext) -> datetime:
    assert part.id is not None
    value = part.id.value
    return value if isinstance(value, datetime) else datetime.combine(value, datetime.min.time())


class _Times:
    """Reads times as an event's own: local in the zone of its start, dates if it lasts whole days."""

    def __init__(self, main: ParsedVEvent, context: CalendarContext) -> None:
        self.start, zone = _local(main.start, context, "DTSTART")
        self.dated = main.start.dated
        self.zone = zone
        self._context = context

    def draft(self, part: ParsedVEvent) -> dict[str, Any]:
        """An event as a request would tell it."""
        draft = dict(part.fields)
        draft["start"] = self.start.isoformat()
        draft["end"] = _end(part, self.start, self.zone, self._context)
        draft["time_zone"] = None if self.dated else self.zone
        if part.rrule or part.rdates:
            draft["recurrence"] = {
                "rrule": part.rrule,
                "rdates": self._all(part.rdates, "RDATE"),
                "exdates": self._all(part.exdates, "EXDATE"),
            }
        return draft

    def occurrence(self, part: ParsedVEvent, context: CalendarContext) -> ParsedOccurrence:
        """An occurrence as its event counts: its id and its times local in the event's zone."""
        assert part.id is not None
        id = self._fit(part.id, context, "RECURRENCE-ID")
        start = part.start
        if self.dated and not start.dated:
            raise Unreadable("it has a time, and its event lasts whole days")
        local, zone = _local(start, context, "DTSTART")
        end = _end(part, local, zone, context)
        if start.dated and not self.dated:
            # It takes the whole day: from midnight to midnight, for its event has times.
            local = datetime.combine(local, datetime.min.time())
            last = local + DAY if end is None else datetime.combine(date.fromisoformat(end), datetime.min.time())
            end = last.isoformat()
        elif not self.dated and zone != self.zone:
            instant = to_utc(_timed(local), zone)
            ends = None if end is None else _instant(end, zone)
            local = to_local(instant, self.zone)
            end = None if ends is None else _told(ends, self.zone)
        draft = dict(part.fields)
        draft |= {"start": local.isoformat(), "end": end, "time_zone": None if self.dated else self.zone}
        return ParsedOccurrence(id, self.zone, draft)

    def _all(self, moments: list[ICalTime], name: str) -> list[str]:
        return sorted({self._fit(moment, self._context, name).isoformat() for moment in moments})

    def _fit(self, moment: ICalTime, context: CalendarContext, name: str) -> date:
        """A date or time as an occurrence of this event, of whichever kind it was written."""
        if self.dated:
            return moment.value.date() if isinstance(moment.value, datetime) else moment.value
        if moment.dated:
            assert isinstance(self.start, datetime)
            return datetime.combine(moment.value, self.start.time())
        local, zone = _local(moment, context, name)
        return local if zone == self.zone else to_local(to_utc(_timed(local), zone), self.zone)


def _local(moment: ICalTime, context: CalendarContext, name: str) -> tuple[date, str]:
    """A date or local time, and the zone that it is in; raises `Unreadable` for a zone that nobody knows."""
    value = moment.value
    if not isinstance(value, datetime) or moment.tzid is None:
        return value, context.zone if isinstance(value, datetime) else "UTC"
    zone = "UTC" if moment.tzid == "UTC" else context.zones.name(moment.tzid, value)
    if zone is None:
        shown = moment.tzid if len(moment.tzid) <= 60 else f"{moment.tzid[:59]}…"
        raise Unreadable(f"the time zone {shown!r} of its {name} is not known, nor described so that it could be")
    return value, zone


def _end(part: ParsedVEvent, start: date, zone: str, context: CalendarContext) -> str | None:
    """When a VEVENT ends, local in the zone of its start; None when it does not say, or ends as it begins."""
    if part.end is not None:
        if part.end.dated is isinstance(start, datetime):
            raise Unreadable("of its DTSTART and DTEND one is a date and the other a time")
        local, own = _local(part.end, context, "DTEND")
        if not isinstance(start, datetime):
            return _later(start, local)
        instant = to_utc(_timed(local), own)
        if instant < to_utc(start, zone):
            raise Unreadable("its DTEND is before its DTSTART")
        if instant == to_utc(start, zone):
            return None
        # As it is written, also where the clocks skip it.
        return local.isoformat() if own == zone else _told(instant, zone)
    if part.length is None or not any(part.length):
        return None
    nominal, exact = part.length
    try:
        if not isinstance(start, datetime):
            if (nominal + exact) % DAY:
                raise Unreadable("its DURATION is not one of whole days, and its DTSTART is a date")
            return (start + nominal + exact).isoformat()
        return _told(to_utc(start + nominal, zone) + exact, zone)
    except OverflowError:
        raise Unreadable("its DURATION leaves the years 1 to 9999") from None


def _later(start: date, end: date) -> str | None:
    if end < start:
        raise Unreadable("its DTEND is before its DTSTART")
    # Some programs write a day that ends as it begins, and mean the day.
    return None if end == start else end.isoformat()


def _told(instant: datetime, zone: str) -> str:
    """An instant as its zone's clocks show it; with UTC's offset where they show the same time twice."""
    local = to_local(instant, zone)
    return local.isoformat() if to_utc(local, zone) == instant else instant.isoformat()


def _instant(text: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return to_utc(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)


def _timed(value: date) -> datetime:
    assert isinstance(value, datetime)
    return value


def _context(calendar: Component) -> CalendarContext:
    method = calendar.first("METHOD")
    found = (parse_vtimezone(block) for block in calendar.blocks if block.name == "VTIMEZONE")
    zones = TzidResolver(dict(one for one in found if one is not None))
    name = calendar.first("X-WR-TIMEZONE")
    return CalendarContext(
        None if method is None else method.upper(), zones, (resolve_tzid_name(name) if name else None) or "UTC"
    )


def _uid(block: Component) -> str | None:
    """The UID of a component, as far as it can be read."""
    for line in block.lines:
        if line[:4].upper() in ("UID:", "UID;"):
            try:
                return parse_text(parse_property(line)).strip() or None
            except Unreadable:
                return None
    return None


def _made_uid(block: Component) -> str:
    """A UID for an entry without one: the same for the same entry, so that it is known again."""
    lines = _significant(block)
    return hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest()[:32] + "@no-uid.planner"


def _significant(block: Component) -> Iterator[str]:
    yield from (line for line in block.lines if not line.upper().startswith(("DTSTAMP", "CREATED", "LAST-MODIFIED")))
