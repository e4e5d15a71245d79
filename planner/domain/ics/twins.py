"""Twins: lines of an imported entry that repeat what a field says, such as X-ALT-DESC, which is a description as HTML.

When the field is changed, its twins would still say the old thing to the programs that prefer them. So they go.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any, Final

from icalendar.parser import unescape_backslash

from planner.domain.fields import PROPERTIES
from planner.domain.ics.content import escape_text, split_line
from planner.domain.stored_event import ImportedLines

_BUSY = "BUSY-?STATUS|INTENDED-?STATUS|TRANSP"
_TIMES = r"ALL-?DAY|ORIGINAL-?START|ORIGINAL-?END|DTSTART|DTEND|START-?(?:TIME|DATE)|END-?(?:TIME|DATE)|TIME-?ZONE|TZID"
# By the field: what is in the names of extension properties that say the same. Programs invent new ones with every
# version, so these are words, and no list of properties.
_WORDS: Final = {
    "title": "SUMMARY|SUBJECT|TITLE",
    "description": "DESC|HTML|BODY",
    "location": "LOCATION|LATITUDE|LONGITUDE|ADDRESS|VENUE|X-APPLE-TRAVEL",
    "geo": "LOCATION|LATITUDE|LONGITUDE|GEO",
    "image": "IMAGE",
    "tags": "CATEGOR|KEYWORD",
    "color": "COLOU?R",
    "priority": "PRIORITY|IMPORTANCE",
    "status": f"{_BUSY}|X-STATUS",
    "transparency": _BUSY,
    "start": _TIMES,
    "end": rf"{_TIMES}|(?<!TRAVEL-)DURATION",
    "all_day": _TIMES,
    "time_zone": _TIMES,
    "recurrence": "RRULE|RDATE|EXDATE|RECUR|INSTTYPE",
}
TWINNED_FIELDS: Final = tuple(dict.fromkeys((*_WORDS, *PROPERTIES)))
# Any change makes a sequence number an old one.
_PATTERNS: Final = {
    name: re.compile("|".join(filter(None, (_WORDS.get(name), "SEQUENCE|APPTSEQ"))), re.IGNORECASE)
    for name in TWINNED_FIELDS
}
# Properties of RFC 9073 are twins as well. One has all that is known about an event, as JSON-LD.
_STANDARD: Final = {"STYLED-DESCRIPTION": frozenset({"description"}), "STRUCTURED-DATA": frozenset(TWINNED_FIELDS)}
# A component with more about a place (RFC 9073 §7.2).
_PLACE = "BEGIN:VLOCATION"
_TEXTS = ("title", "description", "location")


def remove_twins(ics: ImportedLines, old: Mapping[str, Any], new: Mapping[str, Any]) -> ImportedLines:
    """Return imported lines without the twins of the fields that differ between two states of an event.

    Alarms that display the old title or description display the new one.
    """
    changed = {name for name in TWINNED_FIELDS if (old.get(name) or None) != (new.get(name) or None)}
    if not changed:
        return ics
    texts = {text for name in _TEXTS if name in changed and (text := _fold(old.get(name)))}
    lines = [line for line in ics["lines"] if not _is_twin(line, changed, texts)]
    replaced = list(_find_replaced_texts(old, new, changed))
    alarms = [
        [_replace_text(line, replaced) for line in component]
        for component in ics["alarms"]
        if component[:1] != [_PLACE] or not changed & {"location", "geo"}
    ]
    return ImportedLines(lines=lines, alarms=alarms)


def _is_twin(line: str, changed: Set[str], texts: Collection[str]) -> bool:
    """Return whether a line repeats one of the changed fields, by its name or because it has the same text."""
    parts = split_line(line)
    if parts is None:
        return False
    name = parts.name
    if not name.startswith("X-"):
        # A stored line of a property that may occur once is a value that its field cannot have.
        is_single = any(name in PROPERTIES[field].single_names for field in changed if field in PROPERTIES)
        return is_single or not changed.isdisjoint(_STANDARD.get(name, frozenset()))
    if any(_PATTERNS[field].search(name) for field in changed):
        return True
    return _fold(unescape_backslash(parts.value)) in texts


def _fold(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()


def _find_replaced_texts(
    old: Mapping[str, Any], new: Mapping[str, Any], changed: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the properties of alarms that may have an old text, with that text and the new one."""
    for field, names in (("description", ("DESCRIPTION",)), ("title", ("SUMMARY", "DESCRIPTION"))):
        if field in changed and old.get(field):
            for name in names:
                yield name, old[field], new.get(field) or new["title"]


def _replace_text(line: str, replaced: Collection[tuple[str, str, str]]) -> str:
    parts = split_line(line)
    for name, old, new in replaced:
        if parts is not None and parts.name == name and unescape_backslash(parts.value) == old:
            return line[: len(line) - len(parts.value)] + escape_text(new)
    return line
