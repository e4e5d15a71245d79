"""The VEVENTs of one stored event (RFC 5545 §3.6.1): one for the event, and one for each occurrence that differs."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from planner.domain.fields import FIELDS, PROPERTIES
from planner.domain.ics.alarms import format_valarms
from planner.domain.ics.content import encode_lines, escape_text, sanitize_line
from planner.domain.ics.versions import build_instance_key
from planner.domain.ics.writing.exceptions import find_exceptions
from planner.domain.ics.writing.vtimezone import format_tzid
from planner.domain.recurrence.documents import series_from_event
from planner.domain.recurrence.series import Override, Series, add_days_clamped
from planner.domain.stored_event import ImportedLines, StoredEvent
from planner.domain.times import format_local, format_local_instant, stored_time_to_utc
from planner.domain.zones import add_clamped, list_zone_names, resolve_local

# These properties may occur only once in a VEVENT. An imported line is left out if we write the same property.
_SINGLE_PROPERTIES = frozenset({"SEQUENCE", "CREATED", "LAST-MODIFIED"}).union(
    *(ics.single_names for ics in PROPERTIES.values())
)
# The fields of an event that its VEVENT has besides its times.
_CONTENT_FIELDS = (*PROPERTIES, "reminders", "ics")
# Those of them that only the event's editors get, who may change it.
_EDITORS_FIELDS = {name for name in _CONTENT_FIELDS if FIELDS[name].sent_to != "everyone"}
_TZID_PARAMETER = re.compile(r'[^:"]*;TZID="?([^;:"]+)', re.IGNORECASE)


# An event with many overrides is rendered in parts of about this size, in octets.
PART_OCTETS = 1 << 17


class RenderedVEvents(NamedTuple):
    """VEVENTs of one event, and the time zones whose VTIMEZONE must be before them."""

    content: bytes
    time_zones: tuple[str, ...]


def render_vevents(event: StoredEvent, uid: str, *, for_editors: bool = True) -> RenderedVEvents | None:
    """Return the VEVENTs of a stored event, or None for an undated one, which iCalendar cannot express."""
    parts = list(render_vevents_in_parts(event, uid, for_editors=for_editors))
    return RenderedVEvents(b"".join([part.content for part in parts]), parts[-1].time_zones) if parts else None


def render_vevents_in_parts(event: StoredEvent, uid: str, *, for_editors: bool = True) -> Iterator[RenderedVEvents]:
    """Yield the VEVENTs of a stored event in parts not much larger than PART_OCTETS; nothing for an undated event.

    Without `for_editors`, they have no alarms, and nothing of an imported entry that has no field.

    The VEVENT of an occurrence repeats all that the event says, so the VEVENTs of a stored event of 0.5 MB
    may have 50 MB.
    """
    if event.start is None:
        return
    renderer = _Renderer(event, uid, _EDITORS_FIELDS if not for_editors else ())
    vevents = renderer.format_recurring() if event.repeats else renderer.format_single(event.start)
    content = b""
    for lines in vevents:
        content += encode_lines(lines)
        if len(content) >= PART_OCTETS:
            yield RenderedVEvents(content, tuple(renderer.time_zones))
            content = b""
    if content:
        yield RenderedVEvents(content, tuple(renderer.time_zones))


class _Renderer:
    """The lines of the VEVENTs of one event, without the fields in `hidden`.

    `time_zones` has the zones that they use, in order, as keys.
    """

    def __init__(self, event: StoredEvent, uid: str, hidden: Collection[str]) -> None:
        self._event = event
        self._time_zone = event.time_zone or "UTC"
        self._content = {name: getattr(event, name) for name in _CONTENT_FIELDS if name not in hidden}
        self.time_zones: dict[str, None] = {}
        created, updated = format_utc(event.created_at), format_utc(event.updated_at)
        self._head = [
            "BEGIN:VEVENT",
            f"UID:{escape_text(uid)}",
            f"DTSTAMP:{updated}",
            f"CREATED:{created}",
            f"LAST-MODIFIED:{updated}",
        ]
        self._sequence, self._instance_sequences = _find_sequences(event)

    def format_single(self, start: str) -> Iterator[list[str]]:
        """Yield the lines of the VEVENT of an event that does not repeat."""
        times = [self._format_stored("DTSTART", start)]
        if self._event.end is not None:
            times.append(self._format_single_end(self._event.end))
        yield [*self._head, f"SEQUENCE:{self._sequence}", *times, *self._format_content(self._content), "END:VEVENT"]

    def _format_single_end(self, end: str) -> str:
        end_zone = self._event.end_time_zone
        if end_zone is None or self._event.all_day:
            return self._format_stored("DTEND", end)
        return self._format_end(stored_time_to_utc(end, self._time_zone), end_zone)

    def format_recurring(self) -> Iterator[list[str]]:
        """Yield the lines of the VEVENT of a recurring event, then those of each occurrence that differs."""
        series = series_from_event(self._event)
        exdates, rdates, vevents = find_exceptions(series)
        times = list(self._format_times(series, series.start, Override()))
        if series.rrule is not None:
            times.append(f"RRULE:{series.rrule}")
        times += [*self._format_dates("RDATE", rdates), *self._format_dates("EXDATE", exdates)]
        yield [*self._head, f"SEQUENCE:{self._sequence}", *times, *self._format_content(self._content), "END:VEVENT"]
        for recurrence_id, override, is_range in vevents:
            name = "RECURRENCE-ID;RANGE=THISANDFUTURE" if is_range else "RECURRENCE-ID"
            times = [self._format_stored(name, recurrence_id.isoformat())]
            times += self._format_times(series, recurrence_id, override)
            own = {name: value for name, value in override.fields.items() if name in self._content}
            content = self._content | own
            sequence = self._find_sequence(series, recurrence_id)
            yield [*self._head, f"SEQUENCE:{sequence}", *times, *self._format_content(content), "END:VEVENT"]

    def _find_sequence(self, series: Series, recurrence_id: date) -> int:
        """Return the SEQUENCE of one occurrence, which may have one of its own (RFC 5546 §2.1.5)."""
        if not self._instance_sequences:
            return self._sequence
        keys = [build_instance_key(recurrence_id, self._time_zone)]
        keys += [build_instance_key(id, self._time_zone, following=True) for id in series.find_range_ids(recurrence_id)]
        found = (self._instance_sequences[key] for key in keys if key in self._instance_sequences)
        return next(found, self._sequence)

    def _format_times(self, series: Series, recurrence_id: date, override: Override) -> Iterator[str]:
        """Yield the lines of the start and the end of an occurrence, or of a series as that of its first one."""
        start, time_zone = override.start or recurrence_id, override.time_zone or self._time_zone
        yield self._format_stored("DTSTART", format_local(start, time_zone), time_zone)
        duration = series.measure_occurrence(recurrence_id, override)
        # DTEND must be later than DTSTART (RFC 5545 §3.8.2.2), so an event without a duration has none.
        if not duration or (override.duration is None and series.duration is None):
            return
        if series.nominal_days and override.duration is None and isinstance(start, datetime):
            # With a DTEND, all occurrences would have the exact duration of the first one (§3.8.5.3).
            yield f"DURATION:{_format_length(series)}"
            return
        if not isinstance(start, datetime):
            yield self._format_stored("DTEND", add_days_clamped(start, duration).isoformat(), time_zone)
            return
        # The duration is exact, also across a clock change (§3.8.5.3).
        end = add_clamped(resolve_local(start, time_zone), duration)
        end_zone = override.fields.get("end_time_zone", self._event.end_time_zone)
        yield self._format_end(end, str(end_zone or time_zone))

    def _format_end(self, end: datetime, time_zone: str) -> str:
        return self._format_stored("DTEND", format_local_instant(end, time_zone), time_zone)

    def _format_stored(self, name: str, stored_time: str, time_zone: str | None = None) -> str:
        """Return the line of a stored start or end, in the time zone of the event unless another one is given."""
        if len(stored_time) > len("2026-05-01T18:00:00"):
            # It has an offset, so it is the second occurrence of a local time. With a TZID it would mean the
            # first (RFC 5545 §3.3.5).
            return f"{name}:{format_utc(datetime.fromisoformat(stored_time))}"
        zone = None if len(stored_time) == len("2026-05-01") else time_zone or self._time_zone
        return f"{name}{self._format_time_parameter(zone)}{_compact(stored_time)}{_get_suffix(zone)}"

    def _format_dates(self, name: str, values: Iterable[date]) -> list[str]:
        values = sorted(values)
        if not values:
            return []
        zone = self._time_zone if isinstance(values[0], datetime) else None
        dates = ",".join([_compact(value.isoformat()) + _get_suffix(zone) for value in values])
        return [f"{name}{self._format_time_parameter(zone)}{dates}"]

    def _format_time_parameter(self, time_zone: str | None) -> str:
        """Return what is between the name of a property and its local time in a zone, or its date for None."""
        if time_zone is None:
            return ";VALUE=DATE:"
        if time_zone == "UTC":
            return ":"
        self.time_zones[time_zone] = None
        return f"{format_tzid(time_zone)}:"

    def _format_content(self, content: Mapping[str, Any]) -> list[str]:
        """Return the lines of a VEVENT other than those of its times, from the fields of an event or occurrence."""
        lines: list[str] = []
        for name, ics in PROPERTIES.items():
            if value := content[name]:
                lines += ics.write(value)
        imported: ImportedLines | None = content.get("ics")
        reminders, alarms = content.get("reminders") or [], [] if imported is None else imported["alarms"]
        if imported is not None:
            lines += self._select_imported(lines, imported["lines"])
        return lines + format_valarms(content["title"], reminders, alarms) if reminders or alarms else lines

    def _select_imported(self, own_lines: list[str], imported: Iterable[str]) -> list[str]:
        """Return the imported lines, without those of a single property that our own lines have already."""
        own_names = {_split_name(line) for line in own_lines} & _SINGLE_PROPERTIES
        selected = []
        for line in map(sanitize_line, imported):
            if _split_name(line).upper() in own_names:
                continue
            selected.append(line)
            found = _TZID_PARAMETER.match(line)
            if found and found[1] in list_zone_names():
                self.time_zones[found[1]] = None
        return selected


def _find_sequences(event: StoredEvent) -> tuple[int, dict[str, int]]:
    """Return the SEQUENCE of an event, and those of its occurrences that have their own, by their keys.

    They are the organizer's, if the event was imported: only the organizer may increase them (RFC 5546 §2.1.4).
    """
    source = event.source
    if source is None:
        return (event.sequence or 0) + event.revision - 1, {}
    instances = {key: version["sequence"] for key, version in source.get("instances", {}).items()}
    series = source.get("series")
    return series["sequence"] if series else max(instances.values(), default=0), instances


def _format_length(series: Series) -> str:
    """Return the duration of a series whose days are days by the clock (§3.3.6)."""
    rest = int(series.effective_duration.total_seconds()) - series.nominal_days * 86_400
    time = "".join(f"{count}{unit}" for count, unit in zip(_split_seconds(rest), "HMS", strict=True) if count)
    return f"P{series.nominal_days}D{'T' if time else ''}{time}"


def _split_seconds(seconds: int) -> tuple[int, int, int]:
    return seconds // 3600, seconds // 60 % 60, seconds % 60


def _get_suffix(time_zone: str | None) -> str:
    return "Z" if time_zone == "UTC" else ""


def _split_name(line: str) -> str:
    return re.split("[:;]", line, maxsplit=1)[0]


def format_utc(moment: datetime) -> str:
    """Return an instant as a DATE-TIME in UTC (RFC 5545 §3.3.5), without fractions of a second."""
    return f"{_compact(moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat())}Z"


def _compact(iso: str) -> str:
    return iso.replace("-", "").replace(":", "")
