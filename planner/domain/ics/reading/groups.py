"""The entries of a file: all VEVENTs with one UID combined, so that they can become an event.

The fields of an entry have the form of a request: local times, a time zone and a rule. The occurrences that
differ have fields of their own. What cannot become an event is an `ImportNote` with a reason, and does
not prevent the rest from being imported.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from planner.domain.ics.reading.components import Component, parse_calendars
from planner.domain.ics.reading.custom_timezones import parse_vtimezone
from planner.domain.ics.reading.entry_times import (
    CalendarContext,
    EntryTimes,
    FloatingZone,
    ParsedOccurrence,
    resolve_recurrence_id,
)
from planner.domain.ics.reading.properties import Unreadable, parse_property, parse_text
from planner.domain.ics.reading.tzids import TzidResolver, resolve_tzid_name
from planner.domain.ics.reading.vevent import ParsedCancellation, ParsedVEvent, parse_cancellation, parse_vevent
from planner.domain.ics.versions import NO_RECORD_TIMES, RecordTimes, Version, build_instance_key, find_newest
from planner.domain.zones import MIDNIGHT

# An entry is a whole `event`, or only some `occurrences` of one. An entry of kind `cancel` cancels the event, or
# only its occurrences if it has any, and says nothing else about them.
EntryKind = Literal["event", "occurrences", "cancel"]

_SUPPORTED_METHODS = frozenset({None, "", "PUBLISH", "REQUEST", "CANCEL"})
# The number of warnings about one entry that are reported; each of the lines of an entry may be a reason for one.
MAX_WARNINGS = 50
# These properties differ between two exports of the same entry.
_RECORD_PROPERTIES = ("DTSTAMP", "CREATED", "LAST-MODIFIED")


class ImportNote(NamedTuple):
    """A failure, something that was not imported; or a warning, something that was, but not as it is written.

    `uid` is that of the entry, or None if it has none. `reason` says why, or what was done.
    """

    uid: str | None
    reason: str


class ParsedEntry(NamedTuple):
    """What a file says about one UID. `fields` has the fields of a request by their names, and `ics`.

    `version` is that of the event itself; of an entry with occurrences only, it is the newest of theirs.
    """

    uid: str
    version: Version
    kind: EntryKind
    fields: dict[str, Any]
    occurrences: list[ParsedOccurrence]
    record_times: RecordTimes = NO_RECORD_TIMES


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


NOTHING_TOLD = FloatingZone()


class _Part(NamedTuple):
    """A VEVENT with the context of its VCALENDAR."""

    vevent: ParsedVEvent | ParsedCancellation
    context: CalendarContext

    @property
    def version(self) -> Version:
        return self.vevent.version


def parse_groups(text: str, floating: FloatingZone = NOTHING_TOLD) -> list[EntryGroup]:
    """Return the groups of a file, in the order of the file. Raises `NotACalendar`."""
    groups: dict[str, EntryGroup] = {}
    failed: list[EntryGroup] = []
    for calendar in parse_calendars(text):
        context = _build_context(calendar, floating)
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
    parts: list[_Part] = []
    for component, context in group.components:
        try:
            parts.append(_parse_part(component, context, group.uid))
        except Unreadable as error:
            failures.append(ImportNote(group.uid, str(error)))
    if not parts:
        return ParsedGroup(None, failures, [])
    for part in parts:
        if isinstance(part.vevent, ParsedVEvent):
            warnings += [ImportNote(group.uid, warning) for warning in part.vevent.warnings]
    try:
        built = _build_entry(group.uid, parts)
    except Unreadable as error:
        return ParsedGroup(None, [*failures, ImportNote(group.uid, str(error))], [])
    warnings = limit_warnings(group.uid, warnings + built.warnings) if built.entry else []
    return ParsedGroup(built.entry, failures + built.failures, warnings)


def limit_warnings(uid: str, warnings: list[ImportNote]) -> list[ImportNote]:
    """Return the different warnings about one entry; of very many only the first ones, and how many more there are."""
    different = list(dict.fromkeys(warnings))
    more = len(different) - MAX_WARNINGS
    if more <= 0:
        return different
    return [*different[:MAX_WARNINGS], ImportNote(uid, f"there are {more} more warnings about this entry")]


def _parse_part(component: Component, context: CalendarContext, uid: str) -> _Part:
    """Parse one VEVENT. Raises `Unreadable`."""
    if context.method not in _SUPPORTED_METHODS:
        raise Unreadable(f"it is part of an exchange of invitations (METHOD:{context.method})")
    is_cancellation = context.method == "CANCEL"
    return _Part(parse_cancellation(component, uid) if is_cancellation else parse_vevent(component, uid), context)


def _build_entry(uid: str, parts: Sequence[_Part]) -> ParsedGroup:
    """Return the entry of VEVENTs with one UID. Raises `Unreadable` if that of the event cannot be converted."""
    mains = [part for part in parts if part.vevent.recurrence_id is None]
    instances = [part for part in parts if part.vevent.recurrence_id is not None]
    if mains:
        newest = find_newest(mains)
        described = _find_newest_description(mains)
        if described is None:
            return ParsedGroup(ParsedEntry(uid, newest.version, "cancel", {}, []), [], [])
    else:
        newest = find_newest(instances)
        described = _choose_placeholder(instances)
        if described is None:
            return _build_cancellations(uid, instances)
    main, context = described
    times = EntryTimes(main, context)
    kind: EntryKind = "event" if mains else "occurrences"
    entry = ParsedEntry(uid, newest.version, kind, times.build_fields(main), [], main.record_times)
    if mains and isinstance(newest.vevent, ParsedCancellation):
        # The file describes the event and cancels it afterwards.
        entry.fields["status"] = "cancelled"
    warnings = _find_duplicates(uid, mains)
    failures: list[ImportNote] = []
    by_id: dict[tuple[date, bool], list[_Part]] = {}
    for part in instances:
        assert part.vevent.recurrence_id is not None
        recurrence_id = times.convert_recurrence_id(part.vevent.recurrence_id, part.context)
        by_id.setdefault((recurrence_id, part.vevent.following), []).append(part)
    for (recurrence_id, following), same in by_id.items():
        try:
            occurrence = _build_occurrence(times, recurrence_id, same)
            entry.occurrences.append(occurrence._replace(following=following))
            warnings += _find_duplicates(uid, same)
        except Unreadable as error:
            failures.append(_build_occurrence_failure(uid, recurrence_id, error))
    if kind == "occurrences" and not entry.occurrences:
        return ParsedGroup(None, failures, [])
    own = {occurrence.recurrence_id for occurrence in entry.occurrences if not occurrence.following}
    periods = {occurrence.recurrence_id: occurrence for occurrence in times.build_periods(main)}
    entry.occurrences.extend(occurrence for id, occurrence in periods.items() if id not in own)
    entry.occurrences.extend(times.build_moved(main, {*own, *periods}))
    warnings += [ImportNote(uid, warning) for warning in dict.fromkeys(times.warnings)]
    return ParsedGroup(entry, failures, warnings)


def _build_occurrence_failure(uid: str, recurrence_id: date, error: Unreadable) -> ImportNote:
    return ImportNote(uid, f"the occurrence of {recurrence_id.isoformat()}: {error}")


def _build_occurrence(times: EntryTimes, recurrence_id: date, parts: Sequence[_Part]) -> ParsedOccurrence:
    """Return the occurrence that VEVENTs with one recurrence id describe, or cancel. Raises `Unreadable`."""
    newest, described = find_newest(parts), _find_newest_description(parts)
    if described is None:
        return times.build_cancellation(recurrence_id, newest.version)
    occurrence = times.build_occurrence(*described, recurrence_id)
    if isinstance(newest.vevent, ParsedCancellation):
        occurrence.fields["status"] = "cancelled"
    return occurrence._replace(version=newest.version)


def _build_cancellations(uid: str, parts: Iterable[_Part]) -> ParsedGroup:
    """Return the entry of VEVENTs that all cancel occurrences."""
    newest: dict[str, ParsedOccurrence] = {}
    for vevent, context in parts:
        assert vevent.recurrence_id is not None
        local, time_zone = resolve_recurrence_id(vevent.recurrence_id, context)
        key = build_instance_key(local, time_zone, following=vevent.following)
        occurrence = ParsedOccurrence(local, time_zone, {}, vevent.version, vevent.following)
        newest[key] = find_newest([newest.get(key, occurrence), occurrence])
    occurrences = list(newest.values())
    return ParsedGroup(ParsedEntry(uid, find_newest(occurrences).version, "cancel", {}, occurrences), [], [])


def _find_newest_description(parts: Iterable[_Part]) -> tuple[ParsedVEvent, CalendarContext] | None:
    """Return the newest of VEVENTs that are no cancellations, or None."""
    described = [part for part in parts if isinstance(part.vevent, ParsedVEvent)]
    if not described:
        return None
    newest = find_newest(described)
    assert isinstance(newest.vevent, ParsedVEvent)
    return newest.vevent, newest.context


def _find_duplicates(uid: str, parts: Sequence[_Part]) -> list[ImportNote]:
    """Return a warning for each VEVENT that is left out although no other one is newer than it."""
    warnings: dict[ImportNote, None] = {}
    described = _find_newest_description(parts) if len(parts) > 1 else None
    for part in parts if described else ():
        if described is None or not isinstance(part.vevent, ParsedVEvent):
            continue
        is_same = (
            part.vevent._replace(version=described[0].version, record_times=described[0].record_times) == described[0]
        )
        if not is_same and not part.version.is_older_than(described[0].version):
            title, start = part.vevent.fields["title"], part.vevent.start.value.isoformat()
            reason = (
                f'another entry with this UID, "{title}" at {start}, is not imported, because nothing says which of '
                "the two is newer; if it is another event, it needs a UID of its own"
            )
            warnings[ImportNote(uid, reason)] = None
    return list(warnings)


def _choose_placeholder(parts: Iterable[_Part]) -> tuple[ParsedVEvent, CalendarContext] | None:
    """Return the VEVENT that represents an event of which the file has occurrences only: the first of them.

    Returns None if the file says nothing about them, but that they are cancelled.
    """
    described = [(part.vevent, part.context) for part in parts if isinstance(part.vevent, ParsedVEvent)]
    if not described:
        return None
    vevent, context = min(described, key=lambda part: _sort_key(part[0]))
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


def _build_context(calendar: Component, floating: FloatingZone) -> CalendarContext:
    method = calendar.find_value("METHOD")
    vtimezones = (parse_vtimezone(component) for component in calendar.components if component.name == "VTIMEZONE")
    named = floating.requested or calendar.find_value("X-WR-TIMEZONE") or None
    custom_timezones = dict(vtimezone for vtimezone in vtimezones if vtimezone is not None)
    tzids = TzidResolver(custom_timezones, named, floating.of_account)
    day_zone = None if named is None else resolve_tzid_name(named)
    return CalendarContext(None if method is None else method.upper(), tzids, day_zone)


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
