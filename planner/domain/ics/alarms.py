"""Reminders as VALARMs (RFC 5545 §3.6.6), and the alarms of imported events."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from icalendar.parser import unescape_backslash
from typing_extensions import TypedDict

from planner.domain.ics.content import ContentLine, escape_text, sanitize_line, split_line

# Reminders are at most four weeks before the start, or after it.
MAX_REMINDER_MINUTES = 40_320

_DURATION = re.compile(r"([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_INSTANT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)", re.ASCII)
# The properties of an alarm that are sent.
_DESCRIBED = ("ACTION", "TRIGGER", "DESCRIPTION")


class Alarm(TypedDict):
    """An alarm of an imported event that no reminder can express, as it is sent.

    `trigger` is a duration (RFC 5545 §3.3.6), `related` to the start or the end of the event; or, with None, an
    instant.
    """

    action: str
    trigger: str
    related: Literal["start", "end"] | None
    description: str | None


def parse_reminder_minutes(alarm: Sequence[str]) -> int | None:
    """Return how many minutes before the start an alarm is triggered, or None if a reminder cannot express it.

    `alarm` has the unfolded lines of the VALARM; negative minutes are after the start. A reminder cannot express an
    alarm at a fixed time, relative to the end, or not at whole minutes.
    """
    triggers = _find_properties(alarm, "TRIGGER")
    if len(triggers) != 1 or _read_anchor(triggers[0]) != "start":
        return None
    duration = _DURATION.fullmatch(triggers[0].value.strip().upper())
    if duration is None or not any(duration.groups()[1:]):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in duration.groups()[1:])
    total = ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    if total % 60 or total // 60 > MAX_REMINDER_MINUTES:
        return None
    return total // 60 if duration[1] == "-" else -total // 60


def describe_alarms(alarms: Sequence[Sequence[str]]) -> list[Alarm]:
    """Return those alarms of an imported event that no reminder can express, as they are sent."""
    return [described for alarm in alarms if (described := describe_alarm(alarm)) is not None]


def describe_alarm(alarm: Sequence[str]) -> Alarm | None:
    """Return an alarm as it is sent; None for one that a reminder expresses, and for other components."""
    if not alarm or alarm[0].upper() != "BEGIN:VALARM" or parse_reminder_minutes(alarm) is not None:
        return None
    action, trigger, text = (next(iter(_find_properties(alarm, name)), None) for name in _DESCRIBED)
    return Alarm(
        action=action.value.strip().lower() if action else "display",
        trigger=_format_trigger(trigger.value.strip().upper()) if trigger else "",
        related=_read_anchor(trigger) if trigger else None,
        description=unescape_backslash(text.value) if text else None,
    )


def remove_alarms(imported: Sequence[list[str]], kept: Sequence[Mapping[str, Any]]) -> list[list[str]] | None:
    """Return imported alarms without those that no reminder can express and that are not among the `kept` ones.

    These are in the form in which they are sent. Returns None if one of them is none of the imported alarms.
    """
    remaining, result = list(kept), list[list[str]]()
    for alarm in imported:
        described = describe_alarm(alarm)
        if described in remaining:
            remaining.remove(described)
        elif described is not None:
            continue
        result.append(alarm)
    return None if remaining else result


def _find_properties(alarm: Sequence[str], name: str) -> list[ContentLine]:
    parts = (split_line(line) for line in alarm if line[: len(name)].upper() == name)
    return [part for part in parts if part is not None and part.name == name]


def _read_anchor(trigger: ContentLine) -> Literal["start", "end"] | None:
    """Return what the time of an alarm is relative to; None for a fixed time."""
    if trigger.parameters.get("VALUE", "").upper() == "DATE-TIME" or _INSTANT.fullmatch(trigger.value.strip().upper()):
        return None
    return "end" if trigger.parameters.get("RELATED", "").upper() == "END" else "start"


def _format_trigger(value: str) -> str:
    """Return a duration as it is, and an instant in the format of RFC 3339."""
    return _INSTANT.sub(r"\1-\2-\3T\4:\5:\6\7", value)


def format_valarms(title: str, reminders: Sequence[int], imported: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of all VALARMs of an event.

    `reminders` are minutes before the start, or after it if they are negative; `imported` are the alarms of an
    imported event, as unfolded lines. An imported alarm is left out if it was a reminder that has been removed
    since; the reminders that no imported alarm expresses get a VALARM of their own.
    """
    lines: list[str] = []
    imported_minutes = set()
    for alarm in imported:
        minutes = parse_reminder_minutes(alarm)
        if minutes is not None and minutes not in reminders:
            continue
        imported_minutes.add(minutes)
        lines += map(sanitize_line, alarm)
    for minutes in reminders:
        if minutes not in imported_minutes:
            lines += [
                "BEGIN:VALARM",
                "ACTION:DISPLAY",
                f"DESCRIPTION:{escape_text(title)}",
                f"TRIGGER:{'-' if minutes > 0 else ''}PT{abs(minutes)}M",
                "END:VALARM",
            ]
    return lines
