"""The contents of one VEVENT (RFC 5545 §3.6.1).

What fits a field of the API becomes that field. All other lines are stored unchanged, so that they
can be exported again.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from planner.domain.fields import MAX_REMINDERS, PROPERTIES
from planner.domain.ics.alarms import format_valarms, parse_reminder_minutes
from planner.domain.ics.content import sanitize_line
from planner.domain.ics.reading.components import Component, parse_line_name
from planner.domain.ics.reading.properties import (
    ICalDuration,
    ICalPeriod,
    ICalTime,
    Property,
    Unreadable,
    parse_integer,
    parse_length,
    parse_property,
    parse_time,
    parse_times,
    parse_times_or_periods,
)
from planner.domain.ics.versions import RecordTimes, Version
from planner.domain.recurrence.series import MAX_DATES
from planner.domain.stored_event import ImportedLines

_T = TypeVar("_T")

_FOLLOWING = "THISANDFUTURE"
DEFAULT_TITLE = "(no title)"
MAX_SEQUENCE = 2**31 - 1
# The number of characters that are stored of lines without a field. They are read each time the event is.
MAX_OTHER_CHARACTERS = 65_536
# A warning names so many properties that were left out.
MAX_NAMED_LINES = 5

# These properties are about the entry in the file, not about the event.
_RECORD_PROPERTIES = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})
# These properties say which version of which entry it is. Those of a cancellation are the only ones that count.
_IDENTIFYING_PROPERTIES = frozenset({"UID", "SEQUENCE", "RECURRENCE-ID"})
_KNOWN_PROPERTIES = _IDENTIFYING_PROPERTIES.union(
    {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE"},
    *(ics.names for ics in PROPERTIES.values()),
)


# Without one of these properties an entry would be another event, or at another time. Any other is left out if it
# cannot be read.
_DECISIVE_PROPERTIES = frozenset({"UID", "DTSTART", "RRULE", "EXRULE", "RECURRENCE-ID"})


_STAMP = re.compile(r"DTSTAMP:(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)


class ParsedVEvent(NamedTuple):
    """One VEVENT.

    `rrules` and `exrules` are RECUR values; `periods` are those of its RDATEs. `fields` has those fields of the API
    that it has a value for, besides its times, by their names; and `ics` with the lines and alarms that have no
    field, or None. `warnings` say what of it is not imported as it is written. With `following`, it is about all
    occurrences from its recurrence id on.
    """

    uid: str
    version: Version
    recurrence_id: ICalTime | None
    start: ICalTime
    end: ICalTime | None
    duration: ICalDuration | None
    rrules: list[str]
    exrules: list[str]
    rdates: list[ICalTime]
    periods: list[ICalPeriod]
    exdates: list[ICalTime]
    fields: dict[str, Any]
    warnings: list[str]
    record_times: RecordTimes
    following: bool


class ParsedCancellation(NamedTuple):
    """A VEVENT of a calendar with METHOD:CANCEL, of which nothing else counts (RFC 5546 §3.2.5)."""

    uid: str
    version: Version
    recurrence_id: ICalTime | None
    following: bool


def parse_vevent(component: Component, uid: str) -> ParsedVEvent:
    """Parse a VEVENT. Raises `Unreadable` with the reason if it cannot be imported."""
    if component.error:
        raise Unreadable(component.error)
    parser = _Parser(component.list_warnings())
    for line in component.lines:
        parser.add_line(line)
    return parser.build(uid, component.components)


def parse_cancellation(component: Component, uid: str) -> ParsedCancellation:
    """Parse a VEVENT of a calendar with METHOD:CANCEL, which need not have a DTSTART. Raises `Unreadable`."""
    if component.error:
        raise Unreadable(component.error)
    parser = _Parser([])
    for line in component.lines:
        if parse_line_name(line) in _IDENTIFYING_PROPERTIES | _RECORD_PROPERTIES:
            parser.add_line(line)
    return ParsedCancellation(uid, parser.parse_version(), parser.parse_recurrence_id(), parser.is_following())


class _Parser:
    """A parser that is given the lines of a VEVENT one by one.

    `properties` has the properties of each known name; `other_lines` has the lines that have no field.
    """

    def __init__(self, warnings: list[str]) -> None:
        self.properties: dict[str, list[Property]] = {}
        self.rdates: list[ICalTime] = []
        self.periods: list[ICalPeriod] = []
        self.exdates: list[ICalTime] = []
        self.other_lines: list[str] = []
        self.warnings = warnings
        self.record_lines: dict[str, str] = {}

    def add_line(self, line: str) -> None:
        name = parse_line_name(line)
        if name in _RECORD_PROPERTIES:
            self.record_lines[name] = line
            return
        if name not in _KNOWN_PROPERTIES:
            self.other_lines.append(line)
            return
        if name in ("RDATE", "EXDATE"):
            self._count_dates(name, line)
        try:
            self._add_property(parse_property(line))
        except Unreadable as error:
            if name in _DECISIVE_PROPERTIES:
                raise
            self.warnings.append(f"{error}; this {name} was left out")

    def _add_property(self, prop: Property) -> None:
        match prop.name:
            case "RDATE":
                found = parse_times_or_periods(prop)
                self.rdates += [time for time in found if isinstance(time, ICalTime)]
                self.periods += [period for period in found if isinstance(period, ICalPeriod)]
            case "EXDATE":
                self.exdates += parse_times(prop)
            case _:
                self.properties.setdefault(prop.name, []).append(prop)

    def _count_dates(self, name: str, line: str) -> None:
        """Raise `Unreadable` if there are too many. They are counted before any of them is parsed."""
        count = len(self.exdates) if name == "EXDATE" else len(self.rdates) + len(self.periods)
        if count + line.count(",") >= MAX_DATES:
            raise Unreadable(f"it has more than {MAX_DATES} dates in {name}")

    def _get(self, name: str) -> Property | None:
        """Return the first property with a name, or None."""
        return self.properties[name][0] if name in self.properties else None

    def _parse(self, name: str, parse: Callable[[Property], _T]) -> _T | None:
        """Return the value of a property; None if there is none, it is empty, or it cannot be read."""
        prop = next((prop for prop in self.properties.get(name, ()) if prop.value.strip()), None)
        if prop is None:
            return None
        try:
            return parse(prop)
        except Unreadable as error:
            self.warnings.append(f"{error}; it was left out")
            return None

    def _get_rules(self, name: str) -> list[str]:
        """Return the different values of RRULE or EXRULE."""
        rules = (prop.value.replace(" ", "") for prop in self.properties.get(name, ()))
        return list(dict.fromkeys(rule for rule in rules if rule))

    def build(self, uid: str, inner: list[Component]) -> ParsedVEvent:
        start = self._get("DTSTART")
        if start is None:
            raise Unreadable("it has no DTSTART")
        return ParsedVEvent(
            uid=uid,
            version=self.parse_version(),
            recurrence_id=self.parse_recurrence_id(),
            start=parse_time(start),
            end=self._parse("DTEND", parse_time),
            duration=self._parse("DURATION", parse_length),
            rrules=self._get_rules("RRULE"),
            exrules=self._get_rules("EXRULE"),
            rdates=self.rdates,
            periods=self.periods,
            exdates=self.exdates,
            fields=self._build_fields(inner),
            warnings=self.warnings,
            record_times=RecordTimes(self._get_record_time("CREATED"), self._get_record_time("LAST-MODIFIED")),
            following=self.is_following(),
        )

    def _get_record_time(self, name: str) -> str:
        return self.record_lines.get(name, "")[len(name) + 1 :]

    def parse_version(self) -> Version:
        """Return the SEQUENCE and the DTSTAMP; one that is missing or cannot be read is 0 or None."""
        stamp = self.record_lines.get("DTSTAMP")
        sequence = min(max(self._parse("SEQUENCE", parse_integer) or 0, 0), MAX_SEQUENCE)
        return Version(sequence, _parse_stamp(stamp) if stamp else None)

    def parse_recurrence_id(self) -> ICalTime | None:
        """Return the RECURRENCE-ID, or None without one. Raises `Unreadable`."""
        prop = self._get("RECURRENCE-ID")
        if prop is None:
            return None
        if self._get_range() not in ("", _FOLLOWING):
            self.warnings.append("the RANGE of its RECURRENCE-ID is not THISANDFUTURE; only this occurrence differs")
        return parse_time(prop)

    def is_following(self) -> bool:
        """Return whether it is about an occurrence and all that follow (RFC 5545 §3.2.13)."""
        return self._get_range() == _FOLLOWING

    def _get_range(self) -> str:
        prop = self._get("RECURRENCE-ID")
        return "" if prop is None else prop.parameters.get("RANGE", "").upper()

    def _build_fields(self, inner: list[Component]) -> dict[str, Any]:
        fields: dict[str, Any] = {"title": DEFAULT_TITLE}
        for name, ics in PROPERTIES.items():
            if any(each in self.properties for each in ics.names):
                value, lines = ics.read(self.properties)
                self.other_lines += lines
                if value is not None:
                    fields[name] = value
        alarms = [[sanitize_line(line) for line in component.to_lines()] for component in inner]
        minutes = {minutes for alarm in alarms if (minutes := parse_reminder_minutes(alarm)) is not None}
        reminders = fields["reminders"] = sorted(sorted(minutes, key=abs)[:MAX_REMINDERS])
        if len(minutes) > MAX_REMINDERS:
            self.warnings.append(f"it has {len(minutes)} reminders; the {MAX_REMINDERS} nearest to the start were kept")
        # An alarm that is equal to the one that is exported for a reminder need not be stored.
        exported = [sorted(format_valarms(fields["title"], [reminder], [])) for reminder in reminders]
        others = [alarm for alarm in alarms if sorted(alarm) not in exported]
        fields["ics"], lost = _build_ics(self.other_lines, others)
        if lost:
            names = ", ".join(lost[:MAX_NAMED_LINES])
            self.warnings.append(f"what has no field here is longer than 64 KiB; some of it was left out: {names}")
        return fields


def _parse_stamp(line: str) -> datetime | None:
    """Return a DTSTAMP, which is in UTC (§3.8.7.2), or None if it cannot be read."""
    try:
        # Each entry has one, nearly always in this form, and this is much faster.
        if found := _STAMP.fullmatch(line):
            year, month, day, hour, minute, second = map(int, found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        value = parse_time(parse_property(line)).value
    except ValueError:
        return None
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


def _build_ics(lines: Iterable[str], alarms: Iterable[list[str]]) -> tuple[ImportedLines | None, list[str]]:
    """Return what is stored of lines and alarms without a field, and the names of those that do not fit the limit.

    These are large attachments, as a rule.
    """
    remaining = MAX_OTHER_CHARACTERS
    ics, lost = ImportedLines(lines=[], alarms=[]), dict[str, None]()
    for line in map(sanitize_line, lines):
        if len(line) <= remaining:
            ics["lines"].append(line)
            remaining -= len(line) + 2
        else:
            lost[parse_line_name(line) or line[:32]] = None
    for alarm in alarms:
        size = sum(len(line) + 2 for line in alarm)
        if size <= remaining:
            ics["alarms"].append(alarm)
            remaining -= size
        else:
            lost[alarm[0].removeprefix("BEGIN:")] = None
    return (ics if ics["lines"] or ics["alarms"] else None), list(lost)
