"""Whether an entry has the content of a stored event already. If it has, nothing is written."""

from typing import Any

from icalendar.parser import unescape_backslash

from database.queries import Changes, assign
from models.events.event import Event
from models.events.event_fields import default_content
from planner.domain.fields import COMPARED_FIELDS
from planner.domain.ics.reading.groups import parse_groups
from planner.domain.ics.reading.properties import Unreadable, parse_property
from planner.domain.ics.writing.vevent import render_vevents
from planner.domain.stored_event import NO_LINES, ImportedLines, StoredOverride
from planner.services.files.import_drafts import build_draft

DEFAULTS = default_content()
_NormalizedLines = tuple[list[str], list[list[str]]]


def means_the_same(one: Changes, other: Changes) -> bool:
    """Return whether two contents of files differ at most in the order and the spelling of lines."""
    return _normalize(one) == _normalize(other)


def has_same_content(stored: Changes, content: Changes) -> bool:
    """Return whether the content of a stored event is exactly this one."""
    return _select_content(stored) == _select_content(content)


def has_same_export(event: Event, content: Changes) -> bool:
    """Return whether the export of a stored event would be imported as this content.

    The same content can be stored in more than one way: an excluded occurrence as a date or as an
    override, and an all-day event with a time zone, which a file does not have. Other programs also change
    the order of lines.
    """
    rendered = render_vevents(event, event.ical_uid)
    if rendered is None:
        return False
    (group,) = parse_groups(f"BEGIN:VCALENDAR\r\n{rendered.content.decode()}END:VCALENDAR\r\n")
    exported = build_draft(group).draft
    if exported is None:
        return False
    same = dict(exported.content)
    if event.all_day and content.get(Event.time_zone) is not None:
        # An export has dates without a zone; here the time zone of the days is given.
        same |= assign(Event.time_zone, event.time_zone)
    return _normalize(same) == _normalize(content)


def _select_content(fields: Changes) -> Changes:
    """Return what is compared: a field without a value, or one that is not stored, has its default."""
    return {name: value for name in COMPARED_FIELDS if (value := fields.get(name)) and value != DEFAULTS.get(name)}


def _normalize(fields: Changes) -> Changes:
    """Return the content without the order and the spelling of imported lines."""
    content = _select_content(fields)
    content[Event.ics] = normalize_ics(content.get(Event.ics))
    if Event.overrides in content:
        overrides = content[Event.overrides]
        content[Event.overrides] = [_normalize_override(override, content[Event.ics]) for override in overrides]
    return content


def _normalize_override(override: StoredOverride, of_event: _NormalizedLines) -> dict[str, Any]:
    fields: Changes = dict(override.get("fields", {}))
    fields[Event.ics] = normalize_ics(fields[Event.ics]) if Event.ics in fields else of_event
    return {**override, "fields": fields}


def normalize_ics(ics: ImportedLines | None) -> _NormalizedLines:
    """Return imported lines and alarms without their order and their spelling."""
    ics = ics or NO_LINES
    lines = sorted(_normalize_line(line) for line in ics["lines"])
    return lines, sorted(sorted(_normalize_line(line) for line in alarm) for alarm in ics["alarms"])


def _normalize_line(line: str) -> str:
    """Return a content line in one of its spellings: those that mean the same become equal."""
    try:
        prop = parse_property(line)
    except Unreadable:
        return line
    parameters = ";".join(sorted(f"{name}={value}" for name, value in prop.parameters.items()))
    return f"{prop.name};{parameters}:{unescape_backslash(prop.value)}"
