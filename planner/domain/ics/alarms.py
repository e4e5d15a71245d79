"""Reminders as VALARMs (RFC 5545 §3.6.6), and the alarms of imported events."""

import re
from collections.abc import Sequence

from planner.domain.ics.content import escape_text, sanitize_line

# Reminders are at most four weeks before the start, or after it.
MAX_REMINDER_MINUTES = 40_320

_TRIGGER = re.compile(r"TRIGGER((?:;[^:]*)?):(.*)", re.IGNORECASE)
_DURATION = re.compile(r"([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


def parse_reminder_minutes(alarm: Sequence[str]) -> int | None:
    """Return how many minutes before the start an alarm is triggered, or None if a reminder cannot express it.

    `alarm` has the unfolded lines of the VALARM; negative minutes are after the start. A reminder cannot express an
    alarm at a fixed time, relative to the end, or not at whole minutes.
    """
    triggers = [found for line in alarm if (found := _TRIGGER.fullmatch(line))]
    if len(triggers) != 1:
        return None
    parameters = triggers[0][1].upper().split(";")
    duration = _DURATION.fullmatch(triggers[0][2].strip().upper())
    if duration is None or not any(duration.groups()[1:]) or {"RELATED=END", "VALUE=DATE-TIME"} & set(parameters):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in duration.groups()[1:])
    total = ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    if total % 60 or total // 60 > MAX_REMINDER_MINUTES:
        return None
    return total // 60 if duration[1] == "-" else -total // 60


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
