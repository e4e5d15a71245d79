"""The entries of a file: all VEVENTs with one UID combined, so that they can become an event.

The fields of an entry have the form of a request: local times, a time zone and a rule. The occurrences that
differ have fields of their own. What cannot become an event is an `ImportNote` with a reason, and does
not prevent the rest from being imported.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from planner.domain.ics.reading.components import Component, parse_calendars
from planner.domain.ics.reading.custom_timezones import parse_vtimezone
from planner.domain.ics.reading.entry_times import CalendarContext, EntryTimes, ParsedOccurrence
from planner.domain.ics.reading.properties import Unreadable, parse_property, parse_text
from planner.domain.ics.reading.tzids import TzidResolver, resolve_tzid_name
from planner.domain.ics.reading.vevent import ParsedVEvent, parse_vevent
from planner.domain.zones import MIDNIGHT

# An entry is a whole `event`, or only some `occurrences` of one. An entry of kind `cancel` cancels the event, or
# only its occurrences if it has any.
EntryKind = Literal["event", "occurrences", "cancel"]

_SUPPORTED_METHODS = frozenset({None, "", "PUBLISH", "REQUEST", "CANCEL"})
# These properties differ between two exports of the same entry.
_RECORD_PROPERTIES = ("DTSTAMP", "CREATED", "LAST-MODIFIED")


class ImportNote(NamedTuple):
    """A failure, something that was not imported; or a warning, something that was, but not as it is written.

    `uid` is that of the entry, or None if it has none. `reason` says why, or what was done.
    """

    uid: str | None
    reason: str


class ParsedEntry(NamedTuple):
    """What a file says about one UID. `fields` has the fields of a request by their names, and `ics`."""

    uid: str
    sequence: int
    kind: EntryKind
    fields: dict[str, Any]
    occurrences: list[ParsedOccurrence]


@dataclass
class EntryGroup:
    """The VEVENTs with one UID, each with the context of its VCALENDAR."""

    uid: str
    components: list[tuple[Component, CalendarContext]] = field(default_factory=list)
    failures: list[ImportNote] = field(default_factory=list)


class ParsedGroup(NamedTuple):
    """The entry that a group makes, if it makes one, with what of the group is not imported, or not as written."""

    entry: ParsedEntry | None
    failures: list[ImportNote]
    warnings: list[ImportNote]


# A VEVENT with the context of its VCALENDAR.
_Part = tuple[ParsedVEvent, CalendarContext]


def parse_groups(text: str) -> list[EntryGroup]:
    """Return the groups of a file, in the order of the file. Raises `NotACalendar`."""
    groups: dict[str, EntryGroup] = {}
    failed: list[EntryGroup] = []
    for calendar in parse_calendars(text):
        context = _build_context(calendar)
        for component in calendar.components:
            if component.name == "VTIMEZONE":
                continue
            file_uid = _parse_uid(component)
            if component.name == "VEVENT":
                uid = file_uid or _compute_uid(component)
                groups.setdefault(uid, EntryGroup(uid)).components.append((component, context))
            else:
                reason = f"it is a {component.name}; only VEVENTs are imported"
                failed.append(EntryGroup(file_uid or "", failures=[ImportNote(file_uid, reason)]))
    return [*groups.values(), *failed]


def parse_group(group: EntryGroup) -> ParsedGroup:
    """Combine the VEVENTs of a group into an entry."""
    failures, warnings = list(group.failures), list[ImportNote]()
    # By recurrence id, which is None for the VEVENT of the event itself.
    parts: dict[date | None, _Part] = {}
    for component, context in group.components:
        try:
            if context.method not in _SUPPORTED_METHODS:
                raise Unreadable(f"it is part of an exchange of invitations (METHOD:{context.method})")
            vevent = parse_vevent(component, group.uid)
        except Unreadable as error:
            failures.append(ImportNote(group.uid, str(error)))
            continue
        warnings += [ImportNote(group.uid, warning) for warning in vevent.warnings]
        recurrence_id = None if vevent.recurrence_id is None else vevent.recurrence_id.value
        # The highest SEQUENCE takes precedence, and the last of several with the same one.
        if recurrence_id not in parts or parts[recurrence_id][0].sequence <= vevent.sequence:
            parts[recurrence_id] = (vevent, context)
    if not parts:
        return ParsedGroup(None, failures, [])
    try:
        built = _build_entry(group.uid, parts)
    except Unreadable as error:
        return ParsedGroup(None, [*failures, ImportNote(group.uid, str(error))], [])
    return ParsedGroup(built.entry, failures + built.failures, warnings + built.warnings if built.entry else [])


def _build_entry(uid: str, parts: Mapping[date | None, _Part]) -> ParsedGroup:
    """Return the entry of VEVENTs with one UID. Raises `Unreadable` if that of the event cannot be converted."""
    if None in parts:
        main, context = parts[None]
        times = EntryTimes(main, context)
        if context.method == "CANCEL":
            return ParsedGroup(ParsedEntry(uid, main.sequence, "cancel", times.build_fields(main), []), [], [])
        entry = ParsedEntry(uid, main.sequence, "event", times.build_fields(main), [])
    else:
        main, context = _choose_placeholder(list(parts.values()))
        times = EntryTimes(main, context)
        sequence = max(vevent.sequence for vevent, _ in parts.values())
        is_cancel = all(context.method == "CANCEL" for _, context in parts.values())
        entry = ParsedEntry(uid, sequence, "cancel" if is_cancel else "occurrences", times.build_fields(main), [])
    failures: list[ImportNote] = []
    for recurrence_id, (vevent, context) in parts.items():
        if recurrence_id is not None:
            try:
                entry.occurrences.append(times.build_occurrence(vevent, context))
            except Unreadable as error:
                reason = f"the occurrence of {recurrence_id.isoformat()}: {error}"
                failures.append(ImportNote(uid, reason))
    if None not in parts and not entry.occurrences:
        return ParsedGroup(None, failures, [])
    own = {occurrence.recurrence_id for occurrence in entry.occurrences}
    periods = {occurrence.recurrence_id: occurrence for occurrence in times.build_periods(main)}
    entry.occurrences.extend(occurrence for id, occurrence in periods.items() if id not in own)
    return ParsedGroup(entry, failures, [ImportNote(uid, warning) for warning in times.warnings])


def _choose_placeholder(parts: list[_Part]) -> _Part:
    """Return the VEVENT that represents an event of which the file has occurrences only: the first of them."""
    vevent, context = min(parts, key=lambda part: _sort_key(part[0]))
    assert vevent.recurrence_id is not None
    placeholder = vevent._replace(start=vevent.recurrence_id, rrules=[], exrules=[], rdates=[], periods=[], exdates=[])
    if vevent.start != vevent.recurrence_id:
        # The occurrence was moved, and it is not known how long the others are.
        placeholder = placeholder._replace(end=None, duration=None)
    return placeholder, context


def _sort_key(vevent: ParsedVEvent) -> datetime:
    assert vevent.recurrence_id is not None
    value = vevent.recurrence_id.value
    return value if isinstance(value, datetime) else datetime.combine(value, MIDNIGHT)


def _build_context(calendar: Component) -> CalendarContext:
    method = calendar.find_value("METHOD")
    vtimezones = (parse_vtimezone(component) for component in calendar.components if component.name == "VTIMEZONE")
    tzids = TzidResolver(dict(vtimezone for vtimezone in vtimezones if vtimezone is not None))
    name = calendar.find_value("X-WR-TIMEZONE")
    time_zone = (resolve_tzid_name(name) if name else None) or "UTC"
    return CalendarContext(None if method is None else method.upper(), tzids, time_zone)


def _parse_uid(component: Component) -> str | None:
    """Return the UID of a component, or None if it has none that can be read."""
    for line in component.lines:
        if line[:4].upper() in ("UID:", "UID;"):
            try:
                return parse_text(parse_property(line)).strip() or None
            except Unreadable:
                return None
    return None


def _compute_uid(component: Component) -> str:
    """Return a UID for an entry without one: always the same for the same entry, so that it is recognised again."""
    lines = [line for line in component.lines if not line.upper().startswith(_RECORD_PROPERTIES)]
    return hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest()[:32] + "@no-uid.planner"
