"""The contents of one VEVENT (RFC 5545 §3.6.1).

What fits a field of the API becomes that field. All other lines are stored unchanged, so that they
can be exported again.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from planner.domain.fields import MAX_REMINDERS, PROPERTIES
from planner.domain.ics.alarms import format_valarms, parse_reminder_minutes
from planner.domain.ics.content import sanitize_line
from planner.domain.ics.reading.components import Component, parse_line_name
from planner.domain.ics.reading.properties import (
    ICalTime,
    Property,
    Unreadable,
    parse_duration,
    parse_integer,
    parse_property,
    parse_time,
    parse_times,
)
from planner.domain.recurrence.series import MAX_DATES
from planner.domain.stored_event import ImportedLines

DEFAULT_TITLE = "(no title)"
MAX_SEQUENCE = 2**31 - 1
# The number of characters that are stored of lines without a field. They are read each time the event is.
MAX_OTHER_CHARACTERS = 65_536

# These properties are about the entry in the file, not about the event, so they are ignored.
_IGNORED_PROPERTIES = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})
_KNOWN_PROPERTIES = frozenset(
    {"UID", "SEQUENCE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE"}
).union(*(ics.names for ics in PROPERTIES.values()))


class ParsedVEvent(NamedTuple):
    """One VEVENT.

    `duration` has the days and the exact time of a DURATION. `fields` has those fields of the API that it has a
    value for, besides its times, by their names; and `ics` with the lines and alarms that have no field, or None.
    `warnings` say what of it is not imported as it is written.
    """

    uid: str
    sequence: int
    recurrence_id: ICalTime | None
    start: ICalTime
    end: ICalTime | None
    duration: tuple[timedelta, timedelta] | None
    rrule: str | None
    rdates: list[ICalTime]
    exdates: list[ICalTime]
    fields: dict[str, Any]
    warnings: list[str]


def parse_vevent(component: Component, uid: str) -> ParsedVEvent:
    """Parse a VEVENT. Raises `Unreadable` with the reason if it cannot be imported."""
    if component.error:
        raise Unreadable(component.error)
    parser = _Parser()
    for line in component.lines:
        parser.add_line(line)
    return parser.build(uid, component.components)


class _Parser:
    """A parser that is given the lines of a VEVENT one by one.

    `properties` has the properties of each known name; `other_lines` has the lines that have no field.
    """

    def __init__(self) -> None:
        self.properties: dict[str, list[Property]] = {}
        self.rdates: list[ICalTime] = []
        self.exdates: list[ICalTime] = []
        self.other_lines: list[str] = []
        self.warnings: list[str] = []

    def add_line(self, line: str) -> None:
        name = parse_line_name(line)
        if name in _IGNORED_PROPERTIES:
            return
        if name not in _KNOWN_PROPERTIES:
            self.other_lines.append(line)
            return
        prop = parse_property(line)
        match name:
            case "RDATE":
                self._add_dates(self.rdates, prop)
            case "EXDATE":
                self._add_dates(self.exdates, prop)
            case "EXRULE":
                raise Unreadable("it has an EXRULE, which is deprecated and not supported; use EXDATE instead")
            case "RRULE" if name in self.properties:
                raise Unreadable("it has more than one RRULE")
            case _:
                self.properties.setdefault(prop.name, []).append(prop)

    def _add_dates(self, dates: list[ICalTime], prop: Property) -> None:
        # They are counted before they are parsed, because a line may have very many.
        if len(dates) + prop.value.count(",") >= MAX_DATES:
            raise Unreadable(f"it has more than {MAX_DATES} dates in {prop.name}")
        dates += parse_times(prop)

    def _get(self, name: str) -> Property | None:
        """Return the first property with a name, or None."""
        return self.properties[name][0] if name in self.properties else None

    def build(self, uid: str, inner: list[Component]) -> ParsedVEvent:
        get = self._get
        start, end, duration, rrule = get("DTSTART"), get("DTEND"), get("DURATION"), get("RRULE")
        recurrence_id, sequence = get("RECURRENCE-ID"), get("SEQUENCE")
        if start is None:
            raise Unreadable("it has no DTSTART")
        if recurrence_id is not None and recurrence_id.parameters.get("RANGE", "").upper() == "THISANDFUTURE":
            raise Unreadable("it changes an occurrence and all that follow (THISANDFUTURE), which is not supported")
        return ParsedVEvent(
            uid=uid,
            sequence=min(max(parse_integer(sequence), 0), MAX_SEQUENCE) if sequence else 0,
            recurrence_id=parse_time(recurrence_id) if recurrence_id else None,
            start=parse_time(start),
            end=parse_time(end) if end else None,
            duration=_parse_duration(duration) if duration else None,
            rrule=rrule.value.replace(" ", "") if rrule else None,
            rdates=self.rdates,
            exdates=self.exdates,
            fields=self._build_fields(inner),
            warnings=self.warnings,
        )

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
        reminders = fields["reminders"] = sorted(minutes)[:MAX_REMINDERS]
        # An alarm that is equal to the one that is exported for a reminder need not be stored.
        exported = [sorted(format_valarms(fields["title"], [reminder], [])) for reminder in reminders]
        fields["ics"] = _build_ics(self.other_lines, [alarm for alarm in alarms if sorted(alarm) not in exported])
        return fields


def _parse_duration(prop: Property) -> tuple[timedelta, timedelta]:
    """Parse a DURATION into its days, which clock changes may make shorter or longer, and its exact time (§3.3.6)."""
    days, _, time = prop.value.strip().upper().partition("T")
    if days.startswith("-"):
        raise Unreadable("its DURATION is negative")
    nominal = parse_duration(prop._replace(value=days))
    return nominal, parse_duration(prop._replace(value=f"PT{time}")) if time else timedelta(0)


def _build_ics(lines: Iterable[str], alarms: Iterable[list[str]]) -> ImportedLines | None:
    """Return what is stored of lines and alarms without a field: those that fit the limit, such as no attachments."""
    remaining = MAX_OTHER_CHARACTERS
    ics = ImportedLines(lines=[], alarms=[])
    for line in map(sanitize_line, lines):
        if len(line) <= remaining:
            ics["lines"].append(line)
            remaining -= len(line) + 2
    for alarm in alarms:
        size = sum(len(line) + 2 for line in alarm)
        if size <= remaining:
            ics["alarms"].append(alarm)
            remaining -= size
    return ics if ics["lines"] or ics["alarms"] else None
