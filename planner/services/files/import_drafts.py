"""Drafts: the entries of a file as events that can be stored.

An entry is validated by the same rules as the body of a request.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import ValidationError

from database.bson_values import encode
from database.queries import Changes, assign
from models.events.event import Event
from models.events.event_draft import build_content, build_requested_series
from models.events.event_schema import EventCreate
from planner.domain.fields import IMPORTED_OCCURRENCE_FIELDS
from planner.domain.ics.reading.entry_times import DAY, ParsedOccurrence
from planner.domain.ics.reading.groups import EntryGroup, EntryKind, ImportNote, ParsedEntry, parse_group
from planner.domain.ics.reading.properties import ICalDuration
from planner.domain.ics.versions import NO_RECORD_TIMES, RecordTimes, Version, build_instance_key
from planner.domain.recurrence.documents import build_series, parse_stored_local
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Override, Series, validate_series
from planner.domain.stored_event import ImportedLines
from planner.domain.times import EventTimes, has_offset, resolve_times
from planner.errors import Invalid
from planner.services.shared.field_errors import field_errors

# The largest event that can be imported, as large as the largest body of a request.
MAX_EVENT_BYTES = 1024 * 1024
_OUT_OF_RANGE = "its times are outside the years 1 to 9999"


class OccurrenceDraft(NamedTuple):
    """An occurrence with an entry of its own: its recurrence id, local in `time_zone`.

    `content` is that of an event that consists of this occurrence only; empty if the entry only cancels it. With
    `following`, all later occurrences differ likewise.
    """

    recurrence_id: date
    time_zone: str
    version: Version
    content: Changes
    following: bool = False

    @property
    def key(self) -> str:
        """The key of its version."""
        return build_instance_key(self.recurrence_id, self.time_zone, following=self.following)


class ImportDraft(NamedTuple):
    """An event of a file, ready to be compared with a stored one.

    `version` is its own, and `instances` has those of its occurrences with an entry of their own, by their keys
    (`build_instance_key`). `content` has the fields of the event as they are stored, without those that a file
    cannot know, such as its visibility. Only a draft of a kind other than `event` has `occurrences`, which are
    to be merged into the stored event; one of kind `cancel` has no content.
    """

    uid: str
    version: Version
    kind: EntryKind
    content: Changes
    occurrences: list[OccurrenceDraft]
    instances: dict[str, Version]
    record_times: RecordTimes = NO_RECORD_TIMES


class DraftedGroup(NamedTuple):
    """The draft that a group of entries makes, if it makes one; what of it is not imported, or not as written.

    `octets` is the size of the content.
    """

    draft: ImportDraft | None
    failures: list[ImportNote]
    warnings: list[ImportNote]
    octets: int = 0


def build_draft(group: EntryGroup) -> DraftedGroup:
    """Parse and validate a group of entries."""
    try:
        entry, failures, warnings = parse_group(group)
    except OverflowError:
        return DraftedGroup(None, [*group.failures, ImportNote(group.uid, _OUT_OF_RANGE)], [])
    if entry is None:
        return DraftedGroup(None, failures, warnings)
    try:
        draft = _validate_entry(entry, failures)
        octets = len(encode(draft.content))
    except Invalid as error:
        reason = "; ".join(_reasons_of(error))
    except RecurrenceError as error:
        reason = f"its {error.field} {error}"
    except (OverflowError, ValueError):
        reason = _OUT_OF_RANGE
    else:
        if octets <= MAX_EVENT_BYTES:
            return DraftedGroup(draft, failures, warnings, octets)
        reason = "it is too large: an event must not take more than 1 MiB"
    return DraftedGroup(None, [*failures, ImportNote(group.uid, reason)], [])


def _reasons_of(error: Invalid) -> Iterator[str]:
    for pointer, message in error.errors:
        yield f"its {pointer.strip('/').replace('/', ' ')} {message}"


def _validate_entry(entry: ParsedEntry, failures: list[ImportNote]) -> ImportDraft:
    """Return the draft of an entry; occurrences that are not valid are added to the failures."""
    occurrences: list[OccurrenceDraft] = []
    for occurrence in entry.occurrences:
        try:
            occurrences.append(_validate_occurrence(entry.uid, occurrence))
        except Invalid as error:
            reason = f"the occurrence of {occurrence.recurrence_id.isoformat()}: {'; '.join(_reasons_of(error))}"
            failures.append(ImportNote(entry.uid, reason))
    if entry.kind == "cancel":
        return ImportDraft(entry.uid, entry.version, "cancel", {}, occurrences, {})
    body, times, ics = _validate_fields(entry.uid, entry.fields)
    series = build_requested_series(body, times)
    series = None if series is None else _set_length(series, entry)
    if occurrences:
        # An event without a rule becomes a series if an occurrence of it has an entry of its own.
        series = series or _set_length(build_series(times, None, [], []), entry)
        content = _build_imported_content(body, times, ics)
        for draft in sort_occurrences(occurrences):
            # What does not take place cannot be cancelled.
            if draft.content or series.generates(draft.recurrence_id):
                series = add_occurrence(series, content, draft)
        series = validate_series(series)
    return ImportDraft(
        entry.uid,
        entry.version,
        entry.kind,
        _build_imported_content(body, times, ics, series),
        [] if entry.kind == "event" else occurrences,
        {draft.key: draft.version for draft in occurrences},
        entry.record_times,
    )


def _set_length(series: Series, entry: ParsedEntry) -> Series:
    """Return the series with the DURATION of its entry, if it has days by the clock in it."""
    length: ICalDuration | None = entry.fields.get("length")
    if length is None:
        return series
    return replace(series, duration=length.nominal + length.exact, nominal_days=length.nominal // DAY)


def _validate_occurrence(uid: str, occurrence: ParsedOccurrence) -> OccurrenceDraft:
    fields = occurrence.fields
    content: Changes = _build_imported_content(*_validate_fields(uid, fields)) if fields else {}
    return OccurrenceDraft(
        occurrence.recurrence_id, occurrence.time_zone, occurrence.version, content, occurrence.following
    )


def _validate_fields(uid: str, fields: dict[str, Any]) -> tuple[EventCreate, EventTimes, ImportedLines | None]:
    """Return the fields of an entry as the body of a request, its times, and `ics`. Raises `Invalid`."""
    sent = {name: value for name, value in fields.items() if name not in ("ics", "length")}
    try:
        body = EventCreate.model_validate({"uid": uid, **sent})
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None
    return body, resolve_times(body.start, body.end, body.all_day, body.time_zone, body.end_time_zone), fields["ics"]


def _build_imported_content(
    body: EventCreate, times: EventTimes, ics: ImportedLines | None, series: Series | None = None
) -> Changes:
    content = build_content(body, times, series)
    # A file does not decide who may see the event.
    content.pop(Event.visibility)
    return content if ics is None else content | {Event.ics: ics}


def sort_occurrences(occurrences: Iterable[OccurrenceDraft]) -> list[OccurrenceDraft]:
    """Return occurrences in the order in which they are added to a series: first those that others follow."""
    return sorted(occurrences, key=lambda draft: (not draft.following, draft.recurrence_id))


def add_occurrence(series: Series, master: Changes, occurrence: OccurrenceDraft) -> Series:
    """Return the series with the content `master` in which an occurrence differs; it is not valid in any case."""
    recurrence_id = occurrence.recurrence_id
    override = _build_override(series, master, occurrence)
    if occurrence.following:
        return replace(series, ranges={**series.ranges, recurrence_id: override})
    return replace(series, overrides={**series.overrides, recurrence_id: override})


def _build_override(series: Series, master: Changes, occurrence: OccurrenceDraft) -> Override:
    own, inherited = occurrence.content, series.find_range(occurrence.recurrence_id) or Override()
    if not own:
        cancelled: Changes = assign(Event.status, "cancelled")
        return (
            replace(inherited, fields={**inherited.fields, **cancelled})
            if occurrence.following
            else Override(fields=cancelled)
        )
    if occurrence.following:
        # It says all about the occurrences from here on, whatever an earlier range says.
        inherited = Override()
    start, end = parse_stored_local(own[Event.start]), own[Event.end]
    is_timed = isinstance(start, datetime)
    if is_timed:
        duration = timedelta(0) if end is None else own[Event.ends] - own[Event.begins]
    else:
        duration = DAY if end is None else parse_stored_local(end) - start
    time_zone = (own[Event.time_zone] or "UTC") if is_timed and series.all_day else None
    if isinstance(start, datetime) and has_offset(own[Event.start]):
        start = start.replace(fold=1)
    before: Changes = {**master, **inherited.fields}
    differing = (name for name in IMPORTED_OCCURRENCE_FIELDS if differs(own.get(name), before.get(name)))
    fields: Changes = {name: own.get(name) for name in differing}
    override = Override(start=start, fields=fields, time_zone=time_zone)
    if time_zone == inherited.time_zone and is_same_local(start, inherited.start or occurrence.recurrence_id):
        override = Override(fields=fields)
    if duration == series.measure_occurrence(occurrence.recurrence_id, series.layer_override(inherited, override)):
        return override
    return replace(override, duration=duration)


def is_same_local(one: date, other: date) -> bool:
    """Return whether two local values are the same, and none is the second of two equal local times."""
    return one == other and not any(isinstance(each, datetime) and each.fold for each in (one, other))


def differs(value: Any, other: Any) -> bool:
    """Return whether two values of a field are different."""
    # No value, an empty text and an empty list are the same.
    return value != other and bool(value or other)
