"""Make transparency a field, and alarms after the start reminders.

Imported events and occurrences had their TRANSP as a line without a field, and an alarm after the start as one that no
reminder could express. The states of earlier revisions are changed too. Running it twice changes nothing.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from beanie import Document, free_fall_migration
from pymongo import UpdateOne

from database.drivers.choice import driver

BATCH_SIZE = 200
MAX_REMINDERS = 10
MAX_REMINDER_MINUTES = 40_320

# A parameter in quotes may have colons.
_TRANSP = re.compile(r'\s*TRANSP\s*(?:;(?:[^":]|"[^"]*")*)?:(.*)', re.IGNORECASE)
_TRIGGER = re.compile(r"TRIGGER((?:;[^:]*)?):(.*)", re.IGNORECASE)
_DURATION = re.compile(r"\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


class Events(Document):
    """The events; through them the database is reached."""

    class Settings:
        """Where they are."""

        name = "events"


class Forward:
    """From lines and alarms to fields."""

    @free_fall_migration(document_models=[Events])
    async def read_fields(self, session: Any) -> None:
        """Give events, their occurrences and their earlier states `transparency`, and further `reminders`."""
        await _change_all(_read_fields)


class Backward:
    """Back to lines."""

    @free_fall_migration(document_models=[Events])
    async def write_lines(self, session: Any) -> None:
        """Write `transparency` as lines, and leave out the reminders after the start; their alarms are still there."""
        await _change_all(_write_lines)


async def _change_all(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Apply a change to the fields of all events, and of the states of all revisions."""
    database = driver.collection_of(Events).database
    for name, path in (("events", ""), ("revisions", "state.")):
        concerned = {
            "$or": [
                {f"{path}{field}": {"$exists": True}}
                for field in ("ics", "transparency", "overrides.fields.ics", "overrides.fields.transparency")
            ]
        }
        writes: list[UpdateOne] = []
        async for document in database[name].find(concerned):
            before = document["state"] if path else document
            after = change(before)
            changed = {f"{path}{key}": value for key, value in after.items() if before.get(key) != value}
            removed = {f"{path}{key}": "" for key in before.keys() - after.keys()}
            updates = {"$set": changed} if changed else {}
            updates |= {"$unset": removed} if removed else {}
            if updates:
                writes.append(UpdateOne({"_id": document["_id"]}, updates))
            if len(writes) == BATCH_SIZE:
                await database[name].bulk_write(writes)
                writes = []
        if writes:
            await database[name].bulk_write(writes)


def _read_fields(event: dict[str, Any]) -> dict[str, Any]:
    """Return the stored fields of an event, with `transparency` and reminders read from its lines and alarms."""
    own, transparency = _split_ics(event.get("ics"))
    changed = {name: value for name, value in event.items() if name != "ics"} | ({"ics": own} if own else {})
    if transparency is not None:
        changed["transparency"] = transparency
    if late := _list_late_reminders(event.get("ics")):
        changed["reminders"] = _add_reminders(event.get("reminders"), late)
    if overrides := event.get("overrides"):
        changed["overrides"] = [_read_override(override, event, changed) for override in overrides]
    return changed


def _read_override(override: dict[str, Any], event: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """Return an override, read likewise; `changed` has the fields of its event afterwards."""
    fields = dict(override.get("fields", {}))
    series = changed.get("transparency", "opaque")
    if fields.get("ics"):
        # The lines of an occurrence replace those of its event: without a TRANSP it is opaque.
        own, transparency = _split_ics(fields.pop("ics"))
        if own != changed.get("ics"):
            fields["ics"] = own
        if "transparency" not in fields and (transparency or "opaque") != series:
            fields["transparency"] = transparency or "opaque"
    alarms = override.get("fields", {}).get("ics", event.get("ics"))
    reminders = _add_reminders(
        override.get("fields", {}).get("reminders", event.get("reminders")), _list_late_reminders(alarms)
    )
    if reminders != (changed.get("reminders") or []):
        fields["reminders"] = reminders
    rest = {name: value for name, value in override.items() if name != "fields"}
    return rest | ({"fields": fields} if fields else {})


def _split_ics(ics: dict[str, Any] | None) -> tuple[dict[str, Any] | None, str | None]:
    """Return imported lines without TRANSP, or None if none are left; and what the first TRANSP says."""
    if not ics:
        return None, None
    found = [match for line in ics.get("lines", []) if (match := _TRANSP.fullmatch(line))]
    lines = [line for line in ics.get("lines", []) if not _TRANSP.fullmatch(line)]
    rest = {**ics, "lines": lines} if lines or ics.get("alarms") else None
    if not found:
        return rest, None
    return rest, "transparent" if found[0][1].strip().upper() == "TRANSPARENT" else "opaque"


def _list_late_reminders(ics: dict[str, Any] | None) -> list[int]:
    """Return the alarms after the start as reminders, which have negative minutes."""
    return [minutes for alarm in (ics or {}).get("alarms", []) for minutes in _parse_late_alarm(alarm)]


def _parse_late_alarm(alarm: list[str]) -> Iterator[int]:
    triggers = [found for line in alarm if (found := _TRIGGER.fullmatch(line))]
    if len(triggers) != 1 or {"RELATED=END", "VALUE=DATE-TIME"} & set(triggers[0][1].upper().split(";")):
        return
    duration = _DURATION.fullmatch(triggers[0][2].strip().upper())
    if duration is None:
        return
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in duration.groups())
    total = ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    if total and not total % 60 and total // 60 <= MAX_REMINDER_MINUTES:
        yield -total // 60


def _add_reminders(reminders: list[int] | None, late: list[int]) -> list[int]:
    known = reminders or []
    new = sorted(set(late) - set(known), reverse=True)[: max(MAX_REMINDERS - len(known), 0)]
    return sorted([*known, *new])


def _write_lines(event: dict[str, Any]) -> dict[str, Any]:
    """Return the stored fields of an event as the version before stores them."""
    changed = _write_line(event, event.get("ics"))
    if overrides := event.get("overrides"):
        changed["overrides"] = [_write_override(override, changed) for override in overrides]
    return changed


def _write_override(override: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    fields = _write_line(override.get("fields", {}), override.get("fields", {}).get("ics", event.get("ics")))
    rest = {name: value for name, value in override.items() if name != "fields"}
    return rest | ({"fields": fields} if fields else {})


def _write_line(fields: dict[str, Any], ics: dict[str, Any] | None) -> dict[str, Any]:
    changed = {name: value for name, value in fields.items() if name != "transparency"}
    if transparency := fields.get("transparency"):
        rest, _ = _split_ics(ics)
        own = rest or {"lines": [], "alarms": []}
        changed["ics"] = {**own, "lines": [*own["lines"], f"TRANSP:{transparency.upper()}"]}
    if fields.get("reminders"):
        changed["reminders"] = [minutes for minutes in fields["reminders"] if minutes >= 0]
    return changed
