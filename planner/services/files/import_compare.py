"""Whether a file says anything new about an event: what is equal is not written again."""

from typing import Any

from icalendar.parser import unescape_backslash

from database.queries import Stored
from planner.domain.ics.reading.groups import parse_groups
from planner.domain.ics.reading.properties import Unreadable, parse_property
from planner.domain.ics.writing.vevent import render_vevents
from planner.services.files.import_drafts import prepared

COMPARED = (
    *("title", "description", "image", "tags", "location", "geo", "url", "start", "end", "all_day", "time_zone"),
    *("recurrence", "seconds", "overrides", "status", "reminders", "ics"),
)


def says_the_same(stored: Stored, told: Stored) -> bool:
    """Whether an event is stored just as it is told."""
    return _said(stored) == _said(told)


def exports_the_same(stored: Stored, uid: str, told: Stored) -> bool:
    """Whether our own export of a stored event would be read as what is told.

    There is more than one way to keep the same: an occurrence can be left out as a date or as an
    exception, and days can have a zone that no file tells. Other programs also put what they
    were given into another order.
    """
    rendered = render_vevents(stored, uid)
    if rendered is None:
        return False
    (group,) = parse_groups(f"BEGIN:VCALENDAR\r\n{rendered.content.decode()}END:VCALENDAR\r\n")
    again, _ = prepared(group)
    return again is not None and _loosely(again.fields) == _loosely(told)


def _said(fields: Stored) -> dict[str, Any]:
    return {name: fields[name] for name in COMPARED if fields.get(name)}


def _loosely(fields: Stored) -> dict[str, Any]:
    said = _said(fields)
    if "ics" in said:
        said["ics"] = _in_order(said["ics"])
    if "overrides" in said:
        said["overrides"] = [_override(override) for override in said["overrides"]]
    return said


def _override(override: dict[str, Any]) -> dict[str, Any]:
    fields = override.get("fields", {})
    return override | {"fields": fields | {"ics": _in_order(fields["ics"])}} if fields.get("ics") else override


def _in_order(ics: dict[str, Any]) -> Any:
    return sorted(map(_spelled, ics.get("lines", ()))), sorted(sorted(map(_spelled, a)) for a in ics.get("alarms", ()))


def _spelled(line: str) -> str:
    """A content line in the one of its spellings by which it is compared."""
    try:
        found = parse_property(line)
    except Unreadable:
        return line
    parameters = ";".join(sorted(f"{name}={value}" for name, value in found.parameters.items()))
    return f"{found.name};{parameters}:{unescape_backslash(found.value)}"
