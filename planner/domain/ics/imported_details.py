"""What an imported entry says about people and conferences (RFC 5545 §3.8.4, RFC 7986 §5.11), read from its lines.

This is done each time an imported event is rendered, so it reads only the lines that it needs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from typing_extensions import TypedDict

from planner.domain.ics.alarms import Alarm, describe_alarms
from planner.domain.ics.content import ContentLine, split_line
from planner.domain.stored_event import ImportedLines
from planner.domain.urls import is_web_address

# The properties with the address of a conference; of several, the first one in this order counts.
_CONFERENCES = (
    "CONFERENCE",
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-MICROSOFT-ONLINEMEETINGCONFLINK",
    "X-MS-OLK-MWSURL",
)
# A conference may also be a number to call (RFC 7986 §5.11).
_CALL = re.compile(r"(?:tel|sips?|xmpp):[\x21-\x7e]+", re.IGNORECASE)
_READ = ("ORGANIZER", "ATTENDEE", "CLASS", *_CONFERENCES)
# A word that is not known means the same as none (§3.2.12, §3.2.16).
_STATUSES = frozenset({"needs-action", "accepted", "declined", "tentative", "delegated"})
_ROLES = frozenset({"req-participant", "opt-participant", "non-participant", "chair"})


class Organizer(TypedDict):
    """Who organizes an imported event."""

    name: str | None
    email: str | None


class ImportedAttendee(TypedDict):
    """Somebody whom the organizer of an imported event has invited, as its file says it."""

    name: str | None
    email: str | None
    status: str
    role: str


class ImportedDetails(TypedDict):
    """What an imported entry says that has no stored field, but is sent to who may edit the event."""

    organizer: Organizer | None
    attendees: list[ImportedAttendee]
    conference: str | None
    alarms: list[Alarm]


def read_details(ics: ImportedLines) -> ImportedDetails:
    """Return what imported lines say about people, conferences and alarms."""
    lines = _read_lines(ics["lines"])
    organizer = lines.get("ORGANIZER")
    return ImportedDetails(
        organizer=_read_person(organizer[0]) if organizer else None,
        attendees=[_read_attendee(line) for line in lines.get("ATTENDEE", ())],
        conference=next(_find_conferences(lines), None),
        alarms=describe_alarms(ics["alarms"]),
    )


def is_confidential(ics: ImportedLines | None) -> bool:
    """Return whether a CLASS says that an entry is not for everyone; an unknown word means PRIVATE (§3.8.1.3)."""
    found = _read_lines(ics["lines"]).get("CLASS", ()) if ics else ()
    return any(line.value.strip().upper() not in ("", "PUBLIC") for line in found)


def _read_lines(lines: Sequence[str]) -> dict[str, list[ContentLine]]:
    found: dict[str, list[ContentLine]] = {}
    for line in lines:
        if line.upper().startswith(_READ) and (parts := split_line(line)):
            found.setdefault(parts.name, []).append(parts)
    return found


def _read_person(line: ContentLine) -> Organizer:
    return Organizer(name=line.parameters.get("CN", "").strip() or None, email=_read_email(line))


def _read_attendee(line: ContentLine) -> ImportedAttendee:
    status, role = (line.parameters.get(name, "").strip().lower() for name in ("PARTSTAT", "ROLE"))
    return ImportedAttendee(
        **_read_person(line),
        status=status if status in _STATUSES else "needs-action",
        role=role if role in _ROLES else "req-participant",
    )


def _read_email(line: ContentLine) -> str | None:
    """Return the address of a calendar user, which need not be one of mail; EMAIL is (RFC 7986 §6.2)."""
    scheme, separator, rest = line.value.strip().partition(":")
    if separator and scheme.strip().lower() == "mailto":
        email = unquote(rest.partition("?")[0]).strip()
    else:
        email = "" if separator else line.value.strip()
    if "@" not in email:
        email = line.parameters.get("EMAIL", "").strip()
    return email if "@" in email else None


def _find_conferences(lines: Mapping[str, list[ContentLine]]) -> Iterator[str]:
    """Yield the addresses of conferences, those of the web before those to call."""
    found = [line.value.strip() for name in _CONFERENCES for line in lines.get(name, ())]
    yield from filter(is_web_address, found)
    yield from filter(_CALL.fullmatch, found)
