"""Entries of a file as they will be stored; held to the same rules as what the API is sent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from database.queries import Stored
from database.reads import encode
from models.events.event_schema import EventCreate
from models.events.event_view import fields_of
from planner.domain.ics.reading.entry_times import ParsedOccurrence
from planner.domain.ics.reading.groups import EntryGroup, EntryKind, ImportFailure, ParsedEntry, parse_group
from planner.domain.recurrence.documents import (
    build_series,
    parse_stored_local,
    series_from_document,
    series_to_document,
)
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import DAY, NO_DURATION, Override, Series, validate_series
from planner.domain.times import EventTimes, resolve_times
from planner.domain.zones import to_local, to_utc
from planner.errors import Invalid
from planner.services.events.occurrences import FIELDS
from planner.services.shared.field_errors import field_errors

# What may differ about an imported occurrence: besides what the API lets one change, its alarms and extras.
OWN = (*FIELDS, "reminders", "ics")
# As large as a request that makes an event may be: more than that makes every answer slow.
MOST_BYTES = 1024 * 1024
_OUTSIDE = "its times leave the years 1 to 9999"


class Prepared(NamedTuple):
    """An event that a file tells of. `fields` are as they are stored, but for `key`, which needs an id.

    `occurrences` are those of an event that the file does not tell itself: each with `id`, `zone`
    and its `fields`, as an event of its own would have them.
    """

    uid: str
    sequence: int
    kind: EntryKind
    fields: Stored
    occurrences: list[Stored]


def prepared(group: EntryGroup) -> tuple[Prepared | None, list[ImportFailure]]:
    """What a group of entries becomes, and what of it cannot be imported."""
    try:
        entry, failures = parse_group(group)
    except OverflowError:
        return None, [*group.failures, ImportFailure(group.uid, _OUTSIDE)]
    if entry is None:
        return None, failures
    try:
        found = _prepared(entry, failures)
        if len(encode(found.fields)) > MOST_BYTES:
            return None, [*failures, ImportFailure(group.uid, "it is too large: an event may take 1 MiB")]
    except Invalid as error:
        return None, [*failures, ImportFailure(group.uid[:255], "; ".join(_reasons(error)))]
    except RecurrenceError as error:
        return None, [*failures, ImportFailure(group.uid, f"its {error.field} {error}")]
    except (OverflowError, ValueError):
        return None, [*failures, ImportFailure(group.uid, _OUTSIDE)]
    return found, failures


def _reasons(error: Invalid) -> Iterator[str]:
    for pointer, message in error.errors:
        yield f"its {pointer.strip('/').replace('/', ' ')} {message}"


def _prepared(entry: ParsedEntry, failures: list[ImportFailure]) -> Prepared:
    draft, times, ics = _draft(entry.uid, entry.draft)
    series = _series(times, draft)
    changed: dict[date, Override] = {}
    if entry.occurrences:
        # It need not repeat: an occurrence that is told besides makes it a series.
        series = series or build_series(times, None, [], [])
        master = _stored(draft, times, ics)
        for occurrence in entry.occurrences:
            try:
                own = _own(entry.uid, occurrence)
            except Invalid as error:
                reason = f"the occurrence of {occurrence.recurrence_id.isoformat()}: {'; '.join(_reasons(error))}"
                failures.append(ImportFailure(entry.uid, reason))
            else:
                changed[occurrence.recurrence_id] = override(series, master, own, occurrence.recurrence_id)
        series = validate_series(replace(series, overrides=changed))
    fields = _stored(draft, times, ics, series)
    occurrences: list[Stored] = []
    if entry.kind != "event":
        told = [occurrence for occurrence in entry.occurrences if occurrence.recurrence_id in changed]
        occurrences = [
            {"id": one.recurrence_id.isoformat(), "zone": one.time_zone, "fields": _own(entry.uid, one)} for one in told
        ]
    return Prepared(entry.uid, entry.sequence, entry.kind, fields, occurrences)


def _own(uid: str, occurrence: ParsedOccurrence) -> Stored:
    """An occurrence, as an event of its own would be stored."""
    draft, times, ics = _draft(uid, occurrence.draft)
    return _stored(draft, times, ics)


def _draft(uid: str, told: dict[str, Any]) -> tuple[EventCreate, EventTimes, dict[str, Any] | None]:
    fields = {name: value for name, value in told.items() if name != "ics"}
    try:
        draft = EventCreate.model_validate({"uid": uid, **fields})
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None
    return draft, resolve_times(draft.start, draft.end, draft.all_day, draft.time_zone), told["ics"]


def _series(times: EventTimes, draft: EventCreate) -> Series | None:
    asked = draft.recurrence
    if asked is None or not (asked.rrule or asked.rdates):
        return None
    return build_series(times, asked.rrule, asked.rdates, asked.exdates)


def _stored(draft: EventCreate, times: EventTimes, ics: dict[str, Any] | None, series: Series | None = None) -> Stored:
    fields = fields_of(draft, times, "", series)
    # Who may see it is not for a file to say, and the place among others needs an id.
    for name in ("key", "visibility"):
        fields.pop(name)
    return fields | ({"ics": ics} if ics else {})


def override(series: Series, master: Stored, own: Stored, id: date) -> Override:
    """What differs about an occurrence that is told as an event of its own."""
    start = parse_stored_local(own["start"])
    if series.all_day:
        end = DAY if own["end"] is None else parse_stored_local(own["end"]) - start
    else:
        # What has no end is kept as ending just after it began.
        end = NO_DURATION if own["end"] is None else own["ends"] - own["begins"]
    fields = {name: own.get(name) for name in OWN if _differs(own.get(name), master.get(name))}
    return Override(None if start == id else start, None if end == series.effective_duration else end, fields=fields)


def _differs(one: Any, other: Any) -> bool:
    return one != other and bool(one or other)


def merged(stored: Stored, occurrences: list[Stored]) -> Stored | None:
    """What is stored of an event once some occurrences of it are told; None when it does not repeat.

    Raises `RecurrenceError` for occurrences of another kind, such as days of an event with times.
    """
    if not stored.get("repeats"):
        return None
    series = series_from_document(stored)
    overrides = dict(series.overrides)
    for told in occurrences:
        id, own = parse_stored_local(told["id"]), told["fields"]
        if isinstance(id, datetime) and not series.all_day and told["zone"] != series.time_zone:
            id = to_local(to_utc(id, told["zone"]), series.time_zone)
            own = own | {"start": to_local(own["begins"], series.time_zone).isoformat()}
        overrides[id] = override(series, stored, own, id)
    return series_to_document(validate_series(replace(series, overrides=overrides)))


def cancelled(stored: Stored, occurrences: list[Stored]) -> Stored | None:
    """What is stored of an event once it, or some occurrences of it, are cancelled; None for what does not repeat."""
    if not occurrences:
        return {"status": "cancelled"}
    told = [one | {"fields": one["fields"] | {"status": "cancelled"}} for one in occurrences]
    return merged(stored, told)
