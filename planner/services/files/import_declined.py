"""Whether the account that imports an invitation has declined it (RFC 5545 §3.2.12)."""

from collections.abc import Iterable, Mapping
from typing import Any

from database.queries import Changes, Id, assign
from models.accounts.user import User
from models.events.event import Event
from planner.domain.ics.reading.properties import Unreadable, parse_property
from planner.domain.stored_event import ImportedLines, StoredOverride

_DECLINED, _LINES = str(Event.declined), str(Event.ics)


async def mark_declined(content: Changes, owner: Id) -> Changes:
    """Return the content of an event, which says whether its owner has declined it, or an occurrence of it."""
    overrides: list[StoredOverride] = content.get(Event.overrides) or []
    # Most entries have no such line, and need nothing.
    if not any(_find_declined_lines(fields) for fields in (content, *(each.get("fields", {}) for each in overrides))):
        return content
    address = await User.find_email(owner)
    is_declined = _is_declined_by(content, address)
    marked = content | assign(Event.declined, is_declined)
    if overrides:
        marked[Event.overrides] = [_mark_override(override, is_declined, address) for override in overrides]
    return marked


def unmark_declined(content: Changes) -> Changes:
    """Return the content of an event without what `mark_declined` says."""
    unmarked = {name: value for name, value in content.items() if name != Event.declined}
    overrides: list[StoredOverride] = content.get(Event.overrides) or []
    if any(_DECLINED in each.get("fields", {}) for each in overrides):
        unmarked[Event.overrides] = [_mark_override(each, is_series_declined=False, address=None) for each in overrides]
    return unmarked


def _mark_override(override: StoredOverride, is_series_declined: bool, address: str | None) -> StoredOverride:
    fields = {name: value for name, value in override.get("fields", {}).items() if name != _DECLINED}
    # An occurrence without lines of its own has those of its series.
    if _LINES in fields and (is_declined := _is_declined_by(fields, address)) is not is_series_declined:
        fields[_DECLINED] = is_declined
    marked = StoredOverride(**override)
    if "fields" in marked:
        marked["fields"] = fields
    return marked


def _is_declined_by(fields: Mapping[Any, Any], address: str | None) -> bool:
    return address is not None and address.casefold() in _list_decliners(_find_declined_lines(fields))


def _find_declined_lines(fields: Mapping[Any, Any]) -> list[str]:
    ics: ImportedLines | None = fields.get(Event.ics)
    return [line for line in ics["lines"] if "DECLINED" in line.upper()] if ics else []


def _list_decliners(lines: Iterable[str]) -> set[str]:
    """Return the e-mail addresses of the attendees who have declined."""
    decliners: set[str] = set()
    for line in lines:
        try:
            prop = parse_property(line)
        except Unreadable:
            continue
        if prop.name == "ATTENDEE" and prop.parameters.get("PARTSTAT", "").upper() == "DECLINED":
            address = prop.value.strip().casefold().removeprefix("mailto:")
            decliners |= {address, prop.parameters.get("EMAIL", address).strip().casefold()}
    return decliners
