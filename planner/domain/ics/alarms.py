"""Reminders as VALARMs (RFC 5545 §3.6.6), beside the alarms that an import brought along."""

import re
from collections.abc import Sequence

from planner.domain.ics.content import escape_text, sanitize_line

# Four weeks in minutes, the earliest that an event can remind of itself.
MAX_REMINDER_MINUTES = 40_320

_TRIGGER = re.compile(r"TRIGGER((?:;[^:]*)?):(.*)", re.IGNORECASE)
_DURATION = re.compile(r"([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


def parse_reminder_minutes(alarm: Sequence[str]) -> int | None:
    """How many minutes before the start an alarm goes off; None unless a reminder can say the same.

    The alarm is given as its unfolded lines. One at a fixed time, after the start, relative to
    the end, or not at whole minutes is none of ours.
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
    if total % 60 or total // 60 > MAX_REMINDER_MINUTES or (total and duration[1] != "-"):
        return None
    return total // 60


def format_valarms(title: str, reminders: Sequence[int], imported: Sequence[Sequence[str]]) -> list[str]:
    """The lines of all alarms of an event: the imported ones that still hold, and one for each other reminder."""
    lines: list[str] = []
    told = set()
    for alarm in imported:
        minutes = parse_reminder_minutes(alarm)
        if minutes is not None and minutes not in reminders:
            continue  # The reminder that it was has been taken away since.
        told.add(minutes)
        lines += map(sanitize_line, alarm)
    for minutes in reminders:
        if minutes not in told:
            lines += [
                "BEGIN:VALARM",
                "ACTION:DISPLAY",
                f"DESCRIPTION:{escape_text(title)}",
                f"TRIGGER:-PT{minutes}M" if minutes else "TRIGGER:PT0M",
                "END:VALARM",
            ]
    return lines
